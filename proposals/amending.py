"""The amendments of a proposal as its page shows them: listed, and in their places in the text."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet, prefetch_related_objects
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from oversight.accounts.policy import is_person
from proposals import policy
from proposals.choices import STANDING_AMENDMENTS, AmendmentStatus, Status
from proposals.edits import ShownPassage, meet, reach, shown
from proposals.evidence import Reference, Shown, reference_in
from proposals.markdown import render_blocks
from proposals.models import Amendment, Proposal, Revision

A_PAGE = 20
CONFLICTS_LISTED = 10
NOTES_A_BLOCK, NOTES_SHOWN = 20, 200
"""How many changes are noted in one paragraph of a text, and in all of it; the list has all."""

TONES = {
    AmendmentStatus.OPEN: "wait",
    AmendmentStatus.VOTING: "accent",
    AmendmentStatus.REJECTED: "bad",
    AmendmentStatus.ACCEPTED: "good",
    AmendmentStatus.CARRIED: "good",
    AmendmentStatus.NOT_CARRIED: "neutral",
    AmendmentStatus.WITHDRAWN: "neutral",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One amendment on a page."""

    amendment: Amendment
    passages: tuple[ShownPassage, ...]
    is_touched: bool
    """Whether a newer revision changed its words, so that it has no place in the text."""

    conflicts: list[int]
    """The numbers of other amendments about the same words."""

    @property
    def conflicts_listed(self) -> list[int]:
        """The first of them, as a list names them."""
        return self.conflicts[:CONFLICTS_LISTED]

    @property
    def more_conflicts(self) -> int:
        """How many of them a list leaves out."""
        return len(self.conflicts) - len(self.conflicts_listed)

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

    amendment: Amendment
    passage: ShownPassage


@dataclass(frozen=True, slots=True)
class TextBlock:
    """One block of the text, and the amendments to it."""

    html: SafeString
    notes: tuple[Note, ...] = ()
    more_notes: int = 0
    """How many more amendments would change it than are noted."""

    evidence: Shown | None = None


def amendments_of(proposal: Proposal) -> QuerySet[Amendment]:
    """Return the amendments of a proposal in the order made."""
    return proposal.amendments.select_related("author", "vote").order_by("number")


def fitting(proposal: Proposal, text: Revision) -> list[Amendment]:
    """Return those that can come into the text as it is, in the order made; one query at most."""
    if proposal.status != Status.DELIBERATION:
        return []
    found = proposal.amendments.filter(status__in=STANDING_AMENDMENTS, base=text)
    return list(found.select_related("author").order_by("number"))


def rows_of(
    amendments: Iterable[Amendment], text: Revision, standing: Sequence[Amendment]
) -> list[Row]:
    """Return some amendments as rows, each with those it conflicts with; one query at most.

    Args:
        amendments: those to show.
        text: the newest revision.
        standing: all that fit it; two conflict that would change the same words.
    """
    amendments = list(amendments)
    for each in amendments:
        if each.base_id == text.pk:
            each.base = text
    # The others' are long, and many have the same.
    prefetch_related_objects(amendments, "base")
    reaches = {each.pk: reach(each.changes, text.body_markdown) for each in standing}
    return [
        Row(
            each,
            shown(each.base.body_markdown, each.changes),
            is_touched=each.is_standing and each.base_id != text.pk,
            conflicts=[
                other.number
                for other in standing
                if other.pk != each.pk
                and each.pk in reaches
                and meet(reaches[each.pk], reaches[other.pk])
            ],
        )
        for each in amendments
    ]


def text_blocks(
    markdown: str,
    standing: Sequence[Amendment] = (),
    evidence: Mapping[Reference, Shown] | None = None,
) -> list[TextBlock]:
    """Return a set text block by block: with evidence where it is asked for, and amendments.

    Args:
        markdown: the text.
        standing: the amendments that fit it; they are noted at the blocks that they would change.
        evidence: what its references show.
    """
    blocks = render_blocks(markdown)
    notes: dict[int, list[Note]] = defaultdict(list)
    more: dict[int, int] = defaultdict(int)
    room = NOTES_SHOWN
    for amendment in standing:
        for passage in shown(markdown, amendment.changes):
            place = next((n for n, b in enumerate(blocks) if passage.at < b.end), len(blocks) - 1)
            if room and len(notes[place]) < NOTES_A_BLOCK:
                notes[place].append(Note(amendment, passage))
                room -= 1
            else:
                more[place] += 1
    found = []
    for place, block in enumerate(blocks):
        reference = reference_in(markdown[block.start : block.end])
        pulled_in = (evidence or {}).get(reference) if reference else None
        found.append(TextBlock(block.html, tuple(notes[place]), more[place], pulled_in))
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
