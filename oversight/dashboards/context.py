"""What every page knows: the site's name and the state of the record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest

from oversight.accounts.policy import is_person
from oversight.ledger.models import Checkpoint
from proposals.awaiting import awaiting_count


@dataclass(frozen=True, slots=True)
class RecordState:
    """How many acts are on the record, and when it was last signed."""

    size: int
    signed_at: datetime | None


def site(request: HttpRequest) -> dict[str, Any]:
    """Django's context processor: `site_name`, `site_notice`, `record` and others."""
    return {
        "site_name": settings.SITE_NAME,
        "site_notice": settings.SITE_NOTICE,
        "public_url": settings.PUBLIC_URL,
        "source_url": settings.SOURCE_URL,
        "sends_mail": settings.EMAIL_BACKEND.endswith(".smtp.EmailBackend"),
        "record": record_state(),
        "awaited_votes": lambda: awaited_votes(request),
    }


def awaited_votes(request: HttpRequest) -> int:
    """Return how many votes wait for the reader; none while the database does not answer."""
    person = getattr(request, "user", None)
    try:
        return awaiting_count(person) if is_person(person) else 0
    except DatabaseError:
        return 0


def record_state() -> RecordState | None:
    """Return the newest checkpoint's size and time; None while the database does not answer."""
    try:
        latest = Checkpoint.objects.order_by("-size").values("size", "signed_at").first()
    except DatabaseError:
        return None
    if latest is None:
        return RecordState(0, None)
    return RecordState(latest["size"], latest["signed_at"])
