"""A body's minutes: the list, a version to read, and what its clerk does with it."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from oversight.accounts.models import Body
from oversight.ledger.queries import receipt
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Invalid, NotAllowed, Refusal
from proposals import policy
from proposals.choices import MinutesStatus
from proposals.forms.minutes import MinutesForm, PeriodForm, last_month
from proposals.minutes import shown
from proposals.models import Minutes
from proposals.services import minutes as services
from proposals.views.page import require_person

A_PAGE = 25
ACTS = {
    "adopt": services.adopt_minutes,
    "discard": services.discard_minutes,
    "correct": services.correct_minutes,
}


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def minutes_of(request: HttpRequest, slug: str) -> HttpResponse:
    """List a body's minutes; its clerk drafts those of a period here."""
    body = get_object_or_404(Body, slug=slug)
    if request.method != "POST":
        return _list(request, body)
    person, form = require_person(request), PeriodForm(request.POST)
    if not form.is_valid():
        return _list(request, body, form=form, status=422)
    try:
        days = form.cleaned_data
        language = get_language() or settings.LANGUAGE_CODE
        drafted = services.draft_minutes(by=person, body=body, language=language, **days)
    except Invalid as refusal:
        return _list(request, body, form=form, status=put_on_form(form, refusal))
    return redirect(drafted)


def _list(
    request: HttpRequest, body: Body, *, form: PeriodForm | None = None, status: int = 200
) -> HttpResponse:
    rows = Minutes.objects.filter(body=body).visible_to(request.user)
    shown_rows = rows.exclude(status__in=[MinutesStatus.CORRECTED, MinutesStatus.DISCARDED])
    is_clerk = policy.can_keep_minutes(request.user, body)
    context = {
        "body": body,
        "page": Paginator(shown_rows, A_PAGE).get_page(request.GET.get("page")),
        "may_keep": is_clerk,
        "form": form or PeriodForm(initial=last_month(timezone.localdate())),
        "nav": "deciding",
    }
    return render(request, "proposals/minutes_list.html", context, status=status)


@login_not_required
@require_safe
def minutes(request: HttpRequest, slug: str, number: int, version: int) -> HttpResponse:
    """Show one version of minutes."""
    found = _visible(request, slug, number, version)
    versions = Minutes.objects.filter(body=found.body, number=number).visible_to(request.user)
    context = {
        "body": found.body,
        "minutes": found,
        "html": shown(found.text),
        "receipt": receipt(found.leaf_id) if found.leaf_id else None,
        "versions": versions.exclude(status=MinutesStatus.DISCARDED).order_by("version"),
        "may_keep": policy.can_keep_minutes(request.user, found.body),
        "covering": _covering(found),
        "nav": "deciding",
    }
    return render(request, "proposals/minutes.html", context)


def _covering(draft: Minutes) -> list[Minutes]:
    """Return the adopted minutes that are about days of a draft, other than those it corrects."""
    if draft.status != MinutesStatus.DRAFT:
        return []
    others = Minutes.objects.filter(body=draft.body).exclude(number=draft.number)
    return list(others.covering(draft.starts_on, draft.ends_on).order_by("number"))


@login_not_required
@require_safe
def minutes_document(request: HttpRequest, slug: str, number: int, version: int) -> HttpResponse:
    """Send adopted minutes: the very bytes that their digest on the log is of."""
    found = _visible(request, slug, number, version)
    if not found.document:
        raise Http404(gettext("They are not on the record."))
    return HttpResponse(found.document, content_type="application/json")


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, slug: str, number: int, version: int) -> HttpResponse:
    """Edit minutes until they are adopted."""
    person, found = require_person(request), _visible(request, slug, number, version)
    if not policy.can_keep_minutes(person, found.body):
        raise NotAllowed(_("Only a clerk of the body keeps its minutes."))
    form = MinutesForm(request.POST or None, initial={"text": found.text})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                services.edit_minutes(by=person, minutes=found, text=form.cleaned_data["text"])
            except Refusal as refusal:
                status = put_on_form(form, refusal)
            else:
                return redirect(found)
    context = {"body": found.body, "minutes": found, "form": form, "nav": "deciding"}
    return render(request, "proposals/minutes_edit.html", context, status=status)


@require_POST
def move(request: HttpRequest, slug: str, number: int, version: int) -> HttpResponse:
    """Adopt, discard or begin to correct; which one is the button's name."""
    person, found = require_person(request), _visible(request, slug, number, version)
    act = request.POST.get("act", "")
    if act not in ACTS:
        raise Invalid(_("Unknown step: use one of %(acts)s.") % {"acts": ", ".join(ACTS)})
    after = ACTS[act](by=person, minutes=found)
    return redirect("minutes-list", slug) if act == "discard" else redirect(after)


def _visible(request: HttpRequest, slug: str, number: int, version: int) -> Minutes:
    rows = Minutes.objects.visible_to(request.user).select_related("body", "drafted_by")
    return get_object_or_404(rows, body__slug=slug, number=number, version=version)
