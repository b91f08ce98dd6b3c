"""Runs and task runs change their state as the tables say, and in no other way."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from evals.choices import (
    FINAL_STATES,
    RUN_TRANSITIONS,
    TASK_RUN_TRANSITIONS,
    RunState,
    TaskRunState,
)
from evals.models import Artefact, Run, TaskRun
from evals.services import claims, leases, runs
from evals.services.moves import move, move_run
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict
from tests.scenes import make_machine, make_run

PROJECT = Path(__file__).resolve().parents[2]


def fail(machine, task_run, code="task-refused"):
    return leases.hear_failure(
        worker=machine.worker,
        task_run_id=task_run.pk,
        token=task_run.lease_token,
        code=code,
        message="No.",
    )


def task_run_in(state: TaskRunState) -> TaskRun:
    """Bring a task run into a state by the services that really do it."""
    run = make_run()
    if state == TaskRunState.CANCELLED:
        runs.cancel_run(by=run.requested_by, run=run)
    elif state != TaskRunState.QUEUED:
        machine = make_machine()
        task_run = machine.claim()
        if state == TaskRunState.FAILED:
            fail(machine, task_run)
        if state == TaskRunState.SUCCEEDED:
            machine.finish(task_run)
    return TaskRun.objects.get(run=run)


def make_ready(task_run: TaskRun, to: TaskRunState) -> None:
    """Fill in what a service writes together with the move."""
    if to == TaskRunState.RUNNING:
        task_run.worker = make_machine().worker
        task_run.lease_until = task_run.started_at = database_now()
        task_run.lease_token += 1
        task_run.attempt += 1
    if to == TaskRunState.SUCCEEDED:
        task_run.envelope = {}
        task_run.samples = Artefact.objects.create(sha256="0" * 64, size=1, media_type="x/y")
        task_run.leaf_id = task_run.pk


@pytest.mark.django_db
@pytest.mark.parametrize("to", list(TaskRunState))
@pytest.mark.parametrize("before", list(TaskRunState))
def test_a_task_run_moves_as_the_table_says_and_no_other_way(before, to):
    task_run = task_run_in(before)
    assert task_run.state == before
    make_ready(task_run, to)
    if to not in TASK_RUN_TRANSITIONS[before]:
        with pytest.raises(Conflict, match="it cannot become"):
            move(task_run, to, code="why", reason="Because.")
        assert TaskRun.objects.get(pk=task_run.pk).state == before
        return
    move(task_run, to, code="why", reason="Because.")
    stored = TaskRun.objects.get(pk=task_run.pk)
    assert (stored.state, stored.reason_code, stored.reason) == (to, "why", "Because.")
    assert (stored.lease_until is not None) == (to == TaskRunState.RUNNING)
    assert (stored.finished_at is not None) == (to in FINAL_STATES)


@pytest.mark.django_db
@pytest.mark.parametrize("to", list(RunState))
@pytest.mark.parametrize("before", list(RunState))
def test_a_run_moves_as_the_table_says_and_no_other_way(before, to):
    run = task_run_in(TaskRunState(before)).run
    assert run.state == before
    if to in RUN_TRANSITIONS[before]:
        move_run(run, to, reason="Because.")
    elif to == before and to not in FINAL_STATES:
        move_run(run, to)
    else:
        with pytest.raises(Conflict, match="it cannot become"):
            move_run(run, to, reason="Because.")
        to = before
    assert Run.objects.get(pk=run.pk).state == to


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "before", "columns", "constraint"),
    [
        (TaskRun, "queued", {"state": "running"}, "task_run_lease_only_while_running"),
        (TaskRun, "running", {"state": "queued"}, "task_run_lease_only_while_running"),
        (TaskRun, "running", {"started_at": None}, "task_run_running_was_claimed"),
        (TaskRun, "running", {"attempt": 0}, "task_run_running_was_claimed"),
        (TaskRun, "running", {"lease_token": 0}, "task_run_running_was_claimed"),
        (TaskRun, "failed", {"finished_at": None}, "task_run_finished_when_final"),
        (TaskRun, "failed", {"state": "queued"}, "task_run_finished_when_final"),
        (TaskRun, "failed", {"reason": ""}, "task_run_bad_end_has_reason"),
        (TaskRun, "failed", {"state": "succeeded"}, "task_run_success_has_evidence"),
        (Run, "succeeded", {"started_at": None}, "run_started_unless_it_waited"),
        (Run, "succeeded", {"state": "running"}, "run_finished_when_final"),
        (Run, "failed", {"reason": ""}, "run_bad_end_has_reason"),
    ],
)
def test_the_database_refuses_columns_that_do_not_go_with_the_state(
    table, before, columns, constraint
):
    task_run = task_run_in(TaskRunState(before))
    row = task_run if table is TaskRun else task_run.run
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        table.objects.filter(pk=row.pk).update(**columns)


def test_the_states_in_the_documents_are_those_of_the_code():
    script = PROJECT / ".ci" / "document-states"
    done = subprocess.run(
        [sys.executable, str(script), "-"], capture_output=True, text=True, check=True
    )
    written = (PROJECT / "docs" / "reference" / "states.md").read_text()
    assert done.stdout == written, "run: .venv/bin/python .ci/document-states"


def test_only_one_place_sets_a_state_and_a_claim_the_one_it_begins_with():
    words = re.compile(r"^\s*\w+\.state = |update\(state=|SET state", re.MULTILINE)
    folder = PROJECT / "evals"
    setters = {path.name for path in folder.rglob("*.py") if words.search(path.read_text())}
    assert setters == {"moves.py", "claims.py"}
    assert re.findall(r"SET state = '(\w+)'", claims.CLAIM) == ["running"]
    assert "waiting.state = 'queued'" in claims.CLAIM
