"""The registry rebuilt from the log alone is the registry, and a changed row is named."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from oversight.ledger.sequencer import sequence_once
from oversight.registry.models import Authorisation, Descent, Description
from oversight.registry.services import describe, state_descent
from proposals.choices import ProposalType
from proposals.services import annulment
from tests.audit.test_effects_replayed import authorised, ratification
from tests.factories import make_decision, make_deployment, make_model_version


@pytest.fixture
def check(monkeypatch):
    """Call the command on the test's own database."""
    monkeypatch.setattr("oversight.web.commands.prepare_database", lambda: None)

    said = []

    def call():
        out, err = StringIO(), StringIO()
        try:
            call_command("registry_from_log", stdout=out, stderr=err)
        finally:
            said.append(err.getvalue())
        return out.getvalue()

    call.said = said
    return call


def let_much_happen(cast):
    kept = authorised(cast, terms={"conditions": {"regions": ["CH"]}, "days": 20})
    make_decision(cast, type=ProposalType.RENEW, target=kept)
    make_decision(cast, type=ProposalType.SUSPEND, target=authorised(cast))
    retired = make_decision(cast, type=ProposalType.RETIRE, target=authorised(cast))
    ratification(cast, authorised(cast), "yes", "yes", "yes")
    ratification(cast, authorised(cast), "no", "no", "yes")
    first = authorised(cast)
    second = authorised(cast, deployment=first.proposal.deployment)
    make_decision(cast, type=ProposalType.ANNUL, target=second)
    use = make_deployment(cast.operator, cast.organisation)
    for goal in ("Answers.", "Good answers."):
        describe(by=cast.operator, what=use, document={"goal": goal})
    base, tuned = (make_model_version(cast.evaluator) for _ in range(2))
    data = {"content": "Letters."}
    state_descent(by=cast.evaluator, version=tuned, parent=base, kind="adapter", data=data)
    annulment.record_ruling(by=cast.clerk, decision=retired, authority="Court", reason="Unheard.")


def test_the_registry_is_what_the_log_says_whatever_was_decided(world, check):
    let_much_happen(world.cast)
    sequence_once()
    assert "The registry is what the log says" in check()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "granted"}, "state"),
        ({"conditions": {"regions": ["DE"]}}, "conditions"),
        ({"ends_at": None}, "ends_at"),
    ],
)
def test_a_row_changed_beside_the_log_is_named(world, check, change, words):
    ended = authorised(world.cast)
    make_decision(world.cast, type=ProposalType.RETIRE, target=ended)
    sequence_once()
    check()
    Authorisation.objects.filter(decision_ref=ended.ref).update(**change)
    with pytest.raises(CommandError, match="not what the log says") as refusal:
        check()
    assert refusal.value.returncode == 1
    assert f"authorisation:{ended.ref}: {words} is" in check.said[-1]


@pytest.mark.parametrize(
    ("rows", "change", "words"),
    [
        (Description, {"digest": "sha256:" + "0" * 64}, "description is"),
        (Descent, {"kind": "merge"}, "kind is"),
        (Descent, {"data": {"content": "Others."}}, "data is"),
    ],
)
def test_a_changed_word_of_what_things_say_is_named(world, check, rows, change, words):
    let_much_happen(world.cast)
    sequence_once()
    rows.objects.update(**change)
    with pytest.raises(CommandError, match="not what the log says"):
        check()
    assert words in check.said[-1]


def test_a_row_without_its_act_is_named(world, check):
    Authorisation.objects.filter(decision_ref=world.decision.ref).update(decision_ref="2020-001")
    with pytest.raises(CommandError):
        check()


def test_acts_that_wait_for_their_place_are_waited_for(world, check):
    authorised(world.cast)
    with pytest.raises(CommandError, match="waits for its place") as refusal:
        check()
    assert refusal.value.returncode == 2
