"""The pages on which things of the registry are described, and a version's lineage stated."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from oversight.registry import descriptions, policy, services
from oversight.registry.forms import DescentForm, DescriptionForm
from oversight.registry.models import Deployment, Description, Endpoint, ModelVersion
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import NotAllowed, Refusal

_WORDS = {
    "version": _("What should people know of"),
    "deployment": _("What should people know of"),
    "endpoint": _("What does it serve, and how:"),
}


@require_http_methods(["GET", "POST"])
def describe(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """Write down what a version, a use or an endpoint says of itself."""
    what = _described(kind, name)
    if not policy.can_describe(request.user, what):
        raise NotAllowed(_("You do not speak for %(what)s.") % {"what": what})
    newest = Description.objects.about(what.subject).first()
    initial = descriptions.as_texts(kind, newest.document) if newest else {}
    form = DescriptionForm(
        request.POST or None,
        kind=kind,
        initial={**initial, "after": newest.number if newest else 0},
    )
    status = 200
    if request.method == "POST":
        status = _written(request, form, what)
        if status == 201:
            return redirect(what)
    context = {"form": form, "what": what, "question": _WORDS[kind], "nav": "in-service"}
    return render(request, "registry/describe.html", context, status=status)


def _written(request: HttpRequest, form: DescriptionForm, what: services.Described) -> int:
    """Write what was sent and return 201, or put the refusal on the form and return its status."""
    if not form.is_valid():
        return 422
    try:
        services.describe(
            by=request.user,  # type: ignore[arg-type]  # policy has let a person through
            what=what,
            document=form.document(),
            after=form.cleaned_data["after"],
        )
    except Refusal as refusal:
        return put_on_form(form, refusal)
    messages.success(request, _("The description of %(what)s is on the record.") % {"what": what})
    return 201


@require_http_methods(["GET", "POST"])
def state_descent(request: HttpRequest, digest: str) -> HttpResponse:
    """State from what a version was made."""
    version = _described("version", digest)
    assert isinstance(version, ModelVersion)  # noqa: S101 - its kind was asked for
    if not policy.can_describe(request.user, version):
        raise NotAllowed(_("You do not speak for %(version)s.") % {"version": version})
    form = DescentForm(request.POST or None, but=version)
    status = 200
    if request.method == "POST":
        status = _stated(request, form, version)
        if status == 201:
            return redirect(f"{version.model.get_absolute_url()}#lineage")
    context = {"form": form, "version": version, "nav": "in-service"}
    return render(request, "registry/lineage.html", context, status=status)


def _stated(request: HttpRequest, form: DescentForm, version: ModelVersion) -> int:
    """State what was sent and return 201, or put the refusal on the form and return its status."""
    if not form.is_valid():
        return 422
    try:
        stated = services.state_descent(
            by=request.user,  # type: ignore[arg-type]  # policy has let a person through
            version=version,
            parent=form.cleaned_data["parent"],
            kind=form.cleaned_data["kind"],
            data=form.data_statement(),
        )
    except Refusal as refusal:
        return put_on_form(form, refusal)
    messages.success(request, _("It is on the record: %(stated)s.") % {"stated": stated})
    return 201


def _described(kind: str, name: str) -> services.Described:
    found: services.Described | None
    if kind == "version":
        found = ModelVersion.objects.select_related("model").filter(digest=name).first()
    elif kind == "deployment":
        uses = Deployment.objects.select_related("endpoint__operator")
        found = uses.filter(slug=name).first()
    else:
        found = Endpoint.objects.select_related("operator").filter(slug=name).first()
    if found is None:
        raise Http404
    return found
