"""What other floors do with the record: append a leaf, commit to private content, get a receipt."""

import json
import time
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from oversight.ledger import commitment, leaf, merkle, queries
from oversight.ledger.arrivals import Arrivals
from oversight.ledger.commitment import Commitment, JsonValue
from oversight.ledger.encoding import to_digest
from oversight.ledger.models import Opening, PendingLeaf
from oversight.ledger.queries import Receipt
from oversight.ledger.receipt_check import CheckStep, ReceiptCheck, check_receipt
from oversight.web import prepared

__all__ = [
    "CheckStep",
    "Receipt",
    "ReceiptCheck",
    "append",
    "check_receipt",
    "commit_to",
    "erase_opening",
    "keep_opening",
    "wait_for_receipt",
]

PENDING_CHANNEL = "ledger_pending"
"""The PostgreSQL channel on which the sequencer hears of new leaves."""


class OutsideTransaction(RuntimeError):  # noqa: N818 - says what is wrong, not that it is one
    """An append that would not share the fate of the act it records."""


def append(
    *,
    type: str,  # noqa: A002 - the word of the leaf format
    actor: str,
    subject: str,
    digests: Mapping[str, str] | None = None,
    commits: Mapping[str, str] | None = None,
    facts: Mapping[str, leaf.Fact] | None = None,
    at: datetime | None = None,
) -> PendingLeaf:
    """Put an act on the record when, and only if, the surrounding transaction commits.

    Call it last in the transaction that writes the act. The domain row keeps the leaf's `id`, to
    ask for the receipt later.

    Raises:
        OutsideTransaction: when no transaction is open.
        leaf.LeafError: when a field breaks a rule of the leaf format.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(
            f"append({type!r}) was called outside a transaction. Wrap the change and its leaf in "
            "one transaction.atomic block, so that neither can exist without the other."
        )
    body = leaf.encode(
        type=type,
        at=at or timezone.now(),
        actor=actor,
        subject=subject,
        digests=digests,
        commits=commits,
        facts=facts,
    )
    pending = _keep_pending(
        PendingLeaf(
            body=body,
            leaf_hash=to_digest(merkle.leaf_hash(body)),
            type=type,
            actor=actor,
            subject=subject,
            created_at=timezone.now(),
        )
    )
    if not any(each[1] is _wake_sequencer for each in connection.run_on_commit):
        transaction.on_commit(_wake_sequencer, robust=True)
    return pending


def _keep_pending(leaf: PendingLeaf) -> PendingLeaf:
    """Write the leaf and return it with its position."""
    fields = (leaf.id, leaf.body, leaf.leaf_hash, leaf.type, leaf.actor, leaf.subject)
    found = prepared.one(_KEEP_PENDING, [*fields, leaf.created_at])
    assert found is not None  # noqa: S101 - an insert that returns
    (leaf.position,) = found
    leaf._state.adding, leaf._state.db = False, connection.alias
    return leaf


_KEEP_PENDING = """
    INSERT INTO ledger_pendingleaf (id, body, leaf_hash, type, actor, subject, created_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING position
"""
_KEEP_OPENING = """
    INSERT INTO ledger_opening (leaf_id, field, salt, value) VALUES (%s, %s, %s, %s)
"""


def _wake_sequencer() -> None:
    """Tell the sequencer that leaves were committed; one that never hears of it looks anyway.

    After the commit and not in it: commits that notify wait for each other in PostgreSQL, also for
    each other's fsync.
    """
    prepared.one("SELECT pg_notify(%s, '')", [PENDING_CHANNEL])


def commit_to(value: JsonValue) -> Commitment:
    """Return a salted commitment to private content; its digest goes into a leaf's `commits`.

    Raises:
        commitment.CommitmentError: when the value holds a float or what JSON cannot say exactly.
    """
    return commitment.commit(value)


def keep_opening(pending: PendingLeaf, field: str, committed: Commitment) -> None:
    """Keep the private content that `field` of the leaf's `commits` commits to. Same transaction.

    Raises:
        commitment.CommitmentError: when the leaf does not commit to it under that name.
    """
    if pending.content["commits"].get(field) != committed.digest:
        raise commitment.CommitmentError(
            f"The leaf {pending.id} does not commit to this content in {field!r}: pass "
            f"commits={{{field!r}: commitment.digest}} to append."
        )
    value = json.dumps(committed.value)
    prepared.run(_KEEP_OPENING, [pending.id, field, committed.salt, value])


@transaction.atomic
def erase_opening(leaf_id: UUID, field: str) -> bool:
    """Erase private content for good; return whether there was any. All proofs stay valid."""
    removed, _ = Opening.objects.filter(leaf_id=leaf_id, field=field).delete()
    return bool(removed)


def wait_for_receipt(leaf_id: UUID, timeout_seconds: float = 2.0) -> Receipt | None:
    """Return the leaf's receipt, or None if no signed checkpoint covers it in time.

    Call it after the transaction that appended the leaf has committed, never inside it.
    """
    return _arrivals.wait_for(leaf_id, time.monotonic() + timeout_seconds)


def pause_for(seconds: float) -> None:
    """Give the sequencer time. Tests put leaves on the record here instead of sleeping."""
    time.sleep(seconds)


def _pause(seconds: float) -> None:
    # By name at each call, because tests put something else there.
    pause_for(seconds)


_arrivals = Arrivals(queries.receipts, _pause)
