"""Writing a proposal: its text, its criteria, the runs that are its evidence."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from evals.choices import Comparison
from evals.models import Criterion, SuiteVersion
from evals.services.criteria import record_criterion
from oversight.accounts.models import Body, Person
from oversight.ledger import services as ledger
from oversight.registry.models import Deployment, ModelVersion
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import policy
from proposals.choices import Leaf, ProposalType, Status
from proposals.models import Proposal, Revision, text_document
from proposals.papers import ONE_SEAT, PaperError, check_options
from proposals.revisions import write_revision
from proposals.services.charters import charter_of

MAX_TEXT = 100_000
_REF_LOCK = 0x70726F70  # any constant: serialises the numbering of proposals


@transaction.atomic(durable=True)
def draft_proposal(
    *,
    by: Person,
    body: Body,
    type: ProposalType,  # noqa: A002 - the field's own word
    title: str,
    summary: str,
    text: str,
    deployment: Deployment | None = None,
    version: ModelVersion | None = None,
    options: Sequence[str] = (),
    seats: int = 1,
) -> Proposal:
    """Draft a proposal; only its body sees it until deliberation opens.

    Raises:
        Invalid: an authorisation without deployment and version, an election without options, or
            texts out of bounds.
        Conflict: the body's charter does not say how it decides such a thing.
    """
    if not policy.can_propose(by, body):
        raise NotAllowed(f"Only members of {body} propose to it.")
    charter = charter_of(body)
    if type not in charter.kinds:
        raise Conflict(f"The charter of {body} does not say how to decide this: {type.label}.")
    if type == ProposalType.AUTHORISE and (deployment is None or version is None):
        raise Invalid("Name the deployment and the model version to authorise.")
    if type != ProposalType.AUTHORISE:
        deployment = version = None
    _require_text(title, summary, text)
    asked = _asked(type, charter.rules_for(type).method, options, seats)
    ref = _next_ref()
    proposal = Proposal(
        ref=ref, body=body, type=type, proposer=by, deployment=deployment, version=version
    )
    leaf = ledger.append(
        type=Leaf.PROPOSAL_DRAFTED,
        actor=by.actor,
        subject=proposal.subject,
        digests={"version": version.digest} if version else {},
        facts={
            "body": body.slug,
            "type": str(type),
            "deployment": deployment.slug if deployment else None,
        },
    )
    proposal.leaf_id = leaf.id
    proposal.save()
    write_revision(proposal, by, 1, text_document(title, summary, text, **asked))
    return proposal


@transaction.atomic(durable=True)
def revise_text(
    *,
    by: Person,
    proposal: Proposal,
    title: str,
    summary: str,
    text: str,
    base_number: int,
    options: Sequence[str] | None = None,
    seats: int | None = None,
) -> Revision:
    """Write the next revision, based on the one the writer saw; None keeps options or seats.

    Raises:
        Conflict: the text is final, or somebody wrote a newer revision meanwhile.
    """
    if not policy.can_edit_text(by, proposal):
        raise NotAllowed("Only the proposer edits the text.")
    _require_text(title, summary, text)
    locked = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if locked.status not in {Status.DRAFT, Status.DELIBERATION}:
        raise Conflict(
            f"The text cannot change any more: the proposal is in the stage "
            f"“{locked.get_status_display()}”."
        )
    latest = locked.text
    if latest.number != base_number:
        raise Conflict(
            f"Revision {latest.number} was written while you edited revision {base_number}. "
            "Your text is below; compare it and save again."
        )
    asked = _asked(
        ProposalType(locked.type),
        charter_of(locked.body).rules_for(locked.type).method,
        latest.options if options is None else options,
        latest.seats if seats is None else seats,
    )
    content = text_document(title, summary, text, **asked)
    if latest.document == content:
        return latest
    return write_revision(locked, by, latest.number + 1, content)


@transaction.atomic(durable=True)
def attach_criterion(
    *,
    by: Person,
    proposal: Proposal,
    suite_version: SuiteVersion,
    task_name: str,
    metric: str,
    comparison: Comparison,
    threshold: Decimal | str,
    beside: ModelVersion | None = None,
    must_pass: bool = True,
) -> Criterion:
    """Put a criterion on the record. Runs requested afterwards count as its evidence.

    `beside` is another version, where the proposed one must not be worse than it.

    Raises:
        Conflict: the text is final: what is asked cannot change under a vote.
    """
    if not policy.can_attach_evidence(by, proposal):
        raise NotAllowed("Only the proposer, members and clerks of the body set criteria.")
    locked = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if locked.status not in {Status.DRAFT, Status.DELIBERATION}:
        raise Conflict("Criteria are set before the final text; this proposal is past that.")
    if locked.version_id is None:
        raise Invalid("Criteria belong to proposals about a model version.")
    if beside is not None and beside.pk == locked.version_id:
        words = "This is the version that is proposed: compare it with another one."
        raise Invalid(words, fields={"beside": words})
    return record_criterion(
        by=by,
        subject=locked.subject,
        suite_version=suite_version,
        task_name=task_name,
        metric=metric,
        comparison=comparison,
        threshold=threshold,
        beside=beside,
        must_pass=must_pass,
    )


def _asked(kind: ProposalType, method: str, options: Sequence[str], seats: int) -> dict[str, Any]:
    """Return an election's options and seats, checked; nothing for what is no election.

    Raises:
        Invalid: the options or the seats cannot be used under the charter's method.
    """
    if kind != ProposalType.ELECTION:
        return {}
    names = [name.strip() for name in options]
    try:
        check_options(names, seats)
    except PaperError as error:
        raise Invalid(error.problem, fields={error.field: error.problem}) from None
    if method in ONE_SEAT and seats != 1:
        message = f"The charter's method, {method}, chooses one; this asks for {seats}."
        raise Invalid(message, fields={"seats": message})
    return {"options": names, "seats": seats}


def _require_text(title: str, summary: str, text: str) -> None:
    bounds = {"title": (title, 160), "summary": (summary, 400), "text": (text, MAX_TEXT)}
    for name, (value, longest) in bounds.items():
        if not value.strip():
            raise Invalid(f"The {name} is missing.", fields={name: "Missing."})
        if len(value) > longest:
            message = f"The {name} has {len(value)} characters; at most {longest} fit."
            raise Invalid(message, fields={name: message})
        if "\x00" in value:
            raise Invalid(f"The {name} holds a character that cannot be stored (NUL).")


def _next_ref() -> str:
    """Return the year's next reference; the lock lasts until the transaction ends."""
    year = timezone.localtime().year
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_REF_LOCK])
    numbers = Proposal.objects.filter(ref__startswith=f"{year}-").values_list("ref", flat=True)
    latest = max((int(ref.split("-")[1]) for ref in numbers), default=0)
    return f"{year}-{latest + 1:03d}"
