"""The only writers of the deciding floor, one module per noun.

`charters` adopts, `drafting` writes text and evidence, `discussion` speaks and moderates, `stages`
moves, `voting` casts, `closing` counts and decides.
"""
