"""A whole charter in plain words, type by type, and how two charters differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from django.utils.translation import gettext

from proposals.charter import governed, read, rules_in
from proposals.charter_rules import DecisionRules
from proposals.choices import ProposalType


@dataclass(frozen=True, slots=True)
class Chapter:
    """What a charter says about one type of decision, and about those that follow it."""

    kind: ProposalType
    also: tuple[ProposalType, ...]
    words: tuple[str, ...]

    @property
    def title(self) -> str:
        """What is decided so, after “To”."""
        return title_of(self.kind)

    @property
    def also_words(self) -> str:
        """What else is decided in the same way, as a sentence; empty where nothing is."""
        if not self.also:
            return ""
        names = [name_of(kind) for kind in self.also]
        listed = (
            names[0]
            if len(names) == 1
            else gettext("%(names)s and %(names_2)s")
            % {
                "names": ", ".join(names[:-1]),
                "names_2": names[-1],
            }
        )
        return gettext("In the same way: to %(listed)s.") % {"listed": listed}


def title_of(kind: ProposalType) -> str:
    """Return what a type of decision does, after “To”."""
    if kind == ProposalType.MOTION:
        return gettext("carry a general motion")
    return str(kind.label)


def name_of(kind: ProposalType) -> str:
    """Return the same as one of several in a sentence: without what a colon would explain."""
    short = {
        ProposalType.RETIRE: gettext("retire a model"),
        ProposalType.ELECTION: gettext("choose among options"),
    }
    return short.get(kind) or title_of(kind)


def chapters(document: Mapping[str, Any]) -> list[Chapter]:
    """Return a charter in plain words, type by type as it rules on them."""
    return [
        Chapter(kind, also, tuple(rules.words(kind, *also)))
        for kind, rules in read(document).items()
        for also in [governed(document, kind)[1:]]
    ]


def in_common(found: Sequence[Chapter]) -> tuple[tuple[str, ...], list[Chapter]]:
    """Return the sentences that all chapters say, and the chapters without them.

    Nothing is in common of one chapter alone: it stays whole.
    """
    if len(found) < 2:
        return (), list(found)
    common = tuple(
        line for line in found[0].words if all(line in chapter.words for chapter in found)
    )
    rest = [
        replace(chapter, words=tuple(line for line in chapter.words if line not in common))
        for chapter in found
    ]
    return common, rest


@dataclass(frozen=True, slots=True)
class Difference:
    """What one charter says otherwise than another about one type of decision."""

    title: str
    gone: tuple[str, ...]
    new: tuple[str, ...]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return how a charter differs from the one before it, sentence by sentence."""
    found = []
    for kind in ProposalType:
        old, new = (_lines(rules_in(document, kind), kind) for document in (before, after))
        if old != new:
            found.append((kind, *_changed(old, new)))
    merged: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for kind, gone, added in found:
        merged.setdefault((gone, added), []).append(name_of(kind))
    return [Difference(gettext("; to ").join(names), *change) for change, names in merged.items()]


def _lines(rules: DecisionRules | None, kind: ProposalType) -> list[str]:
    return rules.words(kind) if rules else [gettext("The body cannot decide this.")]


def _changed(old: list[str], new: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    gone: list[str] = []
    added: list[str] = []
    for _, left, right, start, end in (
        code for code in SequenceMatcher(None, old, new).get_opcodes() if code[0] != "equal"
    ):
        gone += old[left:right]
        added += new[start:end]
    return tuple(gone), tuple(added)
