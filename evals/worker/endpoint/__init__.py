"""Calling an OpenAI-compatible endpoint: where it may be called, how often, and for what cost.

Knows neither torch nor the harness; `runner/remote.py` makes a model of the harness of it. Start
reading at `caller.py`.
"""
