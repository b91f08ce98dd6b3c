"""What a column of a public table is: its kind, and in words what it means and where it is from.

The words are marked where they are written: pages translate them, files and the API's document
are English.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from oversight.web.clock import exact
from oversight.web.marks import Said

UNITS = (
    _("bytes"),
    _("currency"),
    _("hours"),
    _("of the score"),
    _("samples"),
    _("tokens"),
    _("watt-hours"),
)
"""What a column may be in."""

Row = dict[str, Any]
CHUNK_ROWS = 2_000


class Kind(StrEnum):
    """What the values of a column are; each form of file has its own way to write them."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    """Exact; a text in JSON, lest a reader round it."""
    NUMBER = "number"
    """Floating point, with all the digits that it needs to read back the same."""
    BOOLEAN = "boolean"
    MOMENT = "moment"
    """In UTC."""
    DAY = "day"
    TEXTS = "texts"
    """Several texts without spaces: a list in JSON and Parquet, with spaces between in CSV."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    null: str = ""
    """What it means that there is no value; empty where there always is one."""
    source: str = ""
    """Where it is from, where that is not where the table is from."""
    at: str = ""
    """The field of the row that holds it, where that bears another name."""


@dataclass(frozen=True, slots=True)
class Table:
    """One public table."""

    name: str
    title: str
    about: str
    source: Said
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    """The columns that together name a row."""
    rows: "Callable[[], Iterator[Row]] | None" = field(default=None, repr=False)
    """All rows, for a list that is published whole; their values are as Python has them."""
    address: str = ""
    """Where it stands, for a table that is not published whole."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in their order."""
        return tuple(column.name for column in self.columns)

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of each column."""
        return {column.name: str(column.kind) for column in self.columns}


def from_query(query: Callable[[], QuerySet[Any]], columns: tuple[Column, ...]) -> Any:
    """Return what yields the rows of a query, a few thousand at a time."""

    def rows() -> Iterator[Row]:
        fields = [column.at or column.name for column in columns]
        names = [column.name for column in columns]
        # An empty text is no value: the record has one word for that.
        nullable = {column.name for column in columns if column.null}
        for values in query().values_list(*fields).iterator(chunk_size=CHUNK_ROWS):
            row = dict(zip(names, values, strict=True))
            yield {
                name: None if value == "" and name in nullable else value
                for name, value in row.items()
            }

    return rows


def plain(value: Any) -> Any:
    """Return a value as JSON has it: decimals as text, moments in UTC ending in Z."""
    if isinstance(value, datetime):
        return exact(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value if value is None or isinstance(value, bool | int | float | list) else str(value)
