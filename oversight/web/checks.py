"""Deploy checks of our own: what must not be left as it is in production."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

LOCAL_HOSTS = {"", "localhost", "127.0.0.1", "::1"}


@register(Tags.security, deploy=True)
def production_is_explicit(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Refuse development defaults, unencrypted remote parts and a missing broker."""
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(Error("DEBUG is on.", hint="Unset DEBUG.", id="oversight.E001"))
    for alias, variable in (("default", "DATABASE_URL"), ("replica", "GATE_REPLICA_URL")):
        if _is_open_to_the_wire(settings.DATABASES.get(alias)):
            hint = f"Add ?sslmode=verify-full to {variable}."
            found.append(
                Error("The database is remote without TLS.", hint=hint, id="oversight.E002")
            )
    broker = urlsplit(settings.BROKER_URL)
    if not settings.BROKER_URL:
        found.append(Error("No broker is set.", hint="Set BROKER_URL.", id="oversight.E003"))
    elif broker.scheme == "amqp" and (broker.hostname or "") not in LOCAL_HOSTS:
        found.append(
            Error("The broker is remote without TLS.", hint="Use amqps://.", id="oversight.E004")
        )
    if settings.ARTEFACTS_BUCKET.get("endpoint", "").startswith("http://"):
        hint = "Use an endpoint with https://."
        found.append(Error("The bucket is reached without TLS.", hint=hint, id="oversight.E005"))
    return found


def _is_open_to_the_wire(database: Any) -> bool:
    """Say whether a database is on another machine and may be spoken to without TLS."""
    if database is None or database["HOST"] in LOCAL_HOSTS or database["HOST"].startswith("/"):
        return False
    return database["OPTIONS"].get("sslmode", "") not in {"require", "verify-ca", "verify-full"}
