"""Who gets through which address of the API: every address and method has its row here."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import get_resolver

from evals.models import Check, CheckedEndpoint, CheckPlan, Criterion, Replication
from evals.services import checks
from evals.services.runs import request_replication
from evals.services.workers import pause_worker
from oversight.accounts import services as accounts
from oversight.accounts.choices import Scope
from oversight.accounts.services import shell_person
from oversight.incidents.models import Incident, IncidentFile, IncidentLink
from oversight.ledger.models import LedgerEntry
from oversight.ledger.sequencer import sequence_once
from oversight.registry.models import ModelVersion
from oversight.web.clock import database_now
from oversight.webhooks import services as webhooks
from oversight.webhooks.choices import Status
from oversight.webhooks.models import Subscription
from proposals.choices import ProposalType
from proposals.models import Argument, Delegation, Minutes, OpinionStatement
from proposals.services import arguments, attachments, closing, roll, stages
from tests import factories
from tests.api.conftest import PEOPLE, World, address, assert_is_problem, send
from tests.incidents import made
from tests.machine import enrol_machine

EVERYONE = frozenset({"anonymous", *PEOPLE})
SIGNED_IN = frozenset(PEOPLE)
BAD_KEYS = ("revoked key", "expired key", "key of a closed account", "worker token")
NEW_DIGEST = "sha256:" + "a" * 64


@dataclass(frozen=True)
class Door:
    """One method of one address: who gets through, with what answer."""

    name: str
    method: str
    parts: Callable[[World], tuple[object, ...]] = lambda world: ()
    opens_for: frozenset[str] = EVERYONE
    status: int = 200
    body: Callable[[World], Any] | None = None
    query: str = ""
    owner: str = "member"
    scope: str = ""
    shut: int = 403
    """What a signed-in person without the right gets: 404 where the thing is not even seen."""
    note: str = ""
    asks_scope_first: bool = False
    """Is all one's own: a key without the scope learns that, before anything is looked for."""
    is_form: bool = False
    """Takes files as a multipart form instead of JSON."""

    def __str__(self) -> str:
        return f"{self.method} {self.name}{' ' if self.note else ''}{self.note}"

    def try_as(self, world: World, who: str):
        """Knock, and undo whatever came of it."""
        before = transaction.savepoint()
        client = world.caller(who, self.owner, self.scope)
        path = address(self.name, *self.parts(world)) + self.query
        body = self.body(world) if self.body else None
        answer = client.post(path, body) if self.is_form else send(client, self.method, path, body)
        if not answer.streaming:
            transaction.savepoint_rollback(before)
        return answer


def whole(*names: str) -> frozenset[str]:
    assert set(names) <= set(PEOPLE)
    return frozenset(names)


WORKER_MANAGERS = whole("evaluator", "operator", "administrator")


def criterion_for(world: World) -> dict[str, Any]:
    return {
        "suite": world.suite.digest,
        "task": "facts",
        "metric": "acc",
        "comparison": "at_least",
        "threshold": "0.65",
    }


def beat(world: World) -> dict[str, Any]:
    return {"token": world.held.lease_token, "stage": "running", "done": 1, "total": 80}


def signed_result(world: World) -> dict[str, Any]:
    data, reference = world.machine.samples(world.held, 70)
    world.machine.upload(world.held, data, reference["sha256"])
    return {
        "token": world.held.lease_token,
        "envelope": world.machine.envelope(world.held, reference, 70),
    }


def replication_of(world: World) -> Replication:
    found = Replication.objects.first()
    return found or request_replication(
        by=world.cast.evaluator,
        suite_version=world.suite,
        model_version=world.version,
        organisations=2,
        tolerance="0.01",
    )


def its_own_version(world: World) -> tuple[object, ...]:
    ModelVersion.objects.filter(pk=world.version.pk).update(registered_by=world.cast.evaluator)
    return (world.version.digest,)


def an_alarming_endpoint(world: World) -> tuple[object, ...]:
    endpoint = world.deployment.endpoint
    if not CheckedEndpoint.objects.filter(endpoint=endpoint).exists():
        a_checked_version(world)
        finding = {"kind": "answer", "endpoint": endpoint.slug, "beside": "", "run": ""}
        found = Check.objects.create(
            plan=CheckPlan.objects.get(version=world.version, ended_at=None),
            judged_at=database_now(),
            findings=[finding | {"verdict": "unanswered", "reason": "It is away."}],
            leaf_id=uuid4(),
        )
        CheckedEndpoint.objects.create(check_round=found, endpoint=endpoint)
    return (endpoint.slug,)


def a_checked_version(world: World) -> tuple[object, ...]:
    if not CheckPlan.objects.filter(version=world.version, ended_at=None).exists():
        by = shell_person()
        checks.plan_checks(by=by, version=world.version, suite_version=world.suite)
    return (world.version.digest,)


def another_version(world: World) -> str:
    found = ModelVersion.objects.exclude(pk=world.version.pk).first()
    return (found or factories.make_model_version()).digest


def its_worker(world: World) -> tuple[object, ...]:
    return (world.machine.worker.public_id,)


def a_paused_worker(world: World) -> tuple[object, ...]:
    cast = world.cast
    machine = enrol_machine(cast.administrator, cast.organisation, factories.fresh("host"))
    pause_worker(by=world.cast.administrator, worker=machine.worker, reason="New disk")
    return (machine.worker.public_id,)


def a_delegation(world: World) -> tuple[object, ...]:
    body, member = world.cast.body, world.cast.member
    member.refresh_from_db()
    is_given = Delegation.objects.filter(giver__body=body, revoked_at=None).exists()
    # Whose account is closed has none to take back, and is not let in either.
    if member.is_active and not is_given:
        to = body.memberships.get(person=world.cast.chair)
        roll.give_delegation(by=member, body=body, to=to)
    return (body.slug,)


def an_amendment(world: World) -> tuple[object, ...]:
    proposal, member = world.talked, world.cast.member
    member.refresh_from_db()
    # Whose account is closed amends nothing, and is not let in either.
    if member.is_active and not proposal.amendments.exists():
        factories.make_amendment(member, proposal, "20 requests", "30 requests")
    return proposal.ref, 1


def amended_text(world: World) -> dict[str, Any]:
    text = world.talked.text.body_markdown.replace("20 requests", "40 requests")
    return {"text": text, "reason": "More.", "base_number": 1}


def an_attachment(world: World) -> tuple[object, ...]:
    proposal, member = world.talked, world.cast.member
    member.refresh_from_db()
    if not member.is_active:
        return proposal.ref, 1
    file = attachments.add_attachment(by=member, proposal=proposal, name="a.txt", data=b"words")
    return proposal.ref, file.pk


def a_proposal_of_the_chair(world: World) -> tuple[object, ...]:
    chair = world.cast.chair
    proposal = factories.make_proposal(world.cast, by=chair)
    stages.open_deliberation(by=chair, proposal=proposal)
    return (proposal.ref,)


def a_file(world: World) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("b.txt", b"other words")}


def an_argument(world: World) -> Argument:
    found = world.talked.arguments.first()
    return found or factories.make_argument(world.cast.chair, world.talked)


def with_a_criterion(world: World) -> tuple[object, ...]:
    member = world.cast.member
    member.refresh_from_db()
    # Whose account is closed sets no criteria, and is not let in either.
    if member.is_active and not Criterion.objects.filter(subject=world.talked.subject).exists():
        factories.make_criterion(world.cast, world.talked, world.suite)
    return (world.talked.ref,)


def a_supported_argument(world: World) -> Argument:
    found, member = an_argument(world), world.cast.member
    member.refresh_from_db()
    # Whose account is closed has nothing to take back, and is not let in either.
    if member.is_active and not found.supports.filter(withdrawn_at=None).exists():
        arguments.support_argument(by=member, argument=found)
    return found


def a_statement(world: World) -> OpinionStatement:
    found = world.talked.statements.first()
    return found or factories.make_statement(world.cast.chair, world.talked)


def a_tie(world: World) -> tuple[object, ...]:
    proposal = factories.make_open_vote(world.cast)
    for person, choice in zip(world.cast.members, ("yes", "no", "abstain"), strict=True):
        factories.make_ballot(person, proposal, choice)
    assert closing.close_vote(by=world.cast.clerk, proposal=proposal) is None
    return (proposal.ref,)


def a_suites_zip(world: World) -> dict[str, Any]:
    path = address("api-suite-folder", world.suite.suite.slug)
    answer = world.caller("anonymous").get(path)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return {"zip": SimpleUploadedFile("lm-eval.zip", content)}


def a_webhook(world: World, status: Status = Status.ACTIVE) -> Subscription:
    """Return a webhook of the member in this state."""
    found = Subscription.objects.filter(owner=world.cast.member).first()
    if found is None:
        url = "https://hooks.example/oversight"
        found, _ = webhooks.subscribe(owner=world.cast.member, url=url)
    Subscription.objects.update(status=status, next_index=5)
    return found


def a_seat(world: World) -> tuple[object, ...]:
    body = world.cast.body
    return (body.slug, body.memberships.filter(person=world.cast.second_member).get().public_id)


def a_new_body(_: World) -> tuple[object, ...]:
    """One without a charter."""
    by, slug = shell_person(), factories.fresh("jury")
    return (accounts.found_body(by=by, slug=slug, name="A new jury").slug,)


def an_affiliation(world: World) -> tuple[object, ...]:
    organisation = world.cast.organisation
    return (organisation.slug, organisation.affiliations.filter(role="operator").get().pk)


def an_act(_: World) -> tuple[object, ...]:
    """The first on the record, which is put there if nothing is."""
    if not LedgerEntry.objects.exists():
        sequence_once()
    return (0,)


def of_minutes(minutes: Minutes) -> tuple[object, ...]:
    return (minutes.body.slug, minutes.number, minutes.version)


COUNT = Door(
    "api-count",
    "POST",
    body=lambda w: {"method": "irv", "blt": "2 1\n3 1 0\n0\nAda\nBo\n"},
    note="which keeps nothing",
)
RECEIPT_CHECK = Door("api-receipt-check", "POST", body=lambda w: {"receipt": "no receipt"})
READS = (
    Door("api-models", "GET"),
    Door("api-model", "GET", lambda w: (w.version.model.slug,)),
    Door("api-version", "GET", lambda w: (w.version.digest,)),
    Door("api-version-descriptions", "GET", lambda w: (w.version.digest,)),
    Door("api-version-lineage", "GET", lambda w: (w.version.digest,)),
    Door("api-endpoints", "GET"),
    Door("api-endpoint", "GET", lambda w: (w.deployment.endpoint.slug,)),
    Door("api-endpoint-descriptions", "GET", lambda w: (w.deployment.endpoint.slug,)),
    Door("api-deployments", "GET"),
    Door("api-deployment-descriptions", "GET", lambda w: (w.deployment.slug,)),
    Door("api-deployment", "GET", lambda w: (w.deployment.slug,)),
    Door("api-gate-keys", "GET"),
    Door("api-gate", "GET", query=f"?subject={NEW_DIGEST}&deployment=helpdesk"),
    Door("api-suites", "GET"),
    Door("api-suite", "GET", lambda w: (w.suite.suite.slug,)),
    Door("api-suite-folder", "GET", lambda w: (w.suite.suite.slug,)),
    Door("api-checks", "GET"),
    Door("api-endpoint-availability", "GET", lambda w: (w.deployment.endpoint.slug,)),
    Door("api-check-plans", "GET"),
    Door("api-runs", "GET"),
    Door("api-run", "GET", lambda w: (w.run.ref,)),
    Door("api-run-samples", "GET", lambda w: (w.run.ref,)),
    *(
        Door(f"api-run-{name}", "GET", lambda w: (w.run.ref,))
        for name in (
            *("results-json", "results-csv", "results-parquet", "samples-csv", "samples-parquet"),
            *("statements", "every-eval-ever"),
        )
    ),
    Door("api-workers", "GET"),
    Door("api-replications", "GET"),
    Door("api-budgets", "GET"),
    Door("api-replication", "GET", lambda w: (replication_of(w).ref,)),
    Door("api-proposals", "GET"),
    Door("api-proposal", "GET", lambda w: (w.talked.ref,)),
    Door("api-revision", "GET", lambda w: (w.talked.ref, 1)),
    Door("api-amendments", "GET", lambda w: (w.talked.ref,)),
    Door("api-amendment", "GET", an_amendment),
    Door("api-attachments", "GET", lambda w: (w.talked.ref,)),
    Door("api-attachment", "GET", an_attachment),
    Door("api-support", "GET", lambda w: (w.talked.ref,)),
    Door("api-comments", "GET", lambda w: (w.talked.ref,)),
    Door("api-arguments", "GET", lambda w: (w.talked.ref,)),
    Door("api-moderation", "GET", lambda w: (w.talked.ref,)),
    Door("api-body-moderation", "GET", lambda w: (w.cast.body.slug,)),
    Door("api-statements", "GET", lambda w: (w.talked.ref,)),
    Door("api-statement-next", "GET", lambda w: (w.talked.ref,)),
    Door("api-opinions", "GET", lambda w: (w.talked.ref,)),
    Door("api-search", "GET", query="?q=council"),
    Door("api-decision-report", "GET", lambda w: (w.decision.proposal.ref,)),
    Door("api-decision-report-pdf", "GET", lambda w: (w.decision.proposal.ref,)),
    Door("api-deployment-report", "GET", lambda w: (w.deployment.slug,)),
    Door("api-deployment-report-pdf", "GET", lambda w: (w.deployment.slug,)),
    Door("api-version-card", "GET", lambda w: (w.version.digest,)),
    Door("api-overview", "GET", query="?sort=name"),
    Door("api-task", "GET", lambda w: (w.suite.suite.slug, "facts")),
    Door("api-decisions", "GET"),
    Door("api-decision", "GET", lambda w: (w.decision.proposal.ref,)),
    Door("api-decision-ballots-blt", "GET", lambda w: (w.elected.ref,)),
    Door("api-minutes-list", "GET", lambda w: (w.cast.body.slug,)),
    Door("api-minutes", "GET", lambda w: of_minutes(w.minutes)),
    Door("api-charters", "GET", lambda w: (w.cast.body.slug,)),
    Door("api-compare", "GET", query="?run=run-00000000&run=run-00000001", status=400),
    Door("api-compute", "GET"),
    Door("api-participation", "GET", lambda w: (w.cast.body.slug,)),
    Door("api-suite-history", "GET", lambda w: (w.suite.suite.slug,)),
    Door("api-deployment-register", "GET", lambda w: (w.deployment.slug, "atrs")),
    Door("api-suite-changes", "GET", lambda w: (w.suite.suite.slug, 1, 1)),
    Door("api-version-changes", "GET", lambda w: (w.version.digest, w.version.digest)),
    Door("api-suite-versions", "GET", lambda w: (w.suite.suite.slug,)),
    Door("api-suite-version", "GET", lambda w: (w.suite.suite.slug, 1)),
    Door("api-record", "GET"),
    Door("api-record-entry", "GET", an_act),
    Door("api-receipt", "GET", lambda w: (w.decision.leaf_id,), status=202),
    Door("api-bodies", "GET"),
    Door("api-body", "GET", lambda w: (w.cast.body.slug,)),
    Door("api-seats", "GET", lambda w: (w.cast.body.slug,)),
    Door("api-organisations", "GET"),
)
DRAFT = Door(
    "api-proposal",
    "GET",
    lambda w: (w.draft.ref,),
    whole("member", "clerk", "auditor", "administrator"),
    shut=404,
    scope=Scope.PROPOSALS_WRITE,
    note="of a draft",
)
WRITES = (
    Door(
        "api-models",
        "POST",
        opens_for=whole("member", "clerk", "evaluator", "operator", "administrator"),
        status=201,
        body=lambda w: {
            "model": "alpina",
            "label": "1",
            "manifest": factories.make_manifest("api"),
        },
        owner="operator",
        scope=Scope.REGISTRY_WRITE,
    ),
    Door(
        "api-endpoints",
        "POST",
        opens_for=whole("operator"),
        status=201,
        body=lambda w: {"slug": "e", "name": "E", "operator": w.cast.organisation.slug},
        owner="operator",
        scope=Scope.REGISTRY_WRITE,
    ),
    Door(
        "api-deployments",
        "POST",
        opens_for=whole("operator"),
        status=201,
        body=lambda w: {
            "slug": "d",
            "name": "D",
            "endpoint": w.deployment.endpoint.slug,
            "purpose": "Answers.",
            "audience": "residents",
        },
        owner="operator",
        scope=Scope.REGISTRY_WRITE,
    ),
    Door(
        "api-version-descriptions",
        "POST",
        its_own_version,
        whole("evaluator", "administrator"),
        status=201,
        body=lambda w: {"document": {"intended_use": "Short answers."}},
        owner="evaluator",
        scope=Scope.REGISTRY_WRITE,
    ),
    Door(
        "api-version-lineage",
        "POST",
        its_own_version,
        whole("evaluator", "administrator"),
        status=201,
        body=lambda w: {"parent": another_version(w), "kind": "quantisation"},
        owner="evaluator",
        scope=Scope.REGISTRY_WRITE,
    ),
    Door(
        "api-endpoint-descriptions",
        "POST",
        lambda w: (w.deployment.endpoint.slug,),
        whole("operator"),
        status=201,
        body=lambda w: {"document": {"served_as": "alpina"}, "after": 0},
        owner="operator",
        scope=Scope.REGISTRY_WRITE,
    ),
    Door(
        "api-deployment-descriptions",
        "POST",
        lambda w: (w.deployment.slug,),
        whole("operator"),
        status=201,
        body=lambda w: {"document": {"goal": "Answers at night."}},
        owner="operator",
        scope=Scope.REGISTRY_WRITE,
    ),
    Door(
        "api-check-plans",
        "POST",
        opens_for=whole("member", "clerk", "evaluator", "administrator"),
        status=201,
        body=lambda w: {"version": w.version.digest, "suite": w.suite.digest},
        owner="evaluator",
        scope=Scope.RUNS_WRITE,
    ),
    Door(
        "api-alarm-review",
        "POST",
        an_alarming_endpoint,
        whole("member"),
        status=201,
        body=lambda w: {"decision": w.decision.ref},
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-check-plan-end",
        "POST",
        a_checked_version,
        whole("evaluator", "administrator"),
        owner="evaluator",
        scope=Scope.RUNS_WRITE,
    ),
    Door(
        "api-runs",
        "POST",
        opens_for=whole("member", "clerk", "evaluator", "administrator"),
        status=201,
        body=lambda w: {"suite": w.suite.suite.slug, "model_digest": w.version.digest},
        owner="evaluator",
        scope=Scope.RUNS_WRITE,
    ),
    Door(
        "api-run-cancel",
        "POST",
        lambda w: (w.queued.ref,),
        whole("evaluator", "administrator"),
        owner="evaluator",
        scope=Scope.RUNS_WRITE,
    ),
    Door(
        "api-replications",
        "POST",
        opens_for=whole("member", "clerk", "evaluator", "administrator"),
        status=201,
        body=lambda w: {
            "suite": w.suite.suite.slug,
            "model_digest": w.version.digest,
            "organisations": 2,
            "tolerance": "0.01",
        },
        owner="evaluator",
        scope=Scope.RUNS_WRITE,
    ),
    Door(
        "api-worker-pause",
        "POST",
        its_worker,
        WORKER_MANAGERS,
        body=lambda w: {"reason": "New disk"},
        owner="operator",
        scope=Scope.REGISTRY_WRITE,
    ),
    Door(
        "api-worker-resume",
        "POST",
        a_paused_worker,
        WORKER_MANAGERS,
        owner="operator",
        scope=Scope.REGISTRY_WRITE,
    ),
    Door(
        "api-worker-revoke",
        "POST",
        its_worker,
        WORKER_MANAGERS,
        owner="operator",
        scope=Scope.REGISTRY_WRITE,
    ),
    Door(
        "api-worker-rotate",
        "POST",
        its_worker,
        WORKER_MANAGERS,
        body=lambda w: {"public_key": "ab" * 32},
        owner="operator",
        scope=Scope.REGISTRY_WRITE,
    ),
    Door(
        "api-proposals",
        "POST",
        opens_for=whole("member"),
        status=201,
        body=lambda w: {
            "body": w.cast.body.slug,
            "type": ProposalType.MOTION,
            "title": "T",
            "summary": "S",
            "text": "X",
        },
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-evaluations",
        "POST",
        with_a_criterion,
        whole("member", "clerk"),
        status=201,
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-criteria",
        "POST",
        lambda w: (w.talked.ref,),
        whole("member", "clerk"),
        status=201,
        body=criterion_for,
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-criteria",
        "POST",
        lambda w: (w.draft.ref,),
        whole("member", "clerk"),
        status=201,
        body=criterion_for,
        scope=Scope.PROPOSALS_WRITE,
        note="of a draft",
    ),
    Door(
        "api-revisions",
        "POST",
        lambda w: (w.talked.ref,),
        whole("member"),
        status=201,
        body=lambda w: {"title": "T", "summary": "S", "text": "X", "base_number": 1},
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-preview",
        "POST",
        lambda w: (w.talked.ref,),
        SIGNED_IN,
        body=lambda w: {"text": "# A *text*"},
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-amendments",
        "POST",
        lambda w: (w.talked.ref,),
        whole("member"),
        status=201,
        body=amended_text,
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-amendment",
        "POST",
        an_amendment,
        whole("member"),
        body=amended_text,
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-amendment-act",
        "POST",
        an_amendment,
        whole("member"),
        body=lambda w: {"act": "accept"},
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-attachment-remove",
        "POST",
        an_attachment,
        whole("member"),
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-support",
        "POST",
        a_proposal_of_the_chair,
        whole("member"),
        body=lambda w: {"act": "give"},
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-comments",
        "POST",
        lambda w: (w.talked.ref,),
        SIGNED_IN,
        status=201,
        body=lambda w: {"text": "I agree."},
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-stage",
        "POST",
        lambda w: (w.talked.ref,),
        whole("clerk"),
        body=lambda w: {"act": "fix-text"},
        owner="clerk",
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-ballot",
        "POST",
        lambda w: (w.voting.ref,),
        whole("member"),
        status=202,
        body=lambda w: {"choice": "yes"},
        scope=Scope.VOTES_CAST,
    ),
)


RULED = (
    Door(
        "api-delegation",
        "POST",
        lambda w: (w.cast.body.slug,),
        whole("member"),
        status=201,
        body=lambda w: {"to": w.cast.body.memberships.get(person=w.cast.chair).actor},
        scope=Scope.VOTES_CAST,
    ),
    Door(
        "api-delegation",
        "DELETE",
        a_delegation,
        whole("member"),
        status=204,
        scope=Scope.VOTES_CAST,
    ),
    Door(
        "api-conflict",
        "POST",
        lambda w: (w.talked.ref,),
        whole("member"),
        status=201,
        body=lambda w: {"reason": "My firm sells it."},
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-casting-vote",
        "POST",
        a_tie,
        # The chair's alone, who is none of the roles tried here.
        frozenset(),
        status=201,
        body=lambda w: {"names": ["yes"]},
        owner="chair",
        scope=Scope.VOTES_CAST,
    ),
)
KEPT = (
    Door(
        "api-minutes-list",
        "POST",
        lambda w: (w.cast.body.slug,),
        whole("clerk"),
        status=201,
        body=lambda w: {"starts_on": "2026-01-01", "ends_on": "2026-01-31"},
        owner="clerk",
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-minutes",
        "PUT",
        lambda w: of_minutes(w.minutes_draft),
        whole("clerk"),
        body=lambda w: {"text": "Nothing happened."},
        owner="clerk",
        scope=Scope.PROPOSALS_WRITE,
        note="of a draft",
    ),
    Door(
        "api-minutes-stage",
        "POST",
        lambda w: of_minutes(w.minutes_draft),
        whole("clerk"),
        body=lambda w: {"act": "adopt"},
        owner="clerk",
        scope=Scope.PROPOSALS_WRITE,
        note="of a draft",
    ),
    Door(
        "api-minutes-stage",
        "POST",
        lambda w: of_minutes(w.minutes),
        whole("clerk"),
        body=lambda w: {"act": "correct"},
        owner="clerk",
        scope=Scope.PROPOSALS_WRITE,
    ),
)
ADMINISTERED = tuple(
    Door(
        name,
        method,
        parts,
        whole("administrator"),
        status=201 if body else 200,
        body=body,
        owner="administrator",
        scope=Scope.ACCOUNTS_WRITE,
    )
    for name, method, parts, body in (
        ("api-bodies", "POST", lambda w: (), lambda w: {"slug": "new-jury", "name": "Jury"}),
        (
            "api-seats",
            "POST",
            lambda w: (w.cast.body.slug,),
            lambda w: {"email": w.cast.outsider.email},
        ),
        ("api-seat-end", "POST", a_seat, None),
        ("api-charters", "POST", a_new_body, lambda w: {"document": factories.quick_charter()}),
        (
            "api-organisations",
            "POST",
            lambda w: (),
            lambda w: {"slug": "new-office", "name": "Office"},
        ),
        ("api-affiliations", "GET", lambda w: (w.cast.organisation.slug,), None),
        (
            "api-affiliations",
            "POST",
            lambda w: (w.cast.organisation.slug,),
            lambda w: {"email": w.cast.outsider.email, "role": "operator"},
        ),
        ("api-affiliation-end", "POST", an_affiliation, None),
    )
)
AFTERWARDS = tuple(
    Door(
        f"api-decision-{name}",
        "POST",
        lambda w: (w.decision.ref,),
        opens_for,
        status=201,
        body=lambda w, body=body: body,  # type: ignore[misc]
        owner=next(iter(opens_for)),
        scope=Scope.PROPOSALS_WRITE,
    )
    for name, opens_for, body in (
        ("suspension", whole("clerk"), {"reason": "It gave out addresses."}),
        ("annulment", whole("clerk"), {"authority": "Court", "reason": "No hearing."}),
        ("statements", whole("member"), {"kind": "explanation", "text": "It is time."}),
    )
)
SPOKEN = (
    Door(
        "api-arguments",
        "POST",
        lambda w: (w.talked.ref,),
        SIGNED_IN,
        status=201,
        body=lambda w: {"side": "for", "text": "It costs less."},
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-argument-support",
        "POST",
        lambda w: (w.talked.ref, an_argument(w).pk),
        SIGNED_IN,
        status=201,
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-argument-support",
        "DELETE",
        lambda w: (w.talked.ref, a_supported_argument(w).pk),
        whole("member"),
        status=204,
        shut=409,
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-statements",
        "POST",
        lambda w: (w.talked.ref,),
        SIGNED_IN,
        status=201,
        body=lambda w: {"text": "A person must take over."},
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-answer",
        "POST",
        lambda w: (w.talked.ref, a_statement(w).pk),
        SIGNED_IN,
        body=lambda w: {"answer": "agree"},
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-moderation",
        "POST",
        lambda w: (w.talked.ref,),
        whole("clerk"),
        status=201,
        body=lambda w: {
            "kind": "argument",
            "id": an_argument(w).pk,
            "act": "hidden",
            "reason": "It names a person.",
        },
        owner="clerk",
        scope=Scope.PROPOSALS_WRITE,
    ),
)
WRITES = (*WRITES, *RULED, *KEPT, *ADMINISTERED, *AFTERWARDS, *SPOKEN)
ONES_OWN = (
    Door("api-my-votes", "GET", opens_for=SIGNED_IN, scope=Scope.NOTICES),
    Door("api-notices", "GET", opens_for=SIGNED_IN, scope=Scope.NOTICES),
    Door(
        "api-notices-read",
        "POST",
        opens_for=SIGNED_IN,
        body=lambda w: {"ids": [1]},
        scope=Scope.NOTICES,
    ),
    Door("api-notice-settings", "GET", opens_for=SIGNED_IN, scope=Scope.NOTICES),
    Door(
        "api-notice-settings",
        "PUT",
        opens_for=SIGNED_IN,
        body=lambda w: {"gets_mail": True, "digest_hour": 9},
        scope=Scope.NOTICES,
    ),
    Door("api-webhooks", "GET", opens_for=SIGNED_IN, scope=Scope.WEBHOOKS),
    Door(
        "api-webhooks",
        "POST",
        opens_for=SIGNED_IN,
        status=201,
        body=lambda w: {"url": "https://hooks.example/oversight"},
        scope=Scope.WEBHOOKS,
    ),
    *(
        Door(
            f"api-webhook{name}",
            method,
            lambda w: (a_webhook(w).public_id,),
            whole("member"),
            status=status,
            scope=Scope.WEBHOOKS,
            shut=404,
            asks_scope_first=True,
        )
        for name, method, status in (
            ("", "GET", 200),
            ("", "DELETE", 204),
            ("-attempts", "GET", 200),
            ("-secret", "POST", 200),
            ("-ping", "POST", 200),
        )
    ),
    Door(
        "api-webhook-challenge",
        "POST",
        lambda w: (a_webhook(w, Status.WAITING).public_id,),
        whole("member"),
        scope=Scope.WEBHOOKS,
        shut=404,
        asks_scope_first=True,
    ),
    Door(
        "api-webhook-again",
        "POST",
        lambda w: (a_webhook(w).public_id,),
        whole("member"),
        body=lambda w: {"index": 0},
        scope=Scope.WEBHOOKS,
        shut=404,
        asks_scope_first=True,
    ),
)
FORMS = tuple(
    Door(
        name,
        "POST",
        opens_for=whole("evaluator", "administrator"),
        body=a_suites_zip,
        owner="evaluator",
        scope=Scope.SUITES_WRITE,
        is_form=True,
    )
    for name in ("api-suite-publish", "api-suite-preview")
)
FORMS = (
    *FORMS,
    Door(
        "api-attachments",
        "POST",
        lambda w: (w.talked.ref,),
        whole("member"),
        status=201,
        body=a_file,
        scope=Scope.PROPOSALS_WRITE,
        is_form=True,
    ),
)
MACHINES = (
    Door(
        "worker-hello",
        "POST",
        body=lambda w: {
            "boot_id": "boot-1",
            "software": {},
            "device": {},
            "resource_classes": ["cpu"],
        },
    ),
    Door(
        "worker-claim",
        "POST",
        body=lambda w: {"boot_id": "boot-1", "resource_classes": ["cpu"]},
    ),
    Door("worker-probes", "POST"),
    Door("worker-probes-seen", "POST", body=lambda w: {"seen": []}),
    Door("worker-download", "GET", lambda w: (w.held.task["data"]["sha256"],)),
    Door("worker-heartbeat", "POST", lambda w: (w.held.pk,), body=beat),
    Door(
        "worker-upload",
        "PUT",
        lambda w: (w.held.pk, w.machine.samples(w.held, 70)[1]["sha256"]),
        status=201,
        query="?token=1",
    ),
    Door(
        "worker-result",
        "POST",
        lambda w: (w.held.pk,),
        status=201,
        body=signed_result,
    ),
    Door(
        "worker-failure",
        "POST",
        lambda w: (w.held.pk,),
        body=lambda w: {"token": w.held.lease_token, "code": "out-of-memory", "message": "Full."},
    ),
)


def a_report(world: World) -> Incident:
    """Return a report that nobody has looked at."""
    return Incident.objects.filter(status="received").first() or made.make_report()[0]


def an_incident(world: World) -> Incident:
    """Return an incident that was triaged, about the world's deployment."""
    found = Incident.objects.filter(status="triaged").first()
    if found is None:
        found = made.make_incident(world.cast.clerk, deployments=[world.deployment])
    return found


def of_report(world: World) -> tuple[object, ...]:
    return (a_report(world).ref,)


def of_incident(world: World) -> tuple[object, ...]:
    world.cast.clerk.refresh_from_db()
    # Whose account is closed handles nothing, and is not let in either.
    if not world.cast.clerk.is_active:
        return ("INC-2026-001",)
    return (an_incident(world).ref,)


def a_report_body(world: World) -> dict[str, Any]:
    return {"form": made.form(), "text": "It named a person."}


def a_secret(world: World) -> dict[str, Any]:
    return {"secret": made.make_report()[1]}


def a_link(world: World) -> tuple[object, ...]:
    parts = of_incident(world)
    link = IncidentLink.objects.filter(incident__ref=parts[0]).first()
    return (*parts, link.pk if link else 1)


JUDGED = {"severity": "hazard", "category": "privacy", "harm": "rights"}
PUBLIC_TEXT = {"title": "It named a person", "text": "A resident was named."}
INCIDENT_READS = (
    Door("api-incidents", "GET"),
    Door("api-incident-form", "GET"),
    Door("api-incident-statistics", "GET"),
    Door("api-incident", "GET", of_report),
    Door("api-incident-oecd", "GET", of_incident),
)
OPEN_WRITES = (
    Door("api-incidents", "POST", status=201, body=a_report_body),
    Door("api-incident-follow", "POST", body=a_secret),
    Door("api-incident-add", "POST", status=201, body=lambda w: a_secret(w) | {"text": "More."}),
)
"""What anybody may send, without an account."""

OPEN_FORMS = (
    Door(
        "api-incident-files",
        "POST",
        status=201,
        body=lambda w: a_secret(w) | {"text": "See this."} | a_file(w),
        is_form=True,
    ),
)
HANDLED = tuple(
    Door(
        f"api-incident-{name}",
        method,
        parts,
        whole("clerk"),
        status=status,
        body=None if body is None else lambda w, body=body: body,  # type: ignore[misc]
        owner="clerk",
        scope=Scope.INCIDENTS_WRITE,
    )
    for name, method, parts, status, body in (
        ("triage", "POST", of_report, 200, JUDGED | PUBLIC_TEXT),
        ("judgement", "POST", of_incident, 200, JUDGED),
        ("state", "POST", of_incident, 200, {"to": "investigating"}),
        ("text", "POST", of_incident, 200, PUBLIC_TEXT),
        ("notes", "POST", of_incident, 201, {"text": "Looked at."}),
        ("answers", "POST", of_incident, 201, {"text": "When?"}),
        ("link", "DELETE", a_link, 204, None),
        ("moderation", "POST", of_incident, 200, {"act": "hide", "reason": "A name."}),
    )
)
HANDLED = (
    *HANDLED,
    Door(
        "api-incident-links",
        "POST",
        of_incident,
        whole("clerk"),
        status=201,
        body=lambda w: {"to": w.version.digest},
        owner="clerk",
        scope=Scope.INCIDENTS_WRITE,
    ),
    Door(
        "api-incident-suspension",
        "POST",
        of_incident,
        whole("clerk"),
        status=201,
        body=lambda w: {"decision": w.decision.ref, "reason": "It names people."},
        owner="clerk",
        scope=Scope.INCIDENTS_WRITE,
    ),
    Door(
        "api-incident-review",
        "POST",
        of_incident,
        whole("member"),
        status=201,
        body=lambda w: {"type": "fitting"},
        scope=Scope.INCIDENTS_WRITE,
    ),
)
PRIVATE_READS = tuple(
    Door(
        name,
        "GET",
        parts,
        whole("clerk", "auditor", "administrator"),
        owner="clerk",
        scope=Scope.INCIDENTS_WRITE,
    )
    for name, parts in (
        ("api-incident-report", of_report),
        ("api-incident-file", lambda w: a_file_of_a_report()),
    )
)


def a_file_of_a_report() -> tuple[object, ...]:
    file = IncidentFile.objects.select_related("incident").first()
    if file is None:
        incident, _ = made.make_report(files=[("a.txt", b"words")])
        file = incident.files.get()
    return (file.incident.ref, file.pk)


READS = (*READS, *INCIDENT_READS)
WRITES = (*WRITES, *HANDLED)
ONES_OWN = (*ONES_OWN, *PRIVATE_READS)
ALL = (
    *READS,
    COUNT,
    RECEIPT_CHECK,
    DRAFT,
    *WRITES,
    *ONES_OWN,
    *FORMS,
    *OPEN_WRITES,
    *OPEN_FORMS,
    *MACHINES,
)


def api_addresses() -> dict[str, type]:
    """Return the view of every address under /api/v1/, by name."""
    found = {}
    for included in get_resolver().url_patterns:
        for pattern in getattr(included, "url_patterns", ()):
            if f"{included.pattern}{pattern.pattern}".startswith("api/v1/"):
                found[pattern.name] = pattern.callback.view_class
    return found


def methods_of(view: type) -> set[str]:
    return {
        each.upper() for each in ("get", "post", "put", "patch", "delete") if hasattr(view, each)
    }


def test_every_address_and_method_has_its_row():
    there = {(name, each) for name, view in api_addresses().items() for each in methods_of(view)}
    assert len(there) >= 33
    assert there == {(door.name, door.method) for door in ALL}


LOCAL_MOMENT = re.compile(rb'"\d{4}-\d\d-\d\dT[^"Z]*[+-]\d\d:?\d\d"')


def test_every_moment_is_written_in_utc(world):
    seen = 0
    for door in (*READS, DRAFT, *WRITES, *ONES_OWN):
        answer = door.try_as(world, "key with scope")
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        if is_json and not answer.streaming:
            assert not LOCAL_MOMENT.search(answer.content), (str(door), answer.content[:500])
            seen += answer.content.count(b'Z"')
    assert seen > 50


def test_what_is_public_opens_for_everyone(world):
    for door in (*READS, COUNT, RECEIPT_CHECK):
        for who in (*EVERYONE, "key without scope", "key with scope"):
            answer = door.try_as(world, who)
            assert answer.status_code == door.status, (str(door), who, answer.content[:300])
        for who in BAD_KEYS:
            answer = door.try_as(world, who)
            assert_is_problem(answer, 401)
            assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("door", [*OPEN_WRITES, *OPEN_FORMS], ids=str)
def test_what_anybody_may_send_is_taken_from_everyone_but_a_bad_key(world, door):
    for who in (*EVERYONE, "key without scope", "key with scope"):
        answer = door.try_as(world, who)
        assert answer.status_code == door.status, (who, answer.content[:300])
    for who in BAD_KEYS:
        assert_is_problem(door.try_as(world, who), 401)


@pytest.mark.parametrize("door", [DRAFT, *WRITES, *ONES_OWN, *FORMS], ids=str)
def test_what_is_not_public_opens_for_those_with_the_right_and_a_good_key(world, door):
    answers = {
        who: door.try_as(world, who)
        for who in (*EVERYONE, "key with scope", "key without scope", *BAD_KEYS)
    }
    expected = dict.fromkeys(SIGNED_IN, door.shut) | dict.fromkeys(BAD_KEYS, 401)
    if door.note:
        # Who may not see a draft learns nothing of it, whatever they want of it.
        expected |= dict.fromkeys(SIGNED_IN - DRAFT.opens_for, 404)
    expected |= dict.fromkeys(door.opens_for, door.status)
    expected["anonymous"] = door.shut if door is DRAFT else 401
    expected["key with scope"] = door.status
    # The scope is asked before the state, and after whether the thing is seen at all.
    hides = door.shut == 404 and not door.asks_scope_first
    expected["key without scope"] = 404 if hides else 403
    assert {who: answer.status_code for who, answer in answers.items()} == expected
    for answer in answers.values():
        if answer.status_code != door.status:
            assert_is_problem(answer, answer.status_code)
    if door.method == "POST":
        assert door.scope in answers["key without scope"].json()["detail"]


@pytest.mark.parametrize("door", MACHINES, ids=str)
def test_a_workers_address_opens_for_a_worker_only(world, door):
    for who in (*EVERYONE, "key with scope", "revoked key"):
        answer = door.try_as(world, who)
        assert_is_problem(answer, 401)
        assert answer["WWW-Authenticate"] == "Bearer"
    if door.name == "worker-upload":
        data, reference = world.machine.samples(world.held, 70)
        path = address(door.name, world.held.pk, reference["sha256"])
        client = world.caller("worker token")
        answer = client.put(
            f"{path}?token={world.held.lease_token}", data, content_type="application/octet-stream"
        )
    else:
        answer = door.try_as(world, "worker token")
    expected = (door.status, 204) if door.name == "worker-claim" else (door.status,)
    assert answer.status_code in expected, answer.content[:300]


def test_another_worker_reaches_nothing_that_this_one_holds(world):
    other = factories.make_machine()
    world.machine = other
    any_workers = {"hello", "claim", "upload", "result", "probes", "probes-seen"}
    for door in MACHINES:
        if door.name.removeprefix("worker-") in any_workers:
            continue
        assert_is_problem(door.try_as(world, "worker token"), 404 if door.method == "GET" else 409)


def test_a_revoked_worker_is_out_at_once(world):
    from evals.services.workers import revoke_worker

    client = world.caller("worker token")
    body = {"boot_id": "boot-1", "resource_classes": ["cpu"]}
    assert send(client, "POST", address("worker-claim"), body).status_code in {200, 204}
    revoke_worker(by=world.cast.administrator, worker=world.machine.worker)
    assert_is_problem(send(client, "POST", address("worker-claim"), body), 401)


def test_another_method_is_405_and_says_which_there_are(world):
    for name, view in api_addresses().items():
        door, allowed = next(each for each in ALL if each.name == name), methods_of(view)
        client = world.caller("worker token" if door in MACHINES else "administrator")
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - allowed:
            answer = send(client, method, address(name, *door.parts(world)), {})
            assert_is_problem(answer, 405)
            assert allowed <= {each.strip() for each in answer["Allow"].split(",")}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("api-model", "nothing"),
        ("api-version", NEW_DIGEST),
        ("api-deployment", "nothing"),
        ("api-suite", "nothing"),
        ("api-suite-folder", "nothing"),
        ("api-run", "run-00000000"),
        ("api-run-samples", "run-00000000"),
        ("api-proposal", "1999-001"),
        ("api-decision", "1999-001"),
    ],
)
def test_what_is_not_there_is_404(client, name, part):
    assert_is_problem(client.get(address(name, part)), 404)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/", "/api/v1/nothing/", "/api/v1/worker/task-runs/not-a-uuid/heartbeat"],
)
def test_an_address_that_leads_nowhere_is_a_problem_document(client, path):
    assert_is_problem(client.get(path), 404)


def test_a_session_alone_does_not_write_without_its_token(world):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(world.cast.member)
    answer = send(client, "POST", address("api-comments", world.talked.ref), {"text": "Hello."})
    assert_is_problem(answer, 403)
    assert not world.talked.comments.exists()
