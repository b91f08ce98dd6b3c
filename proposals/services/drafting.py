"""Writing a proposal: its text, its criteria, the runs that are its evidence."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from evals.choices import Comparison
from evals.models import Criterion, SuiteVersion
from evals.services.criteria import record_criterion
from oversight.accounts.models import Body, Person
from oversight.ledger import services as ledger
from oversight.registry.models import Authorisation, Deployment, ModelVersion
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from oversight.web.written import required_language
from proposals import policy
from proposals import terms as terms_of
from proposals.choices import (
    ABOUT_AUTHORISATIONS,
    GRANTING,
    TARGETED,
    Leaf,
    Origin,
    ProposalType,
)
from proposals.evaluators import asks_for_admission, may_be_asked
from proposals.feasibility import problems
from proposals.models import (
    Charter,
    Decision,
    Proposal,
    Revision,
    SuiteAdoption,
    text_document,
)
from proposals.papers import ONE_SEAT, PaperError, check_options
from proposals.readiness import obstacle_to_criteria, obstacle_to_writing
from proposals.revisions import write_revision
from proposals.services.charters import charter_of
from proposals.terms import TermsError

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
    terms: Mapping[str, Any] | None = None,
    target: Decision | None = None,
    language: str = "",
) -> Proposal:
    """Draft a proposal; only its body sees it until deliberation opens.

    Args:
        by: who proposes.
        body: that decides.
        type: what it would do.
        title: what the body would do, as an act.
        summary: one or two sentences.
        text: Markdown.
        deployment: where a model would serve, for an authorisation.
        version: exactly which weights, for an authorisation.
        options: what an election is about.
        seats: how many of them are chosen.
        terms: what it would do as data (`proposals.terms`); conditions, a charter, criteria.
        target: the earlier decision that it renews, suspends, ends or annuls.
        language: of the text; the body's where none is named.

    Raises:
        Invalid: something that its type needs is missing, or texts are out of bounds.
        Conflict: the body's charter does not say how it decides such a thing.
    """
    charter = charter_of(body)
    if type == ProposalType.AMENDMENT:
        raise Invalid(
            _("Put the amendment to a vote: that drafts the proposal which decides on it.")
        )
    if type not in charter.kinds:
        raise Conflict(
            _("The charter of %(body)s does not say how to decide this: %(label)s.")
            % {
                "body": body,
                "label": type.label,
            }
        )
    if not policy.can_propose(by, body, charter.rules_for(type)):
        raise NotAllowed(_("Only members of %(body)s propose to it.") % {"body": body})
    if type == ProposalType.AUTHORISE and (deployment is None or version is None):
        raise Invalid(_("Name the deployment and the model version to authorise."))
    _require_text(title, summary, text)
    asked = _asked(type, charter.rules_for(type).method, options, seats)
    proposal = Proposal(body=body, type=type, proposer=by, target_ref=_target(type, body, target))
    proposal.language = required_language(language or body.language)
    if type == ProposalType.AUTHORISE:
        proposal.deployment, proposal.version = deployment, version
    read = _terms(proposal, charter, terms or {})
    content = text_document(title, summary, text, **asked, terms=read)
    return write_draft(proposal, author=by, actor=by.actor, content=content)


def write_draft(
    proposal: Proposal, *, author: Person, actor: str, content: dict[str, Any]
) -> Proposal:
    """Number and save a new proposal with its text and the criteria its body asks of all such.

    For services of this floor, inside their transaction; what is drafted must have been checked.
    """
    if proposal.type in ABOUT_AUTHORISATIONS:
        about = Authorisation.objects.with_parts().get(decision_ref=proposal.target_ref)
        proposal.deployment, proposal.version = about.deployment, about.version
    proposal.ref = _next_ref()
    version, deployment = proposal.version, proposal.deployment
    extra = {
        "target": f"decision:{proposal.target_ref}" if proposal.target_ref else "",
        "origin": "" if proposal.origin == Origin.PERSON else str(proposal.origin),
    }
    leaf = ledger.append(
        type=Leaf.PROPOSAL_DRAFTED,
        actor=actor,
        subject=proposal.subject,
        digests={"version": version.digest} if version else {},
        facts={
            "body": proposal.body.slug,
            "type": str(proposal.type),
            "deployment": deployment.slug if deployment else None,
            **{name: value for name, value in extra.items() if value},
        },
    )
    proposal.leaf_id = leaf.id
    proposal.language = proposal.written_in
    proposal.save()
    write_revision(proposal, author, 1, content, actor=actor)
    if proposal.type in GRANTING:
        _ask_standing_criteria(proposal, author)
    return proposal


def _ask_standing_criteria(proposal: Proposal, author: Person) -> None:
    """Put on the record what the body has decided to ask of every model, before any run of it."""
    standing = SuiteAdoption.objects.filter(body=proposal.body, ended_at=None)
    for adoption in standing.select_related("version"):
        for row in adoption.criteria:
            record_criterion(
                by=author,
                subject=proposal.subject,
                suite_version=adoption.version,
                task_name=row["task"],
                metric=row["metric"],
                comparison=Comparison(row["comparison"]),
                threshold=row["threshold"],
                beside=ModelVersion.objects.get(digest=row["beside"]) if "beside" in row else None,
                must_pass=row["must_pass"],
                decision=f"decision:{adoption.decision_ref}",
            )


def _target(kind: ProposalType, body: Body, target: Decision | None) -> str:
    """Return the reference of the decision that such a proposal acts on, if it acts on one.

    Raises:
        Invalid: it is not named, or is another body's: only who decided can undo it.
    """
    if kind not in TARGETED:
        return ""
    if target is None:
        message = _("Name the earlier decision that this is about.")
        raise Invalid(message, fields={"target": message})
    if target.proposal.body_id != body.pk:
        message = _("Decision %(ref)s is of %(body)s; only that body undoes it.") % {
            "ref": target.ref,
            "body": target.proposal.body,
        }
        raise Invalid(message, fields={"target": message})
    return target.ref


def _terms(proposal: Proposal, charter: Charter, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms of a text, checked in shape and against things as they stand.

    Raises:
        Invalid: they cannot be used; names the field.
    """
    kind = ProposalType(proposal.type)
    try:
        read = terms_of.read(kind, given)
    except TermsError as error:
        words = f"{error.field}: {error.problem}"
        raise Invalid(words, fields={error.field: error.problem}) from None
    found = problems(kind, proposal.body, read, target_ref=proposal.target_ref, charter=charter)
    if found:
        raise Invalid(found[0][1], fields=dict(found))
    return read


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
    terms: Mapping[str, Any] | None = None,
    language: str = "",
) -> Revision:
    """Write the next revision, based on the one the writer saw; None keeps options, seats, terms.

    So does no `language`, which is the text's and no part of the record.

    Raises:
        Conflict: the text is final, or somebody wrote a newer revision meanwhile.
    """
    if not policy.can_edit_text(by, proposal):
        raise NotAllowed(_("Only the proposer edits the text."))
    _require_text(title, summary, text)
    locked = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if in_the_way := obstacle_to_writing(locked):
        raise Conflict(in_the_way)
    latest = locked.text
    if latest.number != base_number:
        raise Conflict(
            _(
                "Revision %(number)s was written while you edited revision %(base_number)s. "
                "Your text is below; compare it and save again."
            )
            % {
                "number": latest.number,
                "base_number": base_number,
            }
        )
    asked = _asked(
        ProposalType(locked.type),
        charter_of(locked.body).rules_for(locked.type).method,
        latest.options if options is None else options,
        latest.seats if seats is None else seats,
    )
    read = latest.terms if terms is None else _terms(locked, charter_of(locked.body), terms)
    content = text_document(title, summary, text, **asked, terms=read)
    locked.language = required_language(language or locked.written_in)
    locked.save(update_fields=["language"])
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
        raise NotAllowed(_("Only the proposer, members and clerks of the body set criteria."))
    locked = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if in_the_way := obstacle_to_criteria(locked):
        raise Conflict(in_the_way)
    if locked.version_id is None:
        raise Invalid(_("Criteria belong to proposals about a model version."))
    if asks_for_admission(locked) and not may_be_asked(suite_version, locked.body):
        words = gettext(
            "%(body)s asks only suites of evaluators that it has admitted, or that it has "
            "adopted itself."
        ) % {"body": locked.body}
        raise Invalid(words, fields={"suite": words})
    if beside is not None and beside.pk == locked.version_id:
        words = gettext("This is the version that is proposed: compare it with another one.")
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
        message = _("The charter's method, %(method)s, chooses one; this asks for %(seats)s.") % {
            "method": method,
            "seats": seats,
        }
        raise Invalid(message, fields={"seats": message})
    return {"options": names, "seats": seats}


def _require_text(title: str, summary: str, text: str) -> None:
    bounds = {"title": (title, 160), "summary": (summary, 400), "text": (text, MAX_TEXT)}
    for name, (value, longest) in bounds.items():
        if not value.strip():
            raise Invalid(
                _("The %(name)s is missing.") % {"name": name}, fields={name: _("Missing.")}
            )
        if len(value) > longest:
            message = _("The %(name)s has %(value)s characters; at most %(longest)s fit.") % {
                "name": name,
                "value": len(value),
                "longest": longest,
            }
            raise Invalid(message, fields={name: message})
        if "\x00" in value:
            raise Invalid(
                _("The %(name)s holds a character that cannot be stored (NUL).")
                % {
                    "name": name,
                }
            )


def _next_ref() -> str:
    """Return the year's next reference; the lock lasts until the transaction ends."""
    year = timezone.localtime().year
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_REF_LOCK])
    numbers = Proposal.objects.filter(ref__startswith=f"{year}-").values_list("ref", flat=True)
    latest = max((int(ref.split("-")[1]) for ref in numbers), default=0)
    return f"{year}-{latest + 1:03d}"
