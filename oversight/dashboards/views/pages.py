"""Pages about the site itself: how to verify, its API, accessibility, the design."""

from functools import lru_cache
from itertools import groupby
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from rest_framework.settings import api_settings

from oversight.accounts.choices import Scope
from oversight.dashboards.api_examples import EXAMPLES
from oversight.ledger import queries
from oversight.web.api_document_view import document
from proposals.models import Decision
from proposals.tally import yes_no

API_PREFIX = "/api/v1/"
DECISIONS_LOOKED_AT = 5
_OF_NO_USE_TO_ROBOTS = ("/accounts/", "/admin/", "/api/v1/", "/my/", "/search/")
_GROUPS = {
    "bodies": _("Bodies"),
    "budgets": _("Budgets"),
    "check-plans": _("Check plans"),
    "checks": _("Checks"),
    "compare": _("Comparisons"),
    "compute": _("Compute"),
    "count": _("Counts"),
    "decisions": _("Decisions"),
    "deployments": _("Deployments"),
    "endpoints": _("Endpoints"),
    "gate": _("Gate"),
    "incidents": _("Incidents"),
    "models": _("Models"),
    "my": _("What is the caller's own"),
    "organisations": _("Organisations"),
    "overview": _("Models by tasks"),
    "proposals": _("Proposals"),
    "receipts": _("Receipts"),
    "record": _("The record"),
    "replications": _("Replications"),
    "runs": _("Runs"),
    "search": _("Search"),
    "suite-preview": _("Previews of suites"),
    "suite-versions": _("Versions of suites"),
    "suites": _("Suites"),
    "versions": _("Versions of models"),
    "webhooks": _("Webhooks"),
    "worker": _("What a worker does"),
    "workers": _("Workers"),
}
"""The first parts of addresses in words."""


@login_not_required
@require_safe
def robots(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Tell programs that follow every link what is of use to people alone; all else is public."""
    own = "".join(f"Disallow: {each}\n" for each in _OF_NO_USE_TO_ROBOTS)
    return HttpResponse(f"User-agent: *\n{own}", content_type="text/plain; charset=utf-8")


@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Lead browsers that ask for the old name of the mark to where it stands."""
    return HttpResponsePermanentRedirect(static("img/mark.svg"))


@login_not_required
@require_safe
def how_to_verify(request: HttpRequest) -> HttpResponse:
    """Explain how to check the record without trusting this site."""
    context = {
        "nav": "record",
        "origin": settings.LEDGER_ORIGIN,
        "witnesses": [each.name for each in queries.witness_policy().witnesses],
        "decision": _newest_decision(),
    }
    return render(request, "dashboards/how_to_verify.html", context)


@login_not_required
@require_safe
def api_reference(request: HttpRequest) -> HttpResponse:
    """List every address of the network API with what it does, from its OpenAPI document."""
    context = {
        "groups": _api_groups(),
        "scopes": Scope.choices,
        "examples": EXAMPLES,
        "limits": api_settings.DEFAULT_THROTTLE_RATES,
        "nav": "",
    }
    return render(request, "dashboards/api.html", context)


def _newest_decision() -> str:
    """Return a decision to fetch, one by yes and no; words to fill in while there is none."""
    newest = Decision.objects.select_related("proposal__contract").defer("record")
    for each in newest.order_by("-decided_at", "-pk")[:DECISIONS_LOOKED_AT]:
        contract = each.proposal.contract.content
        if contract["method"] == yes_no.METHOD and contract["secrecy"] == "open":
            return each.proposal.ref
    return "<ref>"


@lru_cache(maxsize=1)
def _api_groups() -> list[dict[str, Any]]:
    """Return the operations by the noun they are about; the code fixes them, so once a process."""
    paths: dict[str, dict[str, Any]] = document()["paths"]
    operations = [
        _operation(path, method, what)
        for path, methods in sorted(paths.items())
        for method, what in methods.items()
    ]
    groups = groupby(operations, key=lambda row: row["noun"])
    return [_group(noun, list(rows)) for noun, rows in groups]


def _group(noun: str, operations: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "noun": noun,
        "title": _GROUPS[noun],
        "operations": operations,
        "needs_key": any(row["scope"] for row in operations),
    }


def _operation(path: str, method: str, what: dict[str, Any]) -> dict[str, Any]:
    queries = [each["name"] for each in what.get("parameters", []) if each["in"] == "query"]
    return {
        "noun": path.removeprefix(API_PREFIX).partition("/")[0],
        "method": method.upper(),
        "path": path,
        "what": what.get("description", ""),
        "queries": queries,
        "scope": what.get("x-scope", ""),
    }


@login_not_required
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """State what was done for accessibility, and what is not done yet."""
    return render(request, "dashboards/accessibility.html", {"nav": ""})


@login_not_required
@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """Show every component in every state."""
    return render(request, "design.html", {"nav": ""})
