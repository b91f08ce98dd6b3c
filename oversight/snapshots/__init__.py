"""Snapshots: all public lists in one file, made by the clock, and the catalogue of what there is.

Stands above the public pages, whose tables it writes; may import every floor below. Start reading
at `services.py`.
"""
