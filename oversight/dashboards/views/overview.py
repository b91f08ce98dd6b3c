"""The home page and a person's own work."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe

from evals.models import Run
from oversight.accounts.choices import VOTING_ROLES
from oversight.accounts.models import Membership
from oversight.accounts.policy import is_person
from oversight.dashboards.cards import open_cards
from oversight.dashboards.evidence import outcomes_in_words
from oversight.dashboards.findings import Finding, latest, newest_findings
from oversight.dashboards.views.decisions import may_propose_something
from oversight.dashboards.words import home_headline, sentence, worded
from oversight.incidents.models import Incident
from oversight.incidents.queries import open_by_deployment
from oversight.registry.models import Authorisation
from proposals.awaiting import awaiting, cast_in
from proposals.models import Decision, Proposal
from proposals.next_steps import next_steps
from proposals.services.charters import charters_of
from proposals.titles import titled

HOME_ROWS = 10
HOME_CARDS = 4
HOME_INCIDENTS = 3


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Answer first: what is in service, what is being decided, what was found lately."""
    rows = service_rows(limit=HOME_ROWS)
    being_decided = Proposal.objects.open().count()
    context = {
        "headline": home_headline(Authorisation.objects.in_force().count(), being_decided),
        "rows": rows,
        "more_rows": Authorisation.objects.standing().count() - len(rows),
        "cards": open_cards(Proposal.objects.open().with_parts().newest_first(), HOME_CARDS),
        "more_cards": max(0, being_decided - HOME_CARDS),
        "latest": latest(),
        "incidents": Incident.objects.published().open().newest_first()[:HOME_INCIDENTS],
        "nav": "",
    }
    return render(request, "dashboards/home.html", context)


@require_safe
def my_work(request: HttpRequest) -> HttpResponse:
    """Show a person what waits for them: votes, then incidents, their proposals and runs."""
    person = request.user
    if not is_person(person):
        raise Http404
    waiting, cast = awaiting(person), cast_in(person)
    seats = list(person.memberships.in_term().select_related("body"))
    steps = next_steps(person)
    to_handle = list(Incident.objects.handled_by(person).open().newest_first()[:50])
    proposals = titled(Proposal.objects.filter(proposer=person)).with_parts().newest_first()
    unvoted = [vote for vote in waiting if not vote.voted_for_them]
    may_vote = any(seat.role in VOTING_ROLES for seat in seats)
    number = len({step.proposal.pk for step in steps})
    context = {
        "votes": [*unvoted, *(vote for vote in waiting if vote.voted_for_them), *cast],
        "headline": _what_waits(len(unvoted), len(to_handle), number, may_vote=may_vote),
        "may_vote": may_vote,
        "may_propose": may_propose_something(person),
        "steps": steps,
        "to_handle": to_handle,
        "proposals": proposals[:20],
        "seats": seats,
        "delegable": _delegable(seats),
        "affiliations": person.affiliations.in_term().select_related("organisation"),
        "runs": Run.objects.filter(requested_by=person).with_parts().newest_first()[:10],
        "notices": person.notices.newest_first()[:10],
        "unread": person.notices.unread().count(),
        "nav": "",
    }
    return render(request, "dashboards/my_work.html", context)


def _delegable(seats: Sequence[Membership]) -> set[int]:
    """Return the bodies of seats with a vote whose charters know delegation."""
    charters = charters_of(seat.body_id for seat in seats if seat.role in VOTING_ROLES)
    return {body for body, charter in charters.items() if charter.has_delegations}


def _what_waits(votes: int, incidents: int, proposals: int, *, may_vote: bool) -> str:
    """Return what waits for a person, in a sentence: votes, else incidents, else next steps."""
    if incidents and not votes:
        words = ngettext(
            "%(number)s incident waits for you", "%(number)s incidents wait for you", incidents
        )
        return sentence(worded(words, incidents))
    if proposals and not votes:
        words = ngettext(
            "%(number)s proposal waits for you", "%(number)s proposals wait for you", proposals
        )
        return sentence(worded(words, proposals))
    words = ngettext("%(number)s vote waits for you", "%(number)s votes wait for you", votes)
    none = gettext("no votes wait for you") if may_vote else gettext("nothing waits for you")
    return sentence(worded(words, votes, none=none))


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """What stands authorised or suspended for one deployment, with what it rests on."""

    authorisation: Authorisation
    in_force: bool
    is_late: bool
    """Granted, but its time is over."""
    decision: Decision | None
    finding: Finding | None
    asked: str
    """How the criteria of its decision came out, in words; empty where it had none."""
    open_incidents: int
    """Published incidents about the deployment that are not over."""


def service_rows(limit: int = 200) -> list[ServiceRow]:
    """Return what stands, each row with its decision and newest finding, in four queries."""
    rows = list(Authorisation.objects.standing().with_parts()[:limit])
    refs = [row.decision_ref for row in rows]
    decisions = {
        found.proposal.ref: found
        for found in Decision.objects.filter(proposal__ref__in=refs).select_related(
            "proposal__contract"
        )
    }
    incidents = open_by_deployment(row.deployment_id for row in rows)
    findings = newest_findings({row.version_id: row.version for row in rows}.values())
    return [
        ServiceRow(
            authorisation=row,
            in_force=row.is_in_force(),
            is_late=row.state_now == "granted" and not row.is_in_force(),
            decision=(decision := decisions.get(row.decision_ref)),
            finding=findings.get(row.version_id),
            asked=outcomes_in_words(decision.proposal.contract) if decision else "",
            open_incidents=incidents.get(row.deployment_id, 0),
        )
        for row in rows
    ]
