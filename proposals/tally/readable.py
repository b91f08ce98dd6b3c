"""Writes a tally sheet as plain text for people, for a terminal or a printed record."""

from collections.abc import Iterator, Mapping, Sequence

from proposals.tally.consent import ConsentSheet
from proposals.tally.exact import Json, number_text
from proposals.tally.sheet import ElectionSheet, Outcome, Stage, TieRule
from proposals.tally.ties import join_names
from proposals.tally.yes_no import YesNoSheet

_MATRICES = {
    "pairwise": "Votes that rank the candidate of the row above the one of the column",
    "strongest_paths": "Strength of the strongest path from the row to the column",
    "scores": "Weight that gave each number of points",
}


def text_of(sheet: ElectionSheet | YesNoSheet | ConsentSheet) -> str:
    """Returns the whole sheet as lines of text, the result last."""
    if isinstance(sheet, ElectionSheet):
        return "\n".join(_election_lines(sheet)) + "\n"
    return "\n".join(sheet.words) + "\n"


def _election_lines(sheet: ElectionSheet) -> Iterator[str]:
    yield f"{sheet.title or 'Untitled'} ({sheet.method}, {sheet.seats} to elect)"
    yield f"Valid: {number_text(sheet.valid)}; void: {number_text(sheet.void)}."
    if sheet.quorum:
        yield sheet.quorum.words
    yield from sheet.notes
    for number, stage in enumerate(sheet.stages, start=1):
        yield ""
        yield from _stage_lines(number, stage, sheet.places)
    for name, title in _MATRICES.items():
        if name in sheet.details:
            yield from ("", f"{title}:", *_matrix_lines(sheet.details[name]))
    if sheet.ties:
        yield ""
        yield from (f"Tie at stage {tie.stage} ({tie.about}): {tie.words}" for tie in sheet.ties)
    yield ""
    yield _tie_rule_words(sheet)
    yield _result_words(sheet)


def _stage_lines(number: int, stage: Stage, places: int) -> Iterator[str]:
    yield f"Stage {number}: {stage.act}"
    rows = {name: number_text(votes, places) for name, votes in stage.totals.items()}
    if stage.exhausted:
        rows["(exhausted)"] = number_text(stage.exhausted, places)
    if stage.rounding:
        rows["(of these by rounding)"] = number_text(stage.rounding, places)
    yield from _columns([[name, votes] for name, votes in rows.items()])
    if stage.excluded:
        yield f"  Excluded: {join_names(stage.excluded)}."
    if stage.elected:
        yield f"  Elected: {join_names(stage.elected)}."
    yield from (f"  {remark}" for remark in stage.remarks)


def _matrix_lines(matrix: Json) -> Iterator[str]:
    rows = matrix if isinstance(matrix, Mapping) else {}
    known = dict.fromkeys(head for row in rows.values() for head in _mapping(row))
    heads = [
        *(name for name in rows if name in known),
        *(head for head in known if head not in rows),
    ]
    table = [
        [name, *(str(_mapping(row).get(head, "–")) for head in heads)] for name, row in rows.items()
    ]
    yield from _columns([["", *heads], *table])


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Sets rows as columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        yield "  " + "  ".join([first.ljust(widths[0]), *cells])


def _tie_rule_words(sheet: ElectionSheet) -> str:
    if sheet.tie_rule is TieRule.LOT and not sheet.ties:
        return "Ties fall to a lot; there was none."
    if sheet.tie_rule is TieRule.LOT:
        return f"Ties fall to a lot; its seed is {sheet.lot_seed!r}."
    if sheet.tie_rule is TieRule.CHAIR:
        return f"Ties fall to the chair, who prefers {join_names(sheet.casting_vote or ())}."
    return "Ties leave the status quo."


def _result_words(sheet: ElectionSheet) -> str:
    elected = f"Elected: {join_names(sheet.elected) or 'nobody'}"
    if sheet.outcome is Outcome.ELECTED:
        return f"{elected}."
    return f"{elected}; outcome: {sheet.outcome.value.replace('_', ' ')}."
