"""What a model version scored newest: kept with the end of each run, and made anew the same."""

from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import connection

from evals.models import Aggregate, NewestResult, Run
from evals.services.newest import keep_newest
from evals.tasks import mend_copies
from tests import factories

pytestmark = pytest.mark.django_db

FIELDS = (
    *("model_version_id", "suite_version_id", "task_name", "metric", "is_headline", "run_id"),
    *("requested_at", "finished_at", "n", "mean", "stderr", "low", "high", "method"),
    "is_recalled",
)


def kept():
    """Return every row as it is."""
    return sorted(NewestResult.objects.values_list(*FIELDS), key=str)


def finished(cast, suite, version, right, *, is_recalled=False, **settings):
    run = factories.make_run(cast.evaluator, suite, version, settings=settings)
    return factories.finish_run(run, cast.machine.worker, right=right, is_recalled=is_recalled)


@pytest.fixture
def world():
    """Return a cast, a suite of two tasks, and two versions of which one was evaluated twice."""
    cast = factories.make_cast()
    suite = factories.make_suite(cast.evaluator)
    versions = [factories.make_model_version() for _ in range(2)]
    for right in (40, 60):
        finished(cast, suite, versions[0], right)
    finished(cast, suite, versions[1], 50)
    return cast, suite, versions


def test_the_newest_full_run_is_kept_by_task_and_metric(world):
    _, suite, versions = world
    rows = NewestResult.objects.filter(model_version=versions[0])
    assert {(row.task_name, row.metric) for row in rows} == {
        (task["name"], metric) for task in suite.tasks for metric in task["metrics"]
    }
    newest = Run.objects.filter(model_version=versions[0]).newest_first().first()
    assert {row.run_id for row in rows} == {newest.pk}
    for row in rows:
        source = Aggregate.objects.get(
            task_run__run=newest, task_run__task_name=row.task_name, metric=row.metric, group=""
        )
        for name in ("n", "mean", "stderr", "low", "high", "method"):
            assert getattr(row, name) == getattr(source, name)
        assert row.is_headline is (row.metric == "acc")


def test_rebuilding_gives_what_was_kept(world, capsys):
    before = kept()
    assert len(before) == 8
    NewestResult.objects.update(mean=0.5, n=1)
    call_command("copies")
    assert kept() == before
    assert "8 newest results" in capsys.readouterr().out


def test_the_migration_fills_in_what_was_kept(world):
    before = kept()
    NewestResult.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(import_module("evals.migrations.0014_newest_results").FILL)
    assert kept() == before


def test_a_run_asked_for_earlier_that_ends_later_changes_nothing(world):
    cast, suite, versions = world
    before = kept()
    late = finished(cast, suite, versions[0], 10)
    assert kept() != before
    Run.objects.filter(pk=late.pk).update(requested_at=late.requested_at - timedelta(days=1))
    call_command("copies")
    assert kept() == before
    keep_newest(Run.objects.get(pk=late.pk))
    assert kept() == before


def test_a_run_cut_short_by_a_limit_is_not_kept(world):
    cast, suite, versions = world
    before = kept()
    finished(cast, suite, versions[0], 4, limit=8)
    assert kept() == before


def test_a_run_of_recalled_answers_never_displaces_one_that_computed(world):
    cast, suite, versions = world
    before = kept()
    again = finished(cast, suite, versions[0], 60, is_recalled=True)
    assert (again.answers, again.recalled, again.is_recalled) == (320, 320, True)
    assert not Run.objects.computed().filter(pk=again.pk).exists()
    assert Run.objects.computed().count() == 3
    assert kept() == before


def test_what_a_second_attempt_remembers_is_not_called_recalled(world):
    cast, suite, versions = world
    again = finished(cast, suite, versions[0], 60, is_recalled=True)
    again.task_runs.filter(task_name="facts").update(attempt=2)
    call_command("copies")
    again.refresh_from_db()
    assert (again.answers, again.recalled, again.is_recalled) == (320, 160, False)


def test_recalled_answers_stand_until_a_run_that_computes_ends(world):
    cast, suite, _ = world
    rows = NewestResult.objects.filter(model_version=(version := factories.make_model_version()))
    for is_recalled, shown in ((True, 0), (True, 1), (False, 2), (True, 2)):
        finished(cast, suite, version, 60, is_recalled=is_recalled)
        runs = list(Run.objects.filter(model_version=version).order_by("pk"))
        assert set(rows.values_list("run", "is_recalled")) == {(runs[shown].pk, shown < 2)}
    before = kept()
    call_command("copies")
    assert kept() == before


def as_servers_of_before_left_it(version, again):
    """Take away what was summed up, and let the newest stand whatever it is."""
    Run.objects.filter(pk=again.pk).update(answers=None, recalled=0)
    NewestResult.objects.filter(model_version=version).update(
        run=again, requested_at=again.requested_at
    )


def test_the_migration_lets_what_was_computed_come_first(world):
    cast, suite, versions = world
    before = kept()
    again = finished(cast, suite, versions[0], 60, is_recalled=True)
    as_servers_of_before_left_it(versions[0], again)
    assert kept() != before
    import_module("evals.migrations.0020_fill_answers_recalled").fill(
        None, SimpleNamespace(connection=connection)
    )
    assert kept() == before
    again.refresh_from_db()
    assert (again.answers, again.recalled) == (320, 320)


def test_sums_of_answers_that_a_server_of_before_left_out_are_added_by_the_clock(world, caplog):
    cast, suite, versions = world
    before = kept()
    again = finished(cast, suite, versions[0], 60, is_recalled=True)
    as_servers_of_before_left_it(versions[0], again)
    mend_copies()
    assert kept() == before
    assert "no sum of their answers" in caplog.text
    caplog.clear()
    mend_copies()
    assert not caplog.records


def test_what_a_server_of_before_left_out_is_added_by_the_clock(world, caplog):
    cast, suite, versions = world
    old = kept()
    finished(cast, suite, versions[1], 70)
    finished(cast, suite, factories.make_model_version(), 30)
    before = kept()
    assert len(before) == len(old) + 4
    NewestResult.objects.all().delete()
    NewestResult.objects.bulk_create(
        NewestResult(**dict(zip(FIELDS, row, strict=True))) for row in old
    )
    mend_copies()
    assert kept() == before
    assert "8 newest results were missing" in caplog.text
    caplog.clear()
    mend_copies()
    assert not caplog.records
