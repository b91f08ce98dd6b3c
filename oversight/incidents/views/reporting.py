"""Reporting without an account, and following a report by its secret link."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from oversight.incidents import form_token
from oversight.incidents.choices import Category, Relation
from oversight.incidents.forms import AdditionForm, ReportForm, read
from oversight.incidents.services import reporting
from oversight.registry.models import Deployment
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Refusal
from oversight.web.throttling import caller_address


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Take a report of anybody; it leads on to the secret link, which is shown this once."""
    form, status = _report_form(request), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _, secret = reporting.report_incident(
                    address=caller_address(request), **_given(form.cleaned_data)
                )
            except Refusal as refusal:
                status = put_on_form(form, refusal)
            else:
                messages.success(request, gettext("Your report is with those who handle it."))
                return redirect("incident-follow", secret)
        _renew(form)
    context = {"form": form, "nav": "in-service"}
    return render(request, "incidents/report.html", context, status=status)


def _report_form(request: HttpRequest) -> ReportForm:
    if request.method == "POST":
        return ReportForm(request.POST.copy(), request.FILES)
    slug = request.GET.get("deployment", "")
    known = Deployment.objects.filter(slug=slug).first() if slug else None
    return ReportForm(initial={"deployment": known} if known else {})


def _given(data: dict[str, Any]) -> dict[str, Any]:
    relation = data["relation"]
    return {
        "token": data["form"],
        "text": data["text"],
        "category": Category(data["category"]),
        "relation": Relation(relation) if relation else None,
        "deployment": data["deployment"],
        "occurred_on": data["occurred_on"],
        "email": data["email"],
        "files": read(data["attachments"]),
    }


def _renew(form: ReportForm) -> None:
    """Give the form another token where its own is of no use any more."""
    try:
        form_token.digest_of(str(form.data.get("form", "")))
    except form_token.TokenError as error:
        if error.is_worn:
            form.data["form"] = form_token.new_token()  # type: ignore[index]


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def follow(request: HttpRequest, secret: str) -> HttpResponse:
    """Show a reporter what became of the report, and take what they add."""
    incident = reporting.incident_of(secret)
    if incident is None:
        raise Http404
    form, status = AdditionForm(), 200
    if request.method == "POST":
        form, status = AdditionForm(request.POST, request.FILES), 422
        if form.is_valid():
            try:
                reporting.add_to_report(
                    address=caller_address(request),
                    incident=incident,
                    text=form.cleaned_data["text"],
                    files=read(form.cleaned_data["attachments"]),
                )
            except Refusal as refusal:
                status = put_on_form(form, refusal)
            else:
                messages.success(
                    request, gettext("Those who handle the report have what you added.")
                )
                return redirect("incident-follow", secret)
    context = {
        "incident": incident,
        "form": form,
        "link": request.build_absolute_uri(request.path),
        "told": incident.messages.select_related("author"),
        "files": incident.files.defer("content"),
        "events": incident.events.all(),
        "nav": "in-service",
    }
    answer = render(request, "incidents/follow.html", context, status=status)
    # The address is the key: no search engine keeps it, and no other site learns it. The latter is
    # the site's own policy; a stricter one would take the origin from the form that is sent here.
    answer["Referrer-Policy"] = "same-origin"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer
