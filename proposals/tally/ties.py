"""Resolves ties in counts that go by stages, and keeps an account of each."""

from collections.abc import Callable, Sequence

from proposals.tally.lot import Lot
from proposals.tally.sheet import Resolution, Tie

EXCLUSION = "exclusion"
SURPLUS = "surplus"
SEAT = "seat"


class TieBreaker:
    """Breaks ties by the most recent stage at which the tied totals differ, else by lot.

    Where more than two are tied, each earlier stage leaves over those who had the fewest (or
    most) votes at it, until one is left. Local Government Elections (Scotland) Order 2007,
    schedule 1, rules 49 and 51.
    """

    def __init__(self, names: Sequence[str], lot: Lot | None) -> None:
        self.ties: list[Tie] = []
        self._names = names
        self._lot = lot
        self._stages: list[tuple[int, ...]] = []
        order = lot.order(names) if lot else sorted(names)
        self._luck = [order.index(name) for name in names]

    def remember(self, totals: Sequence[int]) -> None:
        """Keeps the totals at the end of a stage; call once a stage, in order."""
        self._stages.append(tuple(totals))

    def in_order(self, candidates: Sequence[int]) -> list[int]:
        """Sorts candidates: most votes first, then by earlier stages, then by lot order."""
        return sorted(
            candidates,
            key=lambda c: ([-totals[c] for totals in reversed(self._stages)], self._luck[c]),
        )

    def highest(self, tied: Sequence[int], about: str) -> list[int]:
        """Picks one of those tied for most votes; empty when only a forbidden lot could."""
        return self._pick(tied, about, max, "most", None)

    def lowest(
        self, tied: Sequence[int], together: Callable[[list[int]], bool] | None = None
    ) -> list[int]:
        """Picks who is excluded of those tied for fewest votes.

        Args:
            tied: the candidates with the fewest votes.
            together: says whether excluding all of a list at once has the same effect as any
                order among them, in which case no lot is drawn.

        Returns:
            Those to exclude; empty when it takes a lot and none may be drawn.
        """
        return self._pick(tied, EXCLUSION, min, "fewest", together)

    def _pick(
        self,
        tied: Sequence[int],
        about: str,
        extreme: Callable[[list[int]], int],
        superlative: str,
        together: Callable[[list[int]], bool] | None,
    ) -> list[int]:
        left = list(tied)
        if len(left) == 1:
            return left
        for number in range(len(self._stages), 0, -1):
            totals = self._stages[number - 1]
            wanted = extreme([totals[c] for c in left])
            left = [c for c in left if totals[c] == wanted]
            if len(left) == 1:
                words = f"looking back to stage {number}, {self._list(left)} had the {superlative}"
                self._record(tied, about, Resolution.EARLIER_STAGE, left, words)
                return left
        if together and together(left):
            words = f"all of {self._list(left)} go at once, as their order cannot matter"
            self._record(tied, about, Resolution.TOGETHER, left, words)
            return left
        return self._draw(tied, left, about, lucky=extreme is max)

    def _draw(self, tied: Sequence[int], left: list[int], about: str, *, lucky: bool) -> list[int]:
        same = f"{self._list(left)} were equal at every stage"
        if self._lot is None:
            self._record(tied, about, Resolution.NOTHING, [], f"{same} and no lot may be drawn")
            return []
        by_luck = sorted(left, key=lambda c: self._luck[c])
        drawn = by_luck[:1] if lucky else by_luck[-1:]
        words = f"{same}; the lot picks {self._list(drawn)}"
        self._record(tied, about, Resolution.LOT, drawn, words)
        return drawn

    def _record(
        self,
        tied: Sequence[int],
        about: str,
        resolved_by: Resolution,
        chosen: list[int],
        words: str,
    ) -> None:
        names = tuple(sorted(self._names[c] for c in tied))
        picked = tuple(sorted(self._names[c] for c in chosen))
        self.ties.append(
            Tie(
                stage=len(self._stages),
                about=about,
                candidates=names,
                resolved_by=resolved_by,
                chosen=picked,
                words=f"{self._list(tied)} are tied; {words}.",
            )
        )

    def _list(self, candidates: Sequence[int]) -> str:
        return join_names(sorted(self._names[c] for c in candidates))


def join_names(names: Sequence[str]) -> str:
    """Writes names as a list in words: `Ada`, `Ada and Bo`, `Ada, Bo and Cy`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
