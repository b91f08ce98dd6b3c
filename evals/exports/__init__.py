"""A run in the forms that other programs read: tables, and the Every Eval Ever record.

Imports models and what lies below them, never services. Start with `results.py`.
"""
