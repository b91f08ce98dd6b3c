"""Floor 4: proposals, revisions, discussion, ballots, tallies, decisions.

May import every floor below. `proposals/tally` counts and is free of Django.
Start reading at `proposals/services`.
"""
