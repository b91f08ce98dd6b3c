"""Claiming, heartbeats, expiry: who may report about a task run, and for how long."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from evals.choices import FINAL_STATES, TASK_RUN_TRANSITIONS, RunState, TaskRunState
from evals.models import TaskRun
from evals.services import leases, runs, workers
from oversight.ledger.models import PendingLeaf
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from tests.scenes import (
    make_administrator,
    make_evaluator,
    make_machine,
    make_person,
    make_run,
)

pytestmark = pytest.mark.django_db


def expire(task_run):
    TaskRun.objects.filter(pk=task_run.pk).update(lease_until=database_now() - timedelta(seconds=1))


def test_a_claim_leases_the_waiting_task_run_with_a_growing_token():
    run = make_run()
    task_run = make_machine().claim()
    assert task_run.run == run
    assert (task_run.state, task_run.lease_token, task_run.attempt) == ("running", 1, 1)
    run.refresh_from_db()
    assert run.state == RunState.RUNNING
    assert run.started_at is not None


def test_there_is_nothing_to_claim_twice():
    make_run()
    assert make_machine().claim() is not None
    assert make_machine().claim() is None


def test_a_worker_gets_only_work_of_its_classes():
    make_run(resource_class="gpu")
    assert make_machine().claim() is None


def test_priority_comes_before_age_and_fairness_before_age():
    first, busy = make_evaluator(), make_evaluator()
    make_run(by=busy)
    assert make_machine().claim().run.requested_by == busy
    make_run(by=busy)
    fair = make_run(by=first)
    assert make_machine().claim().run == fair
    urgent = make_run(by=make_administrator(), priority=5)
    assert make_machine().claim().run == urgent


def test_an_expired_lease_goes_back_to_the_queue_and_the_late_worker_is_refused():
    make_run()
    machine = make_machine()
    late = machine.claim()
    expire(late)
    assert leases.requeue_expired() == 1
    again = make_machine().claim()
    assert (again.pk, again.lease_token) == (late.pk, 2)
    with pytest.raises(Conflict, match="not yours any more"):
        leases.hear_heartbeat(
            worker=machine.worker, task_run_id=late.pk, token=1, stage="running", done=1, total=2
        )
    with pytest.raises(Conflict):
        machine.finish(late)


def test_a_heartbeat_extends_the_lease_and_notes_progress():
    make_run()
    machine = make_machine()
    task_run = machine.claim()
    expire(task_run)
    cancel = leases.hear_heartbeat(
        worker=machine.worker,
        task_run_id=task_run.pk,
        token=task_run.lease_token,
        stage="running",
        done=7,
        total=20,
    )
    task_run.refresh_from_db()
    assert not cancel
    assert task_run.lease_until > database_now()
    assert (task_run.done, task_run.total, task_run.stage) == (7, 20, "running")
    assert leases.requeue_expired() == 0


def test_the_first_answers_of_an_attempt_are_noted_with_their_time():
    make_run()
    machine = make_machine()
    task_run = machine.claim()
    for done in (0, 4, 9):
        held = {"worker": machine.worker, "task_run_id": task_run.pk, "token": 1}
        leases.hear_heartbeat(**held, stage="running", done=done, total=20)
    task_run.refresh_from_db()
    assert task_run.answered_then == 4
    assert task_run.started_at <= task_run.answering_since <= database_now()
    expire(task_run)
    leases.requeue_expired()
    again = machine.claim()
    assert (again.answering_since, again.answered_then) == (None, 0)


def test_attempts_are_bounded_and_the_last_failure_is_the_reason(settings):
    settings.MAX_ATTEMPTS = 2
    run = make_run()
    for _ in range(2):
        machine = make_machine()
        task_run = machine.claim()
        leases.hear_failure(
            worker=machine.worker,
            task_run_id=task_run.pk,
            token=task_run.lease_token,
            code="runner-died",
            message="The runner was killed.",
            log_tail="last words",
        )
    task_run.refresh_from_db()
    run.refresh_from_db()
    assert task_run.state == TaskRunState.FAILED
    assert task_run.reason == "The runner was killed. Given up after 2 attempts."
    assert task_run.log_tail == "last words"
    assert run.state == RunState.FAILED
    assert "The runner was killed." in run.reason
    assert PendingLeaf.objects.filter(type="evals.run.finished", subject=run.subject).exists()


@pytest.mark.parametrize("code", sorted(leases.MAY_NOT_RETRY))
def test_what_would_fail_again_is_not_tried_again(code):
    make_run()
    machine = make_machine()
    task_run = machine.claim()
    leases.hear_failure(
        worker=machine.worker,
        task_run_id=task_run.pk,
        token=task_run.lease_token,
        code=code,
        message="No.",
    )
    task_run.refresh_from_db()
    assert task_run.state == TaskRunState.FAILED


def test_a_restarted_worker_gives_back_at_once_what_it_held():
    make_run()
    machine = make_machine()
    task_run = machine.claim()
    workers.hear_hello(worker=machine.worker, boot_id="boot-2", software={}, device={})
    task_run.refresh_from_db()
    assert task_run.state == TaskRunState.QUEUED
    assert task_run.reason_code == "worker-restarted"


def test_a_hello_of_the_same_start_changes_nothing():
    make_run()
    machine = make_machine()
    task_run = machine.claim()
    workers.hear_hello(worker=machine.worker, boot_id="boot-1", software={}, device={})
    task_run.refresh_from_db()
    assert task_run.state == TaskRunState.RUNNING


def test_cancelling_ends_what_waits_and_tells_what_runs():
    run = make_run()
    machine = make_machine()
    task_run = machine.claim()
    runs.cancel_run(by=run.requested_by, run=run)
    assert leases.hear_heartbeat(
        worker=machine.worker,
        task_run_id=task_run.pk,
        token=task_run.lease_token,
        stage="running",
        done=0,
        total=0,
    )
    leases.hear_failure(
        worker=machine.worker,
        task_run_id=task_run.pk,
        token=task_run.lease_token,
        code="cancelled",
        message="Stopped.",
    )
    run.refresh_from_db()
    assert (run.state, run.reason) == (RunState.CANCELLED, "Cancelled on request.")
    assert make_machine().claim() is None


def test_a_waiting_run_is_cancelled_at_once_and_only_once():
    run = runs.cancel_run(by=(made := make_run()).requested_by, run=made)
    assert run.state == RunState.CANCELLED
    with pytest.raises(Conflict, match="over already"):
        runs.cancel_run(by=run.requested_by, run=run)


def test_an_outsider_neither_starts_nor_cancels_runs():
    run = make_run()
    with pytest.raises(NotAllowed):
        runs.cancel_run(by=make_person(), run=run)
    with pytest.raises(NotAllowed):
        make_run(by=make_person())


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"dtype": "int3"}, "dtype"),
        ({"backend": "magic"}, "backend"),
        ({"limit": 0}, "limit"),
        ({"limit": True}, "limit"),
        ({"batch_size": "many"}, "batch_size"),
        ({"device": "abacus"}, "device"),
        ({"speed": 9}, "speed"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_by_name(chosen, message):
    with pytest.raises(Invalid, match=message):
        make_run(settings=chosen)


def test_a_request_nudges_the_workers_of_its_class(no_nudges, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        make_run(resource_class="gpu")
    assert no_nudges == ["gpu"]


def test_a_revoked_worker_loses_its_leases_and_its_token():
    from oversight.accounts.services import shell_person

    make_run()
    machine = make_machine()
    task_run = machine.claim()
    assert workers.worker_of_token(machine.token) == machine.worker
    workers.revoke_worker(by=shell_person(), worker=machine.worker)
    task_run.refresh_from_db()
    assert task_run.state == TaskRunState.QUEUED
    assert workers.worker_of_token(machine.token) is None


def test_work_given_back_by_a_worker_that_stops_is_not_an_attempt(settings):
    settings.MAX_ATTEMPTS = 1
    make_run()
    for _ in range(3):
        machine = make_machine()
        task_run = machine.claim()
        assert task_run.attempt == 1
        given_back = leases.hear_failure(
            worker=machine.worker,
            task_run_id=task_run.pk,
            token=task_run.lease_token,
            code="worker-stopping",
            message="The worker is being stopped.",
        )
        assert (given_back.state, given_back.attempt) == (TaskRunState.QUEUED, 0)
        assert given_back.reason_code == "worker-stopping"
    assert make_machine().claim().lease_token == 4


@pytest.mark.parametrize("code", sorted(leases.ELSEWHERE))
def test_what_one_host_lacks_another_may_have(code):
    make_run()
    lacking, other = make_machine(), make_machine()
    first = lacking.claim()
    assert other.claim() is None
    leases.hear_failure(
        worker=lacking.worker,
        task_run_id=first.pk,
        token=first.lease_token,
        code=code,
        message="Not here.",
        may_retry=False,
    )
    assert lacking.claim() is None
    assert other.claim().pk == first.pk


def test_what_the_only_host_lacks_ends_the_run_at_once():
    run = make_run()
    make_machine()  # enrolled, and never heard of
    machine = make_machine()
    task_run = machine.claim()
    leases.hear_failure(
        worker=machine.worker,
        task_run_id=task_run.pk,
        token=task_run.lease_token,
        code="weights-missing",
        message="This host has no such folder.",
    )
    run.refresh_from_db()
    assert (run.state, run.reason) == ("failed", "Task questions: This host has no such folder.")


def test_final_states_lead_nowhere():
    for state, targets in TASK_RUN_TRANSITIONS.items():
        assert bool(targets) != (state in FINAL_STATES)


@pytest.mark.django_db(transaction=True)
def test_a_run_cancelled_while_its_task_run_is_given_back_does_not_wait_for_ever():
    """The giving back has read the run before the cancelling commits, and waits for its lock."""
    run = make_run()
    machine = make_machine()
    task_run = machine.claim()
    is_waiting = threading.Event()

    def give_back():
        try:
            with connection.execute_wrapper(_before_update(is_waiting)):
                leases.hear_failure(
                    worker=machine.worker,
                    task_run_id=task_run.pk,
                    token=task_run.lease_token,
                    code="runner-died",
                    message="Killed.",
                )
        finally:
            connection.close()

    late = threading.Thread(target=give_back)
    with transaction.atomic():
        list(run.task_runs.select_for_update())
        late.start()
        assert is_waiting.wait(10)
        late.join(0.5)
        run.cancel_requested_at = database_now()
        run.save(update_fields=["cancel_requested_at"])
    late.join(10)
    run.refresh_from_db()
    task_run.refresh_from_db()
    assert (task_run.state, run.state) == ("cancelled", "cancelled")


def _before_update(event):
    """Return a wrapper that tells when a statement that locks a row is about to be sent."""

    def wrapper(execute, sql, params, many, context):
        if "FOR UPDATE" in sql:
            event.set()
        return execute(sql, params, many, context)

    return wrapper


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_claim_at_once_never_get_the_same_task_run():
    for _ in range(3):
        make_run()
    machines = [make_machine() for _ in range(6)]
    start = threading.Barrier(len(machines))
    claimed, errors = [], []

    def claim(machine):
        try:
            start.wait()
            task_run = machine.claim()
            if task_run:
                claimed.append(task_run.pk)
        except Exception as error:  # noqa: BLE001 - reported below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=(machine,)) for machine in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(claimed) == len(set(claimed)) == 3
