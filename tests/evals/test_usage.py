"""What hosts stated they used: summed with each accepted result, and made anew the same."""

from collections import defaultdict
from decimal import Decimal
from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import connection

from evals.models import TaskRun, UsageSum
from evals.services.results import accept_result, statement_of
from evals.tasks import mend_copies
from tests import factories
from tests.machine import enrol_machine

pytestmark = pytest.mark.django_db

KEY = ("worker_id", "model_version_id", "purpose", "resource_class", "energy_method", "currency")
SUMS = ("runs", "task_runs", "seconds", "tokens", "joules", "money", "last_at")


def kept():
    """Return every row by its key."""
    return {row[: len(KEY)]: row[len(KEY) :] for row in UsageSum.objects.values_list(*KEY, *SUMS)}


def decoded():
    """Return what the rows have to be, from the statements, by other code."""
    rows, seen = defaultdict(list), set()
    for part in (
        TaskRun.objects.filter(state="succeeded").select_related("run").order_by("finished_at")
    ):
        usage = statement_of(part)["predicate"]["usage"]
        key = (
            *(part.worker_id, part.run.model_version_id, part.run.purpose, part.resource_class),
            *(usage["energyMethod"], usage.get("currency", "")),
        )
        figures = (
            *(usage["wallSeconds"], usage["tokens"], usage["energyJoules"], usage.get("money", 0)),
        )
        is_first = part.run_id not in seen
        seen.add(part.run_id)
        rows[key].append((int(is_first), 1, *map(Decimal, figures), part.finished_at))
    return {
        key: (*(sum(column) for column in list(zip(*found, strict=True))[:-1]), found[-1][-1])
        for key, found in rows.items()
    }


def deliver(machine, **usage):
    """Claim and finish the next task run, with other figures than the usual ones."""
    task_run = machine.claim()
    data, reference = machine.samples(task_run, 15)
    machine.upload(task_run, data, reference["sha256"])
    stated = machine._predicate(task_run, reference, 15)["usage"] | usage
    accept_result(
        worker=machine.worker,
        task_run_id=task_run.pk,
        token=task_run.lease_token,
        envelope=machine.envelope(task_run, reference, 15, usage=stated),
    )


@pytest.fixture
def cast():
    """Return a cast whose two hosts have given to three runs, of which one is under way."""
    cast = factories.make_cast()
    suite = factories.make_suite(cast.evaluator)
    versions = [factories.make_model_version() for _ in range(2)]
    for version in (*versions, versions[0]):
        factories.make_run(cast.evaluator, suite, version)
    other = enrol_machine(cast.administrator, cast.organisation, "other")
    deliver(cast.machine)
    deliver(other, wallSeconds="0.000000000000000000001", money="0.12", currency="EUR")
    deliver(cast.machine, energyMethod="measured", energyJoules="12345678901234567890.5")
    deliver(cast.machine, money="0.3", currency="EUR")
    deliver(other, money="1.25", currency="CHF")
    return cast


def test_the_sums_are_what_decoding_every_statement_gives(cast):
    assert kept() == decoded()
    assert len(kept()) == 5
    assert sum(row[0] for row in kept().values()) == 3
    assert sum(row[1] for row in kept().values()) == 5


def test_making_the_sums_anew_gives_what_was_kept(cast, capsys):
    UsageSum.objects.update(seconds=1, task_runs=7)
    call_command("copies")
    assert kept() == decoded()
    assert "5 sums of what was computed" in capsys.readouterr().out


def test_the_migration_adds_up_in_batches_what_was_kept(cast, monkeypatch):
    migration = import_module("evals.migrations.0017_fill_usage_sums")
    monkeypatch.setattr(migration, "RUNS_EACH", 1)
    with connection.schema_editor() as editor:
        migration.fill(None, editor)
    assert kept() == decoded()


def test_a_result_sent_twice_is_added_once(cast):
    factories.make_run(cast.evaluator, factories.make_suite(cast.evaluator))
    machine = cast.machine
    task_run = machine.claim()
    finished = machine.finish(task_run)
    before = kept()
    _, changed = accept_result(
        worker=machine.worker,
        task_run_id=finished.pk,
        token=finished.lease_token,
        envelope=finished.envelope,
    )
    assert not changed
    assert kept() == before == decoded()


def test_what_a_server_of_before_left_out_is_added_by_the_clock(cast, caplog):
    UsageSum.objects.order_by("pk").first().delete()
    mend_copies()
    assert kept() == decoded()
    assert "missing from the sums" in caplog.text
    caplog.clear()
    mend_copies()
    assert not caplog.records
