"""Chainable reads of the registry floor."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Case, Q, QuerySet, When
from django.utils import timezone

from oversight.registry.choices import AuthorisationState

if TYPE_CHECKING:
    from oversight.registry.models import (  # noqa: F401
        Authorisation,
        Description,
        ModelVersion,
    )


class ModelVersionQuerySet(QuerySet["ModelVersion"]):
    """Registered versions."""

    def newest_first(self) -> "ModelVersionQuerySet":
        """Order by registration, newest first."""
        return self.order_by("-registered_at", "-id")


class DescriptionQuerySet(QuerySet["Description"]):
    """What things say of themselves."""

    def about(self, subject: str) -> "DescriptionQuerySet":
        """Keep the descriptions of one subject, newest first."""
        return self.filter(subject=subject).order_by("-number")

    def newest(self, subjects: Iterable[str]) -> dict[str, "Description"]:
        """Return the newest description of each of these subjects that has one."""
        rows = self.filter(subject__in=list(subjects)).order_by("subject", "-number")
        return {row.subject: row for row in rows.distinct("subject")}


class AuthorisationQuerySet(QuerySet["Authorisation"]):
    """What decisions allowed."""

    def in_force(self, moment: datetime | None = None) -> "AuthorisationQuerySet":
        """Keep what is granted and within its time; no job has to run for an expiry or a lapse."""
        now = moment or timezone.now()
        lapsed = Q(state=AuthorisationState.SUSPENDED, suspended_until__lte=now)
        return self.filter(
            Q(ends_at__isnull=True) | Q(ends_at__gt=now),
            Q(state=AuthorisationState.GRANTED) | lapsed,
            starts_at__lte=now,
        )

    def standing(self) -> "AuthorisationQuerySet":
        """Keep those a later decision would replace: granted or suspended, expired or not."""
        return self.filter(state__in=[AuthorisationState.GRANTED, AuthorisationState.SUSPENDED])

    def standing_first(self) -> "AuthorisationQuerySet":
        """Order so that the one that decides comes first: the one that stands, else the newest."""
        stands = Q(state__in=[AuthorisationState.GRANTED, AuthorisationState.SUSPENDED])
        return self.order_by(Case(When(stands, then=0), default=1), "-starts_at", "-id")

    def with_parts(self) -> "AuthorisationQuerySet":
        """Fetch deployment, endpoint, operator, version and model in the same query."""
        return self.select_related("deployment__endpoint__operator", "version__model")
