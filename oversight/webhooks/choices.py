"""States of a subscription, kinds of messages, and how an attempt ends."""

from django.db.models import TextChoices


class Status(TextChoices):
    """Where a subscription stands."""

    WAITING = "waiting", "Waits for its address to answer the challenge"
    ACTIVE = "active", "Delivers"
    OFF = "off", "Switched off"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.WAITING: frozenset({Status.ACTIVE}),
    Status.ACTIVE: frozenset({Status.OFF}),
    # By a new challenge: the address may have passed to somebody else in the meantime.
    Status.OFF: frozenset({Status.WAITING}),
}


class Kind(TextChoices):
    """What a message is for."""

    EVENT = "event", "an act of the record"
    CHALLENGE = "challenge", "the challenge"
    PING = "ping", "a test"
    AGAIN = "again", "an act, sent again"


class Ending(TextChoices):
    """How an attempt ended. Nothing that the other side wrote is kept, nor where its name led."""

    TAKEN = "taken", "Taken"
    GONE = "gone", "Answered 410: it wants no more"
    REDIRECT = "redirect", "Answered with a redirect, which is not followed"
    STATUS = "status", "Answered with an error"
    ECHO = "echo", "Answered, but did not repeat the challenge"
    TIME = "time", "Did not answer in time"
    NAME = "name", "Its name cannot be resolved"
    PRIVATE = "private", "Its address is not public"
    TLS = "tls", "Its certificate does not hold"
    CONNECTION = "connection", "The connection failed"


USUAL: tuple[tuple[str, str], ...] = (
    ("proposals.proposal", "proposals drafted"),
    ("proposals.stage", "proposals that move on"),
    ("proposals.vote", "votes opened, scheduled, tied or annulled"),
    ("proposals.decision", "decisions made or annulled"),
    ("registry.authorisation", "authorisations: granted, suspended, revoked, restored"),
    ("registry.version", "model versions registered"),
    ("evals.run", "evaluations requested, ended or cancelled"),
    ("evals.result", "signed results accepted"),
    ("incidents.incident", "incidents reported and what comes of them"),
    ("accounts", "bodies, members and organisations"),
)
"""Beginnings of event types that the form offers, in words; the API takes any."""
