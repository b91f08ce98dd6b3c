"""Pages with which operators register endpoints and what these would be used for."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from oversight.accounts.choices import OrganisationRole
from oversight.accounts.models import Organisation, Person
from oversight.accounts.policy import is_person
from oversight.registry.forms import DeploymentForm, EndpointForm
from oversight.registry.models import Deployment, Endpoint
from oversight.registry.services import register_deployment, register_endpoint
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import NotAllowed, Refusal


@require_http_methods(["GET", "POST"])
def add_endpoint(request: HttpRequest) -> HttpResponse:
    """Register an endpoint of an organisation one operates for."""
    person = _person(request)
    operators = _operated(person)
    form = EndpointForm(request.POST or None, operators=operators)
    endpoint, status = _sent(request, form, register_endpoint, person)
    if isinstance(endpoint, Endpoint):
        messages.success(
            request,
            _("%(endpoint)s is on the record. Say next what it would serve.")
            % {
                "endpoint": endpoint,
            },
        )
        query = urlencode({"endpoint": endpoint.slug})
        return redirect(f"{reverse('deployment-register')}?{query}")
    context = {"form": form, "nav": "in-service"}
    return render(request, "registry/endpoint.html", context, status=status)


@require_http_methods(["GET", "POST"])
def add_deployment(request: HttpRequest) -> HttpResponse:
    """Register what one of one's endpoints would be used for."""
    person = _person(request)
    endpoints = Endpoint.objects.filter(operator__in=_operated(person)).order_by("name", "pk")
    wanted = endpoints.filter(slug=request.GET.get("endpoint", "")).first()
    initial = {"endpoint": wanted} if wanted else {}
    form = DeploymentForm(request.POST or None, endpoints=endpoints, initial=initial)
    deployment, status = _sent(request, form, register_deployment, person)
    if isinstance(deployment, Deployment):
        messages.success(
            request,
            _("%(deployment)s is on the record. Nothing may serve it yet.")
            % {
                "deployment": deployment,
            },
        )
        return redirect(deployment)
    context = {"form": form, "has_endpoint": endpoints.exists(), "nav": "in-service"}
    return render(request, "registry/deployment.html", context, status=status)


def _sent(
    request: HttpRequest,
    form: forms.Form,
    register: Callable[..., Endpoint | Deployment],
    person: Person,
) -> tuple[Endpoint | Deployment | None, int]:
    """Register what was sent: return the row, or None with the status of the form's page."""
    if request.method != "POST":
        return None, 200
    if not form.is_valid():
        return None, 422
    data: dict[str, Any] = form.cleaned_data
    try:
        return register(by=person, **data), 302
    except Refusal as refusal:
        return None, put_on_form(form, refusal)


def _operated(person: Person) -> QuerySet[Organisation]:
    """Return the organisations a person operates for.

    Raises:
        NotAllowed: there is none.
    """
    roles = person.affiliations.in_term().filter(role=OrganisationRole.OPERATOR)
    operated = Organisation.objects.filter(pk__in=roles.values("organisation_id"))
    if not operated.exists():
        raise NotAllowed(
            _(
                "Only operators of an organisation register endpoints and uses. An administrator "
                "gives that role."
            )
        )
    return operated.order_by("name", "pk")


def _person(request: HttpRequest) -> Person:
    if not is_person(request.user):
        raise Http404
    return request.user
