"""Short ways to write a column down, and those that many tables have."""

from functools import partial

from django.utils.translation import gettext_noop as _

from oversight.dashboards.tables.columns import Column, Kind
from oversight.web.marks import Said


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


def acts(names: str, *, and_also: str = "") -> Said:
    """Return in words that a table is made of acts of the record, and what else it is made of."""
    if and_also:
        return Said(_("the acts %(names)s and %(others)s"), names=names, others=Said(and_also))
    return Said(_("the acts %(names)s"), names=names)


LEAF = text(
    "leaf", _("Id of the act that put it on the record; /receipts/<leaf>/ proves it."), at="leaf_id"
)

RECALLED = boolean(
    "is_recalled", _("Whether its workers had every answer from before: it repeats a run.")
)
"""Of a run: whether its result is no measurement of its own."""

SCORE = (
    text("metric", _("What was measured, by the name that the suite gives it.")),
    integer("n", _("How many samples it is the mean of."), unit="samples"),
    number("mean", _("The score: the mean over the samples.")),
    number(
        "stderr",
        _("Its standard error."),
        null=_("There is none for this method, or of one sample."),
    ),
    number("low", _("Lower end of the 95 per cent interval."), null=_("There is no interval.")),
    number("high", _("Upper end of the 95 per cent interval."), null=_("There is no interval.")),
    text("method", _("How the interval was computed.")),
)
"""A score with its interval, as docs/explanation/statistics.md explains it."""
