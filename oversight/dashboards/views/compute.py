"""Who computed what, for whom, and what bodies have voted for that; each also as data."""

from django.contrib.auth.decorators import login_not_required
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from evals.budgets import Standing, standings
from evals.models import ComputeBudget
from oversight.dashboards import compute as shares
from oversight.dashboards.twins import as_csv, as_json
from oversight.dashboards.words import counted, sentence

COMPUTE_COLUMNS = (
    *("organisation", "worker", "worker_id", "resource_class", "task_runs", "hours", "tokens"),
    *("watt_hours", "energy_is", "money", "currency"),
)
GROUP_COLUMNS = (
    *("runs", "task_runs", "hours", "tokens", "measured_wh", "estimated_wh", "money", "currency"),
)
BUDGET_COLUMNS = (
    *("body", "decision", "state", "hours", "used_hours", "left_hours", "runs"),
    *("starts_at", "until", "ended_at", "ended_by"),
)
GROUPED = ("model", "body", "run")
GROUPS_SHOWN = 25
BUDGETS_LIMIT = 200


@login_not_required
@require_safe
def compute(request: HttpRequest) -> HttpResponse:
    """Show who evaluated: hosts, organisations, hours, energy, cost."""
    rows = shares.shares()
    whole = shares.total("All", rows)
    organisations = shares.by_organisation(rows)
    headline = counted(len(organisations), "organisation has", "organisations have")
    context = {
        "headline": sentence(f"{headline} computed what stands here"),
        "rows": rows,
        "total": whole,
        "organisations": organisations,
        "by_model": shares.groups("model", GROUPS_SHOWN),
        "by_body": shares.groups("body", GROUPS_SHOWN),
        "by_run": shares.groups("run", GROUPS_SHOWN),
        "budgets": _budgets(),
        "nav": "findings",
    }
    return render(request, "dashboards/compute.html", context)


def _budgets() -> list[Standing]:
    """Return every budget with what is left of it: those that stand first, then the newest."""
    rows = ComputeBudget.objects.select_related("body")
    order = (F("ended_at").desc(nulls_first=True), "body__name", "-pk")
    return standings(rows.order_by(*order)[:BUDGETS_LIMIT])


@login_not_required
@require_safe
def compute_json(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The compute page as JSON."""
    taken = {f"by_{by}": shares.group_records(by) for by in GROUPED}
    budgets = [each.as_record() for each in _budgets()]
    return as_json("hosts", shares.as_records(shares.shares()), **taken, budgets=budgets)


@login_not_required
@require_safe
def budgets_csv(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The budgets as CSV."""
    return as_csv("budgets", [each.as_record() for each in _budgets()], BUDGET_COLUMNS)


@login_not_required
@require_safe
def compute_by_csv(request: HttpRequest, by: str) -> HttpResponse:  # noqa: ARG001
    """What each run, model or body took, as CSV."""
    if by not in GROUPED:
        raise Http404
    return as_csv(f"compute-by-{by}", shares.group_records(by), (by, *GROUP_COLUMNS))


@login_not_required
@require_safe
def compute_csv(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The compute page as CSV."""
    return as_csv("compute", shares.as_records(shares.shares()), COMPUTE_COLUMNS)
