"""What changed between two versions of a suite: tasks, settings, data, and row by row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from evals.suites.rows import Row

_SUITE_FIELDS = ("title", "summary", "licence", "source")
ROWS_NAMED = 20
"""Ids of changed rows that are named; the rest is counted."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One setting before and after, both as text; empty where there was or is none."""

    name: str
    before: str
    after: str

    @property
    def parts(self) -> list[tuple[str, str]]:
        """The change word by word: pairs of `same`, `del` or `ins` and the text."""
        return word_changes(self.before, self.after)


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Rows added, removed and changed between two data files, by id."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    same: int
    order_changed: bool

    @property
    def is_empty(self) -> bool:
        """Whether all rows are the same, in the same order."""
        return not (self.added or self.removed or self.changed or self.order_changed)


@dataclass(frozen=True, slots=True)
class TaskChange:
    """One task: added, removed, changed or the same."""

    name: str
    title: str
    kind: str
    fields: tuple[FieldChange, ...] = ()
    data: FieldChange | None = None
    """The digests of the data, where they differ."""
    rows: RowChanges | None = None
    """None where the rows are the same, or may not be read."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that differs between two documents."""

    fields: tuple[FieldChange, ...]
    tasks: tuple[TaskChange, ...]

    @property
    def changed_tasks(self) -> tuple[TaskChange, ...]:
        """The tasks that are not the same."""
        return tuple(task for task in self.tasks if task.kind != "same")

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.fields or self.changed_tasks)


def compare_documents(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    rows_of: Callable[[Mapping[str, Any]], list[Row] | None],
) -> Changes:
    """Compare two documents; `rows_of(task)` reads a task's rows, or returns None where it may not.

    Rows are read only where the digests differ.
    """
    earlier = {task["name"]: task for task in before["tasks"]}
    later = {task["name"]: task for task in after["tasks"]}
    tasks = [_task_change(earlier.get(name), task, rows_of) for name, task in later.items()]
    tasks += [
        TaskChange(name, task["title"], "removed")
        for name, task in earlier.items()
        if name not in later
    ]
    return Changes(_fields(before, after, _SUITE_FIELDS), tuple(tasks))


def _task_change(
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    rows_of: Callable[[Mapping[str, Any]], list[Row] | None],
) -> TaskChange:
    if before is None:
        return TaskChange(after["name"], after["title"], "added")
    names = [key for key in {**before, **after} if key not in {"data", "config", "name"}]
    old, new = before.get("config", {}), after.get("config", {})
    fields = _fields(before, after, names) + _fields(old, new, {**old, **new})
    digests = [(task.get("data") or {}).get("sha256", "") for task in (before, after)]
    data = FieldChange("data", *digests) if digests[0] != digests[1] else None
    rows = None
    if data and all(digests):
        earlier, later = rows_of(before), rows_of(after)
        rows = None if earlier is None or later is None else row_changes(earlier, later)
    kind = "changed" if fields or data else "same"
    return TaskChange(after["name"], after["title"], kind, fields, data, rows)


def _fields(
    before: Mapping[str, Any], after: Mapping[str, Any], names: Any
) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(name, _shown(before.get(name)), _shown(after.get(name)))
        for name in names
        if before.get(name) != after.get(name)
        or type(before.get(name)) is not type(after.get(name))
    )


def _shown(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def row_changes(before: list[Row], after: list[Row]) -> RowChanges:
    """Compare rows by their id."""
    earlier = {row["id"]: row for row in before}
    later = {row["id"]: row for row in after}
    both = [key for key in later if key in earlier]
    changed = tuple(key for key in both if later[key] != earlier[key])
    return RowChanges(
        added=tuple(key for key in later if key not in earlier),
        removed=tuple(key for key in earlier if key not in later),
        changed=changed,
        same=len(both) - len(changed),
        order_changed=both != [key for key in earlier if key in later],
    )


def word_changes(before: str, after: str) -> list[tuple[str, str]]:
    """Return the words of two texts as runs of `same`, `del` and `ins`."""
    old, new = _words(before), _words(after)
    if len(old) * len(new) > 1_000_000:
        return [("del", before), ("ins", after)]
    found: list[tuple[str, str]] = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(("same", "".join(old[i:j])))
        else:
            found += [("del", "".join(old[i:j]))] * (j > i) + [("ins", "".join(new[k:m]))] * (m > k)
    return found


def _words(text: str) -> list[str]:
    pieces = []
    for line in text.splitlines(keepends=True):
        words = line.split(" ")
        pieces += [word + " " for word in words[:-1]] + [words[-1]]
    return [piece for piece in pieces if piece]
