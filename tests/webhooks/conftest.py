"""A receiver, and subscriptions that come about as they would in life."""

import time
from dataclasses import dataclass

import pytest

from oversight.ledger import services as ledger
from oversight.ledger.queries import published_size
from oversight.ledger.sequencer import sequence_once
from oversight.webhooks import delivering, services
from oversight.webhooks.choices import Status
from oversight.webhooks.models import Subscription
from tests import factories
from tests.webhooks.receiver import Receiver


@pytest.fixture
def receiver(settings):
    found = Receiver()
    settings.WEBHOOK_ALLOW_HOSTS = frozenset({f"127.0.0.1:{found.port}"})
    yield found
    found.stop()


@dataclass
class Made:
    row: Subscription
    secret: str

    def serve(self) -> bool:
        """Send what is due, once."""
        served = delivering.serve(self.row.pk, published_size(), time.monotonic() + 30)
        self.row.refresh_from_db()
        return served


@pytest.fixture
def subscribe(receiver, db):
    """Return a function that makes a subscription, which has answered its challenge."""

    def make(owner=None, *, answer=True, **fields) -> Made:
        owner = owner or factories.make_person()
        row, secret = services.subscribe(owner=owner, url=receiver.url, **fields)
        made = Made(row, secret)
        if answer:
            made.serve()
            assert made.row.status == Status.ACTIVE
        return made

    return make


def put_on_record(*subjects: str, type_: str = "proposals.decision.made", **facts) -> None:
    """Put an act a subject on the record."""
    from django.db import transaction

    with transaction.atomic():
        for subject in subjects:
            ledger.append(type=type_, actor="member:a1", subject=subject, facts=facts)
    while sequence_once():
        pass
