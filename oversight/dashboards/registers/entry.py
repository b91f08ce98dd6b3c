"""What is known of one deployment, gathered for the registers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import translation

from oversight.dashboards.evidence import Evidence, of_contracts
from oversight.dashboards.reports.findings import evidence_words
from oversight.registry.models import Authorisation, Deployment, Description
from proposals.models import Decision


@dataclass(frozen=True, slots=True)
class Entry:
    """One deployment: what the record holds, and what it and its version say of themselves."""

    slug: str
    name: str
    purpose: str
    audience: str
    operator: str
    address: str
    """Its page here, with https."""
    use: Mapping[str, Any]
    """The newest description of the deployment (`registry.descriptions.DEPLOYMENT`)."""
    card: Mapping[str, Any]
    """The newest description of the version that is, or was last, authorised."""
    model: str
    version: str
    weights: str
    licence: str
    status: str
    """`planned`, `in_use` or `ended`."""
    starts: datetime | None
    ends: datetime | None
    decision: str
    body: str
    decided: datetime | None
    evidence: str
    """What was asked of the model and what was found, in sentences."""
    changed: datetime
    """The newest of its parts."""

    def said(self, *names: str) -> str:
        """Return what the deployment's description says, the first of these fields that it has."""
        return next((str(self.use[name]) for name in names if self.use.get(name)), "")

    def on_card(self, *names: str) -> str:
        """Return what the version's description says, the first of these fields that it has."""
        for name in names:
            value = self.card.get(name)
            if value:
                return ", ".join(value) if isinstance(value, list) else str(value)
        return ""

    @property
    def report(self) -> str:
        """The address of its audit report."""
        return f"{self.address}report/"

    @property
    def bundle(self) -> str:
        """The address of its audit bundle."""
        return f"{self.address}bundle.zip"


def entries_of(deployments: Iterable[Deployment], now: datetime) -> list[Entry]:
    """Return what is known of each, in their order; a few queries whatever their number."""
    found = list(deployments)
    standing = _standing(found)
    refs = [row.decision_ref for row in standing.values()]
    decisions = {
        each.ref: each
        for each in Decision.objects.filter(proposal__ref__in=refs).select_related(
            "proposal__body", "proposal__contract"
        )
    }
    subjects = [each.subject for each in found]
    subjects += [row.version.subject for row in standing.values()]
    found_by = of_contracts(each.proposal.contract for each in decisions.values())
    evidence = {ref: found_by[each.proposal.contract.pk] for ref, each in decisions.items()}
    known = _Known(decisions, evidence, Description.objects.newest(subjects))
    # A register is one file for everybody, so what it says of the evidence is English.
    with translation.override(settings.LANGUAGE_CODE):
        return [_entry(each, standing.get(each.pk), known, now) for each in found]


@dataclass(frozen=True, slots=True)
class _Known:
    """What was fetched for all deployments at once."""

    decisions: Mapping[str, Decision]
    evidence: Mapping[str, list[Evidence]]
    said: Mapping[str, Description]


def _standing(deployments: list[Deployment]) -> dict[int, Authorisation]:
    """Return the authorisation that stands of each, or else the newest."""
    rows = Authorisation.objects.filter(deployment__in=deployments).with_parts()
    found: dict[int, Authorisation] = {}
    for row in rows.standing_first():
        found.setdefault(row.deployment_id, row)
    return found


def _entry(
    deployment: Deployment, row: Authorisation | None, known: _Known, now: datetime
) -> Entry:
    decision = known.decisions.get(row.decision_ref) if row else None
    use = known.said.get(deployment.subject)
    card = known.said.get(row.version.subject) if row else None
    moments = [
        deployment.registered_at,
        *(each.described_at for each in (use, card) if each),
        *([row.state_changed_at] if row else []),
        *([row.ends_at] if row and row.ends_at and row.ends_at <= now else []),
    ]
    return Entry(
        slug=deployment.slug,
        name=deployment.name,
        purpose=deployment.purpose,
        audience=deployment.audience,
        operator=deployment.endpoint.operator.name,
        address=f"{settings.PUBLIC_URL}{deployment.get_absolute_url()}",
        use=use.document if use else {},
        card=card.document if card else {},
        model=str(row.version.model) if row else "",
        version=row.version.label if row else "",
        weights=row.version.digest if row else "",
        licence=row.version.licence if row else "",
        status="planned" if row is None else "in_use" if row.is_in_force(now) else "ended",
        starts=row.starts_at if row else None,
        ends=row.ends_at if row else None,
        decision=f"{settings.PUBLIC_URL}{decision.get_absolute_url()}" if decision else "",
        body=decision.proposal.body.name if decision else "",
        decided=decision.decided_at if decision else None,
        evidence=evidence_words(known.evidence[decision.ref]) if decision else "",
        changed=max(moments),
    )
