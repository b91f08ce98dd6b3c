"""Floor 2: models, versions, endpoints, deployments, authorisations and the gate.

May import the accounts and ledger floors. Start reading at `oversight/registry/services/`.
"""
