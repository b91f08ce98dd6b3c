"""The chair's casting vote in an election: an order that breaks every tie the count meets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from proposals.tally.errors import InputError


@dataclass(frozen=True, slots=True)
class CastingVote:
    """The order in which the chair prefers the candidates; it has to rank the tied ones only.

    Raises:
        InputError: on construction, for a name given twice.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names):
            raise InputError("casting_vote", "names a candidate twice; keep one of the two")

    def order(self, names: Iterable[str]) -> list[str]:
        """Returns the names as the chair prefers them, those left out last and by alphabet."""
        place = {name: at for at, name in enumerate(self.names)}
        return sorted(names, key=lambda name: (place.get(name, len(place)), name))

    def best(self, tied: Sequence[str], number: int) -> tuple[str, ...]:
        """Returns the `number` the chair prefers of the tied; none where the chair left it open."""
        known = set(self.names)
        best = tuple(self.order(tied)[:number])
        return best if known.issuperset(best) else ()
