"""Chainable reads of the registry floor."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Case, F, Func, IntegerField, Prefetch, Q, QuerySet, When
from django.utils import timezone

from oversight.registry.choices import AuthorisationState

if TYPE_CHECKING:
    from oversight.registry.models import (  # noqa: F401
        Authorisation,
        Deployment,
        Description,
        Endpoint,
        ModelVersion,
        RegisteredModel,
    )

MOST_WORDS = 8
"""Of a search; further ones are not looked for."""


class ModelVersionQuerySet(QuerySet["ModelVersion"]):
    """Registered versions."""

    def newest_first(self) -> "ModelVersionQuerySet":
        """Order by registration, newest first."""
        return self.order_by("-registered_at", "-id")

    def listed(self) -> "ModelVersionQuerySet":
        """Leave the lists of files in the database, which may be long; `file_count` counts them."""
        counted = Func(F("manifest"), function="jsonb_array_length", output_field=IntegerField())
        return self.defer("manifest").annotate(file_count=counted)


class ModelQuerySet(QuerySet["RegisteredModel"]):
    """Registered models."""

    def matching(self, words: str) -> "ModelQuerySet":
        """Keep models in whose names, developer, labels or digests each of the words stands."""
        found = self
        for word in words.split()[:MOST_WORDS]:
            called = Q(label__istartswith=word) | Q(digest__startswith=word)
            versions = self._versions().filter(called).values("model_id")
            named = Q(name__icontains=word) | Q(slug__icontains=word)
            # Not a join, which would give each model once for each of its versions.
            found = found.filter(named | Q(developer__icontains=word) | Q(pk__in=versions))
        return found

    def with_versions(self) -> "ModelQuerySet":
        """Fetch label and digest of each model's versions in one more query."""
        rows = self._versions().only("model_id", "label", "digest", "registered_at")
        return self.prefetch_related(Prefetch("versions", rows))

    def _versions(self) -> "ModelVersionQuerySet":
        """Return all versions; their table stands in a room above this one."""
        model: Any = self.model
        rows: ModelVersionQuerySet = model.versions.rel.related_model.objects.all()
        return rows


class DeploymentQuerySet(QuerySet["Deployment"]):
    """Registered uses."""

    def matching(self, words: str) -> "DeploymentQuerySet":
        """Keep uses in whose names, purpose, audience or operator each of the words stands."""
        found = self
        for word in words.split()[:MOST_WORDS]:
            named = Q(name__icontains=word) | Q(slug__icontains=word) | Q(audience__icontains=word)
            operator = Q(endpoint__operator__name__icontains=word)
            found = found.filter(named | Q(purpose__icontains=word) | operator)
        return found


class EndpointQuerySet(QuerySet["Endpoint"]):
    """Registered endpoints."""

    def matching(self, words: str) -> "EndpointQuerySet":
        """Keep endpoints in whose names, operator or claimed version each of the words stands."""
        found = self
        for word in words.split()[:MOST_WORDS]:
            named = Q(name__icontains=word) | Q(slug__icontains=word)
            claims = Q(claimed_version__model__name__icontains=word)
            claims |= Q(claimed_version__label__istartswith=word)
            claims |= Q(claimed_version__digest__startswith=word)
            found = found.filter(named | Q(operator__name__icontains=word) | claims)
        return found


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
        parts = self.select_related("deployment__endpoint__operator", "version__model")
        return parts.defer("version__manifest")
