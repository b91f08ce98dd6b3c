r"""Reads and writes BLT, the common file format for ranked ballots.

    3 2             3 candidates, 2 seats
    -2              candidate 2 withdrew (optional)
    4 1 3 0         4 ballots rank candidate 1, then candidate 3
    1.5 2 1=3 0     a ballot of weight 1.5: 2 first, then 1 and 3 on a shared rank
    1/3 2 0         a ballot of weight one third, as a delegation split in three leaves it
    2 0             2 ballots that rank nobody
    0               the end of the ballots
    "Ada"           the names of the candidates, in order
    "Bo"
    "Cy"
    "Committee"     the title (optional)

One item a line. Outside quotes, `#` starts a comment. A name may stand without quotes; within
quotes `\"` or `""` is a quotation mark and `\\` a backslash; several quoted parts on one line
are one name, joined by spaces. Commas between them or at the end of a line, as spreadsheets
leave them, are ignored.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from math import lcm

from proposals.tally.election import (
    MAX_CANDIDATES,
    MAX_SEATS,
    Election,
    Names,
    Ranking,
    text_problem,
)
from proposals.tally.exact import MAX_SCALE, number_text

MAX_BYTES = 256 * 1024 * 1024
"""Longest file that is read: several million ballots."""

_WHOLE = re.compile(r"\d{1,6}", re.ASCII)
_WEIGHT = re.compile(r"\d{1,15}(?:\.\d{1,15}|/\d{1,15})?", re.ASCII)
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|$)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.|"")*)"')
_ESCAPE = re.compile(r'\\(.)|""')

_Line = tuple[int, str]


class BltError(ValueError):
    """A file that is no BLT; says which line is wrong and how to mend it."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


def parse(data: bytes | str) -> Election:
    """Reads a BLT file: UTF-8 with or without a byte order mark, any line ending.

    Raises:
        BltError: naming the line and the fix.
    """
    return _Reader(_decode(data)).read()


def dump(election: Election) -> str:
    """Writes an election as BLT, one line for each distinct ballot; `parse` reads it back."""
    head = f"{len(election.candidates)} {election.seats}"
    gone = [f"-{number + 1}" for number in sorted(election.withdrawn)]
    ballots = [
        " ".join(
            [number_text(weight), *("=".join(str(c + 1) for c in rank) for rank in ranking), "0"]
        )
        for ranking, weight in election.ballots.items()
    ]
    names = [_quote(name) for name in (*election.candidates, election.title)]
    return "\n".join([head, *gone, *ballots, "0", *names, ""])


class _Reader:
    """Reads one file from its first line to its last."""

    def __init__(self, text: str) -> None:
        self._lines = _numbered(text)
        self._last = self._head = 1
        self._candidates = 0
        # Each candidate's own rank is made once, so that a million ballots share these tuples.
        self._ranks: dict[str, tuple[int, ...]] = {}
        self._weights: dict[str, Fraction] = {}
        self._scale = 1

    def read(self) -> Election:
        seats = self._read_head()
        withdrawn, first = self._read_withdrawn()
        ballots = self._read_ballots(first)
        names, title = self._read_names()
        if len(withdrawn) == self._candidates:
            raise BltError(1, "every candidate is withdrawn; leave at least one standing")
        return Election(names, seats, ballots, title, withdrawn)

    def _next(self, missing: str) -> _Line:
        """Returns the next line that holds more than blanks and comments."""
        for number, line in self._lines:
            self._last = number
            content = line.strip()
            # A quoted line keeps its #: it may be part of the name, which is read later.
            if not content.startswith('"'):
                content = content.partition("#")[0]
            content = content.rstrip(" \t,")
            if content:
                return number, content
        raise BltError(self._last, f"the file ends here; {missing}")

    def _read_head(self) -> int:
        number, line = self._next("begin it with the number of candidates and of seats")
        counts = line.split()
        if len(counts) != 2 or not all(map(_WHOLE.fullmatch, counts)):
            raise BltError(number, "begin with two numbers: how many candidates, how many seats")
        self._head = number
        self._candidates, seats = map(int, counts)
        if not 1 <= self._candidates <= MAX_CANDIDATES:
            raise BltError(number, f"candidates must be 1 to {MAX_CANDIDATES}, not {counts[0]}")
        if not 1 <= seats <= MAX_SEATS:
            raise BltError(number, f"seats must be 1 to {MAX_SEATS}, not {counts[1]}")
        self._ranks = {str(c + 1): (c,) for c in range(self._candidates)}
        return seats

    def _read_withdrawn(self) -> tuple[frozenset[int], _Line]:
        """Reads the lines of withdrawn candidates, and the first line after them."""
        withdrawn: set[int] = set()
        while True:
            number, line = self._next("add the ballots, a line 0 and the names")
            if not line.startswith("-"):
                return frozenset(withdrawn), (number, line)
            for token in line.split():
                candidate = self._ranks.get(token.removeprefix("-"), (-1,))[0]
                if candidate < 0 or not token.startswith("-"):
                    raise BltError(number, f"{_show(token)}: write -N for a withdrawn candidate N")
                if candidate in withdrawn:
                    raise BltError(number, f"candidate {candidate + 1} is withdrawn twice")
                withdrawn.add(candidate)

    def _read_ballots(self, line: _Line) -> dict[Ranking, Fraction]:
        ballots: dict[Ranking, Fraction] = {}
        while line[1] != "0":
            ranking, weight = self._read_ballot(*line)
            known = ballots.get(ranking)
            ballots[ranking] = weight if known is None else known + weight
            line = self._next("end the ballots with a line 0, then add the names")
        return ballots

    def _read_ballot(self, number: int, line: str) -> tuple[Ranking, Fraction]:
        weight_token, *tokens = _ballot_tokens(number, line)
        weight = self._weights.get(weight_token) or self._read_weight(number, weight_token)
        if not tokens or tokens[-1] != "0":
            at_zero = "0" in tokens
            problem = "junk after the final 0; remove it" if at_zero else "end the ballot with 0"
            raise BltError(number, problem)
        tokens.pop()
        try:
            ranking = tuple([self._ranks[token] for token in tokens])
        except KeyError:
            ranking = tuple(self._read_rank(number, token) for token in tokens)
        named = list(chain.from_iterable(ranking))
        if len(set(named)) != len(named):
            twice = next(c for c in named if named.count(c) > 1) + 1
            raise BltError(number, f"candidate {twice} is ranked twice; keep one of the two")
        return ranking, weight

    def _read_weight(self, number: int, token: str) -> Fraction:
        if token.startswith("-"):
            raise BltError(number, "withdrawn candidates stand before the first ballot; move it up")
        if not _WEIGHT.fullmatch(token):
            expected = "a weight such as 3, 2.5 or 1/3"
            raise BltError(number, f"a ballot begins with {expected}, not {_show(token)}")
        try:
            weight = Fraction(token)
        except ZeroDivisionError:
            raise BltError(number, f"{_show(token)} divides by 0; write a weight above 0") from None
        if not weight:
            raise BltError(number, "a ballot's weight must be more than 0; remove the ballot")
        self._scale = lcm(self._scale, weight.denominator)
        if self._scale > MAX_SCALE:
            too_fine = f"{_show(token)} makes the weights too fine to add up exactly"
            raise BltError(number, f"{too_fine}; use fewer decimals")
        self._weights[token] = weight
        return weight

    def _read_rank(self, number: int, token: str) -> tuple[int, ...]:
        rank = []
        for part in token.split("="):
            candidate = int(part) - 1 if _WHOLE.fullmatch(part) else -1
            if not 0 <= candidate < self._candidates:
                raise BltError(number, f"{_show(part)} is no candidate; {self._allowed(part)}")
            rank.append(candidate)
        # Sorted, so that 1=2 and 2=1 are the same ballot.
        return tuple(sorted(rank))

    def _allowed(self, part: str) -> str:
        if part == "-":
            return "a skipped rank means different things in different rules, so leave it out"
        if part == "0":
            return "junk after the final 0, or a 0 too many; remove it"
        return f"use 1 to {self._candidates}"

    def _read_names(self) -> tuple[tuple[str, ...], str]:
        checked = Names()
        names = []
        for expected in range(1, self._candidates + 1):
            missing = f"candidate {expected} of {self._candidates} has no name; add one name a line"
            number, line = self._next(missing)
            name = _read_text(number, line)
            if problem := checked.problem(name):
                raise BltError(number, problem)
            names.append(name)
        rest = list(self._rest())
        if len(rest) > 1:
            number, line = rest[1]
            problem = f"{_show(line)} stands after the title; remove it or put # before it"
            told = f"line {self._head} says there are {self._candidates} candidates"
            raise BltError(number, f"{problem}, or correct the number: {told}")
        title = _read_text(*rest[0]) if rest else ""
        if problem := text_problem(title):
            raise BltError(rest[0][0], f"the title {problem}")
        return tuple(names), title

    def _rest(self) -> Iterator[_Line]:
        while True:
            try:
                yield self._next("")
            except BltError:
                return


def _decode(data: bytes | str) -> str:
    if len(data) > MAX_BYTES:
        raise BltError(1, f"the file is longer than {MAX_BYTES} bytes; group identical ballots")
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BltError(
            line, "the text is not UTF-8; save the ballots as a plain text file (BLT) in UTF-8"
        ) from None


def _numbered(text: str) -> Iterator[_Line]:
    """Yields lines one by one with their numbers; a large file is never split as a whole."""
    for number, match in enumerate(_LINE.finditer(text), start=1):
        if not match[0]:
            return
        yield number, match[1]


def _ballot_tokens(number: int, line: str) -> list[str]:
    if line.startswith('"'):
        raise BltError(
            number, "a name before the end of the ballots; put a line 0 before the names"
        )
    if "=" in line:
        line = re.sub(r"\s*=\s*", "=", line)
    return line.split()


def _read_text(number: int, line: str) -> str:
    """Reads a name or a title, quoted or not."""
    if not line.startswith('"'):
        return line
    parts = []
    while line and not line.startswith("#"):
        match = _QUOTED.match(line)
        if not match:
            raise BltError(
                number,
                "a quotation mark is not closed or text follows it; write"
                ' "a name", with \\" for a mark inside it',
            )
        parts.append(_ESCAPE.sub(lambda found: found[1] or '"', match[1]))
        line = line[match.end() :].strip(" \t,")
    return " ".join(parts)


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _show(token: str) -> str:
    return repr(token if len(token) <= 20 else token[:20] + "…")
