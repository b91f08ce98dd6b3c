"""Who computed what, for whom, and what bodies have voted for that; each also as data."""

from django.contrib.auth.decorators import login_not_required
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe

from evals.budgets import Standing, standings
from evals.models import ComputeBudget
from oversight.dashboards import compute as shares
from oversight.dashboards.tables.dictionary import TABLES
from oversight.dashboards.tables.of_pages import BUDGETS, COMPUTE
from oversight.dashboards.twins import as_json, as_table
from oversight.dashboards.words import sentence, worded

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
    headline = worded(
        ngettext(
            "%(number)s organisation has computed what stands here",
            "%(number)s organisations have computed what stands here",
            len(organisations),
        ),
        len(organisations),
    )
    context = {
        "headline": sentence(headline) if rows else gettext("Nothing has been computed yet."),
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
def budgets_table(request: HttpRequest, form: str) -> HttpResponse:
    """The budgets as a table."""
    records = [each.as_record() for each in _budgets()]
    return as_table(request, form, "budgets", records, BUDGETS)


@login_not_required
@require_safe
def compute_by_table(request: HttpRequest, by: str, form: str) -> HttpResponse:
    """What each run, model or body took, as a table."""
    if by not in GROUPED:
        raise Http404
    table = TABLES[f"compute-by-{by}"]
    return as_table(request, form, table.name, shares.group_records(by), table)


@login_not_required
@require_safe
def compute_table(request: HttpRequest, form: str) -> HttpResponse:
    """The compute page as a table."""
    return as_table(request, form, "compute", shares.as_records(shares.shares()), COMPUTE)
