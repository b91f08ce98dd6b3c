"""Files that survive a power cut: whole and new, or whole and old, never in between."""

import os
from pathlib import Path


def replace_durably(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Put `data` in the place of the file at `path`.

    A crash before the rename leaves the old file and a draft that the next attempt overwrites;
    after it the new file is complete.
    """
    draft = path.with_name(f"{path.name}.draft")
    write_durably(draft, data, os.O_TRUNC, mode)
    draft.replace(path)
    sync_folder(path.parent)


def write_durably(path: Path, data: bytes, flags: int, mode: int = 0o600) -> None:
    """Write a new file and have it on disk when this returns; `flags` join `O_CREAT`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flags, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename or a new name in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
