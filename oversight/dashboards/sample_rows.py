"""Finding samples: by score, group, words and change, and reading only the rows that are shown.

Scores and groups are looked up in the database, words in the file of samples, which a reckoner
reads: this process never opens it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext_lazy

from evals import artefacts
from evals.models import TaskRun
from evals.reckoner import asking
from evals.reckoner.asking import PageOfSamples
from evals.samples import Sample

WORDS_LIMIT = 200
ONLY = {
    "right": gettext_lazy("scored above 0"),
    "wrong": gettext_lazy("scored 0 or less"),
    "changed": gettext_lazy("scored differently in the other run"),
    "gained": gettext_lazy("scored higher here than in the other run"),
    "lost": gettext_lazy("scored lower here than in the other run"),
}
_OF_TWO = {"changed": "<>", "gained": ">", "lost": "<"}
_OF_ONE = {"right": "here.score > 0", "wrong": "here.score <= 0"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader looks for."""

    only: str = ""
    group: str = ""
    words: str = ""


def read_page(
    task_run: TaskRun, wanted: Wanted, against: TaskRun | None, *, page: int, size: int
) -> PageOfSamples:
    """Return one page of the samples that are wanted.

    Raises:
        SamplesError: the file cannot be read.
        ReckonerAway: it is not read just now.
    """
    return asking.look(
        artefacts.path_of(str(task_run.samples_id)),
        size=size,
        page=page,
        words=wanted.words,
        allowed=_allowed(task_run, wanted, against),
    )


def read_docs(task_run: TaskRun, doc_ids: Collection[int]) -> dict[int, Sample]:
    """Return the samples of these items, by item; those that are not there are left out."""
    if not doc_ids:
        return {}
    found = asking.look(
        artefacts.path_of(str(task_run.samples_id)),
        size=len(doc_ids),
        allowed=b"".join(doc_id.to_bytes(8, "big") for doc_id in doc_ids),
    )
    return {sample.doc_id: sample for sample in found.samples}


def _allowed(task_run: TaskRun, wanted: Wanted, against: TaskRun | None) -> bytes | None:
    """Return the items that score and group let through, eight bytes each; None for all.

    One value for all of them: a million rows would take a hundred times the memory.
    """
    if not (wanted.only or wanted.group):
        return None
    conditions = ["here.task_run_id = %(here)s", "here.metric = %(metric)s"]
    if wanted.group:
        conditions.append('here."group" = %(group)s')
    joined = ""
    if sign := _OF_TWO.get(wanted.only):
        joined = "JOIN evals_samplescore AS there USING (metric, doc_id)"
        conditions += ["there.task_run_id = %(there)s", f"here.score {sign} there.score"]
    elif wanted.only:
        conditions.append(_OF_ONE[wanted.only])
    values = {
        "here": task_run.pk,
        "there": against.pk if against else None,
        "metric": task_run.task["metric"],
        "group": wanted.group,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            # Nothing in it but our own words; what a reader says is among the values.
            "SELECT string_agg(int8send(doc_id), '' ORDER BY doc_id) "  # noqa: S608
            f"FROM evals_samplescore AS here {joined} WHERE {' AND '.join(conditions)}",
            values,
        )
        (found,) = cursor.fetchone()
    return bytes(found or b"")
