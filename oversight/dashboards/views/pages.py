"""Pages about the site itself: how to verify, the data, accessibility, the design."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def how_to_verify(request: HttpRequest) -> HttpResponse:
    """Explain how to check the record without trusting this site."""
    context = {"nav": "record", "origin": settings.LEDGER_ORIGIN}
    return render(request, "dashboards/how_to_verify.html", context)


@login_not_required
@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """List what can be had as data, and where."""
    return render(request, "dashboards/data.html", {"nav": ""})


@login_not_required
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """State what was done for accessibility, and what is not done yet."""
    return render(request, "dashboards/accessibility.html", {"nav": ""})


@login_not_required
@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """Show every component in every state."""
    return render(request, "design.html", {"nav": ""})
