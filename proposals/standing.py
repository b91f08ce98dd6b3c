"""Where a proposal stands, for its page: a headline that is a finding, who may what, the vote."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext as _

from oversight.accounts.models import Membership
from oversight.accounts.policy import is_person, voting_membership
from oversight.web.languages import lowered
from proposals import policy
from proposals.charter_words import (
    BASE_WORDS,
    COMPARISONS,
    QUORUM_WORDS,
    TIE_WORDS,
    fraction_words,
)
from proposals.choices import OPEN, Status
from proposals.delegations import carriers
from proposals.models import Ballot, Contract, Proposal, RollEntry
from proposals.papers import ELECTION_METHODS, METHOD_NAMES
from proposals.readiness import number_of
from proposals.tally import consent, yes_no
from proposals.tally.quorum import QuorumBase
from proposals.tally.sheet import TieRule
from proposals.turnout import Heads, SoFar, carried_words, so_far


@dataclass(frozen=True, slots=True)
class Seat:
    """One place on the roll, and whether its member has voted; never how."""

    entry: int
    """Key of the place."""

    person_id: int
    name: str
    weight: int
    has_voted: bool
    to: int | None = None
    """The place to which the vote is delegated, as it stands now."""

    delegate: str = ""
    """Whose place that is."""

    carrier: str = ""
    """The delegate whose ballot counts for the member, too; empty while nobody's does."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What is public of a vote before its close."""

    contract: Contract
    content: dict[str, Any]
    seats: tuple[Seat, ...]
    so_far: SoFar
    """How many have taken part."""

    @property
    def closes_at(self) -> datetime:
        """When ballots are refused from."""
        return self.contract.closes_at

    @property
    def is_due(self) -> bool:
        """Whether the close has passed, though the count may still be to come."""
        return self.contract.is_due

    @property
    def ended_at(self) -> datetime:
        """From when on ballots are refused: the close, or the tie that an early close brought."""
        tied_at = self.contract.tied_at
        return min(tied_at, self.contract.closes_at) if tied_at else self.contract.closes_at

    @property
    def is_tied(self) -> bool:
        """Whether it ended in a tie that waits for the chair."""
        return self.contract.casting_until is not None

    @property
    def is_over(self) -> bool:
        """Whether ballots are refused."""
        return self.contract.is_over

    @property
    def is_election(self) -> bool:
        """Whether it chooses among options."""
        return self.content["method"] in ELECTION_METHODS

    @property
    def is_secret(self) -> bool:
        """Whether the public is never shown who voted how."""
        return bool(self.content["secrecy"] == "secret")

    @property
    def is_weighted(self) -> bool:
        """Whether members differ in weight."""
        return len({seat.weight for seat in self.seats}) > 1

    @property
    def tie_words(self) -> str:
        """What a tie falls to."""
        if self.content["method"] == consent.METHOD:
            return _("One reasoned objection stops the motion, whatever its weight.")
        return str(TIE_WORDS[TieRule(self.content["rules"]["tie_rule"])])

    @property
    def decided_by(self) -> str:
        """By what it is decided, as the end of a sentence."""
        if self.content["method"] == yes_no.METHOD:
            return _("carried by %(threshold_words)s") % {
                "threshold_words": self.threshold_words,
            }
        seats = self.content.get("seats", 1)
        chosen = _("; %(seats)s of %(number)s are chosen") % {
            "seats": seats,
            "number": len(self.content["options"]),
        }
        return METHOD_NAMES[self.content["method"]] + (chosen if self.is_election else "")

    @property
    def time_zone(self) -> str:
        """The body's zone, as frozen."""
        return str(self.content["time_zone"])

    @property
    def is_override(self) -> bool:
        """Whether a failed criterion raised the threshold."""
        return bool(self.content["override"])

    @property
    def roll_count(self) -> int:
        """How many may vote."""
        return len(self.seats)

    @property
    def voted_count(self) -> int:
        """How many have voted."""
        return self.so_far.voted

    @property
    def carried_count(self) -> int:
        """For how many more a delegate's ballot counts."""
        return self.so_far.carried

    @property
    def has_delegations(self) -> bool:
        """Whether a ballot can count for others, too."""
        return bool(self.content.get("delegation") == "transitive")

    @property
    def all_voted(self) -> bool:
        """Whether nobody is missing; who delegated is, because they may still vote themselves."""
        return self.voted_count == self.roll_count

    def seat_of(self, user: object) -> Seat | None:
        """Return the place of a person on the roll."""
        if not is_person(user):
            return None
        return next((seat for seat in self.seats if seat.person_id == user.pk), None)

    def others_of(self, seat: Seat) -> list[Seat]:
        """Return for whom else a ballot of this place counts or would, as things stand."""
        to = {each.entry: each.to for each in self.seats if each.to is not None}
        voted = {each.entry for each in self.seats if each.has_voted} | {seat.entry}
        carried = carriers(to, voted)
        return [each for each in self.seats if carried.get(each.entry) == seat.entry]

    @property
    def threshold_words(self) -> str:
        """What carries, such as “at least two thirds of the votes for and against”."""
        rules = self.content["rules"]
        share = fraction_words(Fraction(rules["threshold"]))
        return _("%(comparison)s %(share)s of %(base_words)s") % {
            "comparison": COMPARISONS[rules["comparison"]],
            "share": share,
            "base_words": BASE_WORDS[rules["base"]],
        }

    @property
    def quorum_rule(self) -> str:
        """What the quorum asks, such as “half of the roll must vote”."""
        rules = self.content["rules"]
        quorum = Fraction(rules["quorum"])
        base = QUORUM_WORDS[QuorumBase(rules["quorum_base"])]
        return f"{fraction_words(quorum)} {base}" if quorum else pgettext("a quorum", "none")

    @property
    def quorum_words(self) -> str:
        """What the quorum asks, and whether those who have voted so far make it."""
        check = self.so_far.quorum
        if not check.rule.fraction:
            return self.quorum_rule
        missed = pgettext("a quorum", "not reached") if self.is_over else _("not reached yet")
        reached = _("reached") if check.is_met else missed
        return str(gettext("; ").join([self.quorum_rule, str(reached)]))


def vote_of(proposal: Proposal) -> Vote | None:
    """Return the vote of a proposal that has or had one."""
    contract = getattr(proposal, "contract", None)
    if contract is None:
        return None
    roll = list(
        contract.roll.select_related("membership__person").annotate(
            has_voted=Exists(Ballot.objects.filter(entry=OuterRef("pk")))
        )
    )
    to = {
        entry.pk: entry.delegate_id
        for entry in roll
        if entry.delegate_id is not None and entry.delegation_revoked_at is None
    }
    carried = carriers(to, {entry.pk for entry in roll if entry.has_voted})
    names = {entry.pk: str(entry.membership.person) for entry in roll}
    seats = tuple(
        Seat(
            entry=entry.pk,
            person_id=entry.membership.person_id,
            name=names[entry.pk],
            weight=entry.weight,
            has_voted=entry.has_voted,
            to=to.get(entry.pk),
            delegate=names.get(to.get(entry.pk, 0), ""),
            carrier=names.get(carried.get(entry.pk, 0), ""),
        )
        for entry in roll
    )
    content = contract.content
    taken_part = so_far(
        content,
        voted=Heads.of(entry.weight for entry in roll if entry.has_voted),
        carried=Heads.of(entry.weight for entry in roll if entry.pk in carried),
    )
    return Vote(contract, content, seats, taken_part)


def headline(proposal: Proposal, vote: Vote | None, obstacles: Sequence[str]) -> str:
    """Return where the proposal stands, as one sentence."""
    if vote is not None and proposal.status == Status.VOTING:
        return _vote_headline(vote)
    if proposal.status == Status.DELIBERATION:
        if not obstacles:
            return _("Nothing stands in the way of the final text.")
        number = number_of(obstacles)
        return ngettext(
            "One thing stands in the way of the final text.",
            "%(obstacles)s things stand in the way of the final text.",
            number,
        ) % {"obstacles": number}
    if proposal.status == Status.FINAL_TEXT and obstacles:
        return _("The text is final; its notice is running.")
    if proposal.status == Status.DECIDED:
        return _("It is decided: %(lower)s.") % {
            "lower": lowered(proposal.decision.get_outcome_display()),
        }
    return {
        Status.DRAFT: gettext("A draft, which only its body can see."),
        Status.FINAL_TEXT: gettext("The text is final; the vote can open."),
        Status.WITHDRAWN: gettext("The proposer withdrew it."),
        Status.ANNULLED: gettext("The vote was annulled: no ballot counts."),
    }[Status(proposal.status)]


def _vote_headline(vote: Vote) -> str:
    if vote.is_tied:
        return _("The vote is tied and waits for the chair's casting vote.")
    if vote.all_voted:
        return _("Every member has voted.")
    if vote.is_due:
        return _("The vote has closed and is being counted.")
    if not vote.voted_count:
        return _("None of %(members)s members have voted.") % {"members": vote.roll_count}
    return ngettext(
        "%(voted)s of %(members)s members has voted%(carried)s.",
        "%(voted)s of %(members)s members have voted%(carried)s.",
        vote.voted_count,
    ) % {
        "voted": vote.voted_count,
        "members": vote.roll_count,
        "carried": carried_words(vote.so_far),
    }


def may_do(user: object, proposal: Proposal) -> dict[str, bool]:
    """Return what the user can do here now: right and stage together."""
    status = Status(proposal.status)
    early = status in {Status.DRAFT, Status.DELIBERATION}
    clerk = policy.can_move_stage(user, proposal)
    is_voting = status == Status.VOTING
    on_roll = is_voting and _is_on_roll(user, proposal)
    attach = early and policy.can_attach_evidence(user, proposal)
    return {
        "edit": early and policy.can_edit_text(user, proposal),
        "attach": attach and proposal.version_id is not None,
        "evaluate": attach and status == Status.DELIBERATION,
        "deliberate": status == Status.DRAFT and policy.can_start_deliberation(user, proposal),
        "amend": status == Status.DELIBERATION and policy.can_amend(user, proposal),
        "answer": status == Status.DELIBERATION and policy.can_answer_amendments(user, proposal),
        "fix_text": clerk and status == Status.DELIBERATION,
        "reopen": clerk and status == Status.FINAL_TEXT,
        "open_vote": clerk and status == Status.FINAL_TEXT,
        "close": clerk and is_voting and proposal.contract.casting_until is None,
        "break_tie": is_voting and is_awaited_chair(user, proposal),
        "annul": clerk and is_voting,
        "withdraw": (early or status == Status.FINAL_TEXT) and policy.can_withdraw(user, proposal),
        "vote": on_roll and _takes_ballots(proposal),
        "on_roll": on_roll,
        "comment": status in OPEN and policy.can_comment(user, proposal),
        "moderate": policy.can_moderate(user, proposal),
        "is_member": (seat := voting_membership(user, proposal.body)) is not None,
        **_may_support(seat, proposal),
        "recuse": seat is not None
        and status in {Status.DELIBERATION, Status.FINAL_TEXT}
        and not proposal.recusals.filter(membership=seat).exists(),
    }


def _may_support(seat: Membership | None, proposal: Proposal) -> dict[str, bool]:
    """Return whether a member can stand behind the proposal, or take that back."""
    early = proposal.status in {Status.DRAFT, Status.DELIBERATION, Status.FINAL_TEXT}
    if seat is None or not early or seat.person_id == proposal.proposer_id:
        return {"support": False, "unsupport": False}
    is_given = proposal.supports.filter(membership=seat, withdrawn_at=None).exists()
    return {"support": not is_given, "unsupport": is_given}


def is_awaited_chair(user: object, proposal: Proposal) -> bool:
    """Say whether a tie waits for this person's casting vote."""
    contract = getattr(proposal, "contract", None)
    if not is_person(user) or contract is None or contract.casting_until is None:
        return False
    seats = user.memberships.values_list("public_id", flat=True)
    return contract.content["chair"] in {f"member:{public_id}" for public_id in seats}


def _takes_ballots(proposal: Proposal) -> bool:
    contract = proposal.contract
    return contract.casting_until is None and timezone.now() < contract.closes_at


def _is_on_roll(user: object, proposal: Proposal) -> bool:
    entries = RollEntry.objects.filter(contract__proposal=proposal)
    return is_person(user) and entries.filter(membership__person=user).exists()
