"""What an incident leads to: an emergency suspension, or a proposal to the body."""

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext

from oversight.accounts.models import Person
from oversight.incidents import policy
from oversight.incidents.choices import Linked
from oversight.incidents.models import Incident
from oversight.incidents.reviews import Review, review_of
from oversight.incidents.services.links import write_link
from oversight.incidents.services.steps import locked_for
from oversight.registry.models import Authorisation
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import policy as deciding
from proposals.choices import ProposalType
from proposals.feasibility import problems
from proposals.models import Proposal, text_document
from proposals.services.charters import charter_of
from proposals.services.drafting import write_draft
from proposals.services.emergency import write_suspension


@transaction.atomic(durable=True)
def suspend_at_once(
    *, by: Person, incident: Incident, authorisation: Authorisation, reason: str
) -> Proposal:
    """Suspend an authorisation that an incident is about, as the charter's emergency path has it.

    Returns:
        The ratification that the body is asked for; until when, stands at the authorisation.

    Raises:
        NotAllowed: the person handles the incident not, or may not suspend alone.
        Conflict: the incident is not linked to its use, or it cannot be suspended so.
        Invalid: no usable public reason.
    """
    row, _ = locked_for(by, incident)
    if not row.links.filter(deployment=authorisation.deployment_id, removed_at=None).exists():
        raise Conflict(
            gettext("%(ref)s is not linked to %(deployment)s; link it first.")
            % {
                "ref": row.ref,
                "deployment": authorisation.deployment,
            }
        )
    proposal = write_suspension(by=by, authorisation=authorisation, reason=reason)
    write_link(row, by, Linked.SUSPENSION, proposal)
    return proposal


@transaction.atomic(durable=True)
def propose_review(
    *,
    by: Person,
    incident: Incident,
    type: ProposalType | None = None,  # noqa: A002
) -> Proposal:
    """Draft the proposal that an incident asks for: of the fitting type, filled in and linked.

    Whoever may propose to its body may; the draft is theirs to edit before anybody else sees it.

    Raises:
        NotAllowed: the person may not propose to the body.
        Conflict: nobody has triaged it, or the charter does not know such a decision.
        Invalid: it could not take effect, such as a suspension of what is suspended.
    """
    row = (
        Incident.objects.select_for_update(of=("self",)).select_related("body").get(pk=incident.pk)
    )
    if row.body is None or row.published_at is None:
        raise Conflict(
            gettext("A clerk has to triage it first: a proposal rests on its public text.")
        )
    review = review_of(row, type)
    charter = charter_of(row.body)
    if review.type not in charter.kinds:
        raise Conflict(
            gettext("The charter of %(body)s does not say how to decide this: %(type)s.")
            % {
                "body": row.body,
                "type": review.type,
            }
        )
    if not deciding.can_propose(by, row.body, charter.rules_for(review.type)):
        raise NotAllowed(gettext("Only who may propose to %(body)s does so.") % {"body": row.body})
    found = problems(review.type, row.body, {}, target_ref=review.target_ref, charter=charter)
    if found:
        raise Invalid(found[0][1], fields=dict(found))
    proposal = _draft(row, by, review)
    write_link(row, by, Linked.REVIEW, proposal)
    return proposal


def _draft(row: Incident, by: Person, review: Review) -> Proposal:
    proposal = Proposal(body=row.body, type=review.type, proposer=by, target_ref=review.target_ref)
    proposal.language = settings.LANGUAGE_CODE  # of what `review_of` begins it with
    content = text_document(review.title, review.summary, review.text)
    return write_draft(proposal, author=by, actor=by.actor, content=content)


def can_review(user: object, incident: Incident) -> bool:
    """Say whether the user may draft the review of an incident that was triaged."""
    if incident.body is None or incident.published_at is None:
        return False
    charter = charter_of(incident.body)
    kind = review_of(incident).type
    return kind in charter.kinds and deciding.can_propose(
        user, incident.body, charter.rules_for(kind)
    )


def suspendable(user: object, incident: Incident) -> list[Authorisation]:
    """Return the authorisations that the user could suspend at once because of the incident."""
    if incident.body is None or not policy.can_handle(user, incident):
        return []
    rules = charter_of(incident.body).rules_for(ProposalType.SUSPEND)
    if not deciding.can_suspend_at_once(user, incident.body, rules):
        return []
    uses = [link.deployment_id for link in incident.standing_links if link.deployment_id]
    rows = Authorisation.objects.in_force().with_parts().filter(deployment__in=uses)
    return list(rows)
