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
    database: Any = settings.DATABASES["default"]
    if database["HOST"] not in LOCAL_HOSTS and not database["HOST"].startswith("/"):
        mode = database["OPTIONS"].get("sslmode", "")
        if mode not in {"require", "verify-ca", "verify-full"}:
            hint = "Add ?sslmode=verify-full to DATABASE_URL."
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
