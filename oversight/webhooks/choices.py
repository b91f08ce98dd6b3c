"""States of a subscription, kinds of messages, and how an attempt ends."""

from typing import TYPE_CHECKING

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Status(TextChoices):
    """Where a subscription stands."""

    WAITING = "waiting", _("Waits for its address to answer the challenge")
    ACTIVE = "active", _("Delivers")
    OFF = "off", _("Switched off")


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.WAITING: frozenset({Status.ACTIVE}),
    Status.ACTIVE: frozenset({Status.OFF}),
    # By a new challenge: the address may have passed to somebody else in the meantime.
    Status.OFF: frozenset({Status.WAITING}),
}


class Kind(TextChoices):
    """What a message is for."""

    EVENT = "event", _("an act of the record")
    CHALLENGE = "challenge", _("the challenge")
    PING = "ping", _("a test")
    AGAIN = "again", _("an act, sent again")


class Ending(TextChoices):
    """How an attempt ended. Nothing that the other side wrote is kept, nor where its name led."""

    TAKEN = "taken", _("Taken")
    GONE = "gone", _("Answered 410: it wants no more")
    REDIRECT = "redirect", _("Answered with a redirect, which is not followed")
    STATUS = "status", _("Answered with an error")
    ECHO = "echo", _("Answered, but did not repeat the challenge")
    TIME = "time", _("Did not answer in time")
    NAME = "name", _("Its name cannot be resolved")
    PRIVATE = "private", _("Its address is not public")
    TLS = "tls", _("Its certificate does not hold")
    CONNECTION = "connection", _("The connection failed")


USUAL: tuple[tuple[str, "StrOrPromise"], ...] = (
    ("proposals.proposal", _("proposals drafted")),
    ("proposals.stage", _("proposals that move on")),
    ("proposals.vote", _("votes opened, scheduled, tied or annulled")),
    ("proposals.decision", _("decisions made or annulled")),
    ("registry.authorisation", _("authorisations: granted, suspended, revoked, restored")),
    ("registry.version", _("model versions registered")),
    ("evals.run", _("evaluations requested, ended or cancelled")),
    ("evals.result", _("signed results accepted")),
    ("incidents.incident", _("incidents reported and what comes of them")),
    ("accounts", _("bodies, members and organisations")),
)
"""Beginnings of event types that the form offers, in words; the API takes any."""
