"""A person's notices: the list, how they are told, and the way out of the mail."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from oversight.accounts import notices as services
from oversight.accounts.forms import NoticeSettingsForm
from oversight.accounts.models import Notice, Person
from oversight.accounts.policy import is_person
from oversight.accounts.unsubscribing import person_of
from oversight.web.form_refusals import put_on_form
from oversight.web.parts import page_or_part
from oversight.web.refusals import Refusal

A_PAGE = 25


@never_cache
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """List what a person was told, newest first."""
    return _list(request)


@require_POST
def mark_read(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark one notice as read."""
    notice = get_object_or_404(Notice, pk=pk, person=_person(request))
    services.mark_read(person=notice.person, ids=[notice.pk])
    return _after(request)


@require_POST
def mark_all_read(request: HttpRequest) -> HttpResponse:
    """Mark all of one's notices as read."""
    services.mark_read(person=_person(request))
    return _after(request)


def _after(request: HttpRequest) -> HttpResponse:
    """Return the list as it is now: its part for htmx, else the page by way of a redirect."""
    htmx: Any = getattr(request, "htmx", None)
    if htmx:
        return _list(request)
    place = request.GET.urlencode()
    return redirect(reverse("notices") + (f"?{place}" if place else ""))


def _list(request: HttpRequest) -> HttpResponse:
    person = _person(request)
    asked = request.GET.get("only") == "unread"
    rows = person.notices.newest_first().select_related("body")
    context = {
        "page": Paginator(rows.unread() if asked else rows, A_PAGE).get_page(
            request.GET.get("page")
        ),
        "unread": person.notices.unread().count(),
        "only_unread": asked,
        "kept_days": services.KEPT_DAYS,
        "place": request.GET.urlencode(),
        "nav": "",
    }
    return page_or_part(request, "accounts/notices.html", "list", context)


@never_cache
@require_http_methods(["GET", "POST"])
def notice_settings(request: HttpRequest) -> HttpResponse:
    """Choose what comes at once, when the daily mail comes, or that none does."""
    person = _person(request)
    form = NoticeSettingsForm(person, request.POST or None)
    status = 200
    if request.method == "POST":
        status = _choose(person, form) if form.is_valid() else 422
        if status == 200:
            messages.success(request, _("It is as you chose, from the next notice on."))
            return redirect("notice-settings")
    context = {"form": form, "nav": ""}
    return render(request, "accounts/notice_settings.html", context, status=status)


def _choose(person: Person, form: NoticeSettingsForm) -> int:
    try:
        services.choose_notices(person=person, **form.chosen)
    except Refusal as refusal:
        return put_on_form(form, refusal)
    return 200


@login_not_required
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Stop a person's mail by the signed address of a mail; opening it alone changes nothing.

    A mail program posts here by itself when its reader says so (RFC 8058), without a cookie or a
    page before it, so the request forgery that the token of a form would stop is stopped by the
    signature in the address.
    """
    person = person_of(token)
    if person is None:
        raise Http404(gettext("No mail of ours has this address."))
    if request.method == "POST":
        services.stop_mail(person=person)
    context = {"is_done": request.method == "POST", "nav": ""}
    return render(request, "accounts/unsubscribe.html", context)


def _person(request: HttpRequest) -> Person:
    if not is_person(request.user):
        raise Http404
    return request.user
