"""Floor 1: people, organisations, bodies, memberships, roles, API keys, notices.

May import the ledger floor. Start reading at `oversight/accounts/services/`.
"""
