"""A process that `kill -9` ends at a step of its work, for real, and what must hold afterwards.

Shared by the tests (a few seeds) and by `bench/crashes.py` (hundreds). The process is a fork that
does what the sequencer does from its start on; it ends itself by SIGKILL before or after one call
of one step, so nothing of ours can clean up behind it.
"""

import os
import random
import signal
import traceback
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from oversight.ledger import (
    checkpoint,
    durable,
    fsck,
    merkle,
    note,
    public_folder,
    queries,
    recovery,
    sequencer,
    services,
    signer,
    tiles,
)
from oversight.ledger.models import Checkpoint, LedgerEntry, PendingLeaf
from oversight.ledger.public_folder import PublicFolder
from oversight.ledger.sequencer import make_signer, sequence_once

FAILPOINTS: list[tuple[Any, str]] = [
    (services, "append"),
    (sequencer, "_store_entries"),
    (sequencer, "_hash_stored_bytes"),
    (sequencer, "_extend_tiles"),
    (sequencer, "_store_tiles"),
    (sequencer, "_move_head"),
    (sequencer, "_remove_pending"),
    (sequencer, "store_batch"),
    (signer.Signer, "_keep"),
    (signer.Signer, "_signature"),
    (signer.Signer, "sign"),
    (sequencer, "keep_checkpoint"),
    (durable, "write_durably"),
    (durable, "sync_folder"),
    (public_folder.PublicFolder, "_write_tiles"),
    (public_folder.PublicFolder, "_write_entries"),
    (public_folder.PublicFolder, "_remove_partials"),
]
"""The steps of append, sequence, sign and publish, in this order."""


@dataclass
class Found:
    """What one seed did and what everybody outside the killed processes knows of it."""

    acknowledged: list[str] = field(default_factory=list)
    """The leaves of acts whose transaction returned, in their order."""
    receipts: list[str] = field(default_factory=list)
    killed_at: list[str] = field(default_factory=list)
    entries: int = 0


def crash_and_recover(seed: int, folder: Path) -> Found:
    """Begin an empty log, kill its process a few times, and check all that must hold then.

    Raises:
        AssertionError: when an acknowledged act is missing, the trees contradict each other, or the
            published files are not what the database gives.
    """
    drawn, found = random.Random(seed), Found()
    original = sequencer.BATCH_LEAVES
    sequencer.BATCH_LEAVES = drawn.choice((1, 3, 100))
    try:
        for number in range(drawn.randint(3, 6)):
            # The first kill of each seed goes round all steps; the others are drawn.
            chosen = seed if number == 0 else drawn.randrange(len(FAILPOINTS))
            _die_once(FAILPOINTS[chosen % len(FAILPOINTS)], drawn, found)
        work(random.Random(seed), _keeping(found))
        while sequence_once():
            pass
        _check(found, folder)
    finally:
        sequencer.BATCH_LEAVES = original
    return found


def work(drawn: random.Random, say: Callable[[str], None]) -> None:
    """Do what a process does from its start on: compare, act, sequence, publish, repeat."""
    made, folder = make_signer(), PublicFolder(settings.LEDGER_PUBLIC_DIR)
    recovery.begin(made, folder, lambda line: None)
    for _ in range(drawn.randint(1, 4)):
        leaf = None
        for _ in range(drawn.randint(1, 6)):
            with transaction.atomic():
                leaf = services.append(
                    type="tests.thing.done", actor="system:tests", subject=f"thing:{uuid.uuid4()}"
                )
            say(f"act {leaf.id}")
        sequence_once(made)
        if leaf and (receipt := queries.receipt(leaf.id)):
            say(f"receipt {receipt.text.encode().hex()}")
        folder.publish()


def _keeping(found: Found) -> Callable[[str], None]:
    def keep(line: str) -> None:
        word, _, value = line.partition(" ")
        if word == "act":
            found.acknowledged.append(value)
        else:
            found.receipts.append(bytes.fromhex(value).decode())

    return keep


def _die_once(failpoint: tuple[Any, str], drawn: random.Random, found: Found) -> None:
    """Work in a fork that kills itself at the step; keep what it said before."""
    calls, before, seed = drawn.randrange(3), drawn.random() < 0.5, drawn.random()
    connection.close()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _live_and_die(failpoint, calls, before, random.Random(seed), writing)
    os.close(writing)
    with os.fdopen(reading, encoding="ascii", errors="replace") as file:
        lines = file.read().splitlines()
    _, status = os.waitpid(child, 0)
    for line in lines:
        _keeping(found)(line)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        found.killed_at.append(failpoint[1])
    elif status:
        raise AssertionError(f"the process ended with status {status}, not by the kill")


def _live_and_die(
    failpoint: tuple[Any, str], calls: int, before: bool, drawn: random.Random, writing: int
) -> None:
    """Run the work in this fork and never return."""
    left = calls
    where, step = failpoint
    original = getattr(where, step)

    def crash(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0 and before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(where, step, crash)
    try:
        work(drawn, lambda line: os.write(writing, f"{line}\n".encode()) and None)
        os._exit(0)
    except BaseException:  # noqa: BLE001 - said, and turned into an exit status
        traceback.print_exc()
        os._exit(1)


def _check(found: Found, folder: Path) -> None:
    on_record = [
        str(each)
        for each in LedgerEntry.objects.order_by("index").values_list("leaf_id", flat=True)
    ]
    # A process may have died between its commit and saying so: an act nobody was told of.
    told = set(found.acknowledged)
    assert [each for each in on_record if each in told] == found.acknowledged
    assert len(on_record) - len(told) <= len(found.killed_at)
    assert len(set(on_record)) == len(on_record)
    assert not PendingLeaf.objects.exists()
    assert fsck.check_record().entries == len(on_record)
    assert_all_checkpoints_are_consistent()
    assert all(services.check_receipt(each).ok for each in found.receipts)
    PublicFolder(settings.LEDGER_PUBLIC_DIR).publish()
    PublicFolder(folder).publish()
    assert contents(settings.LEDGER_PUBLIC_DIR) == contents(folder)
    found.entries = len(on_record)


def assert_all_checkpoints_are_consistent() -> None:
    """Check that every tree that was ever signed continues the one before it."""
    nodes, before = tiles.TileNodes(queries.read_tiles), None
    for row in Checkpoint.objects.order_by("size"):
        head = checkpoint.open_signed(row.note.encode(), [note.VerifierKey.parse(row.vkey)])
        if before is not None:
            proof = merkle.prove_consistency(before.size, head.size, nodes)
            merkle.verify_consistency(before.size, head.size, before.root, head.root, proof)
        before = head


def contents(folder: Path) -> dict[str, bytes]:
    """Return every published file; drafts that a crash left are no part of them."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".draft")
    }
