"""Reading files of weights to their digests, and notes by which a killed reading goes on.

A note says of one file that it had this digest while it looked so from outside. It holds as long as
the file looks the same: place, size, and the times of its contents and of its entry, which no
program sets at will. A file that changed just before it was read is not noted, since one more
change within the same tick of the file system's clock would not show.
"""

import hashlib
import json
import os
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

Progress = Callable[[int], None]
"""Called with the number of bytes just read, from several threads at once."""

STILL_SECONDS = 2.0
"""How long a file has to have been still when it is read, to be noted."""

_CHUNK_BYTES = 1024 * 1024


class ManifestError(ValueError):
    """The directory has no manifest; the message names the file and says why."""


@dataclass(frozen=True, slots=True)
class FileDigest:
    """What was read from one file."""

    state: tuple[int, ...]
    """How the file looked from outside: device, inode, size, times of change in nanoseconds."""
    size: int
    sha256: str


def read_digest(path: Path, name: str, progress: Progress | None) -> FileDigest:
    """Read one file to its end; refuse it if it is not the same file afterwards.

    Raises:
        ManifestError: it cannot be read, is no file any more, or changed while it was read.
    """
    try:
        # Without O_NONBLOCK, a pipe put in the file's place since we listed it would hang us.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb", buffering=0) as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise ManifestError(f"{name} changed into something else while it was read")
            digest, size = hashlib.sha256(), 0
            buffer = bytearray(_CHUNK_BYTES)
            # A file that grows as fast as we read has no end: stop past the size it had.
            while size <= before.st_size and (read := file.readinto(buffer)):
                digest.update(memoryview(buffer)[:read])
                size += read
                if progress:
                    progress(read)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise ManifestError(f"{name} cannot be read: {reason_of(error)}") from error
    if size != before.st_size or _state_of(before) != _state_of(after):
        raise ManifestError(f"{name} changed while it was read; wait until nothing writes to it")
    return FileDigest(_state_of(after), size, digest.hexdigest())


class Notes:
    """A file of notes, one line of JSON for each file that was hashed. Safe for several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: dict[tuple[int, ...], str] = {}

    @classmethod
    def of(cls, directory: Path, folder: Path) -> Self:
        """Return the notes about a directory that are kept in a folder, read as far as they go."""
        name = hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:32]
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        notes = cls(folder / f"{name}.notes")
        notes._read()
        return notes

    def known(self, path: Path) -> FileDigest | None:
        """Return what was noted of a file that still looks as it did."""
        try:
            state = _state_of(path.stat(follow_symlinks=False))
        except OSError:
            return None
        sha256 = self._known.get(state)
        return FileDigest(state, state[2], sha256) if sha256 else None

    def keep(self, found: FileDigest) -> None:
        """Note a file; a crash right after loses at most this line."""
        if time.time_ns() - max(found.state[3:]) < STILL_SECONDS * 1e9:
            return
        line = json.dumps([list(found.state), found.sha256]) + "\n"
        with self._lock, self._path.open("a") as file:
            file.write(line)

    def forget(self) -> None:
        """Remove the notes: what they were for is done."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> None:
        """Take over every whole line; one that was torn off by a kill is read again from its file.

        A line that was torn is ended, so that the next one does not continue it.
        """
        if not self._path.exists():
            return
        lines = self._path.read_text(errors="replace").splitlines(keepends=True)
        for line in lines:
            try:
                state, sha256 = json.loads(line)
                self._known[tuple(state)] = str(sha256)
            except (ValueError, TypeError):
                continue
        if lines and not lines[-1].endswith("\n"):
            with self._path.open("a") as file:
                file.write("\n")


def reason_of(error: OSError) -> str:
    """Return in words why a file cannot be read."""
    return (error.strerror or str(error)).lower()


def _state_of(status: os.stat_result) -> tuple[int, ...]:
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
