"""Waiting for a run from the shell: a line for each step, and none for each sample."""

from types import SimpleNamespace

import pytest

from evals import waiting
from evals.models import TaskRun
from evals.services.runs import cancel_run
from tests.factories import make_cast, make_machine, make_model_version, make_run, make_suite

pytestmark = pytest.mark.django_db


def test_who_waits_for_long_is_told_what_was_counted_meanwhile(monkeypatch):
    cast = make_cast()
    run = make_run(cast.evaluator, make_suite(cast.evaluator), make_model_version(cast.evaluator))
    task_run = make_machine().claim()
    TaskRun.objects.filter(pk=task_run.pk).update(stage="asking", total=200)
    now, counted = [0.0], {29: 3, 61: 4}

    def work(seconds):
        now[0] += 1
        if now[0] > 95:
            TaskRun.objects.filter(run=run).update(state="queued", lease_until=None)
            cancel_run(by=cast.evaluator, run=run)
        elif now[0] in counted:
            TaskRun.objects.filter(pk=task_run.pk).update(done=counted[now[0]])

    monkeypatch.setattr(waiting, "time", SimpleNamespace(sleep=work, monotonic=lambda: now[0]))
    said = []
    waiting.wait_for(run, say=lambda line: said.append((now[0], line.split("facts ")[1][:5])))
    assert said == [(0, "0/200"), (30, "3/200"), (61, "4/200")]


def test_who_waits_is_told_of_each_tenth_of_a_task_and_not_of_each_sample(monkeypatch):
    cast = make_cast()
    run = make_run(cast.evaluator, make_suite(cast.evaluator), make_model_version(cast.evaluator))
    task_run = make_machine().claim()
    TaskRun.objects.filter(pk=task_run.pk).update(stage="asking", total=200)
    done = iter(range(1, 200))

    def work(_seconds):
        if (samples := next(done, None)) is None:
            TaskRun.objects.filter(run=run).update(state="queued", lease_until=None)
            cancel_run(by=cast.evaluator, run=run)
        else:
            TaskRun.objects.filter(pk=task_run.pk).update(done=samples)

    monkeypatch.setattr(waiting.time, "sleep", work)
    said = []
    over = waiting.wait_for(run, say=said.append)
    assert over.state == "cancelled"
    assert len(said) == 10
    assert said[1] == f"{run.ref}: 0 of 2 tasks finished; facts 20/200, refusals queued"
