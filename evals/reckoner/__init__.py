"""The reckoner: a small process beside the one that serves, which reads samples and does the sums.

Parquet comes from strangers and takes a large library to read; the statistics take two more. Here
all of it happens out of the process that holds the database's connection and the secrets: what a
hostile file breaks is a process that is thrown away, and what it may take is limited. Free of
Django; nobody but `pool` starts one. Start reading at `asking.py`.
"""

from evals.reckoner.refusals import ReckonerAway, Refused

__all__ = ["ReckonerAway", "Refused"]
