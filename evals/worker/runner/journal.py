"""The journal: answers of one model, so that a run that was killed goes on where it stopped.

One file for each model as it was asked: weights, back-end, type of number, device, tokenizer and
chat template, versions. The file's first line holds that whole key and is compared when the file
is opened; its name is only the key's digest. A record is one line,

    checksum name answer

with a BLAKE2b checksum of the rest, the SHA-256 of the request, and the answer as JSON. Requests
themselves are not kept. What a crash tears off is cut away, what rots is skipped: both are computed
anew. Nothing is flushed to the disk's platters, so a power failure costs the last seconds.

The harness has caches of its own and they stay off: their keys do not name the model.
"""

import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

LIMIT_BYTES = 2_000_000_000
_CHECKSUM_HEX = 16
_NAME_HEX = 64
_RECORD_START = _CHECKSUM_HEX + 1 + _NAME_HEX + 1

logger = logging.getLogger(__name__)


class JournalBusy(Exception):  # noqa: N818 - it is news, not a fault
    """Another process writes this journal."""


class Journal:
    """The journal of one key, open for reading and writing; one process at a time."""

    def __init__(
        self,
        directory: Path,
        key: Mapping[str, Any],
        *,
        limit_bytes: int = LIMIT_BYTES,
        max_age_seconds: float | None = None,
    ) -> None:
        """Open the key's journal, mend its end, and make room by removing the oldest others.

        Args:
            directory: where all journals of this host lie; they share `limit_bytes`.
            key: all that decides what the model answers, apart from the request.
            limit_bytes: what all journals together may take.
            max_age_seconds: an older journal is begun anew; None keeps it for ever.

        Raises:
            JournalBusy: another process has it open.
        """
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._limit = limit_bytes
        self.path = directory / f"{_digest_of(key)}.journal"
        self._file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise JournalBusy(f"{self.path.name} is in use") from None
        self._is_writable = True
        if not self._belongs_to(key, max_age_seconds) or self._size() > limit_bytes:
            self._begin(key)
        self._cut_torn_end()
        os.utime(self.path)
        remove_oldest(directory, limit_bytes, keep=self.path)

    def look_up(self, wanted: Collection[str]) -> dict[str, Any]:
        """Return the answers that are known among the wanted, by name.

        Reads the file from its start: memory is bounded by what is wanted, not by what is kept.
        """
        names = {name.encode() for name in wanted}
        found: dict[str, Any] = {}
        self._file.flush()
        self._file.seek(0)
        self._file.readline()
        for line in self._file:
            name = line[_CHECKSUM_HEX + 1 : _RECORD_START - 1]
            if name in names and _is_whole(line):
                found[name.decode()] = json.loads(line[_RECORD_START:])
        return found

    def keep(self, name: str, answer: Any) -> None:
        """Add an answer; `flush` hands it to the system. A disk that is full ends the keeping."""
        if not self._is_writable:
            return
        line = _line(f"{name} {json.dumps(answer)}")
        try:
            end = self._file.seek(0, os.SEEK_END)
            if end + len(line) > self._limit:
                self._give_up("it has reached its limit")
                return
            self._file.write(line)
        except OSError as error:
            self._give_up(str(error))

    def flush(self) -> None:
        """Hand what was kept to the system: from here on it survives the end of this process."""
        try:
            self._file.flush()
        except OSError as error:
            self._give_up(str(error))

    def close(self) -> None:
        """Let others have it."""
        self.flush()
        try:
            self._file.close()
        except OSError:
            logger.warning("The journal could not be closed properly; its torn end will be cut.")

    def _belongs_to(self, key: Mapping[str, Any], max_age_seconds: float | None) -> bool:
        header = _header(self._file.readline())
        if header.get("key") != json.loads(json.dumps(key)):
            return False
        return max_age_seconds is None or 0 <= time.time() - header["begun"] <= max_age_seconds

    def _begin(self, key: Mapping[str, Any]) -> None:
        self._file.seek(0)
        self._file.truncate()
        header = {"begun": int(time.time()), "key": key}
        self._file.write(_line(json.dumps(header, sort_keys=True)))
        self._file.flush()

    def _cut_torn_end(self) -> None:
        """Drop a last line without its end: its writer was killed in mid-word."""
        size = position = self._size()
        while position:
            start = max(0, position - 65_536)
            self._file.seek(start)
            if (at := self._file.read(position - start).rfind(b"\n")) >= 0:
                position = start + at + 1
                break
            position = start
        if position < size:
            self._file.truncate(position)

    def _size(self) -> int:
        return self._file.seek(0, os.SEEK_END)

    def _give_up(self, reason: str) -> None:
        """Write no more; the run goes on and is only not resumed from here."""
        self._is_writable = False
        logger.warning("The journal keeps nothing more: %s.", reason)


def name_of(kind: str, arguments: Any, *more: Any) -> str:
    """Return the name of a request: the SHA-256 of its kind, arguments, and what else decides."""
    text = json.dumps([kind, arguments, *more], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def remove_oldest(directory: Path, limit_bytes: int, *, keep: Path | None = None) -> None:
    """Remove journals that were not used for the longest time, until all fit the limit."""
    found = sorted(
        (path.stat().st_mtime, path.stat().st_size, path) for path in directory.glob("*.journal")
    )
    total = sum(size for _, size, _ in found)
    for _, size, path in found:
        if total <= limit_bytes:
            return
        if path != keep and _remove_unused(path):
            total -= size


def _remove_unused(path: Path) -> bool:
    """Remove a journal that nobody has open."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        path.unlink()
        return True


def _digest_of(key: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()


def _header(line: bytes) -> dict[str, Any]:
    """Return what a first line says; nothing where it is not one."""
    try:
        value = json.loads(line[_CHECKSUM_HEX + 1 :]) if _is_whole(line) else {}
    except ValueError:
        # A record: its header is gone.
        value = {}
    return value if isinstance(value, dict) else {}


def _line(text: str) -> bytes:
    content = text.encode()
    return f"{_checksum(content)} ".encode() + content + b"\n"


def _is_whole(line: bytes) -> bool:
    """Say whether a line is there to its end and as it was written."""
    content = line[_CHECKSUM_HEX + 1 : -1]
    return line.endswith(b"\n") and line[:_CHECKSUM_HEX] == _checksum(content).encode()


def _checksum(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=_CHECKSUM_HEX // 2).hexdigest()
