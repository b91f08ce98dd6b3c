"""Pages of what is registered and in service."""

from itertools import zip_longest
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import urlencode
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from evals.alarms import LastCheck, last_check, last_checks
from evals.models import Run
from evals.policy import can_start_run
from evals.services.probes import availability
from oversight.accounts.choices import OrganisationRole
from oversight.accounts.policy import acts_for
from oversight.dashboards.deployment_acts import history
from oversight.dashboards.drawings.subjects import history_of
from oversight.dashboards.findings import chart_rows, headline_findings, most_rows
from oversight.dashboards.version_changes import VersionChanges, changes
from oversight.dashboards.views.overview import service_rows
from oversight.dashboards.words import models_in_service, sentence, worded
from oversight.incidents.models import Incident
from oversight.registry import condition_words, gate
from oversight.registry.licences import identifiers
from oversight.registry.lineage import drawing, edges_around
from oversight.registry.models import (
    Authorisation,
    Deployment,
    Description,
    Endpoint,
    ModelVersion,
    RegisteredModel,
)
from oversight.registry.policy import can_describe
from oversight.web.clock import database_now
from proposals.alarms import concerned_by
from proposals.choices import ProposalType
from proposals.models import Proposal
from proposals.titles import titled

VERSIONS_SHOWN = 50
TASKS_SHOWN = 24
MODELS_SHOWN, USES_SHOWN, A_PAGE = 20, 50, 50


@login_not_required
@require_safe
def in_service(request: HttpRequest) -> HttpResponse:
    """List what serves the public, then every registered model and deployment."""
    rows = service_rows()
    serving = {row.authorisation.deployment_id: row for row in rows}
    deployments = Deployment.objects.select_related("endpoint__operator")
    in_force = sum(row.in_force for row in rows)
    context = {
        "headline": sentence(models_in_service(in_force)),
        "rows": rows,
        "models": RegisteredModel.objects.with_versions()[:MODELS_SHOWN],
        "model_count": RegisteredModel.objects.count(),
        "deployments": [
            {"deployment": each, "row": serving.get(each.pk)} for each in deployments[:USES_SHOWN]
        ],
        "deployment_count": deployments.count(),
        "operates": acts_for(request.user, OrganisationRole.OPERATOR),
        "nav": "in-service",
    }
    return render(request, "dashboards/in_service.html", context)


@login_not_required
@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """List every registered model, by pages, or those that match a search."""
    words = request.GET.get("q", "")[:200]
    found = RegisteredModel.objects.matching(words).with_versions()
    context = {
        "page": Paginator(found, A_PAGE).get_page(request.GET.get("page")),
        "words": words,
        "query": urlencode({"q": words}) if words else "",
        "nav": "in-service",
    }
    return render(request, "dashboards/models.html", context)


@login_not_required
@require_safe
def deployments(request: HttpRequest) -> HttpResponse:
    """List every registered use, by pages, or those that match a search."""
    words = request.GET.get("q", "")[:200]
    uses = Deployment.objects.matching(words).select_related("endpoint__operator")
    page = Paginator(uses, A_PAGE).get_page(request.GET.get("page"))
    standing = Authorisation.objects.standing().with_parts().filter(deployment__in=list(page))
    serving = {row.deployment_id: row for row in standing}
    context = {
        "page": page,
        "rows": [{"deployment": each, "standing": serving.get(each.pk)} for each in page],
        "words": words,
        "query": urlencode({"q": words}) if words else "",
        "nav": "in-service",
    }
    return render(request, "dashboards/deployments.html", context)


@login_not_required
@require_safe
def endpoints(request: HttpRequest) -> HttpResponse:
    """List every registered endpoint with what it claims and how it was last checked, by pages."""
    words = request.GET.get("q", "")[:200]
    found = Endpoint.objects.matching(words).select_related("operator", "claimed_version__model")
    page = Paginator(found.order_by("name", "pk"), A_PAGE).get_page(request.GET.get("page"))
    checks = last_checks(list(page))
    context = {
        "page": page,
        "rows": [{"endpoint": each, "last": checks.get(each.pk)} for each in page],
        "words": words,
        "query": urlencode({"q": words}) if words else "",
        "operates": acts_for(request.user, OrganisationRole.OPERATOR),
        "nav": "in-service",
    }
    return render(request, "dashboards/endpoints.html", context)


@login_not_required
@require_safe
def model(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a model: its versions, what was found about each, what was decided."""
    found = get_object_or_404(RegisteredModel, slug=slug)
    versions = list(
        found.versions.newest_first()
        .listed()
        .select_related("signature")
        .prefetch_related("authorisations__deployment")[:VERSIONS_SHOWN]
    )
    findings = headline_findings(versions)
    described = Description.objects.newest(version.subject for version in versions)
    refs = [row.decision_ref for each in versions for row in each.authorisations.all()]
    proposals = Proposal.objects.filter(Q(version__in=versions) | Q(target_ref__in=refs))
    runs = Run.objects.filter(model_version__in=versions).with_parts().newest_first()
    in_force = [
        row for version in versions for row in version.authorisations.all() if row.is_in_force()
    ]
    context = {
        "model": found,
        "in_force": in_force,
        "may_check": can_start_run(request.user),
        "use_words": worded(
            ngettext("%(number)s use", "%(number)s uses", len(in_force)), len(in_force)
        ),
        "versions": [
            _panel(version, findings.get(version.pk, []))
            | {
                "description": described.get(version.subject),
                "may_describe": can_describe(request.user, version),
                "before": before,
                "licences": identifiers(version.licence),
            }
            for version, before in zip_longest(versions, versions[1:])
        ],
        "history": history_of(found, findings),
        "lineage": drawing(edges_around(versions), versions),
        "runs": runs[:20],
        "proposals": _visible(proposals, request),
        "incidents": Incident.objects.published().of_versions(versions).newest_first()[:20],
        "nav": "in-service",
    }
    return render(request, "dashboards/model.html", context)


def _incidents(kind: str, rows: list[Any]) -> list[Incident]:
    """Return the newest published incidents that are linked to these uses or versions."""
    return list(Incident.objects.published().about(kind, rows).newest_first()[:20])


def _panel(version: Any, findings: list[Any]) -> dict[str, Any]:
    return {
        "version": version,
        "findings": findings,
        "chart": chart_rows(most_rows(findings, TASKS_SHOWN), by_task=True),
        "left_out": len(findings) - TASKS_SHOWN,
        "authorisations": [
            {"row": row, "in_force": row.is_in_force()} for row in version.authorisations.all()
        ],
    }


@login_not_required
@require_safe
def version_changes(request: HttpRequest, digest: str, before: str) -> HttpResponse:
    """Show what sets a version apart from another: results, what is said of it, files."""
    context = {"changes": _changes(digest, before), "nav": "in-service"}
    return render(request, "dashboards/version_changes.html", context)


@login_not_required
@require_safe
def version_changes_json(request: HttpRequest, digest: str, before: str) -> JsonResponse:  # noqa: ARG001
    """The same as data."""
    record = _changes(digest, before).as_record()
    return JsonResponse(record, json_dumps_params={"ensure_ascii": False})


def _changes(digest: str, before: str) -> VersionChanges:
    versions = ModelVersion.objects.select_related("model")
    return changes(
        get_object_or_404(versions, digest=before), get_object_or_404(versions, digest=digest)
    )


@login_not_required
@require_safe
def deployment(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a deployment: what may serve it now, by which decision, and what did before."""
    found = get_object_or_404(Deployment.objects.select_related("endpoint__operator"), slug=slug)
    authorisations = list(found.authorisations.with_parts()[:100])
    newest = next((row for row in authorisations if _stands(row)), None)
    answer = gate.answer(subject=newest.version.digest, deployment_slug=slug) if newest else None
    refs = [row.decision_ref for row in authorisations]
    about = Q(deployment=found) | Q(target_ref__in=refs)
    proposals = _visible(Proposal.objects.filter(about), request)
    context = {
        "deployment": found,
        "last": last_check(found.endpoint),
        "timeline": history(found, authorisations, proposals, database_now()),
        "authorisations": [{"row": row, "in_force": row.is_in_force()} for row in authorisations],
        "standing": newest,
        "gate": answer,
        "conditions": condition_words.words(newest.conditions) if newest else [],
        "description": Description.objects.about(found.subject).first(),
        "may_describe": can_describe(request.user, found),
        "proposals": proposals,
        "incidents": _incidents("deployment", [found]),
        "nav": "in-service",
    }
    return render(request, "dashboards/deployment.html", context)


@login_not_required
@require_safe
def gate_statement_type(request: HttpRequest) -> HttpResponse:
    """Say what the gate's signed statements contain: the address named in each of them."""
    return render(request, "dashboards/gate_statement_type.html", {"nav": "in-service"})


@login_not_required
@require_safe
def endpoint(request: HttpRequest, slug: str) -> HttpResponse:
    """Show an endpoint: what it says that it serves, and what it is used for."""
    endpoints = Endpoint.objects.select_related("operator", "claimed_version__model")
    found = get_object_or_404(endpoints, slug=slug)
    description = Description.objects.about(found.subject).first()
    named = description.document.get("fallbacks", []) if description else []
    fallbacks = {row.slug: row for row in endpoints.filter(slug__in=named)}
    last = last_check(found)
    context = {
        "last": last,
        "availability": availability(found, database_now()),
        "consequences": _consequences(request, last) if last.is_alarming else [],
        "endpoint": found,
        "description": description,
        "fallbacks": [fallbacks[slug] for slug in named if slug in fallbacks],
        "uses": found.deployments.all()[:100],
        "may_describe": can_describe(request.user, found),
        "nav": "in-service",
    }
    return render(request, "dashboards/endpoint.html", context)


def _consequences(request: HttpRequest, last: LastCheck) -> list[dict[str, Any]]:
    """Return what stands authorised behind an alarming endpoint, and what the reader may do."""
    return [
        {
            "row": each.authorisation,
            "body": each.body,
            "in_force": each.authorisation.is_in_force(),
            "may_suspend": each.may_suspend(request.user),
            "may_propose": each.may_propose(request.user),
            "ends_it": each.kind == ProposalType.RETIRE,
        }
        for each in concerned_by([last.endpoint])
    ]


def _stands(row: Authorisation) -> bool:
    return row.state in {"granted", "suspended"}


def _visible(proposals: Any, request: HttpRequest) -> QuerySet[Proposal]:
    """Return the newest of these proposals that the reader may see, with their titles."""
    seen: QuerySet[Proposal] = titled(
        proposals.visible_to(request.user).with_parts().newest_first()
    )[:50]
    return seen
