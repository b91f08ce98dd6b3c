"""Task folders back into suites: the zip of another installation, or one of our own folders.

Only `suite.json` and the data files are read; the YAML beside them is for the bare harness and is
made again here, so that nothing in it is ever trusted.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from evals.suites.checking import Problem, SuiteError
from evals.suites.document import DOCUMENT_LIMIT_BYTES, FILE_LIMIT_BYTES, require_valid
from evals.suites.importers import ImportedSuite
from evals.suites.rows import require_files

ARCHIVE_LIMIT_BYTES = 256 * 1024 * 1024
ENTRIES_LIMIT = 256


def read_suite_zip(content: bytes) -> ImportedSuite:
    """Read a suite from the bytes of its `lm-eval.zip`.

    Raises:
        SuiteError: it is no such zip, or a part of it is missing, too large, or not what the
            document says by size and digest.
    """
    if len(content) > ARCHIVE_LIMIT_BYTES:
        _refuse(
            "the zip", "it is too large.", f"Keep it to {ARCHIVE_LIMIT_BYTES // 1_048_576} MiB."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _from_members(_Members(archive))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        _refuse("the zip", f"it cannot be read ({error}).", "Download it again.")


def read_suite_folder(folder: Path) -> ImportedSuite:
    """Read a suite from an unpacked task folder.

    Raises:
        SuiteError: as `read_suite_zip`.
    """
    try:
        draft = (folder / "suite.json").read_bytes()
        document = _document(draft)
        files = {name: (folder / "data" / name).read_bytes() for name in _data_names(document)}
    except OSError as error:
        _refuse(str(folder), f"{error.strerror}: {error.filename}", "Give an unpacked task folder.")
    return _imported(document, files)


class _Members:
    """The entries of an archive, each read only up to its limit, however it is packed."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > ENTRIES_LIMIT:
            _refuse("the zip", f"it has {len(entries)} files.", f"Keep it to {ENTRIES_LIMIT}.")
        found = [entry.filename for entry in entries]
        documents = [name for name in found if name == "suite.json" or name.endswith("/suite.json")]
        if len(documents) != 1:
            fix = "Give the lm-eval.zip of one suite."
            _refuse("the zip", f"it has {len(documents)} files named suite.json.", fix)
        self.base = documents[0].removesuffix("suite.json")

    def read(self, name: str, limit: int) -> bytes:
        try:
            with self._archive.open(self.base + name) as file:
                content = file.read(limit + 1)
        except KeyError:
            fix = "Items that are not public are left out of downloads; such a suite cannot travel."
            _refuse(name, "the zip does not hold this file.", fix)
        if len(content) > limit:
            _refuse(name, "it is too large.", f"Keep it under {limit:,} bytes.")
        return content


def _from_members(members: _Members) -> ImportedSuite:
    document = _document(members.read("suite.json", DOCUMENT_LIMIT_BYTES * 2))
    files, total = {}, 0
    for name in _data_names(document):
        files[name] = members.read(f"data/{name}", FILE_LIMIT_BYTES)
        total += len(files[name])
        if total > ARCHIVE_LIMIT_BYTES:
            _refuse(name, "the data unpacks to too much.", "Split the suite.")
    return _imported(document, files)


def _document(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        _refuse("suite.json", f"this is not JSON: {error}.", "Download the suite again.")
    return dict(require_valid(found))


def _data_names(document: Mapping[str, Any]) -> list[str]:
    return sorted({task["data"]["name"] for task in document["tasks"] if "data" in task})


def _imported(document: dict[str, Any], files: dict[str, bytes]) -> ImportedSuite:
    suite = require_valid(document)
    require_files(suite, files)
    return ImportedSuite(suite, files)


def _refuse(where: str, message: str, fix: str) -> NoReturn:
    raise SuiteError([Problem(where, message, fix)])
