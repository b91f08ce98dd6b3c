"""The parts that run inside one machine: PostgreSQL, broker, supervisor, generated secrets.

Beside the floors; imports none of them. Start reading at `supervisor.py`.
"""
