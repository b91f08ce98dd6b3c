"""What scores say, and how surely: intervals, comparisons, and the samples it takes to decide.

Published numbers come from here and from nowhere else: the worker states them, the server computes
them again from the samples, and anyone with the samples can do the same. Pure functions; numpy and
scipy are imported inside those that need them, so that a process that never does stays small.
`docs/explanation/statistics.md` says which method is used when, and why.
"""

from evals.statistics.families import holm
from evals.statistics.means import mean, normal_interval, standard_error
from evals.statistics.paired import Difference, compare
from evals.statistics.planning import (
    detectable_difference,
    detectable_proportions,
    samples_to_decide,
    samples_to_decide_proportion,
)
from evals.statistics.proportions import CONFIDENCE, Z_95, mcnemar, wilson_interval
from evals.statistics.summary import Aggregate, summarise

__all__ = [
    "CONFIDENCE",
    "Z_95",
    "Aggregate",
    "Difference",
    "compare",
    "detectable_difference",
    "detectable_proportions",
    "holm",
    "mcnemar",
    "mean",
    "normal_interval",
    "samples_to_decide",
    "samples_to_decide_proportion",
    "standard_error",
    "summarise",
    "wilson_interval",
]
