"""Pages of who takes part in what a body decides."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe

from oversight.accounts.models import Body, Membership
from oversight.dashboards import participation as found
from oversight.dashboards.tables.of_pages import MEMBERS, VOTES
from oversight.dashboards.twins import as_json, as_table
from oversight.dashboards.words import number_word, sentence, worded
from oversight.web.figures import percent
from proposals.services.charters import charters_of
from proposals.tally.sheet import TieRule


@login_not_required
@require_safe
def participation(request: HttpRequest, slug: str) -> HttpResponse:
    """Show turnout by vote and by member, and the delegations that stand."""
    body = get_object_or_404(Body, slug=slug)
    votes = found.votes_of(body)
    context = {
        "body": body,
        "headline": _headline(votes),
        "votes": votes,
        "members": found.members_of(body, votes),
        "delegations": found.delegations_of(body),
        "chair_breaks_ties": _chair_breaks_ties(body),
        "most": found.VOTES_SHOWN,
        "nav": "deciding",
    }
    return render(request, "dashboards/participation.html", context)


def _chair_breaks_ties(body: Body) -> bool:
    """Say whether the body's charter of today leaves any tie to the chair."""
    charter = charters_of([body.pk]).get(body.pk)
    rules = map(charter.rules_for, charter.kinds) if charter else ()
    return any(each.vote.tie_rule is TieRule.CHAIR for each in rules)


def _headline(votes: list[found.Vote]) -> str:
    """Return turnout in words."""
    on_roll = sum(vote.on_roll for vote in votes)
    if not on_roll:
        return gettext("No vote has ended yet.")
    share = sum(vote.cast + vote.delegated for vote in votes) / on_roll
    words = ngettext(
        "%(number)s vote has ended, and %(share)s of the votes that could be cast were",
        "%(number)s votes have ended, and %(share)s of the votes that could be cast were",
        len(votes),
    )
    gaps = {"number": number_word(len(votes)), "share": percent(share)}
    return sentence(words % gaps)


@login_not_required
@require_safe
def participation_json(request: HttpRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """The same as JSON."""
    body = get_object_or_404(Body, slug=slug)
    votes = found.votes_of(body)
    members = found.member_records(found.members_of(body, votes))
    return as_json("votes", found.vote_records(votes), body=slug, members=members)


@login_not_required
@require_safe
def votes_table(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """Turnout by vote as a table."""
    records = found.vote_records(found.votes_of(get_object_or_404(Body, slug=slug)))
    return as_table(request, form, f"{slug}-votes", records, VOTES)


@login_not_required
@require_safe
def members_table(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """Participation by member as a table."""
    body = get_object_or_404(Body, slug=slug)
    members = found.members_of(body, found.votes_of(body))
    records = found.member_records(members)
    return as_table(request, form, f"{slug}-members", records, MEMBERS)


@login_not_required
@require_safe
def member(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Show what one member did in each vote on whose roll they were."""
    seat = get_object_or_404(
        Membership.objects.voting().select_related("person", "body"),
        body__slug=slug,
        public_id=public_id,
    )
    votes = found.votes_of(seat.body)
    given = found.given_by(seat, votes)
    standing = found.delegations_of(seat.body)
    context = {
        "body": seat.body,
        "seat": seat,
        "given": given,
        "vote_words": worded(
            ngettext("%(number)s vote", "%(number)s votes", len(given)), len(given)
        ),
        "gives_to": [each.receiver for each in standing if each.giver_id == seat.pk],
        "carries": [each.giver for each in standing if each.receiver_id == seat.pk],
        "nav": "deciding",
    }
    return render(request, "dashboards/member.html", context)
