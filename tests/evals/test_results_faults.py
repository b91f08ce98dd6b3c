"""Faults while a result is delivered: nothing half done, nothing lost, nothing accepted twice."""

import errno
import os
import subprocess
import threading
from contextlib import contextmanager

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from evals import artefacts
from evals.models import Aggregate, Artefact, Run, SampleScore, TaskRun
from evals.reckoner.pool import Work
from evals.services import leases, results
from oversight.ledger.models import PendingLeaf
from oversight.web.clock import database_now
from tests.scenes import make_machine, make_run, make_suite


def delivered(machine, task_run, envelope):
    return results.accept_result(
        worker=machine.worker,
        task_run_id=task_run.pk,
        token=task_run.lease_token,
        envelope=envelope,
    )


def ready(items=6, right=4, **changes):
    """Return a machine, what it holds, and the signed result, its samples uploaded."""
    make_run(suite=make_suite(items=items))
    machine = make_machine()
    task_run = machine.claim()
    data, reference = machine.samples(task_run, right)
    machine.upload(task_run, data, reference["sha256"])
    return machine, task_run, machine.envelope(task_run, reference, right, **changes)


# -- The database ----------------------------------------------------------------------------


def terminate(pid):
    """End the server process behind a connection, as the end of the server would."""
    own = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(**{name: own[name] for name in names if name in own}) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])


@contextmanager
def database_dies_before(step):
    """Cut the connection before its `step`-th statement; yields a list, filled when it was."""
    count, cut = 0, []

    def wrapper(execute, sql, params, many, context):
        nonlocal count
        count += 1
        if count == step:
            cut.append(sql)
            terminate(context["connection"].connection.info.backend_pid)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield cut
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_dies_at_any_step_leaves_all_or_nothing():
    machine, task_run, envelope = ready()
    step, tried = 0, []
    while True:
        step += 1
        with database_dies_before(step) as cut:
            try:
                delivered(machine, task_run, envelope)
            except OperationalError:
                assert cut
        if not cut or "pg_notify" in cut[0]:
            # The sequencer is woken after the commit: by then the result is whole.
            break
        tried.append(cut[0].split()[0])
        stored = TaskRun.objects.select_related("run").get(pk=task_run.pk)
        assert (stored.state, stored.run.state) == ("running", "running")
        assert not SampleScore.objects.exists()
        assert not Aggregate.objects.exists()
        assert not PendingLeaf.objects.filter(type="evals.result.accepted").exists()
    assert {"SELECT", "INSERT", "UPDATE"} <= set(tried)
    assert len(tried) > 10
    stored = TaskRun.objects.select_related("run").get(pk=task_run.pk)
    assert (stored.state, stored.run.state) == ("succeeded", "succeeded")
    assert PendingLeaf.objects.filter(type="evals.result.accepted").count() == 1
    # The answer got lost, so the worker sends it once more.
    assert delivered(machine, task_run, envelope)[1] is False


@pytest.mark.django_db(transaction=True)
def test_a_database_that_dies_at_any_step_of_a_claim_leases_nothing_half():
    run = make_run(suite=make_suite(items=6))
    machine, step = make_machine(), 0
    while True:
        step += 1
        with database_dies_before(step) as cut:
            try:
                machine.claim()
            except OperationalError:
                assert cut
        if not cut:
            break
        stored = TaskRun.objects.select_related("run").get(run=run)
        if stored.state == "running":
            # Leased and begun, and the answer lost: the sweep gives it back in its time.
            assert stored.run.state == "running"
            break
        assert (stored.state, stored.lease_token, stored.attempt) == ("queued", 0, 0)
        assert stored.run.state == "queued"
    assert step > 2
    assert TaskRun.objects.get(run=run).lease_token == 1


@pytest.mark.django_db(transaction=True)
def test_a_database_that_dies_while_scores_are_copied_leaves_nothing(monkeypatch):
    machine, task_run, envelope = ready()
    whole = Work.pieces

    def dying(self):
        yield from whole(self)
        terminate(connection.connection.info.backend_pid)
        yield b"\n"

    monkeypatch.setattr(Work, "pieces", dying)
    with pytest.raises((OperationalError, psycopg.OperationalError)):
        delivered(machine, task_run, envelope)
    connection.close()
    monkeypatch.setattr(Work, "pieces", whole)
    assert not SampleScore.objects.exists()
    assert delivered(machine, task_run, envelope)[1] is True
    assert SampleScore.objects.count() == 12


@pytest.mark.django_db(transaction=True)
def test_the_same_result_sent_by_two_connections_at_once_is_accepted_once():
    machine, task_run, envelope = ready()
    start, answers = threading.Barrier(4), []

    def deliver():
        try:
            start.wait()
            answers.append(delivered(machine, task_run, envelope)[1])
        except Exception as error:  # noqa: BLE001 - looked at below
            answers.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(True) == 1
    # Who came while it was being written is told that the lease is over, or that it is known.
    assert set(answers) <= {True, False, "Conflict"}
    assert PendingLeaf.objects.filter(type="evals.result.accepted").count() == 1
    assert SampleScore.objects.count() == 12


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_waits_for_nobody_while_the_result_is_written():
    machine, task_run, _ = ready()
    heard = []

    def beat():
        try:
            heard.append(
                leases.hear_heartbeat(
                    worker=machine.worker,
                    task_run_id=task_run.pk,
                    token=1,
                    stage="uploading",
                    done=1,
                    total=2,
                )
            )
        finally:
            connection.close()

    with transaction.atomic():
        leases.locked_lease(worker=machine.worker, task_run_id=task_run.pk, token=1)
        thread = threading.Thread(target=beat)
        thread.start()
        thread.join(5)
        assert heard == [False]


# -- The disk --------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path, settings):
    """Keep artefacts on a disk of 64 kB, where we may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk takes root and the right to mount")
    settings.ARTEFACTS_DIR = folder
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.django_db
def test_a_disk_that_is_full_keeps_nothing_half_and_says_so(small_disk):
    with pytest.raises(artefacts.NoRoom, match="no room left"):
        artefacts.store([os.urandom(16_384)] * 8, media_type="x/y")
    assert [path for path in small_disk.rglob("*") if path.is_file()] == []
    assert not Artefact.objects.exists()
    row = artefacts.store([b"small"], media_type="x/y")
    assert artefacts.path_of(row.sha256).read_bytes() == b"small"


@pytest.mark.django_db
@pytest.mark.parametrize("code", sorted(artefacts.NO_ROOM))
def test_a_disk_that_fills_up_during_an_upload_costs_only_that_upload(monkeypatch, client, code):
    make_run(suite=make_suite(items=6))
    machine = make_machine()
    task_run = machine.claim()
    data, reference = machine.samples(task_run, 4)
    path = f"/api/v1/worker/task-runs/{task_run.pk}/artefacts/{reference['sha256']}?token=1"
    headers = {"Authorization": f"Bearer {machine.token}"}
    send = {"content_type": "application/octet-stream", "headers": headers}

    def full(descriptor):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(artefacts.os, "fsync", full)
        answer = client.put(path, data, **send)
    assert answer.status_code == 507
    assert "no room left" in answer.json()["detail"]
    assert list(artefacts.path_of("00").parents[2].glob("incoming-*")) == []
    assert TaskRun.objects.get(pk=task_run.pk).state == "running"
    assert client.put(path, data, **send).status_code == 201
    assert delivered(machine, task_run, machine.envelope(task_run, reference, 4))[1] is True


@pytest.mark.django_db
def test_another_fault_of_the_disk_is_not_taken_for_a_full_one(monkeypatch):
    def broken(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(artefacts.os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        artefacts.store([b"x"], media_type="x/y")


# -- The clock -------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("said", ["2026-11-23T09:00:00Z", "2099-01-01T00:00:00Z"])
def test_a_worker_whose_clock_is_wrong_changes_no_lease_and_no_order(said):
    before = database_now()
    machine, task_run, envelope = ready(evaluatedAt=said)
    assert task_run.lease_until > before
    accepted, _ = delivered(machine, task_run, envelope)
    # What it says stays in its statement; what counts is our own clock.
    assert results.statement_of(accepted)["predicate"]["evaluatedAt"] == said
    accepted.refresh_from_db()
    assert before <= accepted.finished_at <= database_now()
    assert Run.objects.get(pk=accepted.run_id).finished_at >= accepted.started_at
