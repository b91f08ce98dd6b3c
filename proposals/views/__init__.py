"""Pages of the deciding floor, one module per thing a person does there.

`page` shows a proposal, `drafting` writes its text and asks for evidence, `talk` is its discussion,
`moves` leads it from stage to stage, `ballots` is the vote.
`charters` is where a new body gets its first rules.
"""
