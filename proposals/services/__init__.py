"""The only writers of the deciding floor, one module per noun.

`charters` adopts, `drafting` writes text and evidence, `discussion`, `arguments` and `opinions`
speak, `moderation` moderates, `stages` moves, `voting` casts, `closing` counts and decides.
"""
