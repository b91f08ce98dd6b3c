"""The worked example: an invented council that takes one real decision on a real small model.

`people` makes the cast, `walk` takes the steps. Every step looks first whether it was taken before,
so that a second run goes on where the first one stopped.
"""
