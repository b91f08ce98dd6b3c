"""The proposal that an incident asks for, as data: which type fits, how its text begins."""

from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext as _

from oversight.incidents.choices import Severity
from oversight.incidents.models import Incident
from oversight.registry.choices import AuthorisationState
from oversight.registry.models import Authorisation
from oversight.web.refusals import Invalid
from proposals.choices import ProposalType

KINDS = (ProposalType.SUSPEND, ProposalType.RETIRE, ProposalType.MOTION)
"""What an incident may ask a body to decide."""


@dataclass(frozen=True, slots=True)
class Review:
    """A proposal about to be drafted."""

    type: ProposalType
    target_ref: str
    """The decision whose authorisation it is about; empty for a motion."""

    title: str
    summary: str
    text: str


def review_of(incident: Incident, wanted: ProposalType | None = None) -> Review:
    """Return the review of an incident: of the type asked for, or the one that fits.

    What still serves is to be suspended; what is suspended already, ended; where nothing is
    authorised, the body is asked what to do.

    Raises:
        Invalid: the type is none of those, or nothing linked to the incident is authorised.
    """
    row = _authorisation(incident)
    kind = wanted or _fitting(row)
    if kind not in KINDS:
        message = _("Use one of %(names)s.") % {
            "names": ", ".join(each.value for each in KINDS),
        }
        raise Invalid(
            _("An incident asks for no such proposal. %(message)s") % {"message": message},
            fields={"type": message},
        )
    if kind == ProposalType.MOTION:
        return _review(incident, kind, None)
    if row is None:
        message = _("No use that the incident is linked to has a standing authorisation.")
        raise Invalid(message, fields={"type": message})
    return _review(incident, kind, row)


def _authorisation(incident: Incident) -> Authorisation | None:
    """Return the standing authorisation of the first use linked, made by the incident's body."""
    uses = [link.deployment_id for link in incident.standing_links if link.deployment_id]
    rows = Authorisation.objects.standing().with_parts().filter(deployment__in=uses)
    return next((row for row in rows if not row.is_ended), None)


def _fitting(row: Authorisation | None) -> ProposalType:
    if row is None:
        return ProposalType.MOTION
    is_suspended = row.state_now == AuthorisationState.SUSPENDED
    return ProposalType.RETIRE if is_suspended else ProposalType.SUSPEND


@translation.override("en")
def _review(incident: Incident, kind: ProposalType, row: Authorisation | None) -> Review:
    ref, about = incident.ref, f"{row.version} for {row.deployment}" if row else ""
    title = {
        ProposalType.SUSPEND: f"Suspend {about} after incident {ref}",
        ProposalType.RETIRE: f"End the authorisation of {about} after incident {ref}",
        ProposalType.MOTION: f"Draw the consequences of incident {ref}",
    }[kind]
    severity = Severity(incident.severity).label if incident.severity else "not judged"
    quoted = "\n".join(f"> {line}".rstrip() for line in incident.shown_text.splitlines())
    text = (
        f"## What happened\n\n[{ref}]({incident.get_absolute_url()}): {incident.shown_title}\n\n"
        f"{quoted}\n\n{severity}. {incident.get_category_display()}.\n\n## What is proposed\n\n"
        f"{title}.\n\n## Why\n\nWrite here why this follows from the incident.\n"
    )
    return Review(
        type=kind,
        target_ref=row.decision_ref if row else "",
        title=title[:160],
        summary=f"Incident {ref} asks for a decision: {incident.shown_title}"[:400],
        text=text,
    )
