"""Accepting results: nothing is kept whose signature, bindings or numbers do not hold."""

import base64
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import tests.machine
from evals import artefacts, scores
from evals.choices import RunState, TaskRunState
from evals.models import Aggregate, Artefact, SampleScore
from evals.services import leases, results
from evals.statistics import summarise
from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import Conflict, Invalid
from tests.scenes import make_machine, make_run, make_suite

pytestmark = pytest.mark.django_db


@pytest.fixture
def machine():
    return make_machine()


@pytest.fixture
def task_run(machine):
    make_run(suite=make_suite(items=20))
    return machine.claim()


def deliver(machine, task_run, envelope):
    return results.accept_result(
        worker=machine.worker,
        task_run_id=task_run.pk,
        token=task_run.lease_token,
        envelope=envelope,
    )


def statement_of(envelope):
    return json.loads(base64.b64decode(envelope["payload"]))


def uploaded(machine, task_run, right=15):
    data, reference = machine.samples(task_run, right)
    machine.upload(task_run, data, reference["sha256"])
    return reference


def test_a_result_is_kept_with_scores_aggregates_statement_and_leaf(machine, task_run):
    machine.finish(task_run, right=15)
    task_run.refresh_from_db()
    assert task_run.state == TaskRunState.SUCCEEDED
    assert task_run.run.__class__.objects.get(pk=task_run.run_id).state == RunState.SUCCEEDED
    overall = Aggregate.objects.get(task_run=task_run, metric="acc", group="")
    assert (overall.n, overall.mean, overall.method) == (20, 0.75, "wilson")
    assert overall.low < 0.75 < overall.high
    groups = Aggregate.objects.filter(task_run=task_run, metric="acc").exclude(group="")
    assert {row.group: row.n for row in groups} == {"even": 10, "odd": 10}
    assert SampleScore.objects.filter(task_run=task_run, metric="acc").count() == 20
    leaf = PendingLeaf.objects.get(pk=task_run.leaf_id)
    assert leaf.content["digests"]["statement"] == task_run.statement_digest
    assert results.statement_of(task_run)["predicate"]["taskRun"] == str(task_run.pk)


def test_the_same_result_sent_twice_is_accepted_once(machine, task_run):
    reference = uploaded(machine, task_run)
    envelope = machine.envelope(task_run, reference, 15)
    _, first = deliver(machine, task_run, envelope)
    _, second = deliver(machine, task_run, envelope)
    assert (first, second) == (True, False)
    assert PendingLeaf.objects.filter(type="evals.result.accepted").count() == 1


def test_another_result_after_an_accepted_one_is_refused(machine, task_run):
    machine.finish(task_run, right=15)
    with pytest.raises(Conflict):
        deliver(machine, task_run, machine.envelope(task_run, machine.samples(task_run, 3)[1], 3))


def test_a_result_after_reassignment_is_refused_and_the_new_holder_delivers(machine, task_run):
    reference = uploaded(machine, task_run)
    leases.hear_failure(
        worker=machine.worker, task_run_id=task_run.pk, token=1, code="lost", message="Lost."
    )
    other = make_machine()
    again = other.claim()
    with pytest.raises(Conflict):
        deliver(machine, task_run, machine.envelope(task_run, reference, 15))
    other.finish(again, right=15)
    again.refresh_from_db()
    assert again.worker == other.worker


def test_aggregates_that_the_samples_do_not_support_are_refused(machine, task_run):
    reference = uploaded(machine, task_run, right=5)
    with pytest.raises(Invalid, match="samples give"):
        deliver(machine, task_run, machine.envelope(task_run, reference, 20))
    task_run.refresh_from_db()
    assert task_run.state == TaskRunState.RUNNING
    assert not Aggregate.objects.exists()


def test_an_interval_that_the_samples_do_not_support_is_refused(machine, task_run):
    reference = uploaded(machine, task_run)
    stated = statement_of(machine.envelope(task_run, reference, 15))["predicate"]["aggregates"]
    for change in ({"low": "0.74"}, {"high": None}):
        claims = [{**claim, **change} for claim in stated]
        envelope = machine.envelope(task_run, reference, 15, aggregates=claims)
        with pytest.raises(Invalid, match="samples give"):
            deliver(machine, task_run, envelope)
    older = [{k: claim[k] for k in ("metric", "n", "mean", "stderr")} for claim in stated]
    deliver(machine, task_run, machine.envelope(task_run, reference, 15, aggregates=older))
    assert Aggregate.objects.get(metric="acc", group="").low is not None


def test_samples_in_clusters_are_judged_by_their_clusters_and_recorded_with_them(machine):
    run = make_run(suite=make_suite(items=20, passages=4))
    task_run = machine.finish(machine.claim(), right=15)
    overall = Aggregate.objects.get(task_run=task_run, metric="acc")
    assert (overall.group, overall.n, overall.clusters) == ("", 20, 4)
    by_hand = summarise([float(n < 15) for n in range(20)], [n % 4 for n in range(20)])
    assert (overall.low, overall.high) == (by_hand.low, by_hand.high)
    assert overall.method == by_hand.method != "wilson"
    leaf = PendingLeaf.objects.get(pk=task_run.leaf_id).content
    rows = enumerate([(float(n < 15),) * 2 for n in range(20)])
    found = scores.digest(["acc", "acc_norm"], rows, [n % 4 for n in range(20)])
    assert leaf["digests"]["scores"] == found
    assert run.suite_version.tasks[0]["clustered"] is True


@pytest.mark.parametrize("passages", [None, 4])
def test_samples_in_another_group_than_the_data_has_them_in_are_refused(
    machine, monkeypatch, passages
):
    """Where samples come in clusters, their labels decide how wide the interval is."""
    make_run(suite=make_suite(items=20, passages=passages))
    task_run, honest = machine.claim(), tests.machine._sample
    own = honest(task_run, 7, tests.machine._rows(task_run)[7], {}).group
    monkeypatch.setattr(
        tests.machine,
        "_sample",
        lambda *row: replace(honest(*row), group="mine" if row[1] == 7 else honest(*row).group),
    )
    reference = uploaded(machine, task_run)
    with pytest.raises(Invalid, match=f"Item 7 is in the group “{own}”.*samples say “mine”"):
        deliver(machine, task_run, machine.envelope(task_run, reference, 15))
    assert not SampleScore.objects.exists()


def test_samples_of_other_items_than_the_first_of_the_data_are_refused(machine, monkeypatch):
    make_run(suite=make_suite(items=20), settings={"limit": 5})
    task_run, honest = machine.claim(), tests.machine._sample
    monkeypatch.setattr(
        tests.machine, "_sample", lambda *row: replace(honest(*row), doc_id=row[1] + row[1] // 3)
    )
    reference = uploaded(machine, task_run, right=5)
    with pytest.raises(Invalid, match="Sample 3 is said to be item 4"):
        deliver(machine, task_run, machine.envelope(task_run, reference, 5))


def test_scores_too_large_to_square_are_refused(machine, task_run, monkeypatch):
    honest = tests.machine._sample
    monkeypatch.setattr(
        tests.machine,
        "_sample",
        lambda *row: replace(honest(*row), scores=dict.fromkeys(row[3], 1e200)),
    )
    reference = uploaded(machine, task_run)
    with pytest.raises(Invalid, match=r"scores of acc(_norm)? cannot be used: score 0 is 1e\+200"):
        deliver(machine, task_run, machine.envelope(task_run, reference, 15))
    assert not SampleScore.objects.exists()


def test_a_statement_signed_by_another_key_is_refused(machine, task_run):
    reference = uploaded(machine, task_run)
    machine.key = Ed25519PrivateKey.generate()
    with pytest.raises(Invalid, match="does not hold"):
        deliver(machine, task_run, machine.envelope(task_run, reference, 15))


def test_a_statement_altered_after_signing_is_refused(machine, task_run):
    envelope = machine.envelope(task_run, uploaded(machine, task_run), 15)
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload["predicate"]["attempt"] = 9
    envelope["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    with pytest.raises(Invalid):
        deliver(machine, task_run, envelope)


@pytest.mark.parametrize(
    "changes",
    [
        {"run": "run-00000000"},
        {"attempt": 2},
        {"model": {"digest": "sha256:" + "1" * 64, "label": "1.0"}},
        {"task": {"name": "other", "digest": "sha256:" + "2" * 64}},
        {"dataset": [{"name": "questions.jsonl", "sha256": "3" * 64}]},
        {"evaluator": {"worker": "someone-else", "organisation": "x"}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_statement_about_something_else_is_refused(machine, task_run, changes):
    reference = uploaded(machine, task_run)
    with pytest.raises(Invalid):
        deliver(machine, task_run, machine.envelope(task_run, reference, 15, **changes))
    assert not SampleScore.objects.exists()


def test_samples_that_were_not_uploaded_are_asked_for(machine, task_run):
    _, reference = machine.samples(task_run, 15)
    with pytest.raises(Invalid, match="not uploaded"):
        deliver(machine, task_run, machine.envelope(task_run, reference, 15))


def test_samples_altered_on_the_way_are_not_stored(machine, task_run):
    data, reference = machine.samples(task_run, 15)
    with pytest.raises(Invalid, match="cut short or altered"):
        machine.upload(task_run, data[:-1] + b"x", reference["sha256"])
    assert not Artefact.objects.filter(sha256=reference["sha256"]).exists()
    assert not artefacts.path_of(reference["sha256"]).exists()


def test_samples_altered_in_the_store_are_noticed(machine, task_run):
    reference = uploaded(machine, task_run)
    path = artefacts.path_of(reference["sha256"])
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[: reference["size"] // 2])
    with pytest.raises(Invalid, match="altered in the store"):
        deliver(machine, task_run, machine.envelope(task_run, reference, 15))
    # Sent again, they take the place of what was there, and the result is accepted.
    uploaded(machine, task_run)
    deliver(machine, task_run, machine.envelope(task_run, reference, 15))


def test_one_byte_altered_in_the_store_is_noticed_though_it_can_be_read(machine, task_run):
    reference = uploaded(machine, task_run)
    path = artefacts.path_of(reference["sha256"])
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(Invalid, match="altered in the store"):
        deliver(machine, task_run, machine.envelope(task_run, reference, 15))
    assert not Aggregate.objects.exists()


def test_fewer_samples_than_the_task_has_are_refused(machine):
    make_run(suite=make_suite(items=20), settings={"limit": 5})
    task_run = machine.claim()
    whole = task_run.run
    reference = uploaded(machine, task_run, right=5)
    whole.settings["limit"] = None
    whole.save()
    envelope = machine.envelope(task_run, reference, 5, settings=whole.settings)
    with pytest.raises(Invalid, match="5 of 20"):
        deliver(machine, task_run, envelope)
