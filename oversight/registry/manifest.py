"""The manifest of a directory of weights: the list of its files that a model version is named by.

A manifest is a JSON list of `{"name", "size", "sha256"}`, one entry a file, sorted by name. Its
digest is the SHA-256 of the RFC 8785 bytes of that list, so names are bound to contents: moving
two files' contents about gives another digest.

What is listed:

- every regular file below the directory, named by its path with `/` between the parts, sorted by
  code point;
- not what programs leave behind: names that begin with a dot (files and whole folders, so `.cache`
  and `.git` as well), names that end in `.lock`, and folders named `__pycache__`;
- a link is listed under its own name with the contents it leads to, as long as it stays inside
  the directory. A link that leads outside, or round in a circle, is refused;
- devices, pipes and sockets are refused, and so is a file that changes while it is read.

Run as a program, `python -m oversight.registry.manifest DIR` prints the digest and the files.
"""

import argparse
import hashlib
import json
import os
import re
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path
from typing import Literal, Self

import rfc8785

from oversight.registry.hashing import ManifestError, Notes, Progress, read_digest, reason_of
from oversight.registry.meter import Meter

MAX_FILES = 100_000
"""More files than any model has; links among folders can multiply a few into billions."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file of a manifest."""

    name: str
    """Path below the directory, with `/` between the parts."""
    size: int
    """Bytes."""
    sha256: str
    """64 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One file that is not as a manifest says."""

    name: str
    kind: Literal["missing", "added", "changed"]
    expected: ManifestFile | None
    found: ManifestFile | None

    def __str__(self) -> str:
        if self.kind == "missing":
            return f"{self.name} is missing"
        if self.kind == "added" or not (self.expected and self.found):
            return f"{self.name} is not in the manifest"
        if self.expected.size != self.found.size:
            return f"{self.name} has {self.found.size} bytes instead of {self.expected.size}"
        return f"{self.name} has other contents (the size is the same)"


@dataclass(frozen=True)
class Manifest:
    """The files of one model version, sorted by name."""

    files: tuple[ManifestFile, ...]

    @cached_property
    def digest(self) -> str:
        """`sha256:` and the SHA-256 of the canonical list."""
        return f"sha256:{hashlib.sha256(rfc8785.dumps(self.as_json())).hexdigest()}"

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    def as_json(self) -> list[dict[str, str | int]]:
        """Return the list that is digested, as plain JSON values."""
        return [
            {"name": file.name, "size": file.size, "sha256": file.sha256} for file in self.files
        ]

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read what `as_json` wrote.

        Raises:
            ManifestError: the value is not a manifest; the message names the entry and the field.
        """
        if not isinstance(value, list):
            raise ManifestError("a manifest is a list of files")
        files = tuple(_file_from_json(entry, place) for place, entry in enumerate(value))
        if not files:
            raise ManifestError("a manifest lists at least one file")
        for before, after in pairwise(files):
            if before.name >= after.name:
                raise ManifestError(f"{after.name} is out of order or listed twice")
        return cls(files)

    def verify(
        self, directory: Path, *, threads: int | None = None, progress: Progress | None = None
    ) -> list[Difference]:
        """Read the directory again and return what differs, sorted by name; empty if nothing.

        Raises:
            ManifestError: the directory cannot be read, as in `manifest_of`.
        """
        found = manifest_of(directory, threads=threads, progress=progress)
        return self.differences(found)

    def differences(self, found: "Manifest") -> list[Difference]:
        """Return in which files another manifest differs from this one, sorted by name."""
        ours = {file.name: file for file in self.files}
        theirs = {file.name: file for file in found.files}
        differences = []
        for name in sorted(ours.keys() | theirs.keys()):
            expected, actual = ours.get(name), theirs.get(name)
            if expected == actual:
                continue
            kind: Literal["missing", "added", "changed"] = "changed"
            if actual is None:
                kind = "missing"
            elif expected is None:
                kind = "added"
            differences.append(Difference(name, kind, expected, actual))
        return differences


def manifest_of(
    directory: Path,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    notes: Notes | None = None,
) -> Manifest:
    """Return the manifest of a directory, reading its files with several threads.

    Args:
        directory: the folder of weights.
        threads: how many files are read at once; by default as many as there are processors, at
            most eight.
        progress: told how many bytes were read, as they are read.
        notes: of files hashed before; those that have not changed since are not read again.

    Raises:
        ManifestError: there is no such directory, it has no files, or one of them is refused.
    """
    root = _root_of(directory)
    listed = _sorted_list(root)
    if not listed:
        raise ManifestError(f"{directory} has no files to list")
    workers = threads or min(8, os.cpu_count() or 1)
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="manifest") as pool:
        # The largest first, so that no thread is left alone with it at the end.
        futures = {
            name: pool.submit(_read, path, name, progress, notes)
            for name, path in sorted(listed, key=_size, reverse=True)
        }
        try:
            return Manifest(tuple(futures[name].result() for name, _ in listed))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _read(path: Path, name: str, progress: Progress | None, notes: Notes | None) -> ManifestFile:
    known = notes.known(path) if notes else None
    if known is not None:
        if progress:
            progress(known.size)
        return ManifestFile(name, known.size, known.sha256)
    found = read_digest(path, name, progress)
    if notes:
        notes.keep(found)
    return ManifestFile(name, found.size, found.sha256)


def _size(entry: tuple[str, Path]) -> int:
    """Return a listed file's size; one that is gone meanwhile is refused when it is read."""
    try:
        return entry[1].stat().st_size
    except OSError:
        return 0


def paths_of(directory: Path) -> dict[str, Path]:
    """Return what a manifest of the directory would list, without reading the contents.

    Raises:
        ManifestError: as `manifest_of`, but for what only reading shows.
    """
    return dict(_sorted_list(_root_of(directory)))


def bytes_in(directory: Path) -> int:
    """Return how many bytes a manifest of the directory would read.

    Raises:
        ManifestError: as `paths_of`.
    """
    return sum(_size(entry) for entry in paths_of(directory).items())


def _root_of(directory: Path) -> Path:
    try:
        root = directory.resolve(strict=True)
    except OSError as error:
        raise ManifestError(f"{directory} cannot be read: {reason_of(error)}") from error
    if not root.is_dir():
        raise ManifestError(f"{directory} is not a directory")
    return root


def _sorted_list(root: Path) -> list[tuple[str, Path]]:
    listed = sorted(islice(_listed(root, root, ()), MAX_FILES + 1))
    if len(listed) > MAX_FILES:
        raise ManifestError(f"{root} has more than {MAX_FILES} files")
    return listed


def _is_left_out(name: str) -> bool:
    """Tell whether a file or folder of this name is never listed."""
    return name.startswith(".") or name.endswith(".lock") or name == "__pycache__"


def _listed(root: Path, folder: Path, inside: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    """Yield name and real path of every file to list; `inside` are the real folders above."""
    above = (*inside, folder.resolve())
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise ManifestError(f"{folder} cannot be read: {reason_of(error)}") from error
    for entry in entries:
        if _is_left_out(entry.name):
            continue
        name = _name_of(root, entry)
        target, mode = _target_of(root, entry, name)
        if stat.S_ISREG(mode):
            yield name, target
        elif not stat.S_ISDIR(mode):
            raise ManifestError(f"{name} is a {_kind_of(mode)}; only files can be weights")
        elif target in above:
            raise ManifestError(f"{name} is a link that leads round in a circle")
        else:
            yield from _listed(root, entry, above)


def _name_of(root: Path, entry: Path) -> str:
    name = entry.relative_to(root).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ManifestError(f"{name!r}: a file name has to be UTF-8") from error
    return name


def _target_of(root: Path, entry: Path, name: str) -> tuple[Path, int]:
    """Return the real path behind an entry and what kind of thing lies there."""
    try:
        target = entry.resolve(strict=True)
        mode = target.stat().st_mode
    except RuntimeError as error:  # what Python before 3.13 raises for a link to itself
        raise ManifestError(f"{name} is a link that leads round in a circle") from error
    except OSError as error:
        raise ManifestError(f"{name} cannot be read: {reason_of(error)}") from error
    if not target.is_relative_to(root):
        raise ManifestError(f"{name} is a link that leads outside the directory, to {target}")
    return target, mode


def _kind_of(mode: int) -> str:
    kinds = ((stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))
    return next((word for is_kind, word in kinds if is_kind(mode)), "device")


def _file_from_json(entry: object, place: int) -> ManifestFile:
    where = f"entry {place} of the manifest"
    if not isinstance(entry, dict) or entry.keys() != {"name", "size", "sha256"}:
        raise ManifestError(f"{where} needs exactly the fields name, size and sha256")
    name, size, sha256 = entry["name"], entry["size"], entry["sha256"]
    if not isinstance(name, str) or not _is_plain_path(name):
        raise ManifestError(f"{where}: name has to be a path below the directory")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ManifestError(f"{where}: size has to be a number of bytes")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ManifestError(f"{where}: sha256 has to be 64 hexadecimal digits in lower case")
    return ManifestFile(name, size, sha256)


def _is_plain_path(name: str) -> bool:
    return all(part not in {"", ".", ".."} for part in name.split("/"))


def main(arguments: list[str] | None = None) -> int:
    """Print the manifest of a directory; the exit status is 1 when there is none."""
    parser = argparse.ArgumentParser(
        prog="python -m oversight.registry.manifest",
        description="Print the digest and the files of a directory of weights.",
    )
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--json", action="store_true", help="print the digest and list as JSON")
    parser.add_argument("--threads", type=int, default=None, help="files to read at once")
    options = parser.parse_args(arguments)
    try:
        with Meter(bytes_in(options.directory), sys.stderr) as meter:
            manifest = manifest_of(options.directory, threads=options.threads, progress=meter.count)
    except ManifestError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.json:
        value = {"digest": manifest.digest, "files": manifest.as_json()}
        sys.stdout.write(json.dumps(value, indent=2) + "\n")
        return 0
    sys.stdout.write(f"{manifest.digest}\n")
    for file in manifest.files:
        sys.stdout.write(f"{file.sha256}  {file.size:>14}  {file.name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
