"""What a reader asks a body to do about an alarm that stands at an endpoint."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from oversight.registry.models import Authorisation, Endpoint
from proposals.services.alarms import propose_because_of_alarm
from proposals.views.page import require_person


@never_cache
@require_POST
def review(request: HttpRequest, slug: str, decision: str) -> HttpResponse:
    """Draft the proposal that the alarm asks for, and lead to its text."""
    person = require_person(request)
    proposal = propose_because_of_alarm(
        by=person,
        endpoint=get_object_or_404(Endpoint, slug=slug),
        authorisation=get_object_or_404(Authorisation, decision_ref=decision),
    )
    messages.success(request, _("The draft is yours: say why, then put it up for deliberation."))
    return redirect("proposal-edit", proposal.ref)
