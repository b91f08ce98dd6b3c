"""Accounts of people, and how a new site gets its first administrator."""

import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from oversight.accounts.models import OneTimeLink, Person
from oversight.accounts.services.keys import digest_of_secret
from oversight.web.refusals import Conflict, Invalid

FIRST_ADMINISTRATOR = "first-administrator"


@transaction.atomic(durable=True)
def register_person(
    *, email: str, display_name: str, password: str | None = None, is_auditor: bool = False
) -> Person:
    """Make an account whose e-mail counts as verified (an administrator vouches for it).

    Raises:
        Invalid: an account with this e-mail exists.
    """
    if Person.objects.filter(email=email.lower()).exists():
        raise Invalid(
            gettext("There is already an account with this e-mail."),
            fields={"email": gettext("Taken.")},
        )
    person = Person.objects.create_user(
        email, password, display_name=display_name, is_auditor=is_auditor
    )
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def shell_person() -> Person:
    """Return the account under which commands on this machine act; it cannot sign in."""
    person, _ = Person.objects.get_or_create(
        email="shell@localhost",
        defaults={"display_name": "Operator of this machine", "is_system": True, "password": "!"},
    )
    return person


@transaction.atomic(durable=True)
def issue_first_administrator_link() -> str | None:
    """Return the secret of a fresh link for the first administrator; None if there is one."""
    if Person.objects.filter(is_superuser=True).exists():
        return None
    OneTimeLink.objects.filter(purpose=FIRST_ADMINISTRATOR, used_at=None).delete()
    secret = secrets.token_urlsafe(24)
    OneTimeLink.objects.create(
        purpose=FIRST_ADMINISTRATOR,
        digest=digest_of_secret(secret),
        expires_at=timezone.now() + timedelta(hours=24),
    )
    return secret


@transaction.atomic(durable=True)
def use_first_administrator_link(
    *, secret: str, email: str, display_name: str, password: str
) -> Person:
    """Make the first administrator. The row lock lets exactly one of two racing requests through.

    Raises:
        Conflict: the link is unknown, used, too old, or an administrator exists.
    """
    link = (
        OneTimeLink.objects.select_for_update()
        .filter(purpose=FIRST_ADMINISTRATOR, digest=digest_of_secret(secret))
        .first()
    )
    usable = link is not None and link.used_at is None and link.expires_at > timezone.now()
    if link is None or not usable or Person.objects.filter(is_superuser=True).exists():
        raise Conflict(
            gettext(
                "This link has been used or is too old. "
                "Run `python manage.py first_administrator` for a new one."
            )
        )
    link.used_at = timezone.now()
    link.save(update_fields=["used_at"])
    person = Person.objects.create_superuser(email, password, display_name=display_name)
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person
