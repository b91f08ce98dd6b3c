"""Writes a bundle: a zip whose bytes follow from what is put into it, on every machine the same.

Files in the order given, one fixed time, stored without compression (compressed bytes differ
between versions of the compressor). The format is in `docs/reference/bundle.md`; what verifies it,
`verify.py`, shares no code with this. Free of Django.
"""

import hashlib
import zipfile
from collections.abc import Mapping
from typing import BinaryIO

import rfc8785

FORMAT = "oversight-audit-bundle"
VERSION = 1
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can name; every file has it."""

READABLE = 0o100644 << 16


class BundleWriter:
    """A bundle under way: add files, then `close` writes the manifest over all of them."""

    def __init__(self, target: BinaryIO) -> None:
        """Write to `target`, a file that can seek."""
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED)
        self._files: list[dict[str, str | int]] = []

    def add(self, path: str, data: bytes) -> None:
        """Add a file; its path is relative, ASCII, and new."""
        self._files.append(
            {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        )
        self._write(path, data)

    def close(self, about: Mapping[str, str]) -> None:
        """Write the manifest, which says what the bundle is about, and finish the zip."""
        manifest = {"v": VERSION, "format": FORMAT, "about": dict(about), "files": self._files}
        self._write("manifest.json", rfc8785.dumps(manifest))  # type: ignore[arg-type]
        self._zip.close()

    def _write(self, path: str, data: bytes) -> None:
        entry = zipfile.ZipInfo(path, EARLIEST)
        entry.create_system = 3  # Unix, whatever this machine is
        entry.external_attr = READABLE
        self._zip.writestr(entry, data)
