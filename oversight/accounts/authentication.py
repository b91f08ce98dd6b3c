"""Signs programs in by API key: `Authorization: Bearer osk_…`."""

from functools import lru_cache

from django.db import connection
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from oversight.accounts.models import ApiKey, Person
from oversight.accounts.services import KEY_PREFIX, digest_of_secret
from oversight.web import prepared


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
        key = _usable_key(digest_of_secret(secret))
        if key is None:
            raise AuthenticationFailed("This API key is unknown, expired or revoked.")
        return key.person, key

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """Name the scheme, so that a missing key is 401 and not 403."""
        return "Bearer"


def _usable_key(digest: str) -> ApiKey | None:
    """Return the key with its person, and keep its last use to the minute."""
    row = prepared.one(_question(), [digest])
    if row is None:
        return None
    is_stale, *values = row
    keys, people = _columns()
    key = ApiKey.from_db(connection.alias, keys, values[: len(keys)])
    key.person = Person.from_db(connection.alias, people, values[len(keys) :])
    if is_stale:
        prepared.run(_NOTE_USE, [key.pk])
    return key


@lru_cache(maxsize=1)
def _question() -> str:
    """Return the text of the question for a key and its person, with the digest left open.

    Made once: every request of a program asks it, and making it took the web process longer than
    all else that a ballot takes.
    """
    found = ApiKey.objects.usable().select_related("person").filter(digest="").order_by()
    text, values = found.query.sql_with_params()
    if values != ("",):
        raise TypeError(f"The question for a key leaves more open than the digest: {values}")
    return str(text).replace("SELECT ", f"SELECT {_STALE}, ", 1)


@lru_cache(maxsize=1)
def _columns() -> tuple[list[str], list[str]]:
    """Return the fields of key and person in the order in which the question asks for them."""
    return (
        [field.attname for field in ApiKey._meta.concrete_fields],
        [field.attname for field in Person._meta.concrete_fields],
    )


_STALE = (
    "coalesce(accounts_apikey.last_used_at < statement_timestamp() - interval '1 minute', true)"
)
_NOTE_USE = f"""UPDATE accounts_apikey SET last_used_at = statement_timestamp()
    WHERE id = %s AND {_STALE}
"""  # noqa: S608 - made of constants
"""At most once a minute: a write on every request would be a needless cost."""
