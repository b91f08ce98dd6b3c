"""Reads of the record: entries, the newest checkpoint, tiles, and receipts made from them.

Models import this room for their managers, so the functions here look models up when called.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.models import Q

from oversight.ledger import merkle, note, proof, tlog_policy
from oversight.ledger.choices import Leaf
from oversight.ledger.encoding import EncodingError, from_base64, from_digest, to_digest
from oversight.ledger.tiles import TileId, TileNodes
from oversight.web import prepared

if TYPE_CHECKING:
    from oversight.ledger.models import (
        Checkpoint,
        Cosignature,
        LedgerEntry,
        Opening,
        PendingLeaf,
        Quorum,
    )

MAX_SEARCH_CHARACTERS = 200


class LedgerEntryQuerySet(models.QuerySet["LedgerEntry"]):
    """Reads of what stands on the record."""

    def newest_first(self) -> Self:
        """Order from the latest index down."""
        return self.order_by("-index")

    def between(self, start: int, end: int) -> Self:
        """Keep the entries from index `start` to `end` (excluded), in order."""
        return self.filter(index__gte=start, index__lt=end).order_by("index")

    def about(self, subject: str) -> Self:
        """Keep the entries whose subject is exactly `subject`, in order."""
        return self.filter(subject=subject).order_by("index")


class PendingLeafQuerySet(models.QuerySet["PendingLeaf"]):
    """Reads of what waits to be put on the record."""

    def in_order(self) -> Self:
        """Order as the acts were written: what an act could see comes before the act."""
        return self.order_by("position")


class CheckpointQuerySet(models.QuerySet["Checkpoint"]):
    """Reads of the signed tree heads."""

    def newest(self) -> "Checkpoint | None":
        """Return the checkpoint of the largest tree, or None before the first."""
        return self.order_by("-size").first()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a leaf stands on the record under a signed checkpoint.

    `text` is the whole receipt (a tlog-proof) that verifies offline; `root` and `leaf_hash` are
    written `sha256:<hex>`.
    """

    index: int
    leaf_hash: str
    tree_size: int
    root: str
    text: str


def entries_newest_first() -> LedgerEntryQuerySet:
    """Return all entries, the latest first."""
    return _entries().newest_first()


def find(text: str) -> LedgerEntryQuerySet:
    """Return the entries that `text` points at, the latest first; none for nonsense.

    `text` may be an index, a leaf hash (hexadecimal, `sha256:<hex>` or base64), a leaf id, or the
    beginning of a subject or an actor.
    """
    wanted = text.strip()
    if not wanted or len(wanted) > MAX_SEARCH_CHARACTERS or not wanted.isprintable():
        return _entries().none()
    return _entries().filter(_condition(wanted)).newest_first()


def published_size() -> int:
    """Return how many entries the newest checkpoint that counts covers; 0 before the first."""
    newest = prepared.one(f"SELECT coalesce(max(size), 0) FROM {_counting_table()}")  # noqa: S608 - one of two names
    assert newest is not None  # noqa: S101 - an aggregate
    return int(newest[0])


def newest_checkpoint() -> "Checkpoint | None":
    """Return the newest checkpoint that counts, or None before the first.

    Where the policy asks for a quorum of witnesses, one without it does not count yet.
    """
    model: type[Checkpoint] = apps.get_model("ledger", "Checkpoint")
    if witness_policy().quorum == tlog_policy.NONE:
        return model.objects.newest()
    quorum: type[Quorum] = apps.get_model("ledger", "Quorum")
    reached = quorum.objects.order_by("-size").values_list("size", flat=True).first()
    return None if reached is None else model.objects.filter(size=reached).first()


def newest_signed_checkpoint() -> "Checkpoint | None":
    """Return the newest checkpoint that the log has signed, with or without witnesses."""
    model: type[Checkpoint] = apps.get_model("ledger", "Checkpoint")
    return model.objects.newest()


def published_note(found: "Checkpoint") -> str:
    """Return the checkpoint's signed note with the witnesses' lines that there are by now."""
    return found.note + _cosignatures(found.size)


def witness_policy() -> tlog_policy.Policy:
    """Return the policy that the settings name; one without witnesses where they name none.

    Raises:
        tlog_policy.PolicyError: when the file cannot be used.
    """
    path = settings.LEDGER_POLICY_PATH
    return _read_policy(path, path.stat().st_mtime_ns) if path else tlog_policy.Policy()


def keys_of_log() -> list[note.VerifierKey]:
    """Return every key that has signed for this log, the newest first.

    An earlier key counts because a leaf, signed under it, hands over to the next one.
    """
    newest = newest_signed_checkpoint()
    if newest is None:
        return []
    rotations = _entries().filter(type=Leaf.KEY_ROTATED).order_by("-index")
    earlier = [entry.content["facts"]["from"] for entry in rotations]
    vkeys = dict.fromkeys([newest.vkey, *earlier])
    return [note.VerifierKey.parse(vkey) for vkey in vkeys]


@dataclass(frozen=True, slots=True)
class Handover:
    """A rotation of the log's key, with the first checkpoint over it.

    The key that hands over has signed that, so that who keeps it can follow to the next.
    """

    index: int
    entry: bytes
    size: int
    root: str
    note: str

    def receipt(self) -> str:
        """Return the receipt of the entry under that checkpoint."""
        leaf_hash = to_digest(merkle.leaf_hash(self.entry))
        return _ReceiptMaker(self.size, self.root, self.note).of(self.index, leaf_hash).text


def handovers(size: int) -> Iterator[Handover]:
    """Yield the handovers of the log's key that stand among the first `size` entries."""
    model: type[Checkpoint] = apps.get_model("ledger", "Checkpoint")
    rotations = _entries().filter(type=Leaf.KEY_ROTATED, index__lt=size).order_by("index")
    for index, body in rotations.values_list("index", "body"):
        signed = model.objects.filter(size__gt=index, size__lte=size).order_by("size").first()
        if signed is not None:
            yield Handover(index, bytes(body), signed.size, signed.root, signed.note)


@lru_cache(maxsize=4)
def _read_policy(path: Path, _changed: int) -> tlog_policy.Policy:
    return tlog_policy.parse(path.read_text(encoding="utf-8"))


def pending_count() -> int:
    """Return how many committed acts wait to be sequenced."""
    model: type[PendingLeaf] = apps.get_model("ledger", "PendingLeaf")
    return model.objects.count()


def opening(leaf_id: UUID, field: str) -> "Opening | None":
    """Return the private content committed to in that field of that leaf, unless it was erased."""
    model: type[Opening] = apps.get_model("ledger", "Opening")
    return model.objects.filter(leaf_id=leaf_id, field=field).first()


def _counting_table() -> str:
    """Return the table of the sizes that count: all that are signed, or those with a quorum."""
    asked = witness_policy().quorum
    return "ledger_checkpoint" if asked == tlog_policy.NONE else "ledger_quorum"


def receipt(leaf_id: UUID) -> Receipt | None:
    """Return the receipt of a leaf under the newest checkpoint, or None while it has none."""
    return receipts([leaf_id]).get(leaf_id)


def receipts(leaf_ids: Collection[UUID]) -> dict[UUID, Receipt]:
    """Return the receipt under the newest checkpoint of each leaf that has one.

    Until there is one, this is one short question.
    """
    global _longest_seen  # noqa: PLW0603 - as `_RECEIPTS` says
    found = prepared.rows(
        _RECEIPTS.format(counting=_counting_table(), digits=len(f"{_longest_seen:b}")),
        [list(leaf_ids)],
    )
    if not found:
        return {}
    size = _longest_seen = found[0][3]
    signed = prepared.one("SELECT root, note FROM ledger_checkpoint WHERE size = %s", [size])
    assert signed is not None  # noqa: S101 - checkpoints are never removed
    made = _ReceiptMaker(size, *signed)
    return {leaf_id: made.of(index, leaf_hash) for leaf_id, index, leaf_hash, _ in found}


_longest_seen = 0
_RECEIPTS = """
    SELECT e.leaf_id, e.index, e.leaf_hash, newest.size -- of a log of 2 ^ {digits}
    FROM (SELECT max(size) AS size FROM {counting}) AS newest
        JOIN ledger_ledgerentry e ON e.index < newest.size
    WHERE e.leaf_id = ANY (%s)
"""
"""Says how long the log is: a plan that was kept from when it was short would read all of it."""


def earliest_receipt(leaf_id: UUID) -> Receipt | None:
    """Return the receipt of a leaf under the first checkpoint that covers it, or None so far.

    What it proves does not change as the log grows, so it can be printed.
    """
    counts = _counting_table()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.index, e.leaf_hash, c.size, c.root, c.note FROM ledger_ledgerentry e "  # noqa: S608 - one of two names
            f"JOIN ledger_checkpoint c ON c.size = (SELECT min(size) FROM {counts} "
            "WHERE size > e.index) WHERE e.leaf_id = %s",
            [leaf_id],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    index, leaf_hash, *checkpoint = row
    return _ReceiptMaker(*checkpoint).of(index, leaf_hash)


def receipt_at(index: int, size: int | None = None) -> Receipt | None:
    """Return the receipt of the entry at `index`, if the checkpoint covers it.

    Under the newest checkpoint, or under the one of exactly `size` entries.
    """
    return _receipt(Q(index=index), size)


def checkpoint_of(size: int) -> "Checkpoint | None":
    """Return the checkpoint of exactly that size, if there is one and it counts."""
    newest = newest_checkpoint()
    if newest is None or size > newest.size:
        return None
    model: type[Checkpoint] = apps.get_model("ledger", "Checkpoint")
    return model.objects.filter(size=size).first()


def read_tiles(wanted: Collection[TileId]) -> Mapping[TileId, bytes]:
    """Return the stored content of each asked tile that exists."""
    if not wanted:
        return {}
    if len(wanted) <= FEW_TILES:
        few = {each: prepared.one(_TILE, [each.level, each.index]) for each in wanted}
        return {each: bytes(row[0]) for each, row in few.items() if row is not None}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT level, index, data FROM ledger_tile "
            "JOIN unnest(%s::smallint[], %s::bigint[]) AS wanted (level, index) "
            "USING (level, index)",
            [[tile.level for tile in wanted], [tile.index for tile in wanted]],
        )
        return {TileId(level, index): bytes(data) for level, index, data in cursor}


_TILE = "SELECT data FROM ledger_tile WHERE level = %s AND index = %s"
FEW_TILES = 3
"""So many are read one by one: planning the question for all of them would take longer."""


def _receipt(condition: Q, size: int | None = None) -> Receipt | None:
    entry = _entries().filter(condition).values_list("index", "leaf_hash").first()
    if entry is None:
        return None
    newest = newest_checkpoint() if size is None else checkpoint_of(size)
    if newest is None or newest.size <= entry[0]:
        return None
    return _ReceiptMaker(newest.size, newest.root, newest.note).of(*entry)


class _ReceiptMaker:
    """Makes receipts under one checkpoint; what they have in common is read and hashed once."""

    def __init__(self, size: int, root: str, signed: str) -> None:
        """Take the checkpoint's size, its root, and the note that the log has signed."""
        self._size, self._root = size, root
        self._signed = signed + _cosignatures(size)
        self._nodes = TileNodes(read_tiles)

    def of(self, index: int, leaf_hash: str) -> Receipt:
        """Return the receipt of the entry at `index`, which the checkpoint covers."""
        path = merkle.prove_inclusion(index, self._size, self._nodes)
        text = proof.TlogProof(index, tuple(path), self._signed).format()
        return Receipt(index, leaf_hash, self._size, self._root, text)


def _cosignatures(size: int) -> str:
    """Return the lines of the witnesses that have cosigned the checkpoint of that size by now."""
    if not witness_policy().witnesses:
        return ""
    model: type[Cosignature] = apps.get_model("ledger", "Cosignature")
    lines = model.objects.filter(size=size).order_by("key_id").values_list("line", flat=True)
    return "".join(lines)


def _condition(wanted: str) -> Q:
    digest = _as_digest(wanted)
    if digest:
        return Q(leaf_hash=digest)
    if re.fullmatch(r"[0-9]{1,18}", wanted):
        return Q(index=int(wanted))
    try:
        return Q(leaf_id=UUID(wanted))
    except ValueError:
        return Q(subject__startswith=wanted) | Q(actor__startswith=wanted)


def _as_digest(wanted: str) -> str | None:
    """Return the digest that `wanted` spells in any of the three usual ways."""
    try:
        if re.fullmatch(r"[0-9a-fA-F]{64}", wanted):
            return f"sha256:{wanted.lower()}"
        if wanted.startswith("sha256:"):
            return to_digest(from_digest(wanted.lower()))
        data = from_base64(wanted)
    except EncodingError:
        return None
    return to_digest(data) if len(data) == merkle.HASH_BYTES else None


def _entries() -> LedgerEntryQuerySet:
    model: type[LedgerEntry] = apps.get_model("ledger", "LedgerEntry")
    return model.objects.all()
