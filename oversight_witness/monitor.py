"""Follows a log: reads every entry, rebuilds the tree, and says when a checkpoint is contradicted.

Its state is one small file; an inconsistent checkpoint is kept beside it as evidence.
"""

import base64
import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from oversight_witness import notes, tree
from oversight_witness.notes import Key, SignedCheckpoint

WIDTH = 256
SECONDS = 15
MAX_BUNDLE_BYTES = WIDTH * 65_537

Fetch = Callable[[str], bytes]
"""Returns the bytes at a path below the log's address."""


class Contradiction(Exception):  # noqa: N818 - the finding that this program exists for
    """The log has shown something that it cannot have signed honestly."""


@dataclass(frozen=True)
class Followed:
    """How far the log was followed, and the last checkpoint as it was signed."""

    size: int
    root: bytes
    entries: int


def fetch_from(url: str) -> Fetch:
    """Return a reader of the log at that address."""

    def fetch(path: str) -> bytes:
        with urllib.request.urlopen(f"{url.rstrip('/')}/{path}", timeout=SECONDS) as answer:  # noqa: S310 - the operator's address
            data: bytes = answer.read(MAX_BUNDLE_BYTES)
        return data

    return fetch


class Monitor:
    """One log, followed from its first entry on."""

    def __init__(self, key: Key, state: Path, fetch: Fetch) -> None:
        """Take the log's key, where to remember, and how to read the log."""
        self._key = key
        self._state = state
        self._fetch = fetch

    def follow(self) -> Followed:
        """Read what is new and verify it against the newest checkpoint.

        Raises:
            Contradiction: when the log is smaller than it was, has two roots for one size, or its
                entries do not give its root. The evidence is kept beside the state.
        """
        note = self._fetch("checkpoint")
        head = notes.parse_checkpoint(note)
        if head.origin != self._key.name or not head.is_signed_by(self._key):
            raise Contradiction("the checkpoint is not signed by the log's key")
        edge, last = self._load()
        if head.size < edge.size:
            self._refuse(last, note, f"the log had {edge.size} entries and shows {head.size}")
        before = edge.size
        for entry in self._entries(edge.size, head.size):
            edge.append(tree.leaf_hash(entry))
        if edge.root() != head.root:
            self._refuse(last, note, "the entries do not give the signed root, or were changed")
        self._save(edge, note.decode())
        return Followed(edge.size, head.root, edge.size - before)

    def _entries(self, start: int, end: int) -> Iterator[bytes]:
        for index in range(start // WIDTH, -(-end // WIDTH)):
            width = min(WIDTH, end - index * WIDTH)
            found = _split(self._fetch(f"tile/entries/{_path(index, width)}"))
            if len(found) != width:
                raise Contradiction(f"bundle {index} holds {len(found)} entries, not {width}")
            yield from found[max(0, start - index * WIDTH) :]

    def _load(self) -> tuple[tree.Edge, str]:
        if not self._state.exists():
            return tree.Edge(), ""
        kept = json.loads(self._state.read_text())
        hashes = [base64.b64decode(each) for each in kept["edge"]]
        return tree.Edge(kept["size"], hashes), kept["note"]

    def _save(self, edge: tree.Edge, note: str) -> None:
        hashes = [base64.b64encode(each).decode() for each in edge.hashes]
        _write(self._state, json.dumps({"size": edge.size, "edge": hashes, "note": note}).encode())

    def _refuse(self, last: str, note: bytes, why: str) -> None:
        """Keep both signed checkpoints, which anyone can verify, and stop."""
        evidence = self._state.with_name(f"{self._state.stem}.fork.json")
        content = {"why": why, "seen": last, "other": note.decode()}
        _write(evidence, json.dumps(content, indent=1).encode())
        raise Contradiction(f"{why}; the evidence is in {evidence}")


def is_fork(key: Key, one: SignedCheckpoint, other: SignedCheckpoint) -> bool:
    """Return whether the log's signatures on both prove by themselves that it forked."""
    signed = one.is_signed_by(key) and other.is_signed_by(key)
    return signed and one.size == other.size and one.root != other.root


def _path(index: int, width: int) -> str:
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    return "/".join(reversed(groups)) + ("" if width == WIDTH else f".p/{width}")


def _split(bundle: bytes) -> list[bytes]:
    entries, at = [], 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2], "big")
        entry = bundle[at + 2 : at + 2 + length]
        if len(entry) != length:
            raise Contradiction("an entry bundle ends in the middle of an entry")
        entries.append(entry)
        at += 2 + length
    return entries


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.draft")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
