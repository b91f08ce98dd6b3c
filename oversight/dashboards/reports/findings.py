"""What evaluations showed, as parts of a report."""

from typing import Any

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
from oversight.dashboards.words import counted, lowered, number_word, sentence
from oversight.web import charts
from oversight.web.clock import in_words

NAMED = 8
"""How many criteria a summary names; the others are in the table."""


def evidence_words(evidence: list[Evidence], *, is_override: bool = False) -> str:
    """Return in a few sentences what was asked and found."""
    if not evidence:
        return "No criterion was set, so no evaluation was asked for."
    named = [f"{e.title}, asked {e.asked}: {lowered(str(e.outcome.label))}" for e in evidence]
    met = sum(each.outcome == "met" for each in evidence)
    total = counted(len(evidence), "criterion", "criteria")
    words = [f"Of {total}, {counted(met, 'was met', 'were met')}.", f"{'; '.join(named[:NAMED])}."]
    if len(named) > NAMED:
        words.append(f"The other {len(named) - NAMED} are listed below.")
    if is_override:
        words.append("It was decided over a criterion that was not shown to be met.")
    return " ".join(words)


def evidence_blocks(evidence: list[Evidence], zone: str) -> tuple[Block, ...]:
    """Return the criteria with their results, drawn and as tables, and the runs behind them."""
    if not evidence:
        return (Paragraph("No criterion was set for this vote."),)
    drawn = tuple(_interval(row) for row in evidence if row.measured)
    met = sum(row.outcome == "met" for row in evidence)
    finding = sentence(
        f"{number_word(met)} of {counted(len(evidence), 'criterion', 'criteria')} met"
    )
    return (
        *([Intervals(finding, drawn)] if drawn else []),
        _criteria(evidence),
        *_others(without_criterion(evidence)),
        *(_runs(evidence, zone) if drawn else ()),
    )


def _criteria(evidence: list[Evidence]) -> Table:
    columns = (
        *(Column("Criterion"), Column("Asked"), Column("Score", is_numeric=True)),
        *(
            Column("95\N{NO-BREAK SPACE}% interval", is_numeric=True),
            Column("Samples", is_numeric=True),
        ),
        Column("Verdict"),
    )
    return Table("Criteria and results", columns, tuple(_criterion(row) for row in evidence))


def _criterion(row: Evidence) -> tuple[Cell, ...]:
    found = row.measured
    must = "; must pass" if row.must_pass else "; for information"
    interval = (
        f"{_decimal(found.low)} to {_decimal(found.high)}"
        if found and found.low is not None
        else "–"
    )
    return (
        Cell(row.title, note=f"{row.measure}{must}", href=row.suite_url),
        Cell(row.asked),
        Cell(_decimal(found.value) if found else "–", note="difference" if row.beside else ""),
        Cell(interval),
        Cell(f"{found.n:,}" if found else "–"),
        Cell(str(row.outcome.label), tone=row.tone if row.tone != "neutral" else ""),
    )


def _others(found: list[Finding]) -> tuple[Table, ...]:
    """Return what the same runs measured on tasks that no criterion is about."""
    if not found:
        return ()
    columns = (
        *(Column("Task"), Column("Score", is_numeric=True)),
        Column("95\N{NO-BREAK SPACE}% interval", is_numeric=True),
        Column("Samples", is_numeric=True),
    )
    rows = tuple(_other(each) for each in found)
    return (Table("Measured in the same runs, without a criterion", columns, rows),)


def _other(each: Finding) -> tuple[Cell, ...]:
    row = each.aggregate
    ends = (row.low, row.high)
    interval = "–" if None in ends else f"{_decimal(row.low)} to {_decimal(row.high)}"
    return (
        Cell(
            str(each.task["title"]),
            note=f"{each.run.suite_version}, {each.label}",
            href=each.run.get_absolute_url(),
        ),
        Cell(_decimal(row.mean)),
        Cell(interval),
        Cell(f"{row.n:,}"),
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
    heads = (Column("Task"), Column("Suite"), Column("Run"), Column("Measured by"))
    rows = tuple(_run(each, zone) for each in found.values())
    digests = {each.suite_version.digest: str(each.suite_version) for each in found.values()}
    signed = {
        each.aggregate.task_run.statement_digest: f"{each.title}, signed result"
        for each in found.values()
        if each.aggregate
    }
    written = tuple(
        (Cell(name), Cell(digest, is_code=True)) for digest, name in (digests | signed).items()
    )
    return (
        Table("Where the results come from", heads, rows),
        Table("Digests of what was asked and of what was signed",
              (Column("What"), Column("SHA-256")), written),
    )  # fmt: skip


def _run(row: Evidence, zone: str) -> tuple[Cell, ...]:
    assert row.aggregate is not None  # noqa: S101 - only measured rows come here
    task_run = row.aggregate.task_run
    machine = task_run.worker
    at = in_words(task_run.finished_at, zone) if task_run.finished_at else ""
    return (
        Cell(row.title, note=task_run.task_name),
        Cell(str(row.suite_version), href=row.suite_url),
        Cell(row.run_ref or "–", note=at, href=f"/runs/{row.run_ref}/"),
        Cell(machine.organisation.name if machine else "–", note=machine.name if machine else ""),
    )


def _decimal(value: float | None) -> str:
    return "–" if value is None else charts.decimal(value)


def _number(value: Any) -> str:
    """Write a figure for a program: with a hyphen and six decimals; empty where there is none."""
    return "" if value is None else charts.decimal(value, 6).replace(charts.MINUS, "-")
