"""Answers to requests that no floor's view could take: bad tokens and error pages."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views import defaults

from oversight.web.problems import is_api, is_for_program, plain_problem
from oversight.web.refusals import NotAllowed


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say in plain words why a form was refused and how to send it again."""
    refusal = NotAllowed(
        _(
            "The form's security token is missing or too old, so nothing was changed. "
            "Reload the page and send the form again; cookies must be allowed for this site."
        )
    )
    return render(request, "refusal.html", {"refusal": refusal, "reason": reason}, status=403)


@login_not_required
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Answer a request that Django itself refuses: too many fields, a bad host, a bad address."""
    if is_api(request):
        return plain_problem(400, "Bad request", "The request cannot be read.")
    return render(request, "400.html", status=400)


@login_not_required
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that leads nowhere."""
    if is_for_program(request):
        return plain_problem(404, "Not found", "There is nothing at this address.")
    return defaults.page_not_found(request, exception)


@login_not_required
def fault(request: HttpRequest) -> HttpResponse:
    """Answer when we failed; what failed is in the server's log."""
    if is_api(request):
        return plain_problem(500, "Server error", "We failed; nothing was changed. Try again.")
    return defaults.server_error(request)
