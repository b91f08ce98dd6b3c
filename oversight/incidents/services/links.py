"""Linking an incident to what it is about, and taking a link back."""

from django.db import transaction
from django.utils.translation import gettext

from evals.models import Run
from oversight.accounts.models import Person
from oversight.incidents.choices import Event, Linked
from oversight.incidents.models import Incident, IncidentLink
from oversight.incidents.services.steps import locked_for, record
from oversight.registry.models import Deployment, ModelVersion
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict
from proposals.models import Proposal

MOST_LINKS = 50
LED_TO = frozenset({Linked.SUSPENSION, Linked.REVIEW})
"""Links that say what an incident has led to: acts of their own, which nobody takes back."""

Target = Deployment | ModelVersion | Run | Proposal
_FIELDS = {
    Linked.DEPLOYMENT: "deployment",
    Linked.VERSION: "version",
    Linked.RUN: "run",
    Linked.SUSPENSION: "proposal",
    Linked.REVIEW: "proposal",
}


@transaction.atomic(durable=True)
def link(*, by: Person, incident: Incident, to: Deployment | ModelVersion | Run) -> IncidentLink:
    """Link an incident to the use, the model version or the evaluation it is about.

    Raises:
        NotAllowed: the person is no clerk of its body.
        Conflict: it is linked already, or has as many links as it can have.
    """
    row, _ = locked_for(by, incident)
    kinds = {Deployment: Linked.DEPLOYMENT, ModelVersion: Linked.VERSION, Run: Linked.RUN}
    return write_link(row, by, kinds[type(to)], to)


@transaction.atomic(durable=True)
def unlink(*, by: Person, link: IncidentLink) -> IncidentLink:
    """Take a link back that was wrong; that it was there stays on the timeline."""
    row, _ = locked_for(by, link.incident)
    kept = IncidentLink.objects.get(pk=link.pk)
    if kept.kind in LED_TO:
        raise Conflict(gettext("What an incident has led to stays linked to it."))
    if kept.removed_at is not None:
        raise Conflict(gettext("This link was taken back already."))
    kept.removed_at = database_now()
    kept.save(update_fields=["removed_at"])
    record(row, Event.UNLINKED, actor=by.actor, author=by, facts={"to": kept.target.subject})
    return kept


def write_link(
    row: Incident, by: Person, kind: Linked, target: Target, *, text: str = ""
) -> IncidentLink:
    """Write a link with its leaf; the caller holds the incident's lock.

    Raises:
        Conflict: it is there already, or there are too many.
    """
    where = {_FIELDS[kind]: target}
    standing = row.links.filter(removed_at=None)
    if standing.filter(**where).exists():
        raise Conflict(
            gettext("%(ref)s is linked to %(target)s already.")
            % {
                "ref": row.ref,
                "target": target,
            }
        )
    if standing.count() >= MOST_LINKS:
        raise Conflict(
            gettext("An incident has at most %(most_links)s links; take one back first.")
            % {
                "most_links": MOST_LINKS,
            }
        )
    leaf = record(
        row,
        Event.LINKED,
        actor=by.actor,
        author=by,
        text=text,
        facts={"kind": str(kind), "to": target.subject},
    )
    return IncidentLink.objects.create(incident=row, kind=kind, leaf_id=leaf.id, **where)
