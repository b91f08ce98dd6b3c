"""What proposals wait for from one person beside their vote: an answer, or the next stage."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.utils.translation import gettext, ngettext

from oversight.accounts.models import Person
from oversight.web.clock import database_now
from proposals.choices import AmendmentStatus, NextAct, Origin, Status
from proposals.models import Amendment, Comment, Proposal
from proposals.queries import ProposalQuerySet
from proposals.readiness import obstacles_to_final_text, obstacles_to_vote
from proposals.services.charters import charters_of
from proposals.titles import titled

SHOWN = 20
LOOKED_AT = 20
"""How many proposals are held against their charters for one page; the longest waiting first."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing that a proposal waits for, and the page on which it is done."""

    proposal: Proposal
    act: NextAct
    since: datetime
    amendment: Amendment | None = None
    """Which one waits for its answer, with its author."""

    questions: int = 0
    """How many wait for theirs."""

    @property
    def words(self) -> str:
        """What to do, in the reader's language."""
        match self.act:
            case NextAct.ANSWER_AMENDMENT if self.amendment:
                words = gettext("Accept or reject amendment %(number)s by %(author)s")
                return words % {"number": self.amendment.number, "author": self.amendment.author}
            case NextAct.ANSWER_QUESTIONS:
                words = ngettext("Answer a question", "Answer %(number)s questions", self.questions)
                return words % {"number": self.questions}
            case NextAct.FIX_TEXT:
                return gettext("Declare the text final")
        return gettext("Open the vote")

    @property
    def path(self) -> str:
        """The page on which it is done."""
        page = self.proposal.get_absolute_url()
        if self.amendment:
            return f"{page}amendments/{self.amendment.number}/"
        return f"{page}#discussion" if self.questions else page


def next_steps(person: Person) -> list[NextStep]:
    """Return what waits: answers to amendments and questions first, then stages that are due."""
    clerk_of = list(person.memberships.in_term().clerks().values_list("body_id", flat=True))
    answers = Q(proposer=person)
    if clerk_of:
        answers |= Q(origin=Origin.CLOCK, body__in=clerk_of)
        answers |= Q(proposer__is_active=False, body__in=clerk_of)
    open_ones = titled(Proposal.objects.filter(status=Status.DELIBERATION)).without_documents()
    found = _answers(open_ones.filter(answers))
    if clerk_of:
        found += _stages(clerk_of)
    return found[:SHOWN]


def _answers(proposals: ProposalQuerySet) -> list[NextStep]:
    """Return the amendments and the questions that only the proposer settles."""
    by_key = {each.pk: each for each in proposals.order_by("status_changed_at")[:SHOWN]}
    amendments = Amendment.objects.filter(proposal__in=by_key, status=AmendmentStatus.OPEN)
    found = [
        NextStep(by_key[row.proposal_id], NextAct.ANSWER_AMENDMENT, row.made_at, amendment=row)
        for row in amendments.select_related("author").order_by("made_at")[:SHOWN]
    ]
    asked = _unanswered().filter(proposal__in=by_key).order_by().values("proposal")
    found += [
        NextStep(
            by_key[row["proposal"]],
            NextAct.ANSWER_QUESTIONS,
            row["since"],
            questions=row["number"],
        )
        for row in asked.annotate(number=Count("pk"), since=Min("made_at"))
    ]
    return found


def _stages(clerk_of: list[int]) -> list[NextStep]:
    """Return the texts that can be made final, and the votes that can open, of some bodies."""
    now, charters = database_now(), charters_of(clerk_of)
    in_them = titled(Proposal.objects.filter(body__in=charters)).with_parts()
    amendments = Amendment.objects.filter(proposal=OuterRef("pk"), status__in=_HOLDING_UP)
    quiet = in_them.filter(
        ~Exists(amendments),
        ~Exists(_unanswered().filter(proposal=OuterRef("pk"))),
        status=Status.DELIBERATION,
    )
    unset = in_them.filter(status=Status.FINAL_TEXT, vote_opens_at=None)
    return [
        NextStep(each, act, each.status_changed_at)
        for proposals, act, in_the_way in (
            (quiet, NextAct.FIX_TEXT, obstacles_to_final_text),
            (unset, NextAct.OPEN_VOTE, obstacles_to_vote),
        )
        for each in proposals.order_by("status_changed_at")[:LOOKED_AT]
        if not in_the_way(each, charters[each.body_id], now)
    ]


_HOLDING_UP = (AmendmentStatus.OPEN, AmendmentStatus.VOTING)


def _unanswered() -> QuerySet[Comment]:
    return Comment.objects.filter(is_question=True, answer=None, hidden_at=None)
