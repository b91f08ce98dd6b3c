"""Chainable reads of the accounts floor."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import BaseUserManager
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from oversight.accounts.choices import VOTING_ROLES, BodyRole

if TYPE_CHECKING:
    from oversight.accounts.models import (  # noqa: F401
        Affiliation,
        ApiKey,
        Membership,
        Notice,
        Person,
    )


class PersonManager(BaseUserManager["Person"]):
    """Creates people; their e-mail is their name at sign-in."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Person":
        """Create a person with a hashed password; without one they cannot sign in by password."""
        person = self.model(email=self.normalize_email(email).lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "Person":
        """Create an administrator (Django's own command calls this)."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "Person":
        """Find a person by e-mail, whatever its case."""
        return self.get(email=(username or "").lower())


def _in_term(moment: datetime) -> Q:
    return Q(starts_at__lte=moment) & (Q(ends_at__isnull=True) | Q(ends_at__gt=moment))


class MembershipQuerySet(QuerySet["Membership"]):
    """Seats and clerks of bodies."""

    def in_term(self, moment: datetime | None = None) -> "MembershipQuerySet":
        """Keep those whose term covers the moment (now by default)."""
        return self.filter(_in_term(moment or timezone.now()))

    def overlapping(self, starts_at: datetime, ends_at: datetime | None) -> "MembershipQuerySet":
        """Keep those whose term shares a moment with this one; `None` ends never."""
        found = self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=starts_at))
        return found.filter(starts_at__lt=ends_at) if ends_at else found

    def voting(self) -> "MembershipQuerySet":
        """Keep those who have a vote."""
        return self.filter(role__in=VOTING_ROLES)

    def clerks(self) -> "MembershipQuerySet":
        """Keep the clerks."""
        return self.filter(role=BodyRole.CLERK)


class AffiliationQuerySet(QuerySet["Affiliation"]):
    """Who may act for which organisation."""

    def in_term(self, moment: datetime | None = None) -> "AffiliationQuerySet":
        """Keep those whose term covers the moment (now by default)."""
        return self.filter(_in_term(moment or timezone.now()))


class ApiKeyQuerySet(QuerySet["ApiKey"]):
    """Keys of people for programs."""

    def usable(self) -> "ApiKeyQuerySet":
        """Keep keys that are neither revoked nor expired and whose owner is active."""
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=Now()),
            revoked_at__isnull=True,
            person__is_active=True,
        )


class NoticeQuerySet(QuerySet["Notice"]):
    """What people are told."""

    def due(self, moment: datetime | None = None) -> "NoticeQuerySet":
        """Keep those whose mail is due and has not been sent."""
        return self.filter(sent_at__isnull=True, mail_at__lte=moment or timezone.now())

    def unread(self) -> "NoticeQuerySet":
        """Keep those their person has not marked as read."""
        return self.filter(read_at__isnull=True)

    def newest_first(self) -> "NoticeQuerySet":
        """Order by when they were written, newest first."""
        return self.order_by("-created_at", "-id")
