"""Which acts of the record a subscription wants, and what it is sent of each.

Thin on purpose: type, time, place on the record and where to read more. What it means is read at
those addresses, as it stands by then; no text, no name and no actor is sent.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from oversight.dashboards import acts
from oversight.ledger.models import LedgerEntry
from oversight.web.clock import stamp
from oversight.webhooks.models import Subscription

PING = "webhook.ping"
CHALLENGE = "webhook.challenge"


def known_beginnings() -> set[str]:
    """Return every type of event, and every beginning of one that ends at a dot."""
    parts = [each.split(".") for each in acts.WORDS]
    return {".".join(each[:count]) for each in parts for count in range(1, len(each) + 1)}


def wanted(subscription: Subscription, entries: Iterable[LedgerEntry]) -> Iterator[LedgerEntry]:
    """Yield the entries that the subscription asks for, in their order."""
    bodies: dict[str, str] = {}
    for entry in entries:
        if subscription.subject and entry.subject != subscription.subject:
            continue
        if subscription.types and not _is_one_of(entry.type, subscription.types):
            continue
        if subscription.body is None or subscription.body.slug == _body_of(entry, bodies):
            yield entry


def content_of(entry: LedgerEntry) -> bytes:
    """Return what is sent of an act."""
    index = entry.index
    page = acts.subject_address(entry.subject)
    data = {
        "index": index,
        "subject": entry.subject,
        "what": acts.words(entry.type),
        "leaf_hash": entry.leaf_hash,
        "entry": _whole(reverse("record-entry", args=[index])),
        "leaf": _whole(reverse("record-leaf", args=[index])),
        "receipt": _whole(reverse("ledger:proof", args=[index])),
        "page": _whole(page) if page else None,
    }
    return _content(entry.type, entry.content["at"], data)


def ping_content(subscription: Subscription) -> bytes:
    """Return what a test sends."""
    return _content(PING, stamp(timezone.now()), {"subscription": subscription.public_id})


def challenge_content(subscription: Subscription, challenge: str) -> bytes:
    """Return what asks an address whether it wants this; its answer repeats the challenge."""
    data = {"subscription": subscription.public_id, "challenge": challenge}
    return _content(CHALLENGE, stamp(timezone.now()), data)


def _content(type_: str, at: str, data: dict[str, Any]) -> bytes:
    return json.dumps({"type": type_, "timestamp": at, "data": data}).encode()


def _is_one_of(type_: str, beginnings: Iterable[str]) -> bool:
    return any(type_ == each or type_.startswith(f"{each}.") for each in beginnings)


def _body_of(entry: LedgerEntry, known: dict[str, str]) -> str:
    """Return the slug of the body whose act it is, as the record alone says; else an empty text.

    The first act about a proposal or an incident names its body, and what is authorised or
    allocated bears the number of the proposal that decided it.
    """
    kind, _, name = entry.subject.partition(":")
    if kind == "body":
        return name
    if own := entry.content.get("facts", {}).get("body"):
        return str(own)
    subject = f"proposal:{name}" if kind in {"authorisation", "budget"} else entry.subject
    if kind not in {"proposal", "incident", "authorisation", "budget"}:
        return ""
    if not known.get(subject):
        earlier = LedgerEntry.objects.about(subject).filter(index__lt=entry.index)
        named = (row.content.get("facts", {}).get("body") for row in earlier[:20])
        known[subject] = str(next(filter(None, named), ""))
    return known[subject]


def _whole(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"
