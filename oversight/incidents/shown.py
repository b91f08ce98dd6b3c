"""What is public of an incident, as data: for its page, the API, twins and exports."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from oversight.incidents import oecd
from oversight.incidents.choices import Linked
from oversight.incidents.models import Incident, IncidentLink
from oversight.registry.models import Authorisation
from oversight.web.clock import stamp


def links_of(incident: Incident, *kinds: Linked) -> list[IncidentLink]:
    """Return the standing links of these kinds, or all."""
    links = incident.standing_links
    return [link for link in links if link.kind in kinds] if kinds else links


def as_record(incident: Incident) -> dict[str, Any]:
    """Return the public part as data; a list of links is read with `with_parts`."""
    return {
        "ref": incident.ref,
        "status": incident.status,
        "severity": incident.severity or None,
        "category": incident.category if incident.published_at else None,
        "harm": incident.harm if incident.severity else None,
        "body": incident.body.slug if incident.body else None,
        "title": incident.shown_title,
        "text": incident.shown_text,
        "language": incident.written_in,
        "hidden": incident.hidden_reason or None,
        "occurred_on": incident.occurred_on if incident.published_at else None,
        "reported_at": incident.reported_at,
        "responded_at": incident.responded_at,
        "published_at": incident.published_at,
        "ending_reason": incident.ending_reason or None,
        "links": [
            {"kind": link.kind, "to": link.target.subject, "id": link.pk}
            for link in incident.standing_links
            # A draft is nobody's but its body's.
            if is_public(link)
        ],
        "leaf": str(incident.leaf_id),
    }


def is_public(link: IncidentLink) -> bool:
    """Say whether everybody may see where a link leads: a draft is its body's alone."""
    return link.proposal is None or link.proposal.status != "draft"


def as_row(incident: Incident) -> dict[str, Any]:
    """Return the public part as one row of a table."""
    record = as_record(incident)
    links = record.pop("links")
    for kind in (Linked.DEPLOYMENT, Linked.VERSION, Linked.RUN):
        found = [link["to"].partition(":")[2] for link in links if link["kind"] == kind]
        record[f"{kind}s"] = found
    moments = ("reported_at", "responded_at", "published_at")
    return record | {name: stamp(record[name]) if record[name] else None for name in moments}


def as_oecd(incident: Incident) -> dict[str, Any]:
    """Return the incident in the OECD's terms."""
    uses = links_of(incident, Linked.DEPLOYMENT)
    return oecd.as_oecd(
        oecd.Facts(
            ref=incident.ref,
            address=_whole(incident.get_absolute_url()),
            title=incident.shown_title,
            description=incident.shown_text,
            status=incident.status,
            severity=incident.severity,
            category=incident.category,
            harm=incident.harm,
            occurred_on=incident.occurred_on.isoformat() if incident.occurred_on else None,
            reported_at=stamp(incident.reported_at),
            body=str(incident.body or ""),
            uses=[_use(link) for link in uses],
            systems=[_system(link) for link in links_of(incident, Linked.VERSION)],
            evidence=[
                _whole(link.run.get_absolute_url())
                for link in links_of(incident, Linked.RUN)
                if link.run
            ],
            responses=[
                _whole(link.proposal.get_absolute_url())
                for link in links_of(incident, Linked.SUSPENSION, Linked.REVIEW)
                if link.proposal and is_public(link)
            ],
            ending=incident.ending_reason,
        )
    )


def _use(link: IncidentLink) -> oecd.Use:
    deployment = link.deployment
    assert deployment is not None  # noqa: S101 - a check constraint
    return oecd.Use(
        name=deployment.name,
        purpose=deployment.purpose,
        audience=deployment.audience,
        operator=str(deployment.endpoint.operator),
        address=_whole(deployment.get_absolute_url()),
    )


def _system(link: IncidentLink) -> oecd.System:
    version = link.version
    assert version is not None  # noqa: S101 - a check constraint
    return oecd.System(
        name=version.model.name,
        version=version.label,
        developer=version.model.developer,
        licence=version.licence,
        digest=version.digest,
    )


def suspensions_of(incidents: Sequence[Incident]) -> dict[int, Authorisation]:
    """Return, by proposal, the authorisations whose emergency suspension waits for ratification."""
    refs = {
        link.proposal.ref: link.proposal_id
        for incident in incidents
        for link in links_of(incident, Linked.SUSPENSION)
        if link.proposal
    }
    rows = Authorisation.objects.with_parts().filter(changed_by__in=refs)
    return {
        proposal: row
        for row in rows
        if row.suspended_until is not None
        and row.state_now == "suspended"
        and (proposal := refs.get(row.changed_by)) is not None
    }


def _whole(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"
