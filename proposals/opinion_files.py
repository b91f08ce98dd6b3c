"""The input of a map as files: JSON to draw it again from, CSV for tables. Neither has names."""

import csv
import io
import json

from proposals.models import OpinionMap, OpinionStatement
from proposals.opinions.answers import AGREE, DISAGREE, PASS, UNSEEN

FIGURES = {AGREE: "1", DISAGREE: "-1", PASS: "0", UNSEEN: ""}


def file_of(found: OpinionMap) -> str:
    """Return what `python -m proposals.opinions` reads.

    `input` is what the digest is of; the words of the statements stand beside it, because they can
    be hidden or erased and the digest must still hold.
    """
    parts = {
        "digest": found.input_digest,
        "map": found.digest,
        "signs": {"+": "agrees", "-": "disagrees", "0": "passes", ".": "not asked"},
        "texts": _texts(found),
    }
    head = json.dumps(parts, ensure_ascii=False)
    # The input's own bytes: what was hashed is never serialised again.
    return f'{head[:-1]}, "input": {found.input}}}\n'


def table_of(found: OpinionMap) -> str:
    """Return a row for each participant and a column for each statement, named by its leaf."""
    document = json.loads(found.input)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(["row", "group", *document["statements"]])
    names = [group["name"] for group in found.drawn["groups"]]
    for number, row in enumerate(document["rows"], start=1):
        place = found.drawn["places"][number - 1]
        group = names[place[2]] if place else ""
        writer.writerow([number, group, *(FIGURES[sign] for sign in row)])
    return file.getvalue()


def _texts(found: OpinionMap) -> dict[str, str]:
    shown = OpinionStatement.objects.filter(proposal=found.proposal_id, hidden_at=None)
    return {str(leaf): text for leaf, text in shown.values_list("leaf_id", "text")}
