"""What was found, written for people, as JSON, as SARIF, and as annotations of GitHub."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from oversight_gate import __doc__ as about
from oversight_gate.findings import (
    ALL_ALLOWED,
    RULES,
    SOMETHING_REFUSED,
    Finding,
    Report,
    Row,
    Verdict,
)

MOST_ROWS = 30
MOST_CHARACTERS = 100
_MARKS = {None: "✓", Verdict.REFUSED: "✗", Verdict.CANNOT_TELL: "?", Verdict.NOTE: "·"}
_COLOURS = {None: "32", Verdict.REFUSED: "31", Verdict.CANNOT_TELL: "33", Verdict.NOTE: "2"}
_RESULTS = {ALL_ALLOWED: "allowed", SOMETHING_REFUSED: "refused"}
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def write(report: Report, form: str, out: TextIO | None = None) -> None:
    """Write a report in one of the forms `people`, `json`, `sarif`, `github`."""
    out = out or sys.stdout
    if form == "people":
        out.write(for_people(report, colours=_wants_colours(out)))
    elif form == "github":
        out.write(for_github(report))
    else:
        value = as_json(report) if form == "json" else as_sarif(report)
        out.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def for_people(report: Report, *, colours: bool = False) -> str:
    """Return what is found, line by line, with the lines of the files it stands in."""
    paint = _painter(colours=colours)
    lines = [f"{plain(report.about)}, judged by {plain(report.judged_by)}", ""]
    lines += _rows(report.rows, paint)
    sources = _Sources()
    for finding in report.findings:
        lines += ["", *_shown(finding, sources, paint)]
    lines += ["", _summary(report, paint), ""]
    return "\n".join(lines)


def _rows(rows: Sequence[Row], paint: Any) -> list[str]:
    """Return a line for each thing asked about; of many, only for those that are not allowed."""
    shown = [row for row in rows if row.verdict is not None] if len(rows) > MOST_ROWS else rows
    width = min(40, max((len(row.name) for row in shown), default=0))
    lines = []
    for row in shown:
        mark = paint(_MARKS[row.verdict], row.verdict)
        serves = f"  {plain(row.serves)}" if row.serves else ""
        lines.append(f"{mark} {plain(row.name):<{width}}{serves}  {plain(row.says)}".rstrip())
        if row.conditions and row.verdict is None:
            lines.append(f"  {'':<{width}}  on condition of: {plain('; '.join(row.conditions))}")
    if len(shown) < len(rows):
        lines.append(f"{paint(_MARKS[None], None)} {len(rows) - len(shown)} more, all allowed")
    return lines


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as JSON values."""
    return {
        "v": 1,
        "about": report.about,
        "judged_by": report.judged_by,
        "result": _RESULTS.get(report.status, "cannot tell"),
        "status": report.status,
        "items": [
            {
                "name": row.name,
                "serves": row.serves,
                "result": row.verdict or "allowed",
                "says": row.says,
                "file": row.place.path if row.place else None,
                "line": row.place.line if row.place else None,
                "conditions": list(row.conditions),
            }
            for row in report.rows
        ],
        "findings": [
            {
                "rule": finding.rule,
                "result": finding.verdict,
                "file": finding.place.path,
                "line": finding.place.line,
                "column": finding.place.column,
                "says": finding.says,
                "do": finding.do,
            }
            for finding in report.findings
        ],
    }


def as_sarif(report: Report) -> dict[str, Any]:
    """Return the findings as SARIF 2.1.0."""
    levels = {Verdict.REFUSED: "error", Verdict.CANNOT_TELL: "error", Verdict.NOTE: "note"}
    rules = [
        {"id": str(rule), "shortDescription": {"text": text}, "name": str(rule)}
        for rule, text in RULES.items()
    ]
    results = [
        {
            "ruleId": str(finding.rule),
            "ruleIndex": list(RULES).index(finding.rule),
            "level": levels[finding.verdict],
            "message": {"text": f"{finding.says} {finding.do}".strip()},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": Path(finding.place.path).as_posix()},
                        "region": {
                            "startLine": max(1, finding.place.line),
                            "startColumn": finding.place.column,
                        },
                    }
                }
            ],
        }
        for finding in report.findings
    ]
    tool = {"driver": {"name": "oversight-gate", "rules": rules}}
    tool["driver"]["fullDescription"] = {"text": str(about).partition("\n")[0]}  # type: ignore[assignment]
    return {"$schema": _SARIF, "version": "2.1.0", "runs": [{"tool": tool, "results": results}]}


def for_github(report: Report) -> str:
    """Return the findings as workflow commands, which GitHub shows beside the lines."""
    lines = []
    for finding in report.findings:
        level = "notice" if finding.verdict == Verdict.NOTE else "error"
        where = f"file={_property(finding.place.path)},line={max(1, finding.place.line)}"
        title = _property(f"{finding.rule}: {finding.verdict}")
        message = _message(f"{finding.says} {finding.do}".strip())
        lines.append(f"::{level} {where},title={title}::{message}\n")
    return "".join(lines) + f"{plain(_counted(report))}\n"


def plain(text: object) -> str:
    """Return a text that is safe to print on a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text)[:500])


class _Sources:
    """The lines of the files that findings point at."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def line(self, path: str, number: int) -> str:
        if path not in self._lines:
            try:
                text = Path(path).read_text(encoding="utf-8", errors="replace")
                self._lines[path] = text.splitlines()
            except OSError:
                self._lines[path] = []
        lines = self._lines[path]
        return lines[number - 1] if 0 < number <= len(lines) else ""


def _shown(finding: Finding, sources: _Sources, paint: Any) -> list[str]:
    where = str(finding.place) if finding.place.line else finding.place.path
    mark = paint(_MARKS[finding.verdict], finding.verdict)
    lines = [
        f"{mark} {plain(where)}  {paint(f'{finding.verdict}: {finding.rule}', finding.verdict)}"
    ]
    source = sources.line(finding.place.path, finding.place.line)
    if source.strip():
        part = _around(source, finding.place.column)
        lines.append(f"    {finding.place.line} | {plain(part)}")
    lines.append(f"    {plain(finding.says)}")
    if finding.do:
        lines.append(f"    → {plain(finding.do)}")
    return lines


def _around(source: str, column: int) -> str:
    """Return a line, or of a long one what stands around a column."""
    if len(source) <= MOST_CHARACTERS:
        return source
    start = max(0, min(column - 1 - 40, len(source) - MOST_CHARACTERS))
    end = start + MOST_CHARACTERS
    return f"{'…' if start else ''}{source[start:end]}{'…' if end < len(source) else ''}"


def _summary(report: Report, paint: Any) -> str:
    verdict = {0: None, 1: Verdict.REFUSED}.get(report.status, Verdict.CANNOT_TELL)
    return str(paint(_counted(report), verdict))


def _counted(report: Report) -> str:
    allowed = sum(row.verdict is None for row in report.rows)
    numbers = {verdict: _number(report.findings, verdict) for verdict in Verdict}
    if report.status == ALL_ALLOWED:
        return f"All {allowed} allowed." if allowed != 1 else "Allowed."
    words = [f"{allowed} allowed", f"{numbers[Verdict.REFUSED]} refused"]
    if numbers[Verdict.CANNOT_TELL]:
        words.append(f"{numbers[Verdict.CANNOT_TELL]} could not be told")
    return ", ".join(words) + ". Nothing of this may go into service as it stands."


def _number(findings: Sequence[Finding], verdict: Verdict) -> int:
    return sum(each.verdict == verdict for each in findings)


def _painter(*, colours: bool) -> Any:
    def paint(text: str, verdict: Verdict | None) -> str:
        return f"\x1b[{_COLOURS[verdict]}m{text}\x1b[0m" if colours else text

    return paint


def _wants_colours(out: TextIO) -> bool:
    return out.isatty() and "NO_COLOR" not in os.environ


def _message(text: str) -> str:
    return plain(text).replace("%", "%25")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
