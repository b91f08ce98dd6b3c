"""What every floor's pages share: refusals, parts of pages, charts. Below all floors; no models.

Imports no floor but the ledger's public state for the masthead. Start at `refusals.py`.
"""
