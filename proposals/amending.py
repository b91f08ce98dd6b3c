"""The amendments of a proposal as its page shows them: listed, and in their places in the text."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from oversight.accounts.policy import is_person
from proposals import policy
from proposals.choices import AmendmentStatus, Status
from proposals.edits import ShownPassage, shown, touch
from proposals.evidence import Reference, Shown, reference_in
from proposals.markdown import render_blocks
from proposals.models import Amendment, Proposal, Revision

TONES = {
    AmendmentStatus.OPEN: "wait",
    AmendmentStatus.VOTING: "accent",
    AmendmentStatus.REJECTED: "bad",
    AmendmentStatus.ACCEPTED: "good",
    AmendmentStatus.CARRIED: "good",
    AmendmentStatus.NOT_CARRIED: "neutral",
    AmendmentStatus.WITHDRAWN: "neutral",
}


@dataclass
class Row:
    """One amendment on a page."""

    amendment: Amendment
    passages: tuple[ShownPassage, ...]
    is_touched: bool
    """Whether a newer revision changed its words, so that it has no place in the text."""

    conflicts: list[int] = field(default_factory=list)
    """The numbers of other amendments about the same words."""

    @property
    def is_open(self) -> bool:
        """Whether it waits for the proposer's answer."""
        return self.amendment.status == AmendmentStatus.OPEN

    @property
    def tone(self) -> str:
        """The tone of its chip."""
        return TONES[AmendmentStatus(self.amendment.status)]

    @property
    def label(self) -> str:
        """Its state in words; one left open when its proposal went on came to nothing."""
        is_over = self.amendment.proposal.status in {Status.WITHDRAWN, Status.ANNULLED}
        is_open = self.amendment.status == AmendmentStatus.OPEN
        return _("Lapsed") if is_over and is_open else self.amendment.get_status_display()


@dataclass(frozen=True, slots=True)
class Note:
    """What an amendment would change in one paragraph."""

    row: Row
    passage: ShownPassage


@dataclass(frozen=True, slots=True)
class TextBlock:
    """One block of the text, and the amendments to it."""

    html: SafeString
    notes: tuple[Note, ...] = ()
    evidence: Shown | None = None


def rows_of(proposal: Proposal, text: Revision) -> list[Row]:
    """Return the amendments of a proposal in the order made, each with those it conflicts with."""
    found = proposal.amendments.select_related("author", "base", "vote", "proposal")
    rows = [
        Row(
            amendment,
            shown(amendment.base.body_markdown, amendment.changes),
            is_touched=amendment.is_standing and amendment.base_id != text.pk,
        )
        for amendment in found
    ]
    _find_conflicts(rows, text)
    return rows


def _find_conflicts(rows: Sequence[Row], text: Revision) -> None:
    """Note on each row that stands which others are about the same words."""
    standing = [r for r in rows if r.amendment.is_standing and r.amendment.base_id == text.pk]
    for place, one in enumerate(standing):
        for other in standing[place + 1 :]:
            if touch(one.amendment.changes, other.amendment.changes, text.body_markdown):
                one.conflicts.append(other.amendment.number)
                other.conflicts.append(one.amendment.number)


def text_blocks(
    markdown: str,
    rows: Sequence[Row] = (),
    evidence: Mapping[Reference, Shown] | None = None,
) -> list[TextBlock]:
    """Return a set text block by block: with evidence where it is asked for, and amendments.

    Args:
        markdown: the text.
        rows: its amendments; those that stand are noted at the blocks that they would change.
        evidence: what its references show.
    """
    blocks = render_blocks(markdown)
    notes: dict[int, list[Note]] = defaultdict(list)
    for row in rows:
        if not row.amendment.is_standing or row.is_touched:
            continue
        for passage in row.passages:
            place = next((n for n, b in enumerate(blocks) if passage.at < b.end), len(blocks) - 1)
            notes[place].append(Note(row, passage))
    found = []
    for place, block in enumerate(blocks):
        reference = reference_in(markdown[block.start : block.end])
        shown = (evidence or {}).get(reference) if reference else None
        found.append(TextBlock(block.html, tuple(notes[place]), shown))
    return found


def may_do_with(user: object, amendment: Amendment) -> dict[str, bool]:
    """Return what the user can do with an amendment now: right and state together."""
    proposal, status = amendment.proposal, AmendmentStatus(amendment.status)
    stands = amendment.is_standing and status != AmendmentStatus.VOTING
    mine = is_person(user) and amendment.author_id == user.pk
    answers = stands and policy.can_answer_amendments(user, proposal)
    return {
        "accept": answers,
        "reject": answers and status == AmendmentStatus.OPEN,
        "edit": stands and mine and policy.can_amend(user, proposal),
        "withdraw": stands and mine,
        "put": stands and policy.can_put_to_vote(user, amendment),
    }
