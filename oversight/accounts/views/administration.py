"""Pages of the accounts floor: keys of one's own, and the administrators' pages."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from oversight.accounts import policy, services
from oversight.accounts.choices import BodyRole, OrganisationRole, Scope
from oversight.accounts.forms import (
    AffiliationForm,
    ApiKeyForm,
    AppointmentForm,
    BodyForm,
    BodyLanguageForm,
    FirstAdministratorForm,
    OrganisationForm,
)
from oversight.accounts.models import Affiliation, ApiKey, Body, Membership, Organisation, Person
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Invalid, Refusal

PAST_SEATS_SHOWN = 100
_OPEN_SEAT = Q(memberships__ends_at__isnull=True)


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def first_administrator(request: HttpRequest, secret: str) -> HttpResponse:
    """Make the first account with the one-time link that `make up` prints."""
    form = FirstAdministratorForm(request.POST or None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                person = services.use_first_administrator_link(secret=secret, **form.cleaned_data)
            except Refusal as refusal:
                return _first_administrator(request, form, put_on_form(form, refusal))
            except IntegrityError:
                # The link is good and nothing was kept: somebody has this e-mail already.
                form.add_error("email", gettext("There is already an account with this e-mail."))
                return _first_administrator(request, form, 422)
            login(request, person, backend="django.contrib.auth.backends.ModelBackend")
            return redirect("administration")
        status = 422
    return _first_administrator(request, form, status)


def _first_administrator(
    request: HttpRequest, form: FirstAdministratorForm, status: int
) -> HttpResponse:
    return render(request, "accounts/first_administrator.html", {"form": form}, status=status)


@never_cache
@require_http_methods(["GET", "POST"])
def api_keys(request: HttpRequest) -> HttpResponse:
    """List one's own keys and make a new one; its secret is shown on this answer only."""
    person = _person(request)
    form = ApiKeyForm(request.POST or None)
    secret, status = "", 200
    if request.method == "POST":
        if form.is_valid():
            _, secret = services.create_api_key(person=person, **form.cleaned_data)
            form = ApiKeyForm()
        else:
            status = 422
    context = {"form": form, "keys": _keys(person), "secret": secret}
    return render(request, "accounts/api_keys.html", context, status=status)


def _keys(person: Person) -> list[dict[str, Any]]:
    """Return a person's keys with their state and what they may do, in words."""
    now = timezone.now()
    return [
        {
            "key": key,
            "scopes": [str(Scope(scope).label) for scope in key.scopes],
            "is_expired": key.expires_at is not None and key.expires_at <= now,
        }
        for key in person.api_keys.all()
    ]


@require_POST
def revoke_api_key(request: HttpRequest, prefix: str) -> HttpResponse:
    """Revoke one of one's own keys."""
    person = _person(request)
    key = get_object_or_404(ApiKey, prefix=prefix, person=person)
    services.revoke_api_key(person=person, key=key)
    messages.success(request, gettext("The key “%(name)s” is revoked.") % {"name": key.name})
    return redirect("api-keys")


@require_safe
def administration(request: HttpRequest) -> HttpResponse:
    """The administrators' start: bodies, organisations, and forms to make new ones."""
    return _administration(request)


@require_POST
def found_body(request: HttpRequest) -> HttpResponse:
    """Found a body."""
    administrator, form = _administrator(request), BodyForm(request.POST, auto_id="body_%s")
    if not form.is_valid():
        return _administration(request, body_form=form, status=422)
    try:
        body = services.found_body(by=administrator, **form.cleaned_data)
    except Refusal as refusal:
        return _administration(request, body_form=form, status=put_on_form(form, refusal))
    messages.success(
        request, gettext("%(body)s is founded. Appoint its members next.") % {"body": body}
    )
    return redirect("administration-body", body.slug)


@require_POST
def admit_organisation(request: HttpRequest) -> HttpResponse:
    """Admit an organisation."""
    administrator = _administrator(request)
    form = OrganisationForm(request.POST, auto_id="organisation_%s")
    if not form.is_valid():
        return _administration(request, organisation_form=form, status=422)
    try:
        organisation = services.admit_organisation(by=administrator, **form.cleaned_data)
    except Refusal as refusal:
        status = put_on_form(form, refusal)
        return _administration(request, organisation_form=form, status=status)
    messages.success(
        request, gettext("%(organisation)s is admitted.") % {"organisation": organisation}
    )
    return redirect("administration-organisation", organisation.slug)


@require_http_methods(["GET", "POST"])
def manage_body(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a body's seats and appoint a person."""
    administrator = _administrator(request)
    body = get_object_or_404(Body, slug=slug)
    form = AppointmentForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = _appoint(administrator, body, form) if form.is_valid() else 422
        if status == 200:
            messages.success(request, gettext("The appointment is on the record."))
            return redirect("administration-body", body.slug)
    seats = body.memberships.select_related("person")
    now = timezone.now()
    context = {
        "body": body,
        "seats": seats.exclude(ends_at__lte=now),
        "past_seats": seats.filter(ends_at__lte=now).order_by("-ends_at")[:PAST_SEATS_SHOWN],
        "form": form,
        "language_form": BodyLanguageForm(
            initial={"language": body.language}, auto_id="body_language_%s"
        ),
    }
    return render(request, "accounts/manage_body.html", context, status=status)


@require_POST
def set_language(request: HttpRequest, slug: str) -> HttpResponse:
    """Say in which language a body works."""
    administrator = _administrator(request)
    body, form = get_object_or_404(Body, slug=slug), BodyLanguageForm(request.POST)
    if not form.is_valid():
        raise Invalid(gettext("Choose one of the languages."), fields={"language": "Unknown."})
    services.set_language(by=administrator, body=body, language=form.cleaned_data["language"])
    messages.success(request, gettext("The working language is kept."))
    return redirect("administration-body", body.slug)


@require_POST
def end_membership(request: HttpRequest, public_id: str) -> HttpResponse:
    """End a term."""
    administrator = _administrator(request)
    seat = get_object_or_404(Membership, public_id=public_id)
    services.end_membership(by=administrator, membership=seat)
    return redirect("administration-body", seat.body.slug)


@require_http_methods(["GET", "POST"])
def manage_organisation(request: HttpRequest, slug: str) -> HttpResponse:
    """Show who acts for an organisation and let a person do so."""
    administrator = _administrator(request)
    organisation = get_object_or_404(Organisation, slug=slug)
    form = AffiliationForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = _affiliate(administrator, organisation, form) if form.is_valid() else 422
        if status == 200:
            messages.success(request, gettext("The role is on the record."))
            return redirect("administration-organisation", organisation.slug)
    rows = organisation.affiliations.in_term().select_related("person")
    context = {"organisation": organisation, "affiliations": rows, "form": form}
    return render(request, "accounts/manage_organisation.html", context, status=status)


@require_POST
def end_affiliation(request: HttpRequest, pk: int) -> HttpResponse:
    """End a person's right to act for an organisation."""
    administrator = _administrator(request)
    row = get_object_or_404(Affiliation, pk=pk)
    services.end_affiliation(by=administrator, affiliation=row)
    return redirect("administration-organisation", row.organisation.slug)


def _administration(
    request: HttpRequest,
    *,
    body_form: BodyForm | None = None,
    organisation_form: OrganisationForm | None = None,
    status: int = 200,
) -> HttpResponse:
    _administrator(request)
    context = {
        "bodies": Body.objects.annotate(seat_count=Count("memberships", filter=_OPEN_SEAT)),
        "organisations": Organisation.objects.all(),
        "body_form": body_form or BodyForm(auto_id="body_%s"),
        "organisation_form": organisation_form or OrganisationForm(auto_id="organisation_%s"),
    }
    return render(request, "accounts/administration.html", context, status=status)


def _appoint(administrator: Person, body: Body, form: AppointmentForm) -> int:
    """Appoint, or put the reason why not on the form; return the status."""
    person = _found_person(form)
    if person is None:
        return 422
    last_day = form.cleaned_data["ends_at"]
    zone = ZoneInfo(body.time_zone)
    try:
        services.appoint(
            by=administrator,
            body=body,
            person=person,
            role=BodyRole(form.cleaned_data["role"]),
            weight=form.cleaned_data["weight"],
            ends_at=datetime.combine(last_day, time.max, tzinfo=zone) if last_day else None,
        )
    except Refusal as refusal:
        return put_on_form(form, refusal)
    return 200


def _affiliate(administrator: Person, organisation: Organisation, form: AffiliationForm) -> int:
    """Let a person act for an organisation, or say on the form why not; return the status."""
    person = _found_person(form)
    if person is None:
        return 422
    role = OrganisationRole(form.cleaned_data["role"])
    try:
        services.affiliate(by=administrator, person=person, organisation=organisation, role=role)
    except Refusal as refusal:
        return put_on_form(form, refusal)
    return 200


def _found_person(form: AppointmentForm | AffiliationForm) -> Person | None:
    person = Person.objects.filter(email=form.cleaned_data["email"].lower()).first()
    if person is None:
        form.add_error(
            "email", gettext("Nobody with this e-mail has an account. They can sign up first.")
        )
    return person


def _person(request: HttpRequest) -> Person:
    if not policy.is_person(request.user):
        raise Http404
    return request.user


def _administrator(request: HttpRequest) -> Person:
    """Return the administrator; for everybody else these pages do not exist."""
    person = _person(request)
    if not policy.is_administrator(person):
        raise Http404
    return person
