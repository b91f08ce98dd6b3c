"""The home page and a person's own work."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from evals.models import Run
from oversight.accounts.policy import is_person
from oversight.dashboards.findings import headline_findings, of_run
from oversight.dashboards.views.decisions import open_cards
from oversight.dashboards.words import home_headline
from oversight.registry.models import Authorisation
from proposals.models import Decision, Proposal, RollEntry


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Answer first: what is in service, what is being decided, what was found lately."""
    in_service = service_rows(limit=10)
    open_proposals = list(Proposal.objects.open().with_parts().newest_first()[:6])
    latest = Run.objects.succeeded().with_parts().newest_first().first()
    context = {
        "headline": home_headline(
            sum(row["in_force"] for row in in_service), Proposal.objects.open().count()
        ),
        "in_service": in_service,
        "cards": open_cards(open_proposals),
        "latest_run": latest,
        "latest_findings": of_run(latest) if latest else [],
        "nav": "",
    }
    return render(request, "dashboards/home.html", context)


@require_safe
def my_work(request: HttpRequest) -> HttpResponse:
    """Show a person what waits for them: votes first, then their proposals and runs."""
    person = request.user
    if not is_person(person):
        raise Http404
    entries = (
        RollEntry.objects.filter(membership__person=person, contract__proposal__status="voting")
        .select_related("contract__proposal")
        .prefetch_related("ballots")
    )
    context = {
        "votes": [(entry, len(entry.ballots.all()) > 0) for entry in entries],
        "proposals": Proposal.objects.filter(proposer=person).with_parts().newest_first()[:20],
        "seats": person.memberships.in_term().select_related("body"),
        "affiliations": person.affiliations.in_term().select_related("organisation"),
        "runs": Run.objects.filter(requested_by=person).with_parts().newest_first()[:10],
        "notices": person.notices.order_by("-created_at")[:10],
    }
    return render(request, "dashboards/my_work.html", context)


def service_rows(limit: int = 200) -> list[dict[str, Any]]:
    """Return what stands authorised or suspended, each with its decision and headline finding."""
    rows = Authorisation.objects.standing().with_parts()[:limit]
    decisions = {
        decision.proposal.ref: decision
        for decision in Decision.objects.filter(
            proposal__ref__in=[row.decision_ref for row in rows]
        ).select_related("proposal")
    }
    return [
        {
            "authorisation": row,
            "in_force": row.is_in_force(),
            "decision": decisions.get(row.decision_ref),
            "finding": next(iter(headline_findings(row.version)), None),
        }
        for row in rows
    ]
