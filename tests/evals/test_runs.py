"""What a run may be asked with, and the same question put to several organisations."""

import pytest

from evals.models import Replication, Run
from evals.services import runs
from oversight.accounts.services import shell_person
from oversight.ledger.models import PendingLeaf
from oversight.registry.services import register_endpoint
from oversight.web.refusals import Invalid
from tests.scenes import (
    make_affiliate,
    make_machine,
    make_model_version,
    make_organisation,
    make_run,
    make_suite,
)

pytestmark = pytest.mark.django_db
PRICES = {"currency": "EUR", "input_per_million": "0.15", "output_per_million": "0.60"}


@pytest.fixture
def endpoint():
    """Return what a run says of a registered endpoint."""
    operator = make_organisation()
    register_endpoint(
        by=make_affiliate("operator", operator),
        slug="example-api",
        name="Example",
        operator=operator,
        base_url="https://api.example.org/v1",
    )
    return {"slug": "example-api", "model": "alpina-8b"}


def test_a_plain_run_has_plain_settings():
    assert make_run().settings == {
        "backend": "hf",
        "dtype": "float32",
        "batch_size": 16,
        "limit": None,
        "device": "auto",
    }


def test_a_run_on_an_endpoint_freezes_its_address_and_never_has_a_key(endpoint):
    run = make_run(
        settings={
            "backend": "completions",
            "endpoint": endpoint | {"prices": PRICES},
            "budget": {"requests": 100, "money": "12.50"},
        }
    )
    assert run.settings["endpoint"] == {
        "slug": "example-api",
        "base_url": "https://api.example.org/v1",
        "model": "alpina-8b",
        "requests_per_minute": None,
        "concurrency": 4,
        "timeout_seconds": 120,
        "prices": PRICES,
    }
    assert run.settings["budget"] == {"requests": 100, "tokens": None, "money": "12.50"}


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"budget": {"requests": 1}}, "budget goes with"),
        ({"endpoint": {}}, "endpoint goes with"),
        ({"backend": "vllm"}, "vllm needs GPUs"),
        ({"devices": 2}, "Several devices"),
        ({"fresh": "yes"}, "fresh"),
        ({"backend": "completions"}, "needs an endpoint"),
        ({"backend": "completions", "endpoint": {"slug": "nowhere"}}, "no endpoint of this name"),
        ({"backend": "completions", "endpoint": {"concurrency": 65}}, "concurrency"),
        ({"backend": "completions", "endpoint": {"timeout_seconds": 4}}, "timeout_seconds"),
        ({"backend": "completions", "endpoint": {"key": "sk-1"}}, "no “key”"),
        ({"backend": "completions", "endpoint": {"model": ""}}, "endpoint.model"),
        ({"backend": "completions", "endpoint": {"prices": {"currency": "€"}}}, "prices"),
        ({"backend": "completions", "budget": {"money": "1"}, "endpoint": {}}, "prices"),
        ({"backend": "completions", "budget": {"money": 1.5}, "endpoint": {}}, "decimal as text"),
        ({"backend": "completions", "budget": {}, "endpoint": {}}, "without any limit"),
        ({"backend": "completions", "budget": {"tokens": 0}, "endpoint": {}}, "budget.tokens"),
        ({"backend": "completions", "devices": 2, "endpoint": {}}, "devices does not go"),
    ],
    ids=str,
)  # fmt: skip
def test_a_setting_that_does_not_go_with_the_back_end_is_refused_by_name(endpoint, chosen, message):
    if "endpoint" in chosen:
        chosen = chosen | {"endpoint": endpoint | chosen["endpoint"]}
    with pytest.raises(Invalid, match=message):
        make_run(settings=chosen)
    assert not Run.objects.exists()


def test_the_registered_address_counts_whatever_the_requester_says(endpoint):
    chosen = endpoint | {"base_url": "http://10.0.0.1"}
    run = make_run(settings={"backend": "completions", "endpoint": chosen})
    assert run.settings["endpoint"]["base_url"] == "https://api.example.org/v1"


def test_tasks_that_need_log_likelihoods_are_refused_on_chat_endpoints_by_name(endpoint):
    suite = make_suite()
    with pytest.raises(Invalid, match="no log-likelihoods, which questions needs"):
        make_run(suite=suite, settings={"backend": "chat", "endpoint": endpoint})
    make_run(suite=suite, settings={"backend": "completions", "endpoint": endpoint})


# -- Replication -----------------------------------------------------------------------------


def make_replication(organisations=2, tolerance="0.05") -> Replication:
    return runs.request_replication(
        by=shell_person(),
        suite_version=make_suite(),
        model_version=make_model_version(),
        organisations=organisations,
        tolerance=tolerance,
    )


def answered(replication, *rights):
    """Let a machine of another organisation answer each run, so many items rightly."""
    for right in rights:
        machine = make_machine()
        machine.finish(machine.claim(), right)
    replication.refresh_from_db()
    return replication


def test_each_run_of_a_replication_goes_to_another_organisation():
    replication = make_replication()
    first = make_machine()
    task_run = first.claim()
    assert first.claim() is None
    other = make_machine()
    assert other.claim().run != task_run.run
    owners = {run.organisation for run in replication.runs.all()}
    assert owners == {first.worker.organisation, other.worker.organisation}


def test_a_retry_stays_with_the_organisation_that_began():
    make_replication()
    machine = make_machine()
    held = machine.claim()
    from evals.services import leases

    leases.hear_failure(
        worker=machine.worker, task_run_id=held.pk, token=1, code="runner-died", message="Killed."
    )
    other = make_machine()
    assert other.claim().run != held.run
    assert other.claim() is None
    assert machine.claim().pk == held.pk


@pytest.mark.parametrize(
    ("rights", "state", "agrees"), [((15, 15), "agreed", True), ((15, 10), "disagreed", False)]
)
def test_what_organisations_find_is_compared_and_put_on_the_record(rights, state, agrees):
    replication = answered(make_replication(), *rights)
    assert replication.state == state
    found = {(row["task"], row["metric"]): row for row in replication.findings}
    row = found["questions", "acc"]
    assert (row["agrees"], len(row["means"])) == (agrees, 2)
    leaf = PendingLeaf.objects.get(type="evals.replication.concluded")
    assert leaf.content["facts"]["state"] == state
    assert leaf.content["facts"]["apart"] == (0 if agrees else 2)


def test_the_tolerance_itself_is_agreement():
    assert answered(make_replication(tolerance="0.25"), 15, 10).state == "agreed"


def test_a_replication_without_an_answer_from_each_is_incomplete():
    replication = make_replication()
    machine = make_machine()
    machine.finish(machine.claim(), 15)
    waiting = replication.runs.get(state="queued")
    runs.cancel_run(by=shell_person(), run=waiting)
    replication.refresh_from_db()
    assert replication.state == "incomplete"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"organisations": 1}, "2 to 10"),
        ({"organisations": 11}, "2 to 10"),
        ({"tolerance": "much"}, "tolerance"),
        ({"tolerance": "-0.1"}, "tolerance"),
    ],
)
def test_a_replication_that_means_nothing_is_refused(asked, message):
    with pytest.raises(Invalid, match=message):
        make_replication(**asked)
