"""Resolves ties in counts that go by stages, and keeps an account of each."""

from collections.abc import Callable, Iterable, Sequence

from proposals.tally.casting import CastingVote
from proposals.tally.lot import Lot
from proposals.tally.sheet import Decider, Resolution, Tie

EXCLUSION = "exclusion"
SURPLUS = "surplus"
SEAT = "seat"


class TieBreaker:
    """Breaks ties by the most recent stage at which the tied totals differ, else by its decider.

    Where more than two are tied, each earlier stage leaves over those who had the fewest (or
    most) votes at it, until one is left. Scottish Local Government Elections Order 2011,
    schedule 1, rules 50 and 52.
    """

    def __init__(self, names: Sequence[str], decider: Decider | None) -> None:
        self.ties: list[Tie] = []
        self._names = names
        self._decider = decider
        self._stages: list[tuple[int, ...]] = []
        order = listed(names, decider)
        self._luck = [order.index(name) for name in names]

    def remember(self, totals: Sequence[int]) -> None:
        """Keeps the totals at the end of a stage; call once a stage, in order."""
        self._stages.append(tuple(totals))

    def in_order(self, candidates: Sequence[int]) -> list[int]:
        """Sorts candidates for a list: most votes first, then earlier stages, then as `listed`."""
        return sorted(
            candidates,
            key=lambda c: ([-totals[c] for totals in reversed(self._stages)], self._luck[c]),
        )

    def inseparable(self, candidates: Sequence[int]) -> list[list[int]]:
        """Returns the groups whose votes were equal at every stage: their order is no merit."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for c in self.in_order(candidates):
            groups.setdefault(tuple(totals[c] for totals in self._stages), []).append(c)
        return [group for group in groups.values() if len(group) > 1]

    def highest(self, tied: Sequence[int], about: str) -> list[int]:
        """Picks one of those tied for most votes; empty when nothing allowed resolves it."""
        return self._pick(tied, about, max, "most", None)

    def lowest(
        self, tied: Sequence[int], together: Callable[[list[int]], bool] | None = None
    ) -> list[int]:
        """Picks who is excluded of those tied for fewest votes.

        Args:
            tied: the candidates with the fewest votes.
            together: says whether excluding all of a list at once has the same effect as any
                order among them, in which case there is nothing to decide.

        Returns:
            Those to exclude; empty when nothing allowed resolves the tie.
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
        return self._decide(tied, left, about, first=extreme is max)

    def _decide(
        self, tied: Sequence[int], left: list[int], about: str, *, first: bool
    ) -> list[int]:
        """Lets the decider pick the first or the last of those left."""
        names = [self._names[c] for c in left]
        best = set(decided(self._decider, names, 1 if first else len(names) - 1))
        picked = [c for c in left if (self._names[c] in best) is first] if best else []
        same = f"{self._list(left)} were equal at every stage"
        if picked:
            words = f"{same}; {PICKS[type(self._decider)]} {self._list(picked)}"
            self._record(tied, about, resolution(self._decider), picked, words)
        else:
            words = f"{same} and {open_words(self._decider)}"
            self._record(tied, about, Resolution.NOTHING, [], words)
        return picked

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


PICKS = {Lot: "the lot picks", CastingVote: "the chair's casting vote picks"}
"""How a decider's choice begins in words."""


def decided(decider: Decider | None, tied: Sequence[str], number: int) -> tuple[str, ...]:
    """Returns the best `number` of the tied; empty when nothing allowed decides."""
    return decider.best(tied, number) if decider else ()


def listed(names: Iterable[str], decider: Decider | None) -> list[str]:
    """Returns names in the order in which equals are listed: the decider's, else the alphabet's."""
    return decider.order(names) if decider else sorted(names)


def resolution(decider: Decider | None) -> Resolution:
    """Returns what a tie is resolved by where a decider has picked."""
    return Resolution.LOT if isinstance(decider, Lot) else Resolution.CASTING_VOTE


def open_words(decider: Decider | None) -> str:
    """Returns why a tie stays open, as the end of a sentence."""
    if isinstance(decider, CastingVote):
        return "the chair's casting vote does not rank them"
    return "no lot may be drawn"


def join_names(names: Sequence[str]) -> str:
    """Writes names as a list in words: `Ada`, `Ada and Bo`, `Ada, Bo and Cy`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
