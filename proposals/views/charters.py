"""A new body's first charter: asked for, read back in plain words, adopted."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from oversight.accounts.models import Body, Person
from oversight.accounts.policy import is_administrator, is_person
from oversight.web.refusals import Conflict
from proposals.forms.charters import CharterForm
from proposals.models import Charter
from proposals.services.charters import LATER_CHARTERS, adopt_charter


@never_cache
@require_http_methods(["GET", "POST"])
def adopt(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for the rules, show them as sentences, and adopt them when those are confirmed."""
    person = _administrator(request)
    body = get_object_or_404(Body, slug=slug)
    charter = Charter.objects.filter(body=body).first()
    if charter is not None:
        return _standing(request, body, charter)
    sent = request.POST if request.method == "POST" else None
    form = CharterForm(sent)
    if sent is None or sent.get("act") == "change":
        return _page(request, body, form)
    if not form.is_valid():
        return _page(request, body, form, status=422)
    if sent.get("act") != "adopt":
        return render(request, "proposals/charter_check.html", _context(body, form))
    adopt_charter(by=person, body=body, document=form.document)
    messages.success(
        request,
        _("The charter of the %(body)s is adopted and on the record.")
        % {
            "body": body,
        },
    )
    return redirect("body", body.slug)


def _standing(request: HttpRequest, body: Body, charter: Charter) -> HttpResponse:
    if request.method == "POST":
        raise Conflict(LATER_CHARTERS.format(body=body))
    return render(
        request, "proposals/charter_stands.html", {"body": body, "charter": charter, "nav": ""}
    )


def _page(
    request: HttpRequest, body: Body, form: CharterForm, *, status: int = 200
) -> HttpResponse:
    return render(request, "proposals/charter.html", _context(body, form), status=status)


def _context(body: Body, form: CharterForm) -> dict[str, object]:
    return {"body": body, "charter_form": form, "forms": form.all, "nav": ""}


def _administrator(request: HttpRequest) -> Person:
    """Return the administrator; for everybody else this page does not exist."""
    if not (is_person(request.user) and is_administrator(request.user)):
        raise Http404
    return request.user
