"""What the ledger's tests share."""

import hypothesis
import pytest
from django.db import transaction

from oversight.ledger import services
from oversight.ledger.sequencer import sequence_once

# A busy machine makes single examples slow without anything being wrong.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture
def make_leaves():
    """Return a function that appends leaves, each in a transaction of its own."""

    def make(count=1, **fields):
        made = []
        for number in range(count):
            with transaction.atomic():
                made.append(
                    services.append(
                        **{
                            "type": "tests.thing.done",
                            "actor": "system:tests",
                            "subject": f"thing:{number}",
                            "facts": {"number": number},
                        }
                        | fields
                    )
                )
        return made

    return make


@pytest.fixture
def make_record(make_leaves):
    """Return a function that puts leaves on the record at the given sizes of the tree."""

    def make(*sizes):
        size = 0
        for target in sizes:
            with transaction.atomic():
                for number in range(size, target):
                    services.append(
                        type="tests.thing.done",
                        actor="system:tests",
                        subject=f"thing:{number}",
                        facts={"number": number},
                    )
            assert sequence_once() == target - size
            size = target

    return make
