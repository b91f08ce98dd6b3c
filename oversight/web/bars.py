"""Places counts on bars: how a vote went against its threshold, how far a proposal has come.

Pure, like `charts`: no Django but its translations, no markup, positions as percentages.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.web.charts import Figure, Span, number, percent, span

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

STAGES = (
    ("draft", _("Draft")),
    ("deliberation", _("Deliberation")),
    ("final_text", _("Final text")),
    ("voting", _("Voting")),
    ("decided", _("Decided")),
)
"""The stages of a proposal in order: key and the word shown."""

ENDINGS = {"withdrawn": ("draft", _("Withdrawn")), "annulled": ("voting", _("Annulled"))}
"""What ended a proposal before its decision: the stage it surely reached, and the word."""


# -- Result bar ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a result bar, with its words for the key below it."""

    kind: str
    words: str
    count: int
    span: Span


@dataclass(frozen=True, slots=True)
class ResultBar:
    """A count of votes against its threshold."""

    segments: tuple[Segment, ...]
    threshold: str | None
    description: str


def result_bar(
    *,
    votes_for: int,
    against: int,
    abstain: int = 0,
    waiting: int = 0,
    threshold: Figure | None = None,
    base: str = "votes",
) -> ResultBar:
    """Lay out a result bar.

    Args:
        votes_for: votes for.
        against: votes against.
        abstain: abstentions.
        waiting: members on the roll who have not voted.
        threshold: share of the base that must be for, such as "2/3".
        base: what the threshold is a share of: "votes" (for and against), "cast" (with
            abstentions) or "roll" (with those who did not vote).
    """
    parts = (
        ("for", gettext("%(votes)s for"), votes_for),
        ("against", gettext("%(votes)s against"), against),
        ("abstain", gettext("%(votes)s abstained"), abstain),
        ("waiting", gettext("%(votes)s not voted"), waiting),
    )
    total = sum(count for _, _, count in parts)
    counted = {"votes": 2, "cast": 3, "roll": 4}[base]
    in_base = sum(count for _, _, count in parts[:counted])
    mark = None
    if threshold is not None and in_base:
        mark = percent(100 * number(threshold) * in_base / total)
    return ResultBar(
        segments=tuple(_segments(parts, total)),
        threshold=mark,
        description=", ".join(words % {"votes": count} for _, words, count in parts if count)
        or gettext("no votes"),
    )


def _segments(parts: Iterable[tuple[str, str, int]], total: int) -> Iterable[Segment]:
    before = 0
    for kind, words, count in parts:
        if count:
            left, right = 100 * before / total, 100 * (before + count) / total
            yield Segment(kind, words % {"votes": count}, count, span(left, right))
        before += count


# -- Count chart -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counted:
    """One line of a count chart, laid out: how many there are, and how many of those are marked."""

    label: str
    href: str
    number: int
    marked: int
    whole: Span
    part: Span


def count_chart(rows: Iterable[tuple[str, str, int, int]]) -> tuple[Counted, ...]:
    """Lay out counts on one scale from nought to the largest.

    Args:
        rows: label, address (or empty), number, and how many of the number are marked.
    """
    kept = list(rows)
    largest = max((number for _, _, number, _ in kept), default=0) or 1
    return tuple(
        Counted(
            label,
            href,
            number,
            marked,
            span(0, 100 * number / largest),
            span(0, 100 * marked / largest),
        )
        for label, href, number, marked in kept
    )


# -- Stage line ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a proposal as the stage bar shows it."""

    label: str
    state: str
    """"done", "current" or "ahead"."""


@dataclass(frozen=True, slots=True)
class StageLine:
    """All stages, and in words where the proposal stands, for a bar too narrow for every name."""

    stages: tuple[Stage, ...]
    current: str
    place: str


def stage_line(
    current: str, *, label: str = "", names: Sequence[tuple[str, "StrOrPromise"]] = STAGES
) -> StageLine:
    """Lay out the stages up to and after the current one.

    Args:
        current: key of the stage reached, or an ending before the decision.
        label: the word shown for it in place of its own, such as "Carried" or "Withdrawn".
        names: keys and words in order.

    Raises:
        ValueError: if `current` is not among the names.
    """
    keys = [key for key, _ in names]
    if current in ENDINGS:
        current, label = ENDINGS[current][0], label or str(ENDINGS[current][1])
    if current not in keys:
        raise ValueError(f"no stage {current!r}; the stages are {', '.join(keys)}")
    here = keys.index(current)
    words = [label if label and at == here else str(word) for at, (_, word) in enumerate(names)]
    states = ["done" if i < here else "current" if i == here else "ahead" for i in range(len(keys))]
    return StageLine(
        stages=tuple(Stage(word, state) for word, state in zip(words, states, strict=True)),
        current=words[here],
        place=gettext("stage %(value)s of %(keys)s") % {"value": here + 1, "keys": len(keys)},
    )
