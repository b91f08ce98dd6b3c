"""Task folders: a suite as the plain files that the bare `lm_eval` command reads.

The same folder serves the worker, which reads it from any directory, and outsiders, who get it as
a zip and rerun a published result without any of our software.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from evals.suites.document import (
    Suite,
    Task,
    canonical_bytes,
    digest,
    harness_group,
    harness_task,
)
from evals.suites.readme import readme

# Zip archives hold local times without a zone; a fixed one keeps the bytes the same everywhere.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_DATA = "data"
_NO_FOLDING = 100_000


class _Dumper(yaml.SafeDumper):
    """Writes plain YAML, with texts of several lines as blocks, and never a tag."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text.strip("\n") and text[0] != "\n" else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)


def write_folder(
    document: Suite, files: Mapping[str, bytes], directory: Path, *, absolute: bool = True
) -> list[str]:
    """Write a suite as a task folder; returns the harness's names of its tasks, in order.

    The directory is made when it is missing. With `absolute` the task files name their data by
    absolute path, so that a process in any working directory can load them; without it they name
    it relative to the folder, which must then be the working directory of the harness.

    Raises:
        KeyError: when the bytes of a data file are not among `files`.
    """
    base = str(directory.resolve()) if absolute else None
    for name, content in _members(document, files, base).items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return [harness_task(document["slug"], task) for task in document["tasks"]]


def write_task(slug: str, task: Task, directory: Path, data_path: Path | None = None) -> str:
    """Write the file of one task, over data that is already on disk; returns its harness name.

    A stock task needs no file: the harness has it, and only its name is returned.
    """
    name = harness_task(slug, task)
    if "data" in task:
        if data_path is None:
            raise ValueError(f"Task {task['name']} has data; give its path.")
        directory.mkdir(parents=True, exist_ok=True)
        content = _yaml(_task_settings(slug, task, str(data_path.resolve())))
        (directory / f"{name}.yaml").write_bytes(content)
    return name


def folder_zip(
    document: Suite, files: Mapping[str, bytes], *, shown: Collection[str] | None = None
) -> bytes:
    """Pack a suite as a zip that is the same, byte for byte, wherever it is made.

    With `shown`, the other tasks stand in the document only, with the digests of their data.
    Entries are stored and not compressed: compressed bytes depend on the library that made them.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(_members(document, files, base=None, shown=shown).items()):
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _members(
    document: Suite,
    files: Mapping[str, bytes],
    base: str | None,
    shown: Collection[str] | None = None,
) -> dict[str, bytes]:
    """Make all files of a task folder by their path in it; `base` is where the data will lie."""
    slug = document["slug"]
    members = {
        "README.md": readme(document, shown).encode(),
        "suite.json": canonical_bytes(document),
    }
    own = []
    for task in document["tasks"]:
        if "data" not in task or (shown is not None and task["name"] not in shown):
            continue
        name = harness_task(slug, task)
        data = f"{_DATA}/{task['data']['name']}"
        own.append(name)
        members[data] = files[task["data"]["name"]]
        path = data if base is None else f"{base}/{data}"
        members[f"{name}.yaml"] = _yaml(_task_settings(slug, task, path))
    if own:
        members[f"_{harness_group(slug)}.yaml"] = _yaml(_group_settings(document, own))
    return members


def _task_settings(slug: str, task: Task, data_path: str) -> dict[str, Any]:
    """Write a task in the harness's own words."""
    settings: dict[str, Any] = {
        "task": harness_task(slug, task),
        "task_alias": task["name"],
        "dataset_path": "json",
        # The harness keeps a cache of data by path, time and this name. The digest in it keeps two
        # versions apart that were unpacked in the same place with the same time.
        "dataset_name": task["data"]["sha256"][:16],
        "dataset_kwargs": {"data_files": {"test": data_path}},
        "test_split": "test",
        **task["config"],
        "num_fewshot": task["num_fewshot"],
        "metadata": {"version": 1, "suite": slug, "task_digest": digest(task)},
    }
    if task["num_fewshot"]:
        settings["fewshot_split"] = "test"
    return settings


def _group_settings(document: Suite, names: list[str]) -> dict[str, Any]:
    return {
        "group": harness_group(document["slug"]),
        "group_alias": document["title"],
        "task": names,
        "metadata": {"version": 1, "suite_digest": digest(document)},
    }


def _yaml(settings: Mapping[str, Any]) -> bytes:
    text = yaml.dump(
        dict(settings), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_NO_FOLDING
    )
    return text.encode()
