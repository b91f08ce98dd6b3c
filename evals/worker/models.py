"""Finding a claim's model on this host: a folder whose files are exactly the registered ones."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from evals.worker.convert import ConversionError, convert_package, dtype_of
from evals.worker.failures import Code, WorkError
from oversight.registry.hashing import ManifestError
from oversight.registry.manifest import Difference, Manifest, manifest_of


class ModelCache:
    """Folders of weights on this host, those of the hub and of packages named by their digest."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        # A folder verified once is verified again only when a file's size or time has changed.
        self._verified: dict[tuple[str, str], frozenset[tuple[str, int, int]]] = {}

    def resolve(self, model: dict[str, Any]) -> Path:
        """Return the folder of a claim's model, with its digest verified.

        Raises:
            WorkError: it cannot be had, or its files are not the registered ones.
        """
        expected = Manifest.from_json(model["manifest"])
        cached = self._directory / model["digest"].removeprefix("sha256:")
        folder = cached if cached.is_dir() else self._obtain(model["source"], cached, expected)
        self._require_unchanged(folder, expected)
        return folder

    def _obtain(self, source: dict[str, Any], cached: Path, expected: Manifest) -> Path:
        kind = source.get("kind")
        if kind == "directory":
            folder = Path(source["path"])
            if folder.is_dir():
                return folder
            raise WorkError(
                Code.WEIGHTS_MISSING,
                f"This host has neither {folder} nor a copy of the weights in {cached.parent}. "
                "Put the registered files into one of them.",
            )
        if kind == "package":
            return self._from_package(source)
        if kind == "hub":
            return self._from_hub(source, cached, expected)
        if kind == "endpoint":
            raise WorkError(
                Code.WEIGHTS_MISSING,
                "Nobody shows these weights, they are only served: tasks that score given answers "
                "take the model's tokenizer. Use tasks whose answers the model writes.",
            )
        raise WorkError(Code.WEIGHTS_MISSING, f"Nobody said where the weights are ({kind}).")

    def _from_package(self, source: dict[str, Any]) -> Path:
        try:
            dtype = dtype_of(source["conversion"])
            return convert_package(source["name"], self._directory, dtype=dtype)
        except (ConversionError, KeyError) as error:
            raise WorkError(Code.WEIGHTS_MISSING, str(error)) from error

    def _from_hub(self, source: dict[str, Any], cached: Path, expected: Manifest) -> Path:
        """Fetch exactly the registered files of a revision, then put them under their digest."""
        try:
            from huggingface_hub import snapshot_download
        except ImportError:
            raise WorkError(
                Code.HUB_UNAVAILABLE, "huggingface_hub is not installed on this host."
            ) from None
        self._directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._directory, prefix=".fetching-") as scratch:
            folder = Path(scratch) / "files"
            try:
                snapshot_download(
                    source["repository"],
                    revision=source["revision"],
                    local_dir=folder,
                    allow_patterns=[file.name for file in expected.files],
                )
            except Exception as error:
                name = f"{source.get('repository')}@{source.get('revision')}"
                reason = f"{name} cannot be fetched: {type(error).__name__}: {error}"
                raise WorkError(Code.HUB_UNAVAILABLE, reason) from error
            shutil.rmtree(folder / ".cache", ignore_errors=True)
            self._require_unchanged(folder, expected)
            folder.rename(cached)
        return cached

    def _require_unchanged(self, folder: Path, expected: Manifest) -> None:
        state = _state_of(folder)
        key = (str(folder), expected.digest)
        if self._verified.get(key) == state:
            return
        try:
            differences = expected.differences(manifest_of(folder))
        except ManifestError as error:
            raise WorkError(Code.WEIGHTS_UNREADABLE, str(error)) from error
        if differences:
            raise WorkError(
                Code.WEIGHTS_CHANGED,
                f"The weights are not the registered ones: {_said(differences)}. "
                "Restore the files, or register what is there now as a new version.",
            )
        self._verified[key] = state


def _said(differences: list[Difference]) -> str:
    """Say in which file folder and manifest differ, and what else they differ in."""
    first = differences[0]
    words = str(first)
    if first.expected and first.found:
        words += f", SHA-256 {first.found.sha256} instead of {first.expected.sha256}"
    more = len(differences) - 1
    return f"{words}, and {more} more files differ" if more else words


def _state_of(folder: Path) -> frozenset[tuple[str, int, int]]:
    """Return name, size and time of change of every file, links followed."""
    found = set()
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root) / name
            try:
                status = path.stat()
            except OSError:
                continue
            found.add((str(path), status.st_size, status.st_mtime_ns))
    return frozenset(found)
