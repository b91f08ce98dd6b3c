"""The gate says yes to exactly what a decision in force allows."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from oversight.registry import effects, gate
from oversight.registry.choices import TRANSITIONS, AuthorisationState, GateCode
from oversight.registry.models import Authorisation
from oversight.web.refusals import Conflict
from tests.scenes import fresh, make_deployment, make_model_version

pytestmark = pytest.mark.django_db


def grant(deployment, version, *, begins=-1, ends=24):
    now = timezone.now()
    with transaction.atomic():
        return effects.grant_authorisation(
            actor="decision:x",
            decision_ref=fresh("2026"),
            deployment=deployment,
            version=version,
            starts_at=now + timedelta(hours=begins),
            ends_at=now + timedelta(hours=ends),
        )


def ask(deployment, version, **fields):
    return gate.answer(subject=version.digest, deployment_slug=deployment.slug, **fields)


def test_what_was_decided_is_allowed_and_the_answer_names_the_decision():
    deployment, version = make_deployment(), make_model_version()
    authorisation = grant(deployment, version)
    answer = ask(deployment, version)
    assert answer.allowed
    assert answer.authorisation == authorisation
    assert "until" in answer.reason


def test_what_nobody_decided_is_refused():
    deployment, version = make_deployment(), make_model_version()
    assert ask(deployment, version).code == GateCode.NEVER_DECIDED
    unknown = gate.answer(subject="sha256:" + "0" * 64, deployment_slug=deployment.slug)
    assert unknown.code == GateCode.UNKNOWN_VERSION
    nowhere = gate.answer(subject=version.digest, deployment_slug="nowhere")
    assert nowhere.code == GateCode.UNKNOWN_DEPLOYMENT
    assert not unknown.allowed
    assert not nowhere.allowed


def test_the_second_of_the_sunset_is_refused_without_any_job():
    deployment, version = make_deployment(), make_model_version()
    ends = grant(deployment, version).ends_at
    assert ask(deployment, version, moment=ends - timedelta(microseconds=1)).allowed
    assert ask(deployment, version, moment=ends).code == GateCode.EXPIRED


def test_an_authorisation_does_not_count_before_it_begins():
    deployment, version = make_deployment(), make_model_version()
    grant(deployment, version, begins=1)
    assert ask(deployment, version).code == GateCode.NOT_YET


def test_a_later_decision_supersedes_the_earlier_version():
    deployment, old, new = make_deployment(), make_model_version(), make_model_version()
    grant(deployment, old)
    grant(deployment, new)
    assert ask(deployment, old).code == GateCode.SUPERSEDED
    assert ask(deployment, new).allowed
    assert Authorisation.objects.in_force().count() == 1


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (AuthorisationState.SUSPENDED, GateCode.SUSPENDED),
        (AuthorisationState.REVOKED, GateCode.REVOKED),
    ],
)
def test_a_suspended_or_revoked_authorisation_is_refused(state, code):
    deployment, version = make_deployment(), make_model_version()
    with transaction.atomic():
        effects.change_authorisation(
            actor="system:test",
            authorisation=grant(deployment, version),
            to=state,
            decision_ref="2026-999",
        )
    assert ask(deployment, version).code == code


@pytest.mark.parametrize("before", list(AuthorisationState))
@pytest.mark.parametrize("after", list(AuthorisationState))
def test_only_the_listed_changes_of_state_are_possible(before, after):
    row = grant(make_deployment(), make_model_version())
    Authorisation.objects.filter(pk=row.pk).update(state=before)
    change = {"actor": "x:y", "authorisation": row, "to": after, "decision_ref": "2026-9"}
    with transaction.atomic():
        if after in TRANSITIONS[before]:
            assert effects.change_authorisation(**change).state == after
        else:
            with pytest.raises(Conflict):
                effects.change_authorisation(**change)


@pytest.mark.django_db(transaction=True)
def test_an_effect_outside_a_transaction_is_a_mistake():
    with pytest.raises(RuntimeError):
        effects.grant_authorisation(
            actor="x:y",
            decision_ref="2026-1",
            deployment=make_deployment(),
            version=make_model_version(),
            starts_at=timezone.now(),
            ends_at=None,
        )
