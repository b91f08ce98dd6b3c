"""What evaluations showed, as parts of a report."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from oversight.dashboards.evidence import Evidence, without_criterion
from oversight.dashboards.findings import Finding
from oversight.dashboards.reports.document import (
    Block,
    Cell,
    Column,
    Interval,
    Intervals,
    Paragraph,
    Table,
)
from oversight.dashboards.words import lowered, number_word, sentence, worded
from oversight.web import charts
from oversight.web.clock import in_words
from oversight.web.figures import MISSING, grouped, percent

NAMED = 8
"""How many criteria a summary names; the others are in the table."""


def evidence_words(evidence: list[Evidence], *, is_override: bool = False) -> str:
    """Return in a few sentences what was asked and found."""
    if not evidence:
        return _("No criterion was set, so no evaluation was asked for.")
    named = [
        _("%(title)s, asked %(asked)s: %(verdict)s")
        % {"title": e.title, "asked": e.asked, "verdict": lowered(str(e.outcome.label))}
        for e in evidence[:NAMED]
    ]
    words = [_how_many_were_met(evidence), _("; ").join(named) + "."]
    if len(evidence) > NAMED:
        others = len(evidence) - NAMED
        said = ngettext(
            "The other %(number)s is listed below.",
            "The other %(number)s are listed below.",
            others,
        )
        words.append(said % {"number": grouped(others)})
    if any(_is_recalled(each) for each in evidence):
        words.append(_("Some of it repeats an earlier run: its answers were recalled."))
    if is_override:
        words.append(_("It was decided over a criterion that was not shown to be met."))
    return " ".join(words)


def _how_many_were_met(evidence: list[Evidence]) -> str:
    """Return how many of the criteria were met: `Of three criteria, two were met`."""
    met = sum(each.outcome == "met" for each in evidence)
    total = ngettext("%(number)s criterion", "%(number)s criteria", len(evidence))
    found = ngettext("%(number)s was met", "%(number)s were met", met)
    return _("Of %(criteria)s, %(met)s.") % {
        "criteria": worded(total, len(evidence)),
        "met": worded(found, met, none=_("none was met")),
    }


def evidence_blocks(evidence: list[Evidence], zone: str) -> tuple[Block, ...]:
    """Return the criteria with their results, drawn and as tables, and the runs behind them."""
    if not evidence:
        return (Paragraph(_("No criterion was set for this vote.")),)
    drawn = tuple(_interval(row) for row in evidence if row.measured)
    met = sum(row.outcome == "met" for row in evidence)
    finding = ngettext(
        "%(met)s of %(number)s criterion met", "%(met)s of %(number)s criteria met", len(evidence)
    ) % {"met": number_word(met), "number": number_word(len(evidence))}
    return (
        *([Intervals(sentence(finding), drawn)] if drawn else []),
        _criteria(evidence),
        *_others(without_criterion(evidence)),
        *(_runs(evidence, zone) if drawn else ()),
        *_recalled(evidence),
    )


def _is_recalled(row: Evidence) -> bool:
    return row.aggregate is not None and row.aggregate.task_run.run.is_recalled


def _mark(is_recalled: bool) -> str:
    """Say beside a result that its run measured nothing anew, where that is so."""
    return _("answers recalled") if is_recalled else ""


def _recalled(evidence: list[Evidence]) -> tuple[Paragraph, ...]:
    """Say what the mark means, where it stands."""
    if not any(_is_recalled(each) for each in evidence):
        return ()
    return (
        Paragraph(
            _(
                "Answers recalled: the workers of the run had every answer from before, of the "
                "same weights with the same settings. It is no independent repetition."
            )
        ),
    )


def _joined(*notes: str) -> str:
    return _("; ").join(filter(None, notes))


def _criteria(evidence: list[Evidence]) -> Table:
    columns = (Column(_("Criterion")), Column(_("Asked")), *_measures(), Column(_("Verdict")))
    return Table(_("Criteria and results"), columns, tuple(_criterion(row) for row in evidence))


def _measures() -> tuple[Column, ...]:
    return (
        Column(_("Score"), is_numeric=True),
        Column(_("%(share)s interval") % {"share": percent(0.95)}, is_numeric=True),
        Column(_("Samples"), is_numeric=True),
    )


def _criterion(row: Evidence) -> tuple[Cell, ...]:
    found = row.measured
    must = _("must pass") if row.must_pass else _("for information")
    return (
        Cell(row.title, note=_("; ").join((row.measure, must)), href=row.suite_url),
        Cell(row.asked),
        Cell(
            _decimal(found.value) if found else MISSING,
            note=_joined(_("difference") if row.beside else "", _mark(_is_recalled(row))),
        ),
        Cell(_span(found.low, found.high) if found else MISSING),
        Cell(grouped(found.n) if found else MISSING),
        Cell(str(row.outcome.label), tone=row.tone if row.tone != "neutral" else ""),
    )


def _others(found: list[Finding]) -> tuple[Table, ...]:
    """Return what the same runs measured on tasks that no criterion is about."""
    if not found:
        return ()
    title = _("Measured in the same runs, without a criterion")
    return (Table(title, (Column(_("Task")), *_measures()), tuple(_other(each) for each in found)),)


def _other(each: Finding) -> tuple[Cell, ...]:
    row = each.aggregate
    return (
        Cell(
            str(each.task["title"]),
            note=f"{each.run.suite_version}, {each.label}",
            href=each.run.get_absolute_url(),
        ),
        Cell(_decimal(row.mean), note=_mark(each.run.is_recalled)),
        Cell(_span(row.low, row.high)),
        Cell(grouped(row.n)),
    )


def _interval(row: Evidence) -> Interval:
    found = row.measured
    assert found is not None  # noqa: S101 - only measured rows are drawn
    return Interval(
        label=row.title,
        low=_number(found.low),
        value=_number(found.value),
        high=_number(found.high),
        criterion=_number(found.line),
        comparison=found.side,
        tone=row.tone,
        verdict=f"{row.asked}: {lowered(str(row.outcome.label))}",
    )


def _runs(evidence: list[Evidence], zone: str) -> tuple[Table, Table]:
    """Return what stands behind the results, each task run once, and the digests of it all."""
    found = {e.aggregate.task_run_id: e for e in evidence if e.aggregate}
    heads = (Column(_("Task")), Column(_("Suite")), Column(_("Run")), Column(_("Measured by")))
    rows = tuple(_run(each, zone) for each in found.values())
    digests = {each.suite_version.digest: str(each.suite_version) for each in found.values()}
    signed = {
        each.aggregate.task_run.statement_digest: _("%(title)s, signed result")
        % {"title": each.title}
        for each in found.values()
        if each.aggregate
    }
    written = tuple(
        (Cell(name), Cell(digest, is_code=True)) for digest, name in (digests | signed).items()
    )
    return (
        Table(_("Where the results come from"), heads, rows),
        Table(_("Digests of what was asked and of what was signed"),
              (Column(_("What")), Column("SHA-256")), written),
    )  # fmt: skip


def _run(row: Evidence, zone: str) -> tuple[Cell, ...]:
    assert row.aggregate is not None  # noqa: S101 - only measured rows come here
    task_run = row.aggregate.task_run
    machine = task_run.worker
    at = in_words(task_run.finished_at, zone) if task_run.finished_at else ""
    return (
        Cell(row.title, note=task_run.task_name),
        Cell(str(row.suite_version), href=row.suite_url),
        Cell(
            row.run_ref or MISSING,
            note=_joined(at, _mark(_is_recalled(row))),
            href=f"/runs/{row.run_ref}/",
        ),
        Cell(
            machine.organisation.name if machine else MISSING, note=machine.name if machine else ""
        ),
    )


def _span(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return MISSING
    return _("%(low)s to %(high)s") % {"low": _decimal(low), "high": _decimal(high)}


def _decimal(value: float | None) -> str:
    return MISSING if value is None else charts.decimal(value)


def _number(value: Any) -> str:
    """Write a figure for a program: with a hyphen and six decimals; empty where there is none."""
    return "" if value is None else f"{float(value):.6f}"
