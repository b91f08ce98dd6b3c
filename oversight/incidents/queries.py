"""Chainable reads of incidents."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from django.apps import apps
from django.db.models import Count, DateTimeField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.db.models.functions import Cast, Coalesce

from oversight.accounts.policy import can_read_restricted, is_person
from oversight.incidents.choices import OPEN
from oversight.registry.choices import AuthorisationState
from oversight.registry.models import Authorisation, ModelVersion

if TYPE_CHECKING:
    from oversight.incidents.models import Incident, IncidentLink  # noqa: F401


class IncidentQuerySet(QuerySet["Incident"]):
    """Incidents of all bodies."""

    def published(self) -> "IncidentQuerySet":
        """Keep those whose public text is written."""
        return self.filter(published_at__isnull=False)

    def open(self) -> "IncidentQuerySet":
        """Keep those that are not over."""
        return self.filter(status__in=OPEN)

    def handled_by(self, user: object) -> "IncidentQuerySet":
        """Keep those whose private part the user may read: their body's, and nobody's yet.

        Auditors and administrators read all.
        """
        if can_read_restricted(user):
            return self
        if not is_person(user):
            return self.none()
        bodies = list(user.memberships.in_term().clerks().values_list("body_id", flat=True))
        unassigned = Q(body=None) if bodies else Q(pk=None)
        return self.filter(Q(body_id__in=bodies) | unassigned)

    def about(self, kind: str, ids: object) -> "IncidentQuerySet":
        """Keep those linked to these deployments, versions or runs."""
        return self.filter(
            **{f"links__{kind}__in": ids, "links__removed_at__isnull": True}
        ).distinct()

    def of_versions(self, versions: Iterable[ModelVersion]) -> "IncidentQuerySet":
        """Keep those about one of these versions, or about a use that one of them served then.

        Who reports what a use did names the use; which weights were in it on the day on which it
        happened, or was reported where nobody knows that day, the registry knows.
        """
        ids = [version.pk for version in versions]
        first, last = OuterRef("first"), OuterRef("last")
        served = (
            Authorisation.objects.filter(version__in=ids, deployment=OuterRef("deployment"))
            .filter(Q(ends_at=None) | Q(ends_at__gte=first), starts_at__lte=last)
            .exclude(
                state__in=[AuthorisationState.REVOKED, AuthorisationState.SUPERSEDED],
                state_changed_at__lt=first,
            )
        )
        day = Cast("incident__occurred_on", DateTimeField())
        after = ExpressionWrapper(day + timedelta(days=1), DateTimeField())
        # The models of this floor use this module, so it cannot ask them by import.
        links = (
            apps.get_model("incidents", "IncidentLink")
            ._default_manager.annotate(
                first=Coalesce(day, "incident__reported_at"),
                last=Coalesce(after, "incident__reported_at"),
            )
            .filter(
                Q(version__in=ids) | Q(Exists(served)), incident=OuterRef("pk"), removed_at=None
            )
        )
        return self.filter(Exists(links))

    def with_parts(self) -> "IncidentQuerySet":
        """Fetch the body in the same query, and the links in a second one."""
        return self.select_related("body").prefetch_related(
            "links__deployment__endpoint__operator",
            "links__version__model",
            "links__run",
            "links__proposal",
        )

    def newest_first(self) -> "IncidentQuerySet":
        """Order by when they were reported, newest first."""
        return self.order_by("-reported_at", "-id")


def open_by_deployment(ids: Iterable[int]) -> dict[int, int]:
    """Return how many published incidents about each of these deployments are not over."""
    links = apps.get_model("incidents", "IncidentLink").objects.filter(
        deployment__in=set(ids),
        removed_at=None,
        incident__published_at__isnull=False,
        incident__status__in=OPEN,
    )
    counted = (
        links.order_by().values("deployment").annotate(number=Count("incident", distinct=True))
    )
    return dict(counted.values_list("deployment", "number"))
