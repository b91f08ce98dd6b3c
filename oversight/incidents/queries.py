"""Chainable reads of incidents."""

from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from oversight.accounts.policy import can_read_restricted, is_person
from oversight.incidents.choices import OPEN

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
