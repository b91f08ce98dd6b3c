"""Erasing the private part of incidents: words, address, files, messages, and their openings."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext

from oversight.incidents.choices import Event
from oversight.incidents.models import Incident, IncidentEvent, IncidentReport
from oversight.incidents.services.steps import record
from oversight.ledger.models import Opening
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased of a report."""

    ref: str
    messages: int
    files: int
    openings: int


@transaction.atomic(durable=True)
def erase_report(*, incident: Incident) -> Erased:
    """Erase what the reporter wrote, and every way back to who it was; the public text stays.

    The secret link leads nowhere afterwards. The leaves keep their commitments, so every proof
    holds, but without salt and words nobody can open them. Locks the incident's row.

    Raises:
        Conflict: it was erased before.
    """
    row = (
        Incident.objects.select_for_update(of=("self",)).select_related("body").get(pk=incident.pk)
    )
    report = IncidentReport.objects.select_for_update().get(incident=row)
    if report.erased_at is not None:
        raise Conflict(gettext("The private part of %(ref)s was erased before.") % {"ref": row.ref})
    private = {Event.REPORTED, Event.ADDED, Event.ANSWERED}
    leaves = IncidentEvent.objects.filter(incident=row, kind__in=private).values("leaf_id")
    earlier = IncidentEvent.objects.filter(incident=row, kind=Event.PUBLISHED).order_by("-at")
    # Earlier public texts may have been written anew because they said too much.
    replaced = [event.leaf_id for event in earlier[1:]]
    openings, _ = Opening.objects.filter(leaf_id__in=leaves).delete()
    openings += Opening.objects.filter(leaf_id__in=replaced).delete()[0]
    files, _ = row.files.all().delete()
    messages = row.messages.exclude(text="").update(text="")
    report.text = report.email = report.relation = report.secret_digest = ""
    report.deployment, report.erased_at = None, database_now()
    report.save()
    record(row, Event.ERASED, actor="system:operator", facts={"openings": openings})
    return Erased(row.ref, messages, files, openings)


def reports_by_mail(address: str) -> list[Incident]:
    """Return the incidents whose reporter left this address."""
    return list(Incident.objects.filter(report__email__iexact=address).order_by("pk"))
