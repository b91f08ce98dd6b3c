"""The process that holds a model and runs tasks on it with lm-eval.

The only place that imports torch, transformers and lm_eval. The worker talks to it by the messages
of `protocol.py`, which imports none of them. Start reading at `__main__.py`, then `session.py`.
"""
