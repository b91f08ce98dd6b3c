"""Suites: what is measured, as declarative documents with their data files; free of Django.

May import only the standard library, Jinja2, PyYAML and rfc8785: the web process, the worker and
the shell all read suites through here. Start reading at `document.py`.
"""
