"""The only writer of webhooks. A subscription is its owner's own business: it makes no leaf.

Views take it from those that the caller manages: of all others nobody learns that they are there.
"""

import secrets
import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Greatest, Now
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import NoticeKind, OrganisationRole
from oversight.accounts.models import Body, Organisation, Person
from oversight.accounts.services import notify
from oversight.ledger.queries import published_size
from oversight.web.languages import filled
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from oversight.webhooks import events, policy, sending, signing
from oversight.webhooks.choices import TRANSITIONS, Ending, Kind, Status
from oversight.webhooks.models import URL_CHARACTERS, Attempt, Message, Subscription

MOST_OF_A_PERSON = 20
MOST_TYPES = 30
MOST_ASKED = 20
"""Tests and repetitions that may wait to be sent at once."""

ATTEMPTS_KEPT = 100
LEASE = timedelta(seconds=60)
"""Longer than anything takes between two settlements: a sender that lives is never overtaken."""

BOTH_SECRETS = timedelta(hours=24)
"""How long an old secret goes on signing beside a new one."""

FIRST_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 8 * 3600.0
GIVEN_UP_AFTER = timedelta(days=3)
_RANDOM = secrets.SystemRandom()


@transaction.atomic(durable=True)
def subscribe(
    *,
    owner: Person,
    url: str,
    organisation: Organisation | None = None,
    note: str = "",
    types: Iterable[str] = (),
    body: Body | None = None,
    subject: str = "",
) -> tuple[Subscription, str]:
    """Subscribe an address to what is new from now on; return it with its secret, shown once.

    Nothing but a challenge is sent before the address has answered that. With `organisation` it is
    that one's, and all its operators manage it. A lock on the owner makes two requests count one
    after the other.

    Raises:
        NotAllowed: the person is no operator of the organisation.
        Conflict: the person, or the organisation, has as many subscriptions as one may.
        Invalid: an address that nothing is sent to, or a type that there is not.
    """
    if organisation is not None and not policy.can_subscribe_for(owner, organisation):
        raise NotAllowed(gettext("Only its operators make webhooks of an organisation."))
    _require_address(url)
    beginnings = _required_types(types)
    _require_room(owner, organisation)
    seed = signing.new_seed()
    made = Subscription.objects.create(
        owner=None if organisation else owner,
        organisation=organisation,
        url=url,
        note=note,
        types=beginnings,
        body=body,
        subject=subject,
        next_index=published_size(),
        seed=seed,
    )
    _ask(made, Kind.CHALLENGE, challenge=secrets.token_urlsafe(32))
    return made, signing.secret_of(seed)


@transaction.atomic(durable=True)
def rotate_secret(*, subscription: Subscription) -> str:
    """Return a new secret, shown this once; the one before it signs beside it for a day."""
    row = _locked(subscription)
    row.old_seed, row.old_seed_until = row.seed, timezone.now() + BOTH_SECRETS
    row.seed = signing.new_seed()
    row.save(update_fields=["seed", "old_seed", "old_seed_until"])
    return signing.secret_of(bytes(row.seed))


@transaction.atomic(durable=True)
def challenge(*, subscription: Subscription) -> None:
    """Ask the address anew whether it wants this; what was not taken meanwhile then follows.

    Raises:
        Conflict: it has answered before and is being delivered to.
    """
    row = _locked(subscription)
    if row.status == Status.ACTIVE:
        raise Conflict(gettext("This address has answered its challenge and is delivered to."))
    if row.status == Status.OFF:
        _move(row, Status.WAITING)
        row.off_reason = ""
        row.save(update_fields=["status", "off_reason"])
    row.messages.filter(kind=Kind.CHALLENGE).delete()
    _ask(row, Kind.CHALLENGE, challenge=secrets.token_urlsafe(32))


@transaction.atomic(durable=True)
def ping(*, subscription: Subscription) -> None:
    """Have a test sent, once.

    Raises:
        Conflict: the address has not answered its challenge, or too much waits to be sent.
    """
    row = _locked(subscription)
    _require_active(row)
    _ask(row, Kind.PING)


@transaction.atomic(durable=True)
def send_again(*, subscription: Subscription, index: int) -> None:
    """Have one entry sent again, once, under the same `webhook-id`.

    Raises:
        Conflict: the address has not answered its challenge, or too much waits to be sent.
        Invalid: the entry was not due yet, so it is still to come.
    """
    row = _locked(subscription)
    _require_active(row)
    if not 0 <= index < row.next_index:
        words = gettext(
            "Use the index of an entry before %(next_index)s; later ones are still to come."
        ) % {"next_index": row.next_index}
        raise Invalid(gettext("This entry cannot be sent again."), fields={"index": words})
    _ask(row, Kind.AGAIN, index=index)


@transaction.atomic(durable=True)
def unsubscribe(*, subscription: Subscription) -> None:
    """End a subscription and forget all about it."""
    _locked(subscription).delete()


# -- For the sender --------------------------------------------------------------------------


@transaction.atomic(durable=True)
def claim(*, subscription_id: int, size: int) -> Subscription | None:
    """Take a due subscription for a while; None where somebody else was faster.

    After a crash its lease runs out, and whoever comes next begins with what was not settled.
    """
    token = uuid.uuid4()
    due = Subscription.objects.due(size).order_by().filter(pk=subscription_id)
    taken = due.update(lease_token=token, leased_until=Now() + LEASE, served_at=Now())
    if taken != 1:
        return None
    return Subscription.objects.select_related("body").get(pk=subscription_id)


@transaction.atomic(durable=True)
def settle(*, held: Subscription, attempt: Attempt) -> bool:
    """Put down how an attempt at an entry ended; say whether the sender may go on.

    Taken: the subscription moves past the entry, and the lease begins anew. Not taken: it waits,
    longer each time, and after three days, or at once on 410, it is switched off and its owner is
    told. A sender whose lease was taken over changes nothing: what it sent is sent twice.
    """
    row = _held(held)
    if row is None:
        return False
    _keep(row, attempt)
    if attempt.was_taken and attempt.index is not None:
        row.next_index = attempt.index + 1
        row.failures, row.failing_since = 0, None
        row.leased_until = timezone.now() + LEASE
        row.save(update_fields=["next_index", "failures", "failing_since", "leased_until"])
        return True
    _put_off(row, Ending(attempt.ending))
    return False


@transaction.atomic(durable=True)
def settle_asked(*, held: Subscription, message: Message, attempt: Attempt) -> bool:
    """Put down how a message ended that its owner asked for; it is tried this once.

    A challenge that was repeated makes the subscription active.
    """
    row = _held(held)
    if row is None:
        return False
    row.messages.filter(pk=message.pk).delete()
    _keep(row, attempt)
    row.leased_until = timezone.now() + LEASE
    if message.kind == Kind.CHALLENGE and attempt.was_taken and row.status == Status.WAITING:
        _move(row, Status.ACTIVE)
        row.failures, row.failing_since, row.next_try_at = 0, None, timezone.now()
    row.save()
    return True


@transaction.atomic(durable=True)
def pass_over(*, held: Subscription, until: int) -> bool:
    """Move past entries that the subscription does not ask for; say whether it is still held."""
    mine = Subscription.objects.filter(pk=held.pk, lease_token=held.lease_token)
    return mine.update(next_index=Greatest("next_index", until), leased_until=Now() + LEASE) == 1


@transaction.atomic(durable=True)
def release(*, held: Subscription) -> None:
    """Give a subscription back."""
    mine = Subscription.objects.filter(pk=held.pk, lease_token=held.lease_token)
    mine.update(lease_token=None, leased_until=None)


def wait_seconds(failures: int) -> float:
    """Return how long to wait after so many failures in a row: 5 s, fourfold, at most 8 hours.

    A fifth more or less at random keeps many subscriptions of one failing host apart.
    """
    plain = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 4.0 ** min(failures - 1, 20))
    return plain * _RANDOM.uniform(0.8, 1.2)


def _put_off(row: Subscription, why: Ending) -> None:
    """Wait, or give up. Call with the row locked."""
    now = timezone.now()
    row.failures += 1
    row.failing_since = row.failing_since or now
    row.next_try_at = now + timedelta(seconds=wait_seconds(row.failures))
    if why == Ending.GONE or now - row.failing_since >= GIVEN_UP_AFTER:
        _move(row, Status.OFF)
        row.off_reason = why
        notify(
            people=_told(row),
            subject=_("A webhook was switched off"),
            text=filled(
                _("%(label)s. What it missed follows once its address answers again."),
                label=Ending(why).label,
            ),
            path=row.get_absolute_url(),
            kind=NoticeKind.ALARM,
            about=row.public_id,
        )
    row.save()


def _told(row: Subscription) -> list[Person]:
    """Return whom a subscription's end concerns: its owner, or its organisation's operators."""
    if row.owner is not None:
        return [row.owner]
    affiliations = row.organisation.affiliations.in_term() if row.organisation else []
    return [each.person for each in affiliations if each.role == OrganisationRole.OPERATOR]


def _keep(row: Subscription, attempt: Attempt) -> None:
    """Add to the log of attempts and forget the oldest. Call with the row locked."""
    attempt.subscription = row
    attempt.save(force_insert=True)
    kept = row.attempts.order_by("-id").values_list("id", flat=True)[ATTEMPTS_KEPT - 1 :]
    if oldest := next(iter(kept[:1]), None):
        row.attempts.filter(id__lt=oldest).delete()


def _held(held: Subscription) -> Subscription | None:
    """Lock the row and return it if the sender still holds it."""
    own = Subscription.objects.select_for_update(of=("self",)).select_related(
        "owner", "organisation"
    )
    return own.filter(pk=held.pk, lease_token=held.lease_token).first()


def _locked(subscription: Subscription) -> Subscription:
    """Lock the row and return it as it is now."""
    return Subscription.objects.select_for_update().get(pk=subscription.pk)


def _move(row: Subscription, to: Status) -> None:
    """Change the state. Call with the row locked, and save it.

    Raises:
        Conflict: the state does not lead there.
    """
    if to not in TRANSITIONS[Status(row.status)]:
        raise Conflict(
            gettext("A subscription that is %(status)s does not become %(to)s.")
            % {
                "status": row.status,
                "to": to,
            }
        )
    row.status = to


def _ask(row: Subscription, kind: Kind, *, index: int | None = None, challenge: str = "") -> None:
    """Put a message beside the stream. Call with the row locked, or new."""
    if row.messages.count() >= MOST_ASKED:
        raise Conflict(
            gettext("%(most_asked)s messages wait to be sent there: let them go first.")
            % {
                "most_asked": MOST_ASKED,
            }
        )
    named = f"{row.public_id}_{kind}_{uuid.uuid4().hex[:12]}" if index is None else None
    Message.objects.create(
        subscription=row,
        kind=kind,
        message_id=named or row.event_id(index or 0),
        index=index,
        challenge=challenge,
    )


def _require_active(row: Subscription) -> None:
    if row.status != Status.ACTIVE:
        raise Conflict(
            gettext("Its address has not answered the challenge yet: only that is sent to it.")
        )


def _require_room(owner: Person, organisation: Organisation | None) -> None:
    """Lock whose subscription it will be, and raise Conflict where there are too many already."""
    if organisation is None:
        Person.objects.select_for_update().get(pk=owner.pk)
        there = Subscription.objects.filter(owner=owner)
    else:
        Organisation.objects.select_for_update().get(pk=organisation.pk)
        there = Subscription.objects.filter(organisation=organisation)
    if there.count() < MOST_OF_A_PERSON:
        return
    if organisation is None:
        words = gettext(
            "You have %(most_of_a_person)s subscriptions, the most one may: delete one."
        )
    else:
        words = gettext("It has %(most_of_a_person)s subscriptions, the most one may: delete one.")
    raise Conflict(words % {"most_of_a_person": MOST_OF_A_PERSON})


def _require_address(url: str) -> None:
    if len(url) > URL_CHARACTERS:
        words = gettext("Use at most %(url_characters)s characters.") % {
            "url_characters": URL_CHARACTERS
        }
        raise Invalid(gettext("The address is too long."), fields={"url": words})
    try:
        sending.parts_of(url, settings.WEBHOOK_ALLOW_HOSTS)
    except sending.AddressError as error:
        raise Invalid(gettext("Nothing can be sent there."), fields={"url": str(error)}) from None


def _required_types(types: Iterable[str]) -> list[str]:
    """Return the beginnings asked for, each once, without those that another covers."""
    asked = sorted(set(types))
    known = events.known_beginnings()
    strange = [each for each in asked if each not in known]
    if strange or len(asked) > MOST_TYPES:
        words = gettext(
            "Use at most %(most_types)s types or beginnings, such as proposals.decision."
        ) % {"most_types": MOST_TYPES}
        named = gettext(" There is no “%(name)s”.") % {"name": strange[0][:80]} if strange else ""
        raise Invalid(gettext("These types cannot be subscribed."), fields={"types": words + named})
    return [
        each
        for each in asked
        if not any(each != other and each.startswith(f"{other}.") for other in asked)
    ]
