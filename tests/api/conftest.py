"""One of everything the API is about, and everybody who may come to its doors."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from evals.models import Run, SuiteVersion, TaskRun
from oversight.accounts import services as accounts
from oversight.accounts.choices import Scope
from oversight.accounts.models import ApiKey
from oversight.registry.models import Deployment, ModelVersion
from proposals.models import Decision, Minutes, Proposal
from tests import factories
from tests.machine import Machine

PEOPLE = (
    "outsider",
    "member",
    "clerk",
    "evaluator",
    "operator",
    "auditor",
    "administrator",
)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch, settings):
    """Leave out the broker, and the wait for a receipt: both have tests of their own."""
    monkeypatch.setattr("evals.services.runs.nudge_workers", lambda resource_class: None)
    settings.RECEIPT_WAIT_SECONDS = 0


@dataclass
class World:
    """One of everything."""

    cast: factories.Cast
    suite: SuiteVersion
    version: ModelVersion
    deployment: Deployment
    run: Run
    queued: Run
    held: TaskRun
    draft: Proposal
    talked: Proposal
    voting: Proposal
    decision: Decision
    machine: Machine
    elected: Decision
    minutes: Minutes
    minutes_draft: Minutes

    def key(self, owner: str, *scopes: str) -> str:
        """Return the secret of a new key of somebody of the cast."""
        return self.key_and_row(owner, *scopes)[0]

    def key_and_row(self, owner: str, *scopes: str) -> tuple[str, ApiKey]:
        """Return a new key's secret and its row."""
        person = self.cast.named(owner)
        row, secret = accounts.create_api_key(person=person, name="Test", scopes=scopes)
        return secret, row

    def caller(self, who: str, owner: str = "member", scope: str = "") -> Client:
        """Return a client signed in as `who`: a role, `anonymous`, or a kind of key or token."""
        if who in PEOPLE:
            client = Client()
            client.force_login(self.cast.named(who))
            return client
        if who == "anonymous":
            return Client()
        return bearer(self._secret(who, owner, scope))

    def _secret(self, who: str, owner: str, scope: str) -> str:
        if who == "worker token":
            return self.machine.token
        if who == "key without scope":
            return self.key(owner, *(each for each in Scope.values if each != scope))
        secret, row = self.key_and_row(owner, *Scope.values)
        if who == "revoked key":
            accounts.revoke_api_key(person=row.person, key=row)
        elif who == "expired key":
            ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(1))
        elif who == "key of a closed account":
            row.person.is_active = False
            row.person.save()
        else:
            assert who == "key with scope", who
        return secret


def bearer(secret: str) -> Client:
    """Return a client that sends this secret."""
    return Client(headers={"Authorization": f"Bearer {secret}"})


def send(client: Client, method: str, path: str, body=None):
    """Send a request with a JSON body, if there is one."""
    more = {} if body is None else {"data": body, "content_type": "application/json"}
    return getattr(client, method.lower())(path, **more)


def address(name: str, *parts: object) -> str:
    return reverse(name, args=parts)


def assert_is_problem(answer, status: int, *fields: str) -> None:
    """Check that an answer is a problem document of this status that names the fields."""
    assert answer.status_code == status, (answer.status_code, answer.content[:400])
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert {"type", "title", "status", "detail"} <= body.keys()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert set(fields) <= set(body.get("errors", {})), body


@pytest.fixture
def world(gate_key, db) -> World:
    """Return one of everything, made through the services."""
    charter = factories.quick_charter(recusal="declared")
    for rules in charter.values():
        rules["vote"] |= {"tie_rule": "chair"}
    cast = factories.make_cast(charter=charter)
    suite = factories.make_suite(cast.evaluator)
    version = factories.make_model_version(cast.evaluator)
    deployment = factories.make_deployment(cast.operator, cast.organisation)
    run = factories.finish_run(
        factories.make_run(cast.evaluator, suite, version), cast.machine.worker
    )
    queued = factories.make_run(cast.evaluator, suite, version)
    held = cast.machine.claim()
    subject = {"version": version, "deployment": deployment}
    return World(
        cast=cast,
        suite=suite,
        version=version,
        deployment=deployment,
        run=run,
        queued=queued,
        held=held,
        draft=factories.make_proposal(cast, title="Not public yet", **subject),
        talked=factories.make_deliberated_proposal(cast, **subject),
        voting=factories.make_open_vote(cast),
        decision=factories.make_decision(cast, **subject),
        machine=cast.machine,
        elected=factories.make_election_decision(cast),
        minutes=factories.make_minutes(cast, is_adopted=True),
        minutes_draft=factories.make_minutes(cast),
    )
