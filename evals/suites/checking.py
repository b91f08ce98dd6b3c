"""Checks on untrusted JSON that name the field and the way to mend it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

_ALLOWED_CONTROLS = frozenset("\n\t")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a suite: the place, what is wrong there, and how to mend it."""

    where: str
    """A path into the document (`tasks[0].config.doc_to_text`) or a file and its line."""
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message} {self.fix}".strip()


class SuiteError(ValueError):
    """A suite, a suite file or a data file was refused; `problems` says where and why."""

    def __init__(self, problems: Collection[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def control_character(text: str) -> str | None:
    """Return the code point of the first character that no text of a suite may hold, or None.

    Refused are control characters other than line feed and tab, and lone surrogates: neither the
    database nor a signed record could keep them.
    """
    for character in text:
        category = unicodedata.category(character)
        if category == "Cs" or (category == "Cc" and character not in _ALLOWED_CONTROLS):
            return f"U+{ord(character):04X}"
    return None


@dataclass(slots=True)
class Checker:
    """Collects the problems of one document; each method checks one kind of field.

    Every method returns the value when it is good and None otherwise, so that callers can go on
    and report all problems at once.
    """

    problems: list[Problem] = field(default_factory=list)

    def add(self, where: str, message: str, fix: str = "") -> None:
        """Record one problem."""
        self.problems.append(Problem(where, message, fix))

    def mapping(self, value: object, where: str) -> Mapping[str, Any] | None:
        """Check that the value is a JSON object."""
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return value
        self.add(where, "this must be an object.", "Write it as {…} with named fields.")
        return None

    def keys(
        self,
        value: Mapping[str, Any],
        where: str,
        *,
        required: Collection[str],
        optional: Collection[str] = (),
    ) -> None:
        """Check that all required keys are there and no unknown ones."""
        for key in required:
            if key not in value:
                self.add(f"{where}.{key}".lstrip("."), "this field is missing.", "Add it.")
        known = {*required, *optional}
        for key in value:
            if key not in known:
                self.add(
                    f"{where}.{key}".lstrip("."),
                    "this field is not known.",
                    f"Remove it; known are {', '.join(sorted(known))}.",
                )

    def text(
        self,
        value: object,
        where: str,
        *,
        limit: int,
        pattern: re.Pattern[str] | None = None,
        hint: str = "",
        may_be_empty: bool = False,
    ) -> str | None:
        """Check a string: its length in characters, its characters, and a pattern if given."""
        if not isinstance(value, str):
            self.add(where, "this must be text.", hint or "Write a string.")
        elif not value.strip() and not may_be_empty:
            self.add(where, "this must not be empty.", hint or "Write a few words.")
        elif len(value) > limit:
            self.add(where, f"this has {len(value)} characters.", f"Keep it under {limit}.")
        elif (character := control_character(value)) is not None:
            self.add(where, f"this holds the control character {character}.", "Remove it.")
        elif pattern is not None and not pattern.fullmatch(value):
            self.add(where, f"{value!r} is not allowed here.", hint)
        else:
            return value
        return None

    def boolean(self, value: object, where: str) -> bool | None:
        """Check a truth value."""
        if isinstance(value, bool):
            return value
        self.add(where, "this must be true or false.", "Write true or false without quotes.")
        return None

    def integer(self, value: object, where: str, *, least: int, most: int) -> int | None:
        """Check a whole number within bounds, both included."""
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.add(where, "this is not a whole number in range.", f"Use {least} to {most}.")
        return None

    def one_of(self, value: object, where: str, allowed: Collection[str]) -> str | None:
        """Check a choice among names."""
        if isinstance(value, str) and value in allowed:
            return value
        self.add(where, f"{value!r} is not allowed here.", f"Use one of {', '.join(allowed)}.")
        return None

    def items(
        self, value: object, where: str, *, most: int, may_be_empty: bool = False
    ) -> list[Any]:
        """Check a list with a bounded number of items; returns an empty list when it is bad."""
        if not isinstance(value, list):
            self.add(where, "this must be a list.", "Write it as […].")
        elif not value and not may_be_empty:
            self.add(where, "this list is empty.", "Add at least one item.")
        elif len(value) > most:
            self.add(where, f"this list has {len(value)} items.", f"Keep it to {most}.")
        else:
            return value
        return []
