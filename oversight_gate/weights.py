"""A folder of weights, read again: the manifest that a version is registered by, or why not.

The rules are those of the site, written a second time: every regular file by its path below the
folder, sorted; nothing that begins with a dot, ends in `.lock` or lies in `__pycache__`; links are
listed under their own name with the contents they lead to inside the folder. Links that lead
outside or in a circle, devices, pipes, sockets, and files that change while they are read are
refused.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from oversight_gate import strict_json

MAX_FILES = 100_000
_CHUNK_BYTES = 1 << 20

Listed = dict[str, dict[str, Any]]
"""By its name, what a manifest says of a file."""


class NoManifest(ValueError):  # noqa: N818 - what was found
    """The folder cannot be judged as weights; the message names the file and says why."""


def manifest_of(folder: Path) -> list[dict[str, Any]]:
    """Return the manifest of a folder, reading its files with several threads.

    Raises:
        NoManifest: there is no such folder, it has no files, or one of them is refused.
    """
    try:
        root = folder.resolve(strict=True)
        found = sorted(_files(root, root, frozenset(), [0])) if root.is_dir() else []
    except (OSError, RuntimeError) as error:
        raise NoManifest(f"{folder} cannot be read: {_reason(error)}") from None
    if not found:
        raise NoManifest(f"{folder} is no folder with files")
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        futures = [pool.submit(_described, path, name) for name, path in found]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def digest_of(manifest: list[dict[str, Any]]) -> str:
    """Return the digest that a version is named by."""
    return strict_json.digest(manifest)


def differences(expected: list[Any], found: list[dict[str, Any]]) -> list[str]:
    """Return what differs from the manifest of a registered version, one line a file."""
    ours = {each["name"]: each for each in expected if isinstance(each, dict) and "name" in each}
    theirs = {each["name"]: each for each in found}
    lines = []
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in theirs:
            lines.append(f"{name} is missing")
        elif name not in ours:
            lines.append(f"{name} is not one of the registered files")
        elif ours[name] != theirs[name]:
            lines.append(f"{name} has other contents than were registered")
    return lines


def _files(
    root: Path, folder: Path, above: frozenset[Path], count: list[int]
) -> Iterator[tuple[str, Path]]:
    """Yield name and real path of every file to list; `above` are the real folders around."""
    inside = above | {folder.resolve()}
    for entry in sorted(folder.iterdir()):
        if (
            entry.name.startswith(".")
            or entry.name.endswith(".lock")
            or entry.name == "__pycache__"
        ):
            continue
        name = entry.relative_to(root).as_posix()
        target, mode = _target(root, entry, name)
        if stat.S_ISREG(mode):
            count[0] += 1
            if count[0] > MAX_FILES:
                raise NoManifest(f"{root} has more than {MAX_FILES:,} files")
            yield name, target
        elif not stat.S_ISDIR(mode):
            raise NoManifest(f"{name} is a device, pipe or socket; only files can be weights")
        elif target in inside:
            raise NoManifest(f"{name} is a link that leads round in a circle")
        else:
            yield from _files(root, entry, inside, count)


def _target(root: Path, entry: Path, name: str) -> tuple[Path, int]:
    try:
        name.encode()
        target = entry.resolve(strict=True)
        mode = target.stat().st_mode
    except UnicodeEncodeError:
        raise NoManifest(f"{name!r}: a file name has to be UTF-8") from None
    except RuntimeError:  # what Python before 3.13 raises for a link to itself
        raise NoManifest(f"{name} is a link that leads round in a circle") from None
    except OSError as error:
        raise NoManifest(f"{name} cannot be read: {_reason(error)}") from None
    if not target.is_relative_to(root):
        raise NoManifest(f"{name} is a link that leads outside the folder, to {target}")
    return target, mode


def _described(path: Path, name: str) -> dict[str, Any]:
    """Read one file to its end; refuse it if it is not the same file afterwards."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(os.open(path, flags), "rb", buffering=0) as file:
            before = os.fstat(file.fileno())
            buffer = bytearray(_CHUNK_BYTES)
            # A file that grows as fast as we read has no end: stop past the size it had.
            while stat.S_ISREG(before.st_mode) and size <= before.st_size:
                read = file.readinto(buffer)
                if not read:
                    break
                digest.update(memoryview(buffer)[:read])
                size += read
            after = os.fstat(file.fileno())
    except OSError as error:
        raise NoManifest(f"{name} cannot be read: {_reason(error)}") from None
    states = [(each.st_size, each.st_mtime_ns, each.st_ctime_ns) for each in (before, after)]
    if size != before.st_size or states[0] != states[1]:
        raise NoManifest(f"{name} changed while it was read; wait until nothing writes to it")
    return {"name": name, "sha256": digest.hexdigest(), "size": size}


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
