"""API keys: secrets that are shown once and stored hashed."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from oversight.accounts.choices import Scope
from oversight.accounts.models import ApiKey, Person
from oversight.web.refusals import Invalid, NotAllowed

KEY_PREFIX = "osk_"


def digest_of_secret(secret: str) -> str:
    """Return the stored form of a secret; plain SHA-256 suffices for 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic(durable=True)
def create_api_key(
    *, person: Person, name: str, scopes: Iterable[str], days: int | None = 365
) -> tuple[ApiKey, str]:
    """Make a key and return it with its secret, which is shown this once and stored hashed.

    Raises:
        Invalid: an unknown scope, or a lifetime outside 1 to 3650 days.
    """
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown:
        known = ", ".join(Scope.values)
        raise Invalid(
            gettext("Unknown scope %(unknown)s: use %(known)s.")
            % {
                "unknown": f"{unknown[0]!r}",
                "known": known,
            },
            fields={"scopes": known},
        )
    if days is not None and not 1 <= days <= 3650:
        raise Invalid(
            gettext("A key lives 1 to 3650 days."), fields={"days": gettext("Use 1 to 3650.")}
        )
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        person=person,
        name=name,
        prefix=secret[:12],
        digest=digest_of_secret(secret),
        scopes=wanted,
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )
    return key, secret


@transaction.atomic(durable=True)
def revoke_api_key(*, person: Person, key: ApiKey) -> ApiKey:
    """Revoke one's own key, at once and for ever."""
    row = ApiKey.objects.select_for_update().get(pk=key.pk)
    if row.person_id != person.pk:
        raise NotAllowed(gettext("This key belongs to somebody else."))
    if row.revoked_at is None:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
    return row
