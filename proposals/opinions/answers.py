"""The input of a map: statements, one row of answers for each participant, and parameters.

A row has one character for each statement: `+` agrees, `-` disagrees, `0` passes, `.` has not been
asked. Rows carry no name and no number; they are sorted, so that their order says nothing either.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from hashlib import sha256
from typing import Any

import rfc8785

from proposals.opinions.errors import OpinionsError

VERSION = 1
AGREE, DISAGREE, PASS, UNSEEN = "+-0."
MOST_STATEMENTS = 1_000
"""Above 4,096 the sums of `components` would no longer be exact."""
MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Parameters:
    """What decides about a map besides the answers; published with it."""

    least_participants: int = 12
    """Under so many placed participants no groups are formed."""
    least_answers: int = 5
    """A participant is placed who has answered so many statements."""
    least_group: int = 3
    """No group is smaller."""
    most_groups: int = 5
    least_separation: str = "9/20"
    """The mean silhouette from which the map speaks of groups at all, among very many people."""
    margin_for_few: int = 3
    """Added to it, divided by the number of people: few seem grouped by chance more often."""
    least_votes: int = 3
    """Of every group that a statement is said to unite or divide."""
    unites_from: str = "3/5"
    """The share in every group that agrees (or disagrees)."""
    divides_from: str = "3/10"
    """The difference between the groups that agree most and least."""
    most_found: int = 10
    """Statements listed as uniting, and as dividing."""

    def __post_init__(self) -> None:
        """Refuse what no map can be drawn with.

        Raises:
            OpinionsError: a parameter is out of its bounds.
        """
        for name in ("least_participants", "least_answers", "least_group", "least_votes"):
            _require(getattr(self, name) >= 1, f"{name} is less than 1")
        _require(0 <= self.margin_for_few <= 100, "margin_for_few is not between 0 and 100")
        _require(2 <= self.most_groups <= 8, "most_groups is not between 2 and 8")
        _require(1 <= self.most_found <= 100, "most_found is not between 1 and 100")
        for name in ("least_separation", "unites_from", "divides_from"):
            _require(0 <= share(getattr(self, name)) <= 1, f"{name} is not between 0 and 1")


@dataclass(frozen=True, slots=True)
class Answers:
    """Who answered what, without anybody's name."""

    statements: tuple[str, ...]
    """What the record calls each statement."""
    rows: tuple[str, ...]
    parameters: Parameters

    def __post_init__(self) -> None:
        """Refuse rows that do not fit the statements, or are not in order.

        Raises:
            OpinionsError: says which row and why.
        """
        _require(len(self.statements) <= MOST_STATEMENTS, f"more than {MOST_STATEMENTS} statements")
        _require(len(self.rows) <= MOST_ROWS, f"more than {MOST_ROWS} rows")
        _require(len(set(self.statements)) == len(self.statements), "a statement stands twice")
        for number, row in enumerate(self.rows, start=1):
            _require(
                len(row) == len(self.statements), f"row {number} has not one answer a statement"
            )
            _require(not row.strip("+-0."), f"row {number} holds other signs than + - 0 .")
        _require(list(self.rows) == sorted(self.rows), "the rows are not sorted")

    @classmethod
    def of(
        cls,
        statements: Sequence[str],
        rows: Iterable[str],
        parameters: Parameters | None = None,
    ) -> "Answers":
        """Return the answers of rows in any order; who answered nothing is left out."""
        given = (row for row in rows if row.strip(UNSEEN))
        return cls(tuple(statements), tuple(sorted(given)), parameters or Parameters())

    @property
    def document(self) -> dict[str, Any]:
        """What `digest` is of."""
        return {
            "v": VERSION,
            "parameters": asdict(self.parameters),
            "statements": list(self.statements),
            "rows": list(self.rows),
        }

    @property
    def digest(self) -> str:
        """What names this input on the record."""
        return digest_of(self.document)


def read(document: object) -> Answers:
    """Return the input that a document holds: one made by `Answers.document`, or a file with it.

    Raises:
        OpinionsError: the document is no such input.
    """
    if isinstance(document, Mapping) and "input" in document:
        document = document["input"]
    _require(isinstance(document, Mapping), "it is no JSON object")
    assert isinstance(document, Mapping)  # noqa: S101 - for the type checker
    _require(document.keys() == {"v", "parameters", "statements", "rows"}, "its fields are others")
    _require(document["v"] == VERSION, f"its version is not {VERSION}")
    for name in ("statements", "rows"):
        value = document[name]
        is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
        _require(is_list, f"{name} is no list of texts")
    return Answers(
        tuple(document["statements"]),
        tuple(document["rows"]),
        _parameters(document["parameters"]),
    )


def digest_of(document: Mapping[str, Any]) -> str:
    """Return the digest of a document's canonical JSON."""
    return f"sha256:{sha256(rfc8785.dumps(dict(document))).hexdigest()}"


def share(text: str) -> Fraction:
    """Read a share such as "3/5".

    Raises:
        OpinionsError: it is none.
    """
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise OpinionsError(f"“{text[:40]}” is no share such as 3/5.") from None


def _parameters(value: object) -> Parameters:
    kinds = {field.name: field.type for field in fields(Parameters)}
    _require(isinstance(value, Mapping), "parameters is no object")
    assert isinstance(value, Mapping)  # noqa: S101 - for the type checker
    _require(value.keys() == kinds.keys(), "the parameters are others")
    for name, each in value.items():
        # A bool is an int to Python; canonical JSON tells them apart.
        is_right = type(each) is (int if kinds[name] is int else str)
        _require(is_right, f"{name} is of the wrong kind")
    return Parameters(**value)


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise OpinionsError(f"This is no input of an opinion map: {problem}.")
