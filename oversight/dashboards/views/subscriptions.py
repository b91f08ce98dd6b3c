"""What programs subscribe to: a body's feed and calendar, and a vote's calendar file."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from oversight.accounts.models import Body
from oversight.dashboards import calendars, feeds
from oversight.web import calendar_file
from oversight.web.unchanged import answer_unless_unchanged


@login_not_required
@require_safe
def body_feed(request: HttpRequest, slug: str) -> HttpResponse:
    """Send what a body did as an Atom feed."""
    body = get_object_or_404(Body, slug=slug)
    return _feed(request, feeds.channel_of(body), feeds.entries_of(body))


@login_not_required
@require_safe
def site_feed(request: HttpRequest, name: str) -> HttpResponse:
    """Send what all bodies propose or decide, or what was evaluated, as an Atom feed."""
    if name not in feeds.SITE:
        raise Http404
    _, _, _, entries = feeds.SITE[name]
    return _feed(request, feeds.site_channel(name), entries())


def _feed(request: HttpRequest, channel: feeds.Channel, entries: list[feeds.Entry]) -> HttpResponse:
    content = feeds.atom(channel, entries)
    changed = feeds.changed_at(channel, entries)
    return answer_unless_unchanged(request, content, feeds.CONTENT_TYPE, changed)


@login_not_required
@require_safe
def body_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the votes of a body as a calendar to subscribe to."""
    body = get_object_or_404(Body, slug=slug)
    votes, planned = calendars.votes_of(body), calendars.planned_by(body)
    content = calendar_file.calendar(
        gettext("Votes of %(body)s") % {"body": body},
        body.time_zone,
        [*calendars.events(votes), *calendars.planned_events(planned)],
        url=f"{settings.PUBLIC_URL}{request.path}",
    )
    since = [each.status_changed_at for each in planned]
    changed = max([body.founded_at, *map(calendars.changed_at, votes), *since])
    return answer_unless_unchanged(request, content, calendar_file.CONTENT_TYPE, changed)


@login_not_required
@require_safe
def vote_calendar(request: HttpRequest, ref: str) -> HttpResponse:
    """Send one vote's opening, close and tie, or what is planned, as a calendar file."""
    vote, planned = calendars.vote_of(ref), calendars.planned(ref)
    if vote is None and planned is None:
        raise Http404(gettext("No vote was opened on this, and none is planned."))
    proposal = vote.proposal if vote else planned
    content = calendar_file.calendar(
        gettext("Vote on %(ref)s") % {"ref": ref},
        proposal.body.time_zone,
        list(calendars.events([vote]) if vote else calendars.planned_events([planned])),
        url=f"{settings.PUBLIC_URL}{request.path}",
    )
    changed = calendars.changed_at(vote) if vote else planned.status_changed_at
    answer = answer_unless_unchanged(request, content, calendar_file.CONTENT_TYPE, changed)
    answer["Content-Disposition"] = f'attachment; filename="{proposal.ref}.ics"'
    return answer
