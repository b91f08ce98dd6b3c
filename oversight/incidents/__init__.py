"""Incidents: what the public reports, how a body handles it, what it leads to.

Stands over the floor that decides, since an incident may suspend an authorisation and start a
review; may import every floor below. Start reading at `services/reporting.py`.
"""
