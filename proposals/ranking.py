"""The order of arguments: by how many of those who could support one do, and not by its age alone.

Pure: no Django. Of several arguments the first is the one whose share of supporters is surely the
highest: the lower end of the 95 % interval of Wilson (1927). The share is of everybody who supports
something on this proposal and did so since the argument was made, so that a late argument does not
lag behind an early one for ever; but of half of all who support something at least, so that a few
friends of a late argument do not carry it to the top. Ties go to more supporters, then to age.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """How much support an argument has, of how many."""

    supporters: int
    asked: int

    @property
    def score(self) -> float:
        """The lower end of Wilson's 95 % interval of the share; 0 where nobody supports it."""
        if not self.supporters:
            return 0.0
        share, n, square = self.supporters / self.asked, self.asked, Z * Z
        middle = share + square / (2 * n)
        spread = Z * math.sqrt((share * (1 - share) + square / (4 * n)) / n)
        return (middle - spread) / (1 + square / n)


def weigh(supporters: int, made_at: datetime, latest: Sequence[datetime]) -> Weighed:
    """Return an argument's support.

    Args:
        supporters: how many support it now.
        made_at: when it was made.
        latest: for each person who supports anything here, when they last did; sorted.
    """
    since = len(latest) - bisect_left(latest, made_at)
    return Weighed(supporters, max(since, supporters, math.ceil(len(latest) / 2)))
