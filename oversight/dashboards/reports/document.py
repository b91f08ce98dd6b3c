"""What a report is made of: sections of plain blocks that every form of it can set. Pure.

All figures are text, written once: a page, a PDF and a program read the same digits.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any, ClassVar

FORMAT = "oversight-report/v1"
WIDEST_STACKED = 6


class Block:
    """One part of a section; `kind` is what it is in every form of the report."""

    __slots__ = ()
    kind: ClassVar[str]

    @property
    def template(self) -> str:
        """What sets it on a page."""
        return f"dashboards/report/_{self.kind}.html"


@dataclass(frozen=True, slots=True)
class Paragraph(Block):
    """A sentence or a few."""

    kind: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True, slots=True)
class Prose(Block):
    """What a person wrote, in Markdown."""

    kind: ClassVar[str] = "prose"
    markdown: str


@dataclass(frozen=True, slots=True)
class Items(Block):
    """A list of sentences."""

    kind: ClassVar[str] = "items"
    lines: tuple[str, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One entry of a table or of a list of facts."""

    text: str
    note: str = ""
    """A second line, smaller."""
    href: str = ""
    """Its page, as an absolute address; only pages link it, a printed one has the text."""
    is_code: bool = False
    """A digest or a key: set in fixed width, and broken where it must be."""
    tone: str = ""
    """`good`, `bad` or `wait` where the words are a verdict."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and what it stands for."""

    label: str
    value: Cell


@dataclass(frozen=True, slots=True)
class Facts(Block):
    """Names and values, one below the other."""

    kind: ClassVar[str] = "facts"
    rows: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column."""

    name: str
    is_numeric: bool = False


@dataclass(frozen=True, slots=True)
class Table(Block):
    """Rows under heads; the first cell of a row is its heading."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def is_wide(self) -> bool:
        """Whether a narrow screen scrolls it sideways instead of stacking its cells."""
        return len(self.columns) > WIDEST_STACKED

    @property
    def filled(self) -> list[list[tuple[Column, Cell]]]:
        """Each row with the head above each cell."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Notice(Block):
    """What a reader must not miss."""

    kind: ClassVar[str] = "notice"
    tone: str
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a bar."""

    name: str
    """`for`, `against`, `abstain` or `waiting`."""
    words: str
    count: int


@dataclass(frozen=True, slots=True)
class Bar(Block):
    """Votes beside each other, with the line that they had to reach."""

    kind: ClassVar[str] = "bar"
    words: str
    shares: tuple[Share, ...]
    line: str
    """Where the line stands on the whole bar, such as `66.67%`; empty where there is none."""
    threshold: str
    """The share of the base that was needed, such as `2/3`."""
    base: str
    """`votes`, `cast` or `roll`."""
    needed: str

    @property
    def counts(self) -> dict[str, int]:
        """How many votes each share has, none where it is missing."""
        found = dict.fromkeys(("for", "against", "abstain", "waiting"), 0)
        return found | {share.name: share.count for share in self.shares}


@dataclass(frozen=True, slots=True)
class Interval:
    """One score on an axis."""

    label: str
    low: str
    value: str
    high: str
    criterion: str
    comparison: str
    tone: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Intervals(Block):
    """Scores with their intervals against what was asked of them."""

    kind: ClassVar[str] = "intervals"
    finding: str
    rows: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Code(Block):
    """Text to copy, or to compare letter by letter."""

    kind: ClassVar[str] = "code"
    caption: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered part of a report."""

    name: str
    """Its place in addresses: `evidence`."""
    title: str
    how_to_read: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A question that anyone would ask, and its answer in plain words."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report; `summary` fits one page and needs no knowledge of the matter."""

    about: str
    """`decision` or `deployment`."""
    name: str
    """The reference or the slug."""
    title: str
    lede: str
    state: Cell
    body: str
    """Who decided, or who operates."""
    address: str
    """Where the page of what it is about stands."""
    language: str
    as_of: str
    """The moment of the newest thing in it, in ISO 8601 and UTC."""
    summary: tuple[Answer, ...]
    sections: tuple[Section, ...]
    _written: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def content(self) -> bytes:
        """The report as JSON, in one spelling: names sorted, no spaces, UTF-8."""
        return json.dumps(
            self.values, ensure_ascii=False, sort_keys=True, separators=(",", ":")
        ).encode()

    @property
    def values(self) -> Mapping[str, Any]:
        """The report as plain values."""
        if not self._written:
            plain = asdict(self)
            del plain["_written"]
            for section, written in zip(self.sections, plain["sections"], strict=True):
                for block, values in zip(section.blocks, written["blocks"], strict=True):
                    values["kind"] = block.kind
            self._written.update(plain, format=FORMAT)
        return self._written

    @property
    def digest(self) -> str:
        """The SHA-256 of `content`: equal reports have equal digests."""
        return f"sha256:{sha256(self.content).hexdigest()}"
