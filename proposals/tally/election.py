"""What is counted: candidates, seats and ballots, checked once and grouped by ranking."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from typing import Self
from unicodedata import category

from proposals.tally import exact
from proposals.tally.errors import InputError

Ranking = tuple[tuple[int, ...], ...]
"""A ballot's ranks, best first; a rank holds the numbers of the candidates that share it.

Numbers are positions in `Election.candidates`, from 0. Candidates not named are unranked.
"""

MAX_CANDIDATES = 300
MAX_SEATS = 1000
MAX_NAME_CHARACTERS = 500

_UNWRITABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories no name may hold: controls, lone surrogates, line and paragraph breaks."""


@dataclass(frozen=True, slots=True)
class Election:
    """One election: who stands, for how many seats, and what the ballots say.

    Identical ballots are one entry of `ballots`, with their weights added.

    Raises:
        InputError: on construction, naming the field that cannot be counted.
    """

    candidates: tuple[str, ...]
    """Distinct names, withdrawn candidates included."""

    seats: int

    ballots: Mapping[Ranking, Fraction]
    """Total weight by ranking; the empty ranking holds the ballots that say nothing."""

    title: str = ""

    withdrawn: frozenset[int] = frozenset()
    """Numbers of candidates that withdrew; ballots are read as if they had never stood."""

    def __post_init__(self) -> None:
        check_names(self.candidates)
        if problem := text_problem(self.title):
            raise InputError("title", problem)
        if not 1 <= self.seats <= MAX_SEATS:
            raise InputError("seats", f"{self.seats} is not between 1 and {MAX_SEATS}")
        known = frozenset(range(len(self.candidates)))
        if not self.withdrawn <= known:
            raise InputError("withdrawn", "names a candidate that does not stand")
        if self.withdrawn == known:
            raise InputError("withdrawn", "every candidate is withdrawn; nobody can be elected")
        check_weights(self.ballots.values())
        for ranking in self.ballots:
            _check_ranking(ranking, known)

    @classmethod
    def of(
        cls,
        *,
        candidates: Sequence[str],
        ballots: Iterable[tuple[exact.Number, Sequence[str | Sequence[str]]]],
        seats: int = 1,
        title: str = "",
        withdrawn: Iterable[str] = (),
    ) -> Self:
        """Builds an election from ballots that name candidates.

        Args:
            candidates: distinct names.
            ballots: pairs of weight and ranking; a ranking lists names, best first, and a list
                of names inside it is a shared rank.
            seats: how many are to be elected.
            title: what the election is called.
            withdrawn: names of candidates that withdrew.
        """
        number = {name: place for place, name in enumerate(candidates)}
        grouped: dict[Ranking, Fraction] = {}
        for weight, names in ballots:
            ranking = tuple(_rank(entry, number) for entry in names)
            grouped[ranking] = grouped.get(ranking, Fraction()) + exact.weight(weight, "ballots")
        gone = frozenset(_number(name, number, "withdrawn") for name in withdrawn)
        return cls(tuple(candidates), seats, grouped, title, gone)


@dataclass(frozen=True, slots=True)
class Profile:
    """The ballots of an election as every method reads them: nobody withdrawn, whole weights."""

    names: tuple[str, ...]
    """The standing candidates; rankings hold positions in this tuple."""

    rankings: Sequence[Ranking]
    """The distinct rankings, the empty one left out."""

    weights: Sequence[int]
    """The weight of each ranking in units of 1 / `scale`."""

    empty: int
    """Weight of the ballots that rank nobody who stands, in the same units."""

    scale: int

    @classmethod
    def of(cls, election: Election) -> Self:
        """Reads an election: leaves withdrawn candidates out, makes every weight whole."""
        standing = [n for n in range(len(election.candidates)) if n not in election.withdrawn]
        scale = exact.common_scale(election.ballots.values(), "ballots")
        ballots: Mapping[Ranking, Fraction] = election.ballots
        if election.withdrawn:
            ballots = _without_the_withdrawn(ballots, standing)
        empty = ballots.get((), Fraction())
        rankings = [ranking for ranking in ballots if ranking]
        weights = [_units(weight, scale) for ranking, weight in ballots.items() if ranking]
        names = tuple(election.candidates[n] for n in standing)
        return cls(names, rankings, weights, _units(empty, scale), scale)

    @property
    def total(self) -> int:
        """Weight of the rankings together, in units of 1 / `scale`."""
        return sum(self.weights)


@dataclass(frozen=True, slots=True)
class StrictProfile:
    """Ballots as an order without shared ranks, as counts by transfer need them.

    A shared rank ends the ballot there: what comes before it counts, the rest does not. A ballot
    with nothing before its end is void.
    """

    orders: list[tuple[int, ...]]
    weights: list[int]
    void: int

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """Cuts every ballot at its first shared rank and sets void ballots apart."""
        grouped: dict[tuple[int, ...], int] = {}
        for ranking, weight in zip(profile.rankings, profile.weights, strict=True):
            order = _until_shared(ranking)
            grouped[order] = grouped.get(order, 0) + weight
        void = profile.empty + grouped.pop((), 0)
        return cls(list(grouped), list(grouped.values()), void)


@dataclass(slots=True)
class Names:
    """Checks names one by one; each must be there, be bounded and be the only one of its kind."""

    seen: set[str] = field(default_factory=set)

    def problem(self, name: str) -> str | None:
        """Returns what is wrong with a further name, or None; remembers the name."""
        if not name.strip():
            return "a candidate's name is empty; give every candidate a name"
        if problem := text_problem(name):
            return f"the name {name[:40]!r} {problem}"
        if name in self.seen:
            return f"the name {name!r} is used twice; make the names differ"
        self.seen.add(name)
        return None


def check_weights(weights: Collection[Fraction]) -> None:
    """Checks the weights of the ballots that are counted together.

    Raises:
        InputError: for a weight that is no number above 0, or weights without a bounded common
            denominator.
    """
    # Checked once a value: a million ballots have few different weights.
    for weight in {id(weight): weight for weight in weights}.values():
        if exact.weight(weight, "ballots") == 0:
            raise InputError("ballots", "a ballot's weight must be more than 0")
    exact.common_scale(weights, "ballots")


def text_problem(text: str) -> str | None:
    """Returns why a text cannot be a name or a title, or None."""
    if len(text) > MAX_NAME_CHARACTERS:
        return f"is longer than {MAX_NAME_CHARACTERS} characters; shorten it"
    if not _UNWRITABLE.isdisjoint(map(category, text)):
        return "has a control character; remove it"
    return None


def check_names(names: Sequence[str]) -> None:
    """Checks the names of those who stand.

    Raises:
        InputError: for none, too many, or a name that cannot be used.
    """
    if not 1 <= len(names) <= MAX_CANDIDATES:
        raise InputError("candidates", f"{len(names)} is not between 1 and {MAX_CANDIDATES}")
    checked = Names()
    for name in names:
        if problem := checked.problem(name):
            raise InputError("candidates", problem)


def _check_ranking(ranking: Ranking, known: frozenset[int]) -> None:
    named = list(chain.from_iterable(ranking))
    if not known.issuperset(named):
        raise InputError("ballots", "a ballot ranks a candidate that does not stand")
    if len(set(named)) != len(named):
        raise InputError("ballots", "a ballot ranks a candidate twice")
    if not all(ranking):
        raise InputError("ballots", "a ballot has an empty rank; leave it out")


def _rank(entry: str | Sequence[str], number: Mapping[str, int]) -> tuple[int, ...]:
    names = [entry] if isinstance(entry, str) else entry
    # Sorted, so that the same shared rank written in another order is the same ballot.
    return tuple(sorted(_number(name, number, "ballots") for name in names))


def _number(name: str, number: Mapping[str, int], field_name: str) -> int:
    if name not in number:
        raise InputError(field_name, f"{name!r} does not stand; name one of the candidates")
    return number[name]


def _units(weight: Fraction, scale: int) -> int:
    return weight.numerator * (scale // weight.denominator)


def _without_the_withdrawn(
    ballots: Mapping[Ranking, Fraction], standing: list[int]
) -> dict[Ranking, Fraction]:
    place = {number: position for position, number in enumerate(standing)}
    kept: dict[Ranking, Fraction] = {}
    for ranking, weight in ballots.items():
        ranks = (tuple(place[n] for n in rank if n in place) for rank in ranking)
        shorter = tuple(rank for rank in ranks if rank)
        kept[shorter] = kept.get(shorter, Fraction()) + weight
    return kept


def _until_shared(ranking: Ranking) -> tuple[int, ...]:
    order = []
    for rank in ranking:
        if len(rank) > 1:
            break
        order.append(rank[0])
    return tuple(order)
