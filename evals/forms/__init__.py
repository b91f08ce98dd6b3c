"""Shape of the HTML input on the evaluation floor.

`runs` asks for a run, `checks` for rounds of checks; `suites`, `uploads` and `tasks` make a suite.
"""
