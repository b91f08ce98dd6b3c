"""Pages of what is registered and in service."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from evals.models import Run
from oversight.dashboards.findings import headline_findings
from oversight.dashboards.views.overview import service_rows
from oversight.registry import gate
from oversight.registry.models import Deployment, RegisteredModel
from proposals.models import Proposal


@login_not_required
@require_safe
def in_service(request: HttpRequest) -> HttpResponse:
    """List what serves the public, then every registered model and deployment."""
    rows = service_rows()
    context = {
        "rows": rows,
        "count": sum(row["in_force"] for row in rows),
        "models": RegisteredModel.objects.prefetch_related("versions"),
        "deployments": Deployment.objects.select_related("endpoint__operator"),
        "nav": "in-service",
    }
    return render(request, "dashboards/in_service.html", context)


@login_not_required
@require_safe
def model(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a model: its versions, what was found about each, what was decided."""
    found = get_object_or_404(RegisteredModel, slug=slug)
    versions = list(found.versions.newest_first().select_related("base_version__model"))
    context = {
        "model": found,
        "versions": [
            {
                "version": version,
                "findings": headline_findings(version),
                "authorisations": version.authorisations.with_parts(),
            }
            for version in versions
        ],
        "runs": Run.objects.filter(model_version__in=versions).with_parts().newest_first()[:20],
        "proposals": Proposal.objects.filter(version__in=versions)
        .visible_to(request.user)
        .with_parts()
        .newest_first(),
        "nav": "in-service",
    }
    return render(request, "dashboards/model.html", context)


@login_not_required
@require_safe
def deployment(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a deployment: what may serve it now, by which decision, and what did before."""
    found = get_object_or_404(Deployment.objects.select_related("endpoint__operator"), slug=slug)
    authorisations = list(found.authorisations.with_parts())
    standing = next((row for row in authorisations if row.is_in_force()), None)
    answer = (
        gate.answer(subject=standing.version.digest, deployment_slug=slug) if standing else None
    )
    context = {
        "deployment": found,
        "authorisations": authorisations,
        "standing": standing,
        "gate": answer,
        "proposals": Proposal.objects.filter(deployment=found)
        .visible_to(request.user)
        .with_parts()
        .newest_first(),
        "nav": "in-service",
    }
    return render(request, "dashboards/deployment.html", context)
