"""Puts pending leaves on the record: entries, tree and head in one commit, then the signature.

Every step says what a crash right after it leaves. Recovery is the normal path: each round first
publishes a head that an earlier one stored but did not get signed.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from oversight.ledger import keys, merkle, queries, tiles
from oversight.ledger.encoding import from_digest, to_digest
from oversight.ledger.models import Head, LedgerEntry
from oversight.ledger.note import PrivateEd25519
from oversight.ledger.signer import Signer
from oversight.ledger.tiles import TileId, TileNodes
from oversight.web import prepared

BATCH_LEAVES = 1000
"""At most 4 MB of leaves at once; more than a fast disk takes in one commit's time."""


class Waiting(NamedTuple):
    """A pending leaf, as far as a batch needs to know it."""

    id: UUID
    leaf_hash: str


class RecordDamaged(RuntimeError):  # noqa: N818 - says what is wrong, not that it is one
    """Stored bytes, tiles and head contradict each other; nothing may be added on top of that."""


class HeadMoved(RuntimeError):  # noqa: N818
    """Something else extended the tree at the same time; the whole batch was rolled back."""


def sequence_once(signer: Signer | None = None) -> int:
    """Put one batch on the record and return how many leaves it had.

    The caller is the only sequencer of this database (`sequencer_process` holds the lock for it).

    Raises:
        signer.SignerRefusal: when the stored tree is not a continuation of the signed one.
        RecordDamaged: when what is stored contradicts itself.
        HeadMoved: when there was a second sequencer after all.
    """
    signer = signer or make_signer()
    publish_head(signer)
    count = store_batch()
    # A crash here leaves entries without a checkpoint: nobody has a receipt for them yet, and the
    # next round signs this very head first.
    if count:
        publish_head(signer)
    return count


def make_signer(*, may_create_key: bool | None = None) -> Signer:
    """Return the signer that the settings describe; in development it makes its own key.

    Raises:
        signer.SignerRefusal: when there is no usable key.
    """
    return Signer(
        origin=settings.LEDGER_ORIGIN,
        key_path=settings.LEDGER_KEY_PATH,
        state_path=settings.LEDGER_SIGNER_STATE_PATH,
        may_create_key=not settings.PRODUCTION if may_create_key is None else may_create_key,
        key=_key_from_elsewhere(),
    )


def _key_from_elsewhere() -> PrivateEd25519 | None:
    """Return the key that a device or the environment holds, None where the file is meant."""
    if settings.LEDGER_KEY_PKCS11:
        return keys.load_pkcs11(settings.LEDGER_KEY_PKCS11, settings.LEDGER_KEY_PIN)
    if settings.LEDGER_KEY:
        # Environments hold one line: its line feeds may be written as backslash and n.
        return keys.load_pem(settings.LEDGER_KEY.replace("\\n", "\n").encode(), "LEDGER_KEY")
    return None


@transaction.atomic
def store_batch() -> int:
    """Store the next pending leaves as entries, tiles and head, all or none; return how many.

    A crash anywhere in here leaves everything as it was before: the leaves are still pending.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, leaf_hash FROM ledger_pendingleaf ORDER BY position LIMIT %s",
            [BATCH_LEAVES],
        )
        batch = [Waiting(*row) for row in cursor]
    if not batch:
        return 0
    store_leaves(stored_head(), batch)
    return len(batch)


def store_leaves(head: Head, batch: Sequence[Waiting]) -> None:
    """Store pending leaves after the head: entries, tiles, new head. In the caller's transaction.

    Raises:
        RecordDamaged: when the bytes come back changed or the tiles contradict the head.
        HeadMoved: when something else extended the tree meanwhile.
    """
    _store_entries(head.size, batch)
    hashes = _hash_stored_bytes(head.size, batch)
    root = _extend_tiles(head, hashes)
    _move_head(head, head.size + len(batch), root)
    _remove_pending(batch)


def publish_head(signer: Signer) -> None:
    """Have the stored head signed and publish the checkpoint, unless that is already done."""
    head = stored_head()
    root = from_digest(head.root)
    # Also without new leaves: a database that was set back must be noticed before it grows.
    signer.check(head.size, root)
    if prepared.one("SELECT FROM ledger_checkpoint WHERE size = %s", [head.size]) is not None:
        return
    edge, proof = continuation(head, signer)
    keep_checkpoint(signer, head, signer.sign(edge, proof))


def continuation(head: Head, signer: Signer) -> tuple[merkle.RightEdge, list[bytes]]:
    """Return what a signer asks for: the head's right edge, and the proof from what it signed.

    Raises:
        RecordDamaged: when the tiles do not give the head's root.
    """
    nodes = TileNodes(queries.read_tiles)
    edge = _right_edge(head, nodes)
    return edge, merkle.prove_consistency(signer.signed_size(), head.size, nodes)


def keep_checkpoint(signer: Signer, head: Head, note: str) -> None:
    """Store a checkpoint that was just signed; receipts exist from then on."""
    # A crash here leaves a signer that knows this head and a database without the checkpoint: the
    # next round asks for the same head again and gets the same signature.
    prepared.run(_KEEP_CHECKPOINT, [head.size, head.root, note, signer.vkey, timezone.now()])
    # From here on receipts exist; a crash loses nothing.


_KEEP_CHECKPOINT = """
    INSERT INTO ledger_checkpoint (size, root, note, vkey, signed_at) VALUES (%s, %s, %s, %s, %s)
"""


def adopt_head(signer: Signer) -> Head:
    """Give a signer that lost its state the stored head (see `Signer.adopt`) and return it.

    Raises:
        signer.SignerRefusal: when the signer has a state.
        RecordDamaged: when the stored tree contradicts itself or its newest checkpoint.
    """
    head = stored_head()
    newest = queries.newest_signed_checkpoint()
    if newest is not None and newest.size == head.size and newest.root != head.root:
        raise RecordDamaged("The head and the newest checkpoint have different roots.")
    signer.adopt(_right_edge(head, TileNodes(queries.read_tiles)))
    return head


def stored_head() -> Head:
    """Return the stored head; that of an empty tree on a new database.

    Raises:
        RecordDamaged: when there are entries but no head.
    """
    row = prepared.one("SELECT id, size, root FROM ledger_head")
    if row is not None:
        return Head.from_db(connection.alias, ["id", "size", "root"], row)
    if LedgerEntry.objects.exists():
        raise RecordDamaged("There are entries but no head. Restore the table ledger_head.")
    head, _ = Head.objects.get_or_create(
        id=1, defaults={"size": 0, "root": to_digest(merkle.EMPTY_ROOT)}
    )
    return head


def _store_entries(size: int, batch: Sequence[Waiting]) -> None:
    """Insert the batch after `size` entries; the primary key refuses an index a second time.

    The database copies the rows itself: sending each body here and back costs more than all the
    rest of a batch.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_ledgerentry "
            "(index, leaf_id, body, leaf_hash, type, actor, subject, sequenced_at) "
            "SELECT %s + place - 1, id, body, leaf_hash, type, actor, subject, %s "
            "FROM unnest(%s::uuid[]) WITH ORDINALITY AS batch (id, place) "
            "JOIN ledger_pendingleaf USING (id) ORDER BY place",
            [size, timezone.now(), [leaf.id for leaf in batch]],
        )
        if cursor.rowcount != len(batch):
            raise HeadMoved(
                "Leaves of this batch no longer wait: another sequencer is at work. It was rolled "
                "back."
            )


def _hash_stored_bytes(size: int, batch: Sequence[Waiting]) -> list[bytes]:
    """Return the leaf hashes of the batch, computed from the bytes as they came back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT body FROM ledger_ledgerentry WHERE index >= %s AND index < %s ORDER BY index",
            [size, size + len(batch)],
        )
        hashes = [merkle.leaf_hash(bytes(body)) for (body,) in cursor]
    for leaf, found in zip(batch, hashes, strict=True):
        if to_digest(found) != leaf.leaf_hash:
            raise RecordDamaged(
                f"The bytes of leaf {leaf.id} are not those that were committed with its act. "
                "Nothing was put on the record. Check the disk and the memory of the database host."
            )
    return hashes


def _extend_tiles(head: Head, hashes: Sequence[bytes]) -> bytes:
    """Add the leaf hashes to the stored tree and return its new root."""
    growing = queries.read_tiles(tiles.growing_tiles(head.size))
    _right_edge(head, TileNodes(queries.read_tiles, growing))
    changed = tiles.extend(head.size, growing, hashes)
    _store_tiles(changed)
    nodes = TileNodes(queries.read_tiles, {**growing, **changed})
    return merkle.right_edge(head.size + len(hashes), nodes).root()


def _right_edge(head: Head, nodes: TileNodes) -> merkle.RightEdge:
    """Return the right edge that the tiles give, if it is that of the head."""
    try:
        edge = merkle.right_edge(head.size, nodes)
    except tiles.TileError as error:
        raise RecordDamaged(f"{error} Run `python manage.py log_fsck`.") from None
    if to_digest(edge.root()) != head.root:
        raise RecordDamaged(
            f"The tiles of the {head.size} entries do not give the root of the head. "
            "Run `python manage.py log_fsck`."
        )
    return edge


def _store_tiles(changed: dict[TileId, bytes]) -> None:
    for tile, data in changed.items():
        prepared.run(_STORE_TILE, [tile.level, tile.index, data])


_STORE_TILE = """
    INSERT INTO ledger_tile (level, index, data) VALUES (%s, %s, %s)
    ON CONFLICT (level, index) DO UPDATE SET data = excluded.data
"""


def _move_head(head: Head, size: int, root: bytes) -> None:
    """Set the head to the new tree if it still is what it was when the batch began."""
    values = [size, to_digest(root), head.id, head.size, head.root]
    moved = prepared.run(_MOVE_HEAD, values)
    if moved != 1:
        raise HeadMoved(
            f"The head is no longer at {head.size} entries: another sequencer is at work. "
            "This batch was rolled back."
        )


_MOVE_HEAD = """
    UPDATE ledger_head SET size = %s, root = %s WHERE id = %s AND size = %s AND root = %s
"""


def _remove_pending(batch: Sequence[Waiting]) -> None:
    """Delete the batch from the outbox; the database refuses it for bytes that are no entry."""
    with connection.cursor() as cursor:
        ids = [leaf.id for leaf in batch]
        cursor.execute("DELETE FROM ledger_pendingleaf WHERE id = ANY(%s)", [ids])
