"""Floor 4: proposals, revisions, discussion, ballots, tallies, decisions.

May import every floor below. `proposals/tally` counts and `proposals/opinions` draws opinion maps;
both are free of Django. Start reading at `proposals/services`.
"""
