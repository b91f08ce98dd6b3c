"""Waiting for a run from the shell, with progress lines."""

import time
from collections.abc import Callable

from django.utils.translation import gettext as _

from evals.models import Run

POLL_SECONDS = 0.3
SAY_SECONDS = 30.0
"""How long somebody who waits is told nothing, where more was counted meanwhile."""


def wait_for(run: Run, *, say: Callable[[str], None] | None = None) -> Run:
    """Return the run once it is over; `say` gets a line for each step of its progress.

    A step is a stage of a task, or a tenth of its samples: a line for each sample buries the rest.
    Where a step takes long, what was counted meanwhile is said from time to time.
    """
    before: object = None
    said, said_at = "", time.monotonic()
    while True:
        run.refresh_from_db()
        if not run.is_active:
            return run
        step = [(t.stage, t.state, 10 * t.done // (t.total or 1)) for t in run.task_runs.all()]
        is_due = time.monotonic() - said_at >= SAY_SECONDS and progress_line(run) != said
        if say and (step != before or is_due):
            said, said_at = progress_line(run), time.monotonic()
            say(said)
        before = step
        time.sleep(POLL_SECONDS)


def progress_line(run: Run) -> str:
    """Return where a run stands in one line."""
    parts = [
        f"{t.task_name} {t.done}/{t.total}" if t.total else f"{t.task_name} {t.stage or t.state}"
        for t in run.task_runs.all()
        if not t.is_final
    ]
    finished, whole = sum(t.is_final for t in run.task_runs.all()), len(run.task_runs.all())
    return _("%(ref)s: %(finished)s of %(whole)s tasks finished; %(value)s") % {
        "ref": run.ref,
        "finished": finished,
        "whole": whole,
        "value": ", ".join(parts) or "closing",
    }
