"""Measurements of speed and memory, each a script of its own; `make bench` runs them all.

Nothing here is a test: figures depend on the machine, which each result names. May import anything.
Start reading at `__main__.py`, then `result.py`.
"""
