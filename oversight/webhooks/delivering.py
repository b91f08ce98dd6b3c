"""Sends what is due: claims a subscription, sends entry after entry, and settles each.

At least once, in the record's order. The network is spoken to outside any transaction; what a crash
between the answer and its settlement leaves behind is sent again under the same `webhook-id`.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import connection
from django.utils import timezone

from oversight.ledger.models import LedgerEntry
from oversight.ledger.queries import published_size
from oversight.webhooks import events, sending, services, signing
from oversight.webhooks.choices import Ending, Kind
from oversight.webhooks.models import Attempt, Message, Subscription

SECONDS_A_SWEEP = 8.0
"""Shorter than the patience of other tasks: nothing new is begun after it."""

SENDERS = 4
"""Addresses that are spoken to at once: a slow one holds up no more than its own."""

CLAIMED_A_SWEEP = 200
ENTRIES_A_LOOK = 200

_sweeping = threading.Lock()
Send = Callable[[str, bytes, dict[str, str]], sending.Answer]


def sweep() -> int:
    """Send what is due for some seconds; return how many subscriptions were served.

    A second sweep in the same process does nothing, so that slow addresses never take all threads.
    """
    if not _sweeping.acquire(blocking=False):
        return 0
    try:
        size = published_size()
        due = list(Subscription.objects.due(size).values_list("pk", flat=True)[:CLAIMED_A_SWEEP])
        if not due:
            return 0
        until = time.monotonic() + SECONDS_A_SWEEP
        with ThreadPoolExecutor(min(SENDERS, len(due))) as senders:
            return sum(senders.map(lambda pk: _in_thread(pk, size, until), due))
    finally:
        _sweeping.release()


def serve(subscription_id: int, size: int, until: float, send: Send | None = None) -> bool:
    """Send one subscription what is due; say whether it was claimed.

    Args:
        subscription_id: which.
        size: how many entries are published.
        until: when to begin nothing more, by the monotonic clock.
        send: puts the request on its way; for tests.
    """
    held = services.claim(subscription_id=subscription_id, size=size)
    if held is None:
        return False
    try:
        if _send_asked(held, until, send or _post):
            _send_stream(held, size, until, send or _post)
    finally:
        # Not reached when killed: then the lease runs out.
        services.release(held=held)
    return True


def _in_thread(subscription_id: int, size: int, until: float) -> bool:
    try:
        return time.monotonic() < until and serve(subscription_id, size, until)
    finally:
        connection.close()


def _send_asked(held: Subscription, until: float, send: Send) -> bool:
    """Send what the owner asked for; say whether the subscription is still held."""
    for message in list(held.messages.all()):
        if time.monotonic() >= until:
            return False
        type_, body = _asked(held, message)
        attempt = _attempt(held, message.message_id, body, send, echo=message.challenge)
        attempt.kind, attempt.index, attempt.type = message.kind, message.index, type_
        if not services.settle_asked(held=held, message=message, attempt=attempt):
            return False
    held.refresh_from_db(fields=["status", "next_try_at", "failures"])
    return True


def _asked(held: Subscription, message: Message) -> tuple[str, bytes]:
    if message.kind == Kind.CHALLENGE:
        return events.CHALLENGE, events.challenge_content(held, message.challenge)
    if message.kind == Kind.PING:
        return events.PING, events.ping_content(held)
    entry = LedgerEntry.objects.get(index=message.index or 0)
    return entry.type, events.content_of(entry)


def _send_stream(held: Subscription, size: int, until: float, send: Send) -> None:
    """Send the entries that are due, in order, until one is not taken or the time is over."""
    if not Subscription.objects.due_stream(size).filter(pk=held.pk).exists():
        return
    for entry in _entries(held, size, until):
        attempt = _attempt(held, held.event_id(entry.index), events.content_of(entry), send)
        attempt.kind, attempt.index, attempt.type = Kind.EVENT, entry.index, entry.type
        if not services.settle(held=held, attempt=attempt):
            return


def _entries(held: Subscription, size: int, until: float) -> Iterator[LedgerEntry]:
    """Yield what is wanted, some entries of the record at a time; pass over the rest."""
    for start in range(held.next_index, size, ENTRIES_A_LOOK):
        end = min(start + ENTRIES_A_LOOK, size)
        for entry in events.wanted(held, LedgerEntry.objects.between(start, end)):
            if time.monotonic() >= until:
                return
            yield entry
        # Reached only once all of these were taken.
        if not services.pass_over(held=held, until=end) or time.monotonic() >= until:
            return


def _attempt(
    held: Subscription, message_id: str, body: bytes, send: Send, *, echo: str = ""
) -> Attempt:
    """Send one message; return the attempt, which the caller completes and settles.

    With `echo`, an answer that does not repeat it does not count: whoever subscribed the address
    has no say there.
    """
    began = time.monotonic()
    now = timezone.now()
    timestamp = int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "oversight-webhooks/1",
        "Connection": "close",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signing.signatures(held.live_seeds, message_id, timestamp, body),
    }
    answer = send(held.url, body, headers)
    has_echo = answer.ending != Ending.TAKEN or echo in answer.text
    return Attempt(
        message_id=message_id,
        at=now,
        milliseconds=int(1000 * (time.monotonic() - began)),
        ending=answer.ending if has_echo else Ending.ECHO,
        answered=answer.status,
    )


def _post(url: str, body: bytes, headers: dict[str, str]) -> sending.Answer:
    return sending.post(url, body, headers, settings.WEBHOOK_ALLOW_HOSTS)
