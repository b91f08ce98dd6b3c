"""Answers to requests that no floor's view could take: bad tokens and error pages."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from oversight.web.refusals import NotAllowed


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say in plain words why a form was refused and how to send it again."""
    refusal = NotAllowed(
        "The form's security token is missing or too old, so nothing was changed. "
        "Reload the page and send the form again; cookies must be allowed for this site."
    )
    return render(request, "refusal.html", {"refusal": refusal, "reason": reason}, status=403)
