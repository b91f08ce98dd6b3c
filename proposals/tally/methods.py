"""The methods that count an election, by the name a decision contract or a shell uses."""

from collections.abc import Callable

from proposals.tally import approval, irv, plurality, schulze, stv
from proposals.tally.election import Election
from proposals.tally.lot import DEFAULT_LOT
from proposals.tally.sheet import Decider, ElectionSheet

METHODS: dict[str, Callable[[Election, Decider | None], ElectionSheet]] = {
    stv.METHOD: stv.count,
    irv.METHOD: irv.count,
    schulze.METHOD: schulze.count,
    approval.METHOD: approval.count,
    plurality.METHOD: plurality.count,
}

SINGLE_SEAT = frozenset({irv.METHOD, schulze.METHOD})
"""Methods that elect one, whatever number of seats the election names."""

USUAL_LOT: dict[str, Decider | None] = {
    **dict.fromkeys(METHODS, None),
    stv.METHOD: DEFAULT_LOT,
    irv.METHOD: DEFAULT_LOT,
}
"""The lot used when nobody gave a seed: counts by stages must go on, the others may end tied."""
