"""What an evaluation host runs: it claims task runs by HTTPS, runs them and signs the results.

Free of Django, without database credentials. Only `runner` imports torch and the harness, and it
runs as a process of its own. Start reading at `agent.py`.
"""
