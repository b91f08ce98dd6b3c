"""Pages of incidents: what was reported, what came of it, in numbers and as a feed."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe

from oversight.dashboards.tables.of_deciding import INCIDENTS
from oversight.dashboards.tables.of_pages import STATISTICS
from oversight.dashboards.twins import as_json, as_table
from oversight.dashboards.views.subscriptions import site_feed
from oversight.dashboards.words import sentence, worded
from oversight.incidents import policy, shown, statistics
from oversight.incidents.choices import Event, Linked
from oversight.incidents.filters import IncidentFilter, filtered
from oversight.incidents.models import Incident, IncidentEvent, IncidentLink
from oversight.incidents.queries import IncidentQuerySet
from oversight.incidents.services.consequences import can_review
from oversight.web.moments import amount

TWIN_LIMIT = 10_000


@login_not_required
@require_safe
def incidents(request: HttpRequest) -> HttpResponse:
    """List what was reported and checked, newest first; filters narrow the list."""
    form = IncidentFilter(request.GET, user=request.user)
    rows = filtered(form)
    open_ones = Incident.objects.published().open().count()
    handles = Incident.objects.handled_by(request.user)
    context = {
        "headline": sentence(
            worded(
                ngettext("%(number)s incident is open", "%(number)s incidents are open", open_ones),
                open_ones,
                none=gettext("no incidents are open"),
            )
        ),
        "form": form,
        "is_filtered": any(form.data.get(name) for name in form.fields),
        "query": _query(request, form),
        "page": Paginator(rows, 25).get_page(request.GET.get("page")),
        "waiting": Incident.objects.filter(status="received").count(),
        "to_handle": handles.open().newest_first()[:50],
        "nav": "in-service",
    }
    return render(request, "dashboards/incidents.html", context)


def _query(request: HttpRequest, form: IncidentFilter) -> str:
    """Return the filters as they stand in the address, for the next page and the data."""
    asked = {name: str(request.GET.get(name, "")) for name in form.fields}
    return urlencode({name: value for name, value in asked.items() if value})


@login_not_required
@require_safe
def incident(request: HttpRequest, ref: str) -> HttpResponse:
    """Show what is public of an incident: text, links, timeline, what it has led to."""
    found = get_object_or_404(Incident.objects.with_parts(), ref=ref)
    suspensions = shown.suspensions_of([found])
    context = {
        "incident": found,
        "about": shown.links_of(found, Linked.DEPLOYMENT, Linked.VERSION, Linked.RUN),
        "led_to": [
            {"link": link, "authorisation": suspensions.get(link.proposal_id or 0)}
            for link in shown.links_of(found, Linked.SUSPENSION, Linked.REVIEW)
            if shown.is_public(link)
        ],
        "events": _timeline(found),
        "may_read": policy.can_read_report(request.user, found),
        "may_review": can_review(request.user, found),
        "nav": "in-service",
    }
    return render(request, "dashboards/incident.html", context)


def _timeline(found: Incident) -> list[dict[str, Any]]:
    """Return the events of the timeline component, oldest first."""
    links = {link.leaf_id: link for link in found.links.all() if shown.is_public(link)}
    events = [
        {
            "title": _event_title(event, links.get(event.leaf_id)),
            "at": event.at,
            "text": "" if _is_hidden(found, event) else event.text,
            "href": reverse("receipt", args=[event.leaf_id]),
        }
        for event in found.events.all()
    ]
    if events:
        events[-1]["is_latest"] = True
    return events


def _event_title(event: IncidentEvent, link: IncidentLink | None) -> str:
    """Return what happened in a few words; what it was linked to, where everybody may know it."""
    if event.kind == Event.MOVED:
        return event.get_status_display()
    if link is not None:
        return gettext("Linked: %(kind)s %(target)s") % {
            "kind": link.get_kind_display(),
            "target": link.target,
        }
    return event.get_kind_display()


def _is_hidden(found: Incident, event: IncidentEvent) -> bool:
    is_moderation = event.kind in {Event.HIDDEN, Event.RESTORED}
    return found.hidden_at is not None and not is_moderation


@login_not_required
@require_safe
def incident_oecd(request: HttpRequest, ref: str) -> HttpResponse:  # noqa: ARG001
    """Send an incident in the OECD's terms; there is nothing to send before it is published."""
    found = get_object_or_404(Incident.objects.published().with_parts(), ref=ref)
    return JsonResponse(shown.as_oecd(found), json_dumps_params={"ensure_ascii": False})


@login_not_required
@require_safe
def incidents_json(request: HttpRequest) -> HttpResponse:
    """Send what was published, with the filters of the page, as JSON."""
    rows = [shown.as_record(row) for row in _twin_rows(request)]
    return as_json("incidents", rows)


@login_not_required
@require_safe
def incidents_table(request: HttpRequest, form: str) -> HttpResponse:
    """Send what was published, with the filters of the page, as a table."""
    rows = [shown.as_row(row) for row in _twin_rows(request)]
    return as_table(request, form, "incidents", rows, INCIDENTS)


@login_not_required
@require_safe
def incidents_oecd(request: HttpRequest) -> HttpResponse:
    """Send what was published, with the filters of the page, in the OECD's terms."""
    rows = [shown.as_oecd(row) for row in _twin_rows(request) if row.published_at]
    return as_json("incidents", rows)


def _twin_rows(request: HttpRequest) -> IncidentQuerySet:
    return filtered(IncidentFilter(request.GET, user=request.user))[:TWIN_LIMIT]


@login_not_required
@require_safe
def incident_statistics(request: HttpRequest) -> HttpResponse:
    """Show incidents in numbers."""
    found = statistics.figures()
    median = found.answering.median_seconds
    context = {
        "figures": found,
        "headline": _reports_headline(found.total, found.open),
        "median": amount(median) if median is not None else "",
        "slowest": amount(found.answering.slowest_seconds or 0),
        "nav": "in-service",
    }
    return render(request, "dashboards/incident_statistics.html", context)


@login_not_required
@require_safe
def incident_statistics_json(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Send the figures as JSON."""
    found = statistics.figures()
    return as_json(
        "lines",
        statistics.as_records(found),
        total=found.total,
        open=found.open,
        answered=found.answering.answered,
        waiting=found.answering.waiting,
        median_seconds=found.answering.median_seconds,
        slowest_seconds=found.answering.slowest_seconds,
    )


@login_not_required
@require_safe
def incident_statistics_table(request: HttpRequest, form: str) -> HttpResponse:
    """Send the figures as a table."""
    rows = statistics.as_records(statistics.figures())
    return as_table(request, form, "incident-statistics", rows, STATISTICS)


@login_not_required
@require_safe
def incidents_feed(request: HttpRequest) -> HttpResponse:
    """Send what was published and how it moved on, as an Atom feed."""
    return site_feed(request, "incidents")


def _reports_headline(total: int, still_open: int) -> str:
    if not total:
        return gettext("No report was received yet.")
    received = worded(
        ngettext("%(number)s report was received", "%(number)s reports were received", total), total
    )
    left = worded(
        ngettext("%(number)s is open", "%(number)s are open", still_open),
        still_open,
        none=gettext("none is open"),
    )
    return sentence(f"{received}, {left}")
