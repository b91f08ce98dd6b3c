"""Pages with which the endpoints that claim a version are checked from now on, or no more."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from evals import policy
from evals.forms.checks import CheckForm
from evals.models import CheckPlan
from evals.services import checks
from evals.views.runs import person_of
from oversight.registry.models import Endpoint, ModelVersion
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import NotAllowed, Refusal


@require_http_methods(["GET", "POST"])
def plan_checks(request: HttpRequest, digest: str) -> HttpResponse:
    """Have everybody who claims to serve a version asked the same prompts."""
    person = person_of(request)
    version = get_object_or_404(ModelVersion.objects.select_related("model"), digest=digest)
    if not policy.can_start_run(person):
        raise NotAllowed(_("Planning checks takes a role in a body or an evaluator's role."))
    form = CheckForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                checks.plan_checks(by=person, version=version, **form.plan())
            except Refusal as refusal:
                status = put_on_form(form, refusal)
            else:
                messages.success(
                    request,
                    _("The endpoints that claim %(version)s are being checked.")
                    % {
                        "version": version,
                    },
                )
                return redirect(version)
    context = {
        "form": form,
        "version": version,
        "plan": CheckPlan.objects.filter(version=version, ended_at=None).first(),
        "endpoints": Endpoint.objects.filter(claimed_version=version).order_by("name")[:50],
        "nav": "in-service",
    }
    return render(request, "evals/plan_checks.html", context, status=status)


@require_POST
def end_checks(request: HttpRequest, digest: str) -> HttpResponse:
    """End the checks of a version's endpoints."""
    version = get_object_or_404(ModelVersion.objects.select_related("model"), digest=digest)
    checks.end_checks(by=person_of(request), version=version)
    messages.success(
        request,
        _("The endpoints that claim %(version)s are checked no more.")
        % {
            "version": version,
        },
    )
    return redirect(version)
