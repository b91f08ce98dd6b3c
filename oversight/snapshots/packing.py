"""Writes all public lists into one zip: the same rows, the same bytes, on every machine.

Lists are read in one snapshot of the database, go to files, and from there into the zip; no list is
ever in memory whole.
"""

import hashlib
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfileobj
from typing import Any

from oversight.dashboards.audit import one_moment
from oversight.dashboards.tables import writing
from oversight.dashboards.tables.columns import Table
from oversight.dashboards.tables.dictionary import FORMS, LICENCE, LISTS, package
from oversight.dashboards.twins import about
from oversight.ledger import queries
from oversight.ledger.bundle_writer import EARLIEST, READABLE

README = """\
All public lists of {site} when its log had {size} acts.

csv/, json/, parquet/   every list in three forms, with the same rows
datapackage.json        what each column means: a Frictionless Data Package
checkpoint              the signed statement of the log's size and root at that time
SHA256SUMS              check the files with: sha256sum -c SHA256SUMS

Licence: {licence}.
Files that evaluations were made from, and texts that people wrote, have their own.
To prove that nothing was left out or changed, take the audit bundle as well: {bundle}
"""


@dataclass(slots=True)
class Packed:
    """What was packed."""

    tree_size: int = 0
    rows: dict[str, int] = field(default_factory=dict)


def pack(target: Path, folder: Path, *, site: str, address: str) -> Packed:
    """Write the zip.

    Args:
        target: the zip to write.
        folder: an empty folder to work in.
        site: what the site calls itself.
        address: where it stands.
    """
    packed = Packed()
    with one_moment():
        checkpoint = queries.newest_checkpoint()
        packed.tree_size = checkpoint.size if checkpoint else 0
        for table in LISTS:
            assert table.rows is not None  # noqa: S101 - so is every list
            count = writing.write_lines(table, table.rows(), folder / f"{table.name}.lines")
            packed.rows[table.name] = count
        note = queries.published_note(checkpoint) if checkpoint else ""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        writer = _Writer(archive)
        words = README.format(
            site=site,
            size=packed.tree_size,
            licence=LICENCE["title"],
            bundle=f"{address}/audit/bundle.zip",
        )
        writer.add("README.txt", words.encode())
        writer.add("checkpoint", note.encode())
        described = [_put(table, folder, writer, packed) for table in LISTS]
        whole = package((), lambda _: "") | {"resources": described}
        writer.add("datapackage.json", _json(whole))
        writer.close()
    return packed


def _put(table: Table, folder: Path, writer: "_Writer", packed: Packed) -> dict[str, Any]:
    """Put a list in all its forms; return its description with size and digest of the CSV."""
    lines = folder / f"{table.name}.lines"
    head = {**about("/data/"), "tree_size": packed.tree_size, "complete": True}
    path = f"csv/{table.name}.csv"
    for form in FORMS:
        made = folder / f"{table.name}.{form}"
        if form == "json":
            writing.write_json(table, lines, made, head)
        elif form == "csv":
            writing.write_csv(table, lines, made)
        else:
            writing.write_parquet(table, lines, made, head)
        writer.add_file(f"{form}/{made.name}", made)
        made.unlink()
    lines.unlink()
    resource: dict[str, Any] = package([table], lambda _: path)["resources"][0]
    size, digest = writer.files[path]
    return resource | {"bytes": size, "hash": f"sha256:{digest}"}


class _Writer:
    """Files in the order given, with one fixed time."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.files: dict[str, tuple[int, str]] = {}
        """Size and SHA-256 by path."""

    def add(self, path: str, data: bytes) -> None:
        self.files[path] = (len(data), hashlib.sha256(data).hexdigest())
        self._archive.writestr(_entry(path), data)

    def add_file(self, path: str, source: Path) -> None:
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            self.files[path] = (file.tell(), digest)
            file.seek(0)
            with self._archive.open(_entry(path), "w", force_zip64=True) as out:
                copyfileobj(file, out)

    def close(self) -> None:
        sums = "".join(f"{digest}  {path}\n" for path, (_, digest) in self.files.items())
        self.add("SHA256SUMS", sums.encode())


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, EARLIEST)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix, whatever this machine is
    entry.external_attr = READABLE
    return entry


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()
