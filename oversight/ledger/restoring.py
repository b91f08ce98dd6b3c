"""Brings entries back that a restored database lacks: from a mirror, our own files, or a bundle."""

import json
import uuid

from django.db import transaction
from django.utils import timezone

from oversight.ledger import merkle, mirror, note, queries, sequencer
from oversight.ledger.encoding import from_digest, to_digest
from oversight.ledger.models import Checkpoint, PendingLeaf
from oversight.ledger.sequencer import RecordDamaged, Waiting, stored_head

BATCH = 1000


@transaction.atomic
def recover(fetch: mirror.Fetch, vkey: str) -> int:
    """Append the entries that the source has and the database lacks; return how many.

    All or nothing: only if they continue the stored tree to exactly the root that this log's key
    signed. Acts of the site itself are not brought back, only their record: tables of other floors
    come from their own backup. The caller is the only sequencer of the database.

    Raises:
        MirrorRefusal: when the source is not this log's or contradicts the stored tree.
        RecordDamaged: when what is stored contradicts itself.
    """
    keys = [*queries.keys_of_log(), note.VerifierKey.parse(vkey)]
    target, text = mirror.read_head(fetch, keys)
    start = stored_head().size
    if target.size <= start:
        return 0
    entries = mirror.read_entries(fetch, start, target.size)
    while batch := [body for body, _ in zip(entries, range(BATCH), strict=False)]:
        _append(batch)
    head = stored_head()
    if (head.size, from_digest(head.root)) != (target.size, target.root):
        raise mirror.MirrorRefusal(
            f"The {target.size - start} entries of the source do not continue the {start} stored "
            "ones to the root that was signed. Nothing was taken over."
        )
    signer = next(key for key in keys if _signed(text, key))
    Checkpoint.objects.create(
        size=head.size,
        root=head.root,
        note=text,
        vkey=signer.format(),
        signed_at=timezone.now(),
    )
    return target.size - start


def _append(bodies: list[bytes]) -> None:
    head = stored_head()
    leaves = [_leaf(body) for body in bodies]
    PendingLeaf.objects.bulk_create(leaf for leaf in leaves if leaf._state.adding)
    sequencer.store_leaves(head, [Waiting(leaf.id, leaf.leaf_hash) for leaf in leaves])


def _leaf(body: bytes) -> PendingLeaf:
    """Return the leaf with these bytes: the one that waits for its place again, or a new one."""
    leaf_hash = to_digest(merkle.leaf_hash(body))
    waiting = PendingLeaf.objects.filter(leaf_hash=leaf_hash).first()
    if waiting is not None:
        return waiting
    try:
        content = json.loads(body)
        fields = {name: str(content[name]) for name in ("type", "actor", "subject")}
    except (ValueError, KeyError, TypeError):
        raise RecordDamaged("An entry of the source is not a leaf of this format.") from None
    return PendingLeaf(id=uuid.uuid4(), body=body, leaf_hash=leaf_hash, **fields)


def _signed(text: str, key: note.VerifierKey) -> bool:
    signed = note.parse(text.encode())
    return any(key.made(each) and key.verifies(signed.text, each) for each in signed.signatures)
