"""Asks a public body's gate whether what would be served was decided; needs no Django.

It checks a LiteLLM configuration, a folder of weights, or a digest, online or offline, and answers
web servers and Kubernetes. It shares no code with the site: what the site says is verified here
against the key of its log. Start at `__main__.py`; `judging.py` says what a judge is.
"""
