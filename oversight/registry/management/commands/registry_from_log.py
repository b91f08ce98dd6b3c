"""`manage.py registry_from_log`: hold the registry against what follows from the log alone."""

from typing import Any

from django.core.management.base import CommandError

from oversight.ledger.models import LedgerEntry, PendingLeaf
from oversight.registry.choices import AuthorisationState
from oversight.registry.documents import digest_of
from oversight.registry.effects import digest_of_conditions
from oversight.registry.models import (
    Authorisation,
    Deployment,
    Descent,
    Description,
    Endpoint,
    ModelVersion,
    RegisteredModel,
)
from oversight.registry.rebuild import Rows, differences, rebuild
from oversight.web.clock import stamp
from oversight.web.commands import USAGE_ERROR, ServiceCommand

DIFFERS = 1


class Command(ServiceCommand):
    """Rebuilds the registry from the log and compares; writes nothing."""

    help = "Rebuild the registry from the log alone and say where the tables differ (exit 1)."

    def act(self, **options: Any) -> None:  # noqa: ARG002 - every command takes them
        """Compare, and say how many rows agree or which do not."""
        if PendingLeaf.objects.filter(type__startswith="registry.").exists():
            raise CommandError(
                "An act of the registry waits for its place on the log: try again in a moment.",
                returncode=USAGE_ERROR,
            )
        entries = LedgerEntry.objects.filter(type__startswith="registry.").order_by("index")
        logged = rebuild(entry.content for entry in entries.iterator())
        found = differences(logged, registry_rows())
        for line in found:
            self.stderr.write(line)
        if found:
            raise CommandError("The registry is not what the log says.", returncode=DIFFERS)
        self.stdout.write(f"The registry is what the log says: {len(logged)} rows.")


def registry_rows() -> Rows:
    """Return what the tables of the registry say, in the words of the log."""
    rows: Rows = {f"model:{model.slug}": {} for model in RegisteredModel.objects.all()}
    for version in ModelVersion.objects.select_related("model", "signature"):
        signature = getattr(version, "signature", None)
        rows[version.subject] = {
            "model": version.model.slug,
            "label": version.label,
            "licence": version.licence,
            "model_signing": signature and signature.digest,
            "signed_by": signature and signature.key,
        }
    for endpoint in Endpoint.objects.select_related("operator"):
        rows[f"endpoint:{endpoint.slug}"] = {"operator": endpoint.operator.slug}
    for deployment in Deployment.objects.select_related("endpoint"):
        rows[deployment.subject] = {"endpoint": deployment.endpoint.slug}
    digests = {
        row.subject: row.digest
        for row in Description.objects.order_by("subject", "-number").distinct("subject")
    }
    for subject, found in rows.items():
        found["description"] = digests.get(subject)
    for edge in Descent.objects.select_related("child", "parent"):
        rows[f"{edge.child.subject} from {edge.parent.subject}"] = {
            "kind": edge.kind,
            "data": digest_of(edge.data) if edge.data else None,
        }
    for row in Authorisation.objects.with_parts():
        rows[row.subject] = _authorisation(row)
    return rows


def _authorisation(row: Authorisation) -> dict[str, Any]:
    lapses = row.suspended_until if row.state == AuthorisationState.SUSPENDED else None
    return {
        "version": row.version.digest,
        "conditions": digest_of_conditions(row.conditions) if row.conditions else None,
        "deployment": row.deployment.slug,
        "starts_at": stamp(row.starts_at),
        "ends_at": stamp(row.ends_at) if row.ends_at else None,
        "state": row.state,
        "until": stamp(lapses) if lapses else None,
    }
