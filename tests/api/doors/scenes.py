"""What has to be there before a door can be tried, made where it is missing."""

from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile

from evals.models import Check, CheckedEndpoint, CheckPlan, Criterion, Replication
from evals.services import checks
from evals.services.runs import request_replication
from evals.services.workers import pause_worker
from oversight.accounts import services as accounts
from oversight.accounts.services import shell_person
from oversight.ledger.models import LedgerEntry
from oversight.ledger.sequencer import sequence_once
from oversight.registry.models import ModelVersion
from oversight.web.clock import database_now
from oversight.webhooks import services as webhooks
from oversight.webhooks.choices import Status
from oversight.webhooks.models import Subscription
from proposals.models import Argument, Delegation, Minutes, OpinionStatement
from proposals.services import arguments, attachments, closing, roll, stages
from tests import factories
from tests.api.conftest import World, address
from tests.machine import enrol_machine


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
