"""A real agent and a real runner on a real small model, against the live site."""

import base64
import io
import json
import logging
import os
import signal
import threading
from dataclasses import replace
from decimal import Decimal

import httpx
import psutil
import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from evals.choices import RunState, TaskRunState
from evals.management.commands import reproduce
from evals.models import Aggregate, SampleScore, TaskRun, Worker
from evals.services import leases, runs
from evals.services.results import statement_of
from evals.worker.client import Client, LeaseLost
from evals.worker.config import Price
from evals.worker.patrol import Patrol
from evals.worker.process import RunnerProcess
from oversight.accounts.services import digest_of_secret, shell_person
from oversight.ledger.models import PendingLeaf
from tests.evals.worker.conftest import (
    at_work,
    hang,
    runner_of,
    stage_of,
    wait_until,
)
from tests.factories import make_machine, make_question_suite, make_run

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]
ITEMS = 6


def scores_of(run):
    return list(
        SampleScore.objects.filter(task_run__run=run)
        .order_by("metric", "doc_id")
        .values_list("metric", "doc_id", "score")
    )


def test_a_result_is_delivered_and_is_the_same_the_second_time(warm_agent, warm_runner, model):
    suite = make_question_suite(ITEMS)
    first, second = make_run(suite=suite, model=model), make_run(suite=suite, model=model)
    assert warm_agent.work() == 2
    done = [TaskRun.objects.get(run=run) for run in (first, second)]
    assert [task_run.state for task_run in done] == ["succeeded", "succeeded"], done[0].reason
    assert scores_of(first) == scores_of(second)
    assert len(scores_of(first)) == 2 * ITEMS
    # The samples are the same to the last byte, so their name is the same.
    assert done[0].samples_id == done[1].samples_id
    first.refresh_from_db()
    assert first.state == RunState.SUCCEEDED

    # The second one was answered by the journal, and its statement says so.
    usage = [statement_of(task_run)["predicate"]["usage"] for task_run in done]
    assert [one["fromJournal"] for one in usage] == [0, usage[1]["requests"]]
    assert usage[1]["tokens"] == 0
    assert usage[0]["peakMemoryBytes"] > 100_000_000

    predicate = statement_of(done[0])["predicate"]
    assert predicate["usage"]["energyMethod"] in {"measured", "estimated"}
    assert "RAPL" in predicate["environment"]["energy"] or "W" in predicate["environment"]["energy"]
    # Nothing of the work is left on the host but the data file itself.
    directory = warm_agent._config.directory
    assert list(directory.glob("work-*")) == []
    assert not any(warm_runner.directory.rglob("*.arrow"))
    assert [path.name for path in directory.rglob("*.jsonl")] == [done[0].task["data"]["name"]]


def test_a_published_run_is_reproduced_to_the_last_digit(warm_agent, model, monkeypatch):
    """From its statements alone, computed anew; its questions come in passages."""
    price = Price(Decimal(3600), "EUR")
    warm_agent._config = replace(warm_agent._config, price=price)
    run = make_run(suite=make_question_suite(ITEMS, passages=3), model=model)
    assert warm_agent.work() == 1
    predicate = statement_of(TaskRun.objects.get(run=run))["predicate"]
    found = Aggregate.objects.get(task_run__run=run, metric="acc")
    (acc,) = [claim for claim in predicate["aggregates"] if claim["metric"] == "acc"]
    assert (acc["method"], found.clusters) == (found.method, 3)
    # An hour costs 3,600 euros: a second one.
    wall = Decimal(predicate["usage"]["wallSeconds"])
    assert abs(Decimal(predicate["usage"]["money"]) - wall) < Decimal("0.000001")

    def work(again, say=None):
        assert warm_agent.work() == 1
        again.refresh_from_db()
        return again

    monkeypatch.setattr(reproduce, "wait_for", work)
    monkeypatch.setattr(reproduce.settings, "DATABASE_IS_EMBEDDED", False, raising=False)
    monkeypatch.setattr("oversight.web.commands.prepare_database", lambda: None)
    out = io.StringIO()
    call_command("reproduce", run.ref, stdout=out, stderr=io.StringIO())
    assert "is equal" in out.getvalue()
    again = TaskRun.objects.exclude(run=run).get()
    assert statement_of(again)["predicate"]["usage"]["fromJournal"] == 0


def test_workers_of_two_organisations_agree_to_the_last_digit_on_one_model(
    make_agent, warm_runner, model
):
    replication = runs.request_replication(
        by=shell_person(),
        suite_version=make_question_suite(ITEMS),
        model_version=model,
        organisations=2,
        tolerance="0",
    )
    for _ in range(2):
        # Each its own host, key and journal; they share a runner that has loaded the model.
        agent = make_agent()
        agent._runner = warm_runner.get()
        assert agent.work() == 1
        agent._runner = None
    replication.refresh_from_db()
    assert replication.state == "agreed"
    means = {row["metric"]: row["means"] for row in replication.findings}
    assert {len(found) for found in means.values()} == {2}
    assert all(len(set(found.values())) == 1 for found in means.values())
    leaf = PendingLeaf.objects.get(type="evals.replication.concluded")
    assert leaf.content["facts"]["state"] == "agreed"


def test_cancelling_ends_a_runner_that_would_never_finish(make_agent, model):
    run = make_run(suite=make_question_suite(ITEMS), model=model)
    agent = make_agent()
    with at_work(agent) as taken:
        runner = hang(agent)
        wait_until(lambda: stage_of(run) == "loading", "the loading")
        runs.cancel_run(by=run.requested_by, run=run)
        wait_until(lambda: not psutil.pid_exists(runner.pid), "the end of the runner")
    assert taken == [1]
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert agent._runner is None


def test_a_lost_lease_drops_the_work_and_the_runner(make_agent, model, settings):
    run = make_run(suite=make_question_suite(ITEMS), model=model)
    agent, other = make_agent(), make_machine()
    with at_work(agent) as taken:
        runner = hang(agent)
        wait_until(lambda: stage_of(run) == "loading", "the loading")
        lost = TaskRun.objects.get(run=run)
        leases.hear_failure(
            worker=Worker.objects.get(task_runs=lost),
            task_run_id=lost.pk,
            token=lost.lease_token,
            code="lease-expired",
            message="Given back behind the worker's back.",
        )
        assert other.claim().pk == lost.pk
        wait_until(lambda: not psutil.pid_exists(runner.pid), "the end of the runner")
    assert taken == [1]
    task_run = TaskRun.objects.get(run=run)
    # The other worker's lease is untouched, and nothing may be uploaded under the old one.
    assert (task_run.state, task_run.worker_id) == ("running", other.worker.pk)
    file = agent._config.directory / "late"
    file.write_bytes(b"late")
    with pytest.raises(LeaseLost, match="not yours any more"):
        agent._client.upload(str(lost.pk), lost.lease_token, "0" * 64, file)


def test_a_runner_that_is_killed_in_mid_work_is_replaced_and_the_work_done(
    make_agent, model, warm_runner, monkeypatch
):
    started = []

    def start(*arguments, **options):
        """Start the first one; the one in its place is the one that is warm."""
        started.append(1)
        return RunnerProcess(*arguments, **options) if len(started) == 1 else warm_runner.get()

    monkeypatch.setattr("evals.worker.agent.RunnerProcess", start)
    run = make_run(suite=make_question_suite(ITEMS), model=model)
    agent = make_agent()
    with at_work(agent) as taken:
        hang(agent)
        wait_until(lambda: stage_of(run) == "loading", "the loading")
        os.killpg(agent._runner.process.pid, signal.SIGKILL)
    agent._runner = None  # the end of the test stops its agents; what is shared goes on
    # Given back and claimed again by the same agent: two attempts, one result.
    assert (taken, len(started)) == ([2], 2)
    task_run = TaskRun.objects.get(run=run)
    assert (task_run.state, task_run.attempt) == (TaskRunState.SUCCEEDED, 2), task_run.reason
    assert len(scores_of(run)) == 2 * ITEMS


def test_a_task_that_always_fails_is_parked_with_its_error_and_its_log(
    make_agent, model, tmp_path, settings
):
    settings.MAX_ATTEMPTS = 3
    poison = tmp_path / "python"
    poison.write_text("#!/bin/sh\necho 'Segmentation fault in libpoison.so' >&2\nexit 139\n")
    poison.chmod(0o755)
    run = make_run(suite=make_question_suite(ITEMS), model=model)
    agent = make_agent(python=str(poison))
    assert agent.work() == 3
    task_run = TaskRun.objects.get(run=run)
    assert (task_run.state, task_run.reason_code) == (TaskRunState.FAILED, "runner-died")
    assert task_run.reason == "The runner died (exit code 139). Given up after 3 attempts."
    assert "libpoison.so" in task_run.log_tail
    assert agent.work() == 0
    run.refresh_from_db()
    assert run.state == RunState.FAILED


def test_a_wrong_token_is_said_once_and_asked_again(make_agent, live_server, caplog, settings):
    machine = make_machine()
    token = "owk_" + "x" * 40
    patrol = Patrol(make_agent(machine, token=token))
    with caplog.at_level(logging.INFO, logger="evals.worker"):
        assert [patrol.look(), patrol.look(), patrol.look()] == [0, 0, 0]
        assert caplog.text.count("unknown or revoked: enrol the worker again") == 1
        # Once it is enrolled it works, without being started again.
        Worker.objects.filter(pk=machine.worker.pk).update(token_digest=digest_of_secret(token))
        patrol.look()
    assert "The platform lets us work again." in caplog.text
    assert Worker.objects.get(pk=machine.worker.pk).boot_id == patrol.agent._boot_id


def test_a_web_process_killed_in_mid_delivery_loses_no_result_and_keeps_it_once(
    make_agent, web_server, warm_runner, model
):
    """All is written and nothing committed when it dies: it waits for the run, which we hold."""
    url, server = web_server
    run = make_run(suite=make_question_suite(ITEMS), model=model)
    agent = make_agent(url=url)
    agent._runner = warm_runner.get()
    own = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    with (
        psycopg.connect(**{name: own[name] for name in names}) as holder,
        psycopg.connect(**{name: own[name] for name in names}, autocommit=True) as looker,
        at_work(agent) as taken,
    ):
        runner = hang(agent)
        wait_until(lambda: stage_of(run), "the claim")
        holder.execute("SELECT 1 FROM evals_run WHERE id = %s FOR UPDATE", [run.pk])
        runner.resume()
        waiting = (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND query LIKE '%evals_run%FOR UPDATE%'"
        )
        wait_until(lambda: looker.execute(waiting).fetchone(), "the delivery")
        assert TaskRun.objects.get(run=run).state == TaskRunState.RUNNING
        (answering,) = server.children()
        answering.kill()
        psutil.wait_procs([answering])
        holder.rollback()
    agent._runner = None
    assert taken == [1]
    task_run = TaskRun.objects.get(run=run)
    assert (task_run.state, task_run.attempt, task_run.lease_token) == ("succeeded", 1, 1)
    assert len(scores_of(run)) == 2 * ITEMS
    accepted = PendingLeaf.objects.filter(type="evals.result.accepted")
    assert [leaf.content["facts"]["attempt"] for leaf in accepted] == [1]
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED


def test_the_result_of_an_old_lease_is_refused_and_changes_nothing(live_server):
    run = make_run()
    late, punctual = make_machine(), make_machine()
    old = late.claim()
    data, reference = late.samples(old, 3)
    late.upload(old, data, reference["sha256"])
    envelope = late.envelope(old, reference, 3)
    leases.hear_failure(
        worker=late.worker,
        task_run_id=old.pk,
        token=old.lease_token,
        code="lease-expired",
        message="Silence.",
    )
    done = punctual.finish(punctual.claim(), 15)
    before = (scores_of(run), list(Aggregate.objects.values_list("mean", flat=True)))
    answer = httpx.post(
        f"{live_server.url}/api/v1/worker/task-runs/{old.pk}/result",
        headers={"Authorization": f"Bearer {late.token}"},
        json={"token": old.lease_token, "envelope": envelope},
    )
    assert answer.status_code == 409
    assert "not yours any more" in answer.json()["detail"]
    assert (scores_of(run), list(Aggregate.objects.values_list("mean", flat=True))) == before
    assert TaskRun.objects.get(run=run).statement_digest == done.statement_digest
    assert json.loads(base64.b64decode(envelope["payload"]))["predicate"]["attempt"] == 1


def test_workers_that_call_at_once_never_get_the_same_work(live_server):
    for _ in range(3):
        make_run()
    clients = [Client(live_server.url, make_machine().token) for _ in range(6)]
    start = threading.Barrier(len(clients))
    claimed = []

    def claim(client):
        start.wait()
        if order := client.claim(boot_id="boot", resource_classes=["cpu"]):
            claimed.append(order["task_run"])

    threads = [threading.Thread(target=claim, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 3


def test_a_worker_killed_in_mid_run_is_followed_by_another_and_nothing_counts_twice(
    worker_process, warm_agent, model, settings
):
    settings.LEASE_SECONDS = 5
    run = make_run(suite=make_question_suite(ITEMS), model=model)
    process = worker_process(make_machine())
    wait_until(lambda: stage_of(run) in {"loading", "running"}, "the work")
    runner = runner_of(process)
    process.kill()
    process.wait()
    # Nobody is left to work for, so the runner ends by itself.
    wait_until(lambda: not runner.is_running(), "the end of the runner")
    assert warm_agent.work() == 0
    wait_until(leases.requeue_expired, "the end of the lease")
    assert TaskRun.objects.get(run=run).reason_code == "lease-expired"
    assert warm_agent.work() == 1
    task_run = TaskRun.objects.get(run=run)
    assert (task_run.state, task_run.attempt, task_run.lease_token) == ("succeeded", 2, 2)
    assert len(scores_of(run)) == 2 * ITEMS
    assert Aggregate.objects.filter(task_run=task_run, group="").count() == 2


def test_a_worker_that_is_stopped_gives_its_work_back_at_once(worker_process, model):
    run = make_run(suite=make_question_suite(ITEMS), model=model)
    process = worker_process(make_machine())
    wait_until(lambda: stage_of(run) in {"loading", "running"}, "the work")
    runner = runner_of(process)
    process.terminate()
    assert process.wait(timeout=60) == 0, process.log.read_text()
    assert not runner.is_running()
    task_run = TaskRun.objects.get(run=run)
    assert (task_run.state, task_run.reason_code) == (TaskRunState.QUEUED, "worker-stopping")
    # The lease did not have to run out, and none of the bounded attempts is used up.
    assert task_run.attempt == 0
    assert make_machine().claim().attempt == 1
