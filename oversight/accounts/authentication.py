"""Signs programs in by API key: `Authorization: Bearer osk_…`."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from oversight.accounts.models import ApiKey, Person
from oversight.accounts.services import KEY_PREFIX, digest_of_secret


class ApiKeyAuthentication(BaseAuthentication):
    """Finds the person behind a key; `request.auth` is the key, with its scopes."""

    def authenticate(self, request: Request) -> tuple[Person, ApiKey] | None:
        """Return person and key, None when no key was sent.

        Raises:
            AuthenticationFailed: what was sent is no key, or a bad one. Taking the caller for a
                visitor instead would show them less than they asked for and not say so (401).
        """
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        secret = b" ".join(parts[1:]).decode("ascii", errors="replace")
        if not secret.startswith(KEY_PREFIX):
            raise AuthenticationFailed(f"An API key begins with {KEY_PREFIX}; this is none.")
        digest = digest_of_secret(secret)
        key = ApiKey.objects.usable().select_related("person").filter(digest=digest).first()
        if key is None:
            raise AuthenticationFailed("This API key is unknown, expired or revoked.")
        _note_use(key)
        return key.person, key

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """Name the scheme, so that a missing key is 401 and not 403."""
        return "Bearer"


def _note_use(key: ApiKey) -> None:
    """Keep the last use to the minute: a write on every request would be a needless cost."""
    stale = timezone.now() - timedelta(minutes=1)
    if key.last_used_at and key.last_used_at >= stale:
        return
    unused = Q(last_used_at__isnull=True) | Q(last_used_at__lt=stale)
    ApiKey.objects.filter(unused, pk=key.pk).update(last_used_at=timezone.now())
