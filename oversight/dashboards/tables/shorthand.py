"""Short ways to write a column down, and those that many tables have."""

from functools import partial

from oversight.dashboards.tables.columns import Column, Kind


def _column(kind: Kind, name: str, meaning: str, **more: str) -> Column:
    return Column(name, kind, meaning, **more)


text = partial(_column, Kind.TEXT)
integer = partial(_column, Kind.INTEGER)
decimal = partial(_column, Kind.DECIMAL)
number = partial(_column, Kind.NUMBER)
boolean = partial(_column, Kind.BOOLEAN)
moment = partial(_column, Kind.MOMENT)
day = partial(_column, Kind.DAY)
texts = partial(_column, Kind.TEXTS)

LEAF = text(
    "leaf", "Id of the act that put it on the record; /receipts/<leaf>/ proves it.", at="leaf_id"
)

SCORE = (
    text("metric", "What was measured, by the name that the suite gives it."),
    integer("n", "How many samples it is the mean of.", unit="samples"),
    number("mean", "The score: the mean over the samples."),
    number(
        "stderr", "Its standard error.", null="There is none for this method, or of one sample."
    ),
    number("low", "Lower end of the 95 % interval.", null="There is no interval."),
    number("high", "Upper end of the 95 % interval.", null="There is no interval."),
    text("method", "How the interval was computed."),
)
"""A score with its interval, as docs/explanation/statistics.md explains it."""
