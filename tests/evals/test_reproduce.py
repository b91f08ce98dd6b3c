"""Running a published run again from its statements: equal, or the first difference."""

import base64
import io
import json

import pytest
from django.core.management import CommandError, call_command

from evals import reproduction
from evals.management.commands import reproduce
from evals.models import Run
from evals.reproduction import first_difference, original_of
from evals.services import workers
from oversight.accounts.services import shell_person
from oversight.web.refusals import Invalid
from tests.scenes import make_finished_run, make_machine

pytestmark = pytest.mark.django_db


def envelopes_of(run):
    return [part.envelope for part in run.task_runs.exclude(envelope=None)]


def again(original: Run, right: int) -> Run:
    """Run the same once more, with so many items right."""
    return make_finished_run(
        right=right, suite=original.suite_version, model=original.model_version
    )


@pytest.fixture
def run():
    return make_finished_run(right=15)


def test_the_statements_name_all_that_is_run_again(run):
    original = original_of(envelopes_of(run))
    assert (original.ref, original.suite_version) == (run.ref, run.suite_version)
    assert original.model_version == run.model_version
    assert original.settings["fresh"] is True
    assert original.settings["dtype"] == "float32"


def test_the_same_scores_are_equal(run):
    assert first_difference(original_of(envelopes_of(run)), again(run, 15)) == ""


def test_the_first_sample_that_differs_is_named(run):
    found = first_difference(original_of(envelopes_of(run)), again(run, 12))
    assert found == "questions: sample 12: acc was 1.0, is 0.0"


def test_without_the_samples_the_means_are_compared(run, monkeypatch):
    original, second = original_of(envelopes_of(run)), again(run, 12)
    monkeypatch.setattr(reproduction.Artefact.objects, "filter", lambda **_: run.task_runs.none())
    assert first_difference(original, second) == "questions: acc was 0.75, is 0.6"


def test_a_statement_signed_with_a_key_of_before_still_counts(run):
    worker = run.task_runs.get().worker
    workers.rotate_key(by=shell_person(), worker=worker, public_key="ab" * 32)
    assert original_of(envelopes_of(run)).ref == run.ref


def test_a_statement_that_was_altered_is_refused(run):
    (envelope,) = envelopes_of(run)
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload["predicate"]["aggregates"][0]["mean"] = "0.99"
    text = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
    forged = envelope | {"payload": base64.b64encode(text).decode()}
    with pytest.raises(Invalid, match="no key that is or was on record"):
        original_of([forged])


def test_a_statement_of_a_stranger_and_things_that_are_none_are_refused(run):
    machine = make_machine()
    other = make_finished_run()
    with pytest.raises(Invalid, match="several runs"):
        original_of(envelopes_of(run) + envelopes_of(other))
    with pytest.raises(Invalid, match="no signed statement"):
        original_of([{"payload": "e30="}])
    with pytest.raises(Invalid, match="no signed statement"):
        original_of([])
    assert machine.worker.keys.count() == 1


def run_command(monkeypatch, right, *arguments):
    """Reproduce, with a machine here in the place of a worker elsewhere."""

    def work(run, say=None):
        machine = make_machine()
        machine.finish(machine.claim(), right)
        run.refresh_from_db()
        return run

    monkeypatch.setattr(reproduce, "wait_for", work)
    monkeypatch.setattr(reproduce.settings, "DATABASE_IS_EMBEDDED", False, raising=False)
    monkeypatch.setattr("oversight.web.commands.prepare_database", lambda: None)
    out = io.StringIO()
    call_command("reproduce", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_the_command_says_equal(run, monkeypatch):
    assert "is equal" in run_command(monkeypatch, 15, run.ref)
    newest = Run.objects.newest_first()[0]
    assert newest.purpose == f"run:{run.ref}"


def test_the_command_reads_a_file_and_says_the_first_difference(run, monkeypatch, tmp_path):
    path = tmp_path / "statements.json"
    path.write_text(json.dumps(envelopes_of(run)))
    with pytest.raises(CommandError, match="differs") as refused:
        run_command(monkeypatch, 10, str(path), "--json")
    assert refused.value.returncode == 1


def test_the_command_refuses_what_is_neither_run_nor_file(monkeypatch):
    with pytest.raises(CommandError, match="no run nothing") as refused:
        run_command(monkeypatch, 1, "nothing")
    assert refused.value.returncode == 2
