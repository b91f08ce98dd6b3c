"""The log's own part of an audit bundle: checkpoint, keys, entries and tiles as of one state."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC
from uuid import UUID

from django.db.models import Max
from django.db.models.functions import TruncDate

from oversight.ledger import queries
from oversight.ledger.models import LedgerEntry, Tile, Timestamp
from oversight.ledger.tiles import (
    WIDTH,
    TileId,
    TilePath,
    format_bundle,
    format_path,
    width_at,
)
from oversight.ledger.tlog_policy import Policy

MAX_LEVEL = 7
"""Tile levels above it would need more than 2^64 entries."""


class NothingPublished(RuntimeError):  # noqa: N818 - says what is wrong
    """There is no signed checkpoint yet, so there is nothing to prove."""


@dataclass(frozen=True, slots=True)
class Head:
    """The signed state of the log that a bundle is made at."""

    size: int
    note: str
    """The signed checkpoint, with the cosignatures that there are."""

    vkeys: tuple[str, ...]
    """Every key that has signed, oldest first."""

    policy: str
    """The newest key, and whom this site's own policy asks to cosign."""


def newest_head() -> Head:
    """Return the newest signed state that counts.

    Raises:
        NothingPublished: before the first checkpoint.
    """
    newest = queries.newest_checkpoint()
    if newest is None:
        raise NothingPublished("No checkpoint has been signed yet.")
    vkeys = tuple(key.format() for key in reversed(queries.keys_of_log()))
    policy = format_policy(newest.vkey, queries.witness_policy())
    return Head(newest.size, queries.published_note(newest), vkeys, policy)


def format_policy(vkey: str, asked: Policy) -> str:
    """Return the policy as a text: the log's key, and the witnesses, groups and quorum asked."""
    lines = [f"log {vkey}"]
    lines += [f"witness {each.name} {each.key.format()}" for each in asked.witnesses]
    for name, group in asked.groups.items():
        lines.append(f"group {name} {group.needed} {' '.join(group.members)}")
    return "".join(f"{line}\n" for line in [*lines, f"quorum {asked.quorum}"])


def log_files(head: Head) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of everything about the log itself: checkpoint, keys, entries, tiles.

    All entries, whatever the bundle is about: that an act is *not* on the log (another ballot, a
    later charter) can be seen only in a log that is whole.
    """
    yield "checkpoint", head.note.encode()
    yield "policy", head.policy.encode()
    yield "keys/log.vkeys", "".join(f"{key}\n" for key in head.vkeys).encode()
    for each in queries.handovers(head.size):
        yield f"keys/handovers/{each.size}", each.note.encode()
    yield from _entry_files(head.size)
    yield from _tile_files(head.size)
    yield from _timestamp_files(head.size)


def _timestamp_files(size: int) -> Iterator[tuple[str, bytes]]:
    """Yield the last timestamp of each day: those between say nothing that it does not."""
    newest = Timestamp.objects.filter(size__lte=size).annotate(
        day=TruncDate("stamped_at", tzinfo=UTC)
    )
    last = newest.values("day").annotate(last=Max("size")).values("last")
    found = Timestamp.objects.filter(size__in=last).order_by("size")
    for number, answer in found.values_list("size", "answer").iterator(chunk_size=100):
        yield f"timestamps/{number}.tsr", bytes(answer)


def _entry_files(size: int) -> Iterator[tuple[str, bytes]]:
    for first in range(0, size, WIDTH):
        width = min(WIDTH, size - first)
        bodies = LedgerEntry.objects.between(first, first + width).values_list("body", flat=True)
        path = format_path(TilePath(None, first // WIDTH, width))
        yield f"log/tile/{path}", format_bundle(bytes(body) for body in bodies)


def _tile_files(size: int) -> Iterator[tuple[str, bytes]]:
    rows = Tile.objects.filter(level__lte=MAX_LEVEL).order_by("level", "index")
    for level, index, data in rows.values_list("level", "index", "data").iterator(chunk_size=256):
        width = width_at(TileId(level, index), size)
        if width:
            # A tile may have grown since; what stood in it at `size` is its beginning.
            yield (
                f"log/tile/{format_path(TilePath(level, index, width))}",
                bytes(data)[: 32 * width],
            )


def indexes_of(leaf_ids: Collection[UUID], size: int) -> dict[UUID, int]:
    """Return the index of each of these leaves that stands among the first `size` entries."""
    rows = LedgerEntry.objects.filter(leaf_id__in=leaf_ids, index__lt=size)
    return dict(rows.values_list("leaf_id", "index"))
