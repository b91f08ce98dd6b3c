"""Floor 0: leaves, tree, checkpoints, proofs, receipts; knows no other floor.

`merkle.py`, `note.py`, `tiles.py` and `proof.py` are free of Django. Start at `services.py`.
"""
