"""What still stands between a proposal and its next stage, in words for its page."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext

from evals.choices import Outcome
from evals.criteria import Judgement, judge
from evals.models import Criterion, Run, SuiteVersion
from oversight.accounts.models import Membership
from oversight.registry.models import ModelVersion
from oversight.web.clock import database_now
from oversight.web.written import Told, Written
from proposals.choices import STANDING_AMENDMENTS, AmendmentStatus, Origin, ProposalType, Status
from proposals.evaluators import asks_for_admission, counted_organisations
from proposals.evidence import Shown, lines_of, problems_with, references_in, resolve
from proposals.feasibility import problems
from proposals.models import Charter, Proposal, Support


class More(str):
    """A line that stands for the things after the first few; it reads like any other."""

    __slots__ = ("number",)
    number: int
    """How many they are."""

    def __new__(cls, words: str, *, number: int) -> Self:
        """Say it in words."""
        line = super().__new__(cls, words)
        line.number = number
        return line


def number_of(obstacles: Sequence[str]) -> int:
    """Return how many things the lines stand for."""
    return sum(each.number if isinstance(each, More) else 1 for each in obstacles)


def judgements_of(proposal: Proposal) -> list[Judgement]:
    """Return the proposal's criteria beside their results; none for a proposal about no model."""
    if proposal.version is None:
        return []
    return judge(proposal.subject, proposal.version, by=counted_organisations(proposal))


def runs_needed(proposal: Proposal) -> list[tuple[SuiteVersion, ModelVersion]]:
    """Return what is to be run for a proposal's criteria: suites of the version proposed.

    And those of a version to compare with, where no whole run of it has succeeded.
    """
    assert proposal.version is not None  # noqa: S101 - the caller has looked
    criteria = list(Criterion.objects.about(proposal.subject))
    wanted = {(c.suite_version, proposal.version): None for c in criteria}
    for criterion in criteria:
        if criterion.beside is None:
            continue
        whole = Run.objects.succeeded().filter(settings__limit=None)
        if not whole.filter(
            suite_version=criterion.suite_version, model_version=criterion.beside
        ).exists():
            wanted[criterion.suite_version, criterion.beside] = None
    return list(wanted)


def obstacles_to_final_text(proposal: Proposal, charter: Charter, now: datetime) -> list[str]:
    """Return why the text cannot be final yet; empty when it can."""
    found = []
    opened = proposal.deliberation_opened_at or now
    ends = opened + timedelta(hours=charter.rules_for(proposal.type).deliberation_hours)
    if now < ends:
        found.append(
            gettext("The charter asks for deliberation until %(clock)s.")
            % {
                "clock": _clock(proposal, ends),
            }
        )
    found += _unmeasured(proposal, charter)
    if Run.objects.active().filter(purpose=proposal.subject).exists():
        found.append(gettext("An evaluation for this proposal is still running."))
    shown = shown_evidence(proposal)
    return [
        *found,
        *problems_with(shown),
        *_open_amendments(proposal, now),
        *_open_questions(proposal),
        *_unfit(proposal, charter),
    ]


def _unmeasured(proposal: Proposal, charter: Charter) -> list[str]:
    """Return the criteria that no result answers, the first named."""
    waiting = [j.criterion for j in judgements_of(proposal) if j.outcome == Outcome.NO_RESULT]
    if not waiting:
        return []
    # Tasks of several suites may share a title.
    titles = dict.fromkeys(each.task["title"] for each in waiting[:NAMED])
    names = ", ".join(gettext("“%(title)s”") % {"title": title} for title in titles)
    if more := len(waiting[NAMED:]):
        words = ngettext("%(names)s and one more", "%(names)s and %(more)s more", more)
        names = words % {"names": names, "more": more}
    if asks_for_admission(proposal, charter):
        return [gettext("No admitted evaluator has a result yet for %(names)s.") % {"names": names}]
    return [gettext("There is no result yet for %(names)s.") % {"names": names}]


def shown_evidence(proposal: Proposal) -> list[Shown]:
    """Return what the newest text pulls in of runs and criteria."""
    references = references_in(proposal.text.body_markdown)
    if not references:
        return []
    return list(resolve(references, lines_of(judgements_of(proposal), None)).values())


def obstacles_to_deliberation(proposal: Proposal, charter: Charter) -> list[str]:
    """Return why a draft cannot be put up for deliberation yet; empty when it can.

    What the clock or an emergency began needs nobody's support. Where the body has fewer other
    members than the charter asks for, all of them suffice: a rule nobody could meet would bind the
    body for ever, because the charter, too, is changed by a proposal.
    """
    asked = charter.rules_for(proposal.type).seconders
    if not asked or proposal.origin != Origin.PERSON:
        return []
    seats = Membership.objects.in_term(database_now()).voting().filter(body=proposal.body)
    asked = min(asked, seats.exclude(person=proposal.proposer).count())
    found = standing_supports(proposal).exclude(membership__person=proposal.proposer).count()
    if found >= asked:
        return []
    if not found:
        words = ngettext(
            "The charter asks for one other member to support it; none does.",
            "The charter asks for %(asked)s other members to support it; none does.",
            asked,
        )
        return [words % {"asked": asked}]
    words = ngettext(
        "The charter asks for %(asked)s other members to support it; one does.",
        "The charter asks for %(asked)s other members to support it; %(found)s do.",
        found,
    )
    return [words % {"asked": asked, "found": found}]


def standing_supports(proposal: Proposal) -> QuerySet[Support]:
    """Return who stands behind the proposal now, those whose term has ended left out."""
    seats = Membership.objects.in_term().voting()
    return proposal.supports.filter(withdrawn_at=None, membership__in=seats)


BEFORE_THE_VOTE = frozenset({Status.DELIBERATION, Status.FINAL_TEXT})


def obstacle_to_conflict(proposal: Proposal, charter: Charter, seat: Membership) -> str:
    """Return why a member cannot declare a conflict of interest; empty when they can."""
    if proposal.status == Status.DRAFT:
        return gettext("A conflict is declared once the deliberation is open.")
    if proposal.status not in BEFORE_THE_VOTE:
        return gettext(
            "A conflict is declared before the vote opens, because the roll is frozen then. "
            "In an open vote you can abstain."
        )
    if charter.rules_for(proposal.type).recusal == "none":
        return gettext("The charter of %(body)s does not let members step off the roll.") % {
            "body": proposal.body,
        }
    if proposal.recusals.filter(membership=seat).exists():
        return gettext("You have declared your conflict of interest in this already.")
    return ""


def obstacle_to_writing(proposal: Proposal) -> str:
    """Return why the proposal's text cannot be written any more; empty while it can."""
    if proposal.status in {Status.DRAFT, Status.DELIBERATION}:
        return ""
    return gettext(
        "The text cannot change any more: the proposal is in the stage “%(status)s”."
    ) % {"status": proposal.get_status_display()}


def obstacle_to_amendments(proposal: Proposal) -> str:
    """Return why nobody can ask for another wording now; empty while members can."""
    if proposal.status == Status.DELIBERATION:
        return ""
    return gettext(
        "Amendments belong to the deliberation: the proposal is in the stage “%(status)s”."
    ) % {"status": proposal.get_status_display()}


def obstacle_to_criteria(proposal: Proposal) -> str:
    """Return why the proposal's stage takes no criterion; empty while it does."""
    if proposal.status in {Status.DRAFT, Status.DELIBERATION}:
        return ""
    return gettext("Criteria are set before the final text; this proposal is past that.")


NAMED = 5
"""How many amendments, and how many questions, are named before the rest is counted."""

REJECTION_HOURS = 48
"""How long a rejected amendment still holds up the final text: its author may put it to a vote."""


def _open_amendments(proposal: Proposal, now: datetime) -> list[str]:
    """Return the amendments that are not settled, in the order they were made."""
    late = Q(status=AmendmentStatus.REJECTED) & Q(
        status_changed_at__lte=now - timedelta(hours=REJECTION_HOURS)
    )
    unsettled = proposal.amendments.filter(~late, status__in=STANDING_AMENDMENTS)
    rows = list(unsettled.select_related("author", "vote").order_by("number")[: NAMED + 1])
    found = []
    for amendment in rows[:NAMED]:
        until = amendment.status_changed_at + timedelta(hours=REJECTION_HOURS)
        name = gettext("Amendment %(number)s by %(author)s") % {
            "number": amendment.number,
            "author": amendment.author,
        }
        if amendment.status == AmendmentStatus.OPEN:
            found.append(
                gettext("%(name)s is open: the proposer has to accept or reject it.")
                % {
                    "name": name,
                }
            )
        elif amendment.vote is not None and amendment.status == AmendmentStatus.VOTING:
            found.append(
                gettext("%(name)s is put to a vote: %(ref)s.")
                % {
                    "name": name,
                    "ref": amendment.vote.ref,
                }
            )
        else:
            found.append(
                gettext("%(name)s was rejected; it can be put to a vote until %(clock)s.")
                % {
                    "name": name,
                    "clock": _clock(proposal, until),
                }
            )
    if len(rows) > NAMED:
        more = unsettled.count() - NAMED
        words = ngettext(
            "And %(more)s more amendment is not settled.",
            "And %(more)s more amendments are not settled.",
            more,
        )
        found.append(More(words % {"more": more}, number=more))
    return found


def _open_questions(proposal: Proposal) -> list[str]:
    """Return the questions that the proposer has not answered, the oldest named."""
    questions = proposal.comments.filter(is_question=True, answer=None, hidden_at=None)
    rows = list(questions.select_related("author")[: NAMED + 1])
    found: list[str] = [
        Told(
            gettext("The proposer has not answered %(author)s: “%(chars)s”"),
            author=row.author,
            chars=Written(Truncator(row.text).chars(120), row.written_in),
        )
        for row in rows[:NAMED]
    ]
    if len(rows) > NAMED:
        more = questions.count() - NAMED
        words = ngettext(
            "And %(value)s more question is unanswered.",
            "And %(value)s more questions are unanswered.",
            more,
        )
        found.append(More(words % {"value": more}, number=more))
    return found


def obstacles_to_vote(proposal: Proposal, charter: Charter, now: datetime) -> list[str]:
    """Return why the vote on a final text cannot open yet; empty when it can."""
    notice = timedelta(hours=charter.rules_for(proposal.type).notice_hours)
    earliest = proposal.status_changed_at + notice
    found = _unfit(proposal, charter)
    if now < earliest:
        until = _clock(proposal, earliest)
        found.insert(
            0,
            gettext("The charter asks for notice of the final text until %(until)s.")
            % {
                "until": until,
            },
        )
    return found


def _unfit(proposal: Proposal, charter: Charter) -> list[str]:
    """Return why carrying it would do nothing, or would override a criterion without a reason."""
    kind, terms = ProposalType(proposal.type), proposal.text.terms
    found = problems(kind, proposal.body, terms, target_ref=proposal.target_ref, charter=charter)
    lines = [words for _, words in found]
    failed = [j for j in judgements_of(proposal) if j.is_failed and j.aggregate is not None]
    if failed and not terms.get("override_reason"):
        names = ", ".join(j.criterion.task_name for j in failed)
        lines.append(
            gettext(
                "Not shown to be met: %(names)s. To put it to the vote all the same, the "
                "text must give a written reason for deciding against a criterion."
            )
            % {
                "names": names,
            }
        )
    return lines


def _clock(proposal: Proposal, moment: datetime) -> str:
    """Write a moment by the clock where the body sits, the zone named."""
    local = moment.astimezone(ZoneInfo(proposal.body.time_zone))
    zone = local.tzname() or "UTC"
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M} {'UTC' if zone[0] in '+-' else ''}{zone}"
