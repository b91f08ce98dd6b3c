"""What is done about a decision: suspending at once, recording a ruling, making a statement."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from evals.alarms import last_check
from oversight.registry.models import Authorisation
from oversight.web.clock import database_now
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import NotAllowed, Refusal
from proposals import policy
from proposals.alarms import reason_of
from proposals.charter_words import hours_words
from proposals.choices import ProposalType, StatementKind
from proposals.forms.decided import RulingForm, StatementForm, SuspensionForm
from proposals.models import Decision
from proposals.services import annulment, emergency, statements
from proposals.services.charters import charter_of
from proposals.views.page import require_person


@never_cache
@require_http_methods(["GET", "POST"])
def suspend(request: HttpRequest, ref: str) -> HttpResponse:
    """Suspend at once what a decision authorised, with a public reason."""
    person, decision = require_person(request), decision_or_404(ref)
    authorisation = get_object_or_404(Authorisation.objects.with_parts(), decision_ref=ref)
    body = decision.proposal.body
    rules = charter_of(body).rules_for(ProposalType.SUSPEND)
    if not policy.can_suspend_at_once(person, body, rules):
        raise NotAllowed(
            _("The charter of %(body)s does not let you suspend an authorisation alone.")
            % {
                "body": body,
            }
        )
    form = SuspensionForm(request.POST or None, initial=_begun(request, authorisation))
    context: dict[str, Any] = {"decision": decision, "authorisation": authorisation}
    context["lapses"] = hours_words(rules.emergency_hours)

    def act() -> Any:
        return emergency.suspend_at_once(
            by=person, authorisation=authorisation, reason=form.cleaned_data["reason"]
        )

    return _answer(request, "proposals/suspend.html", form, context, act)


@never_cache
@require_http_methods(["GET", "POST"])
def annul(request: HttpRequest, ref: str) -> HttpResponse:
    """Record that an authority has annulled a decision."""
    person, decision = require_person(request), decision_or_404(ref)
    if not policy.can_state_reasons(person, decision.proposal.body):
        raise NotAllowed(_("Only a clerk of the body records a ruling."))
    form = RulingForm(request.POST or None)

    def act() -> Any:
        return annulment.record_ruling(by=person, decision=decision, **form.cleaned_data)

    return _answer(request, "proposals/annul.html", form, {"decision": decision}, act)


@never_cache
@require_http_methods(["GET", "POST"])
def state(request: HttpRequest, ref: str, kind: str) -> HttpResponse:
    """Put reasons, an explanation of one's vote or a dissent on the record."""
    person, decision = require_person(request), decision_or_404(ref)
    if kind not in StatementKind.values:
        raise Http404
    wanted = StatementKind(kind)
    spoken = {"language": decision.proposal.written_in}
    form = StatementForm(request.POST or None, initial=spoken)
    if request.method == "GET":
        open_to = statements.kinds_open_to(person, decision, database_now())
        if wanted not in open_to:
            raise NotAllowed(_("You have no such statement to make about this decision now."))
    context = {"decision": decision, "kind": wanted}

    def act() -> Any:
        statements.make_statement(by=person, decision=decision, kind=wanted, **form.cleaned_data)
        messages.success(request, _("Your words are on the record."))
        return decision

    return _answer(request, "proposals/state.html", form, context, act)


def _begun(request: HttpRequest, authorisation: Authorisation) -> dict[str, str]:
    """Return the reason that the page begins with: what was found, where an alarm leads here."""
    if "alarm" not in request.GET:
        return {}
    last = last_check(authorisation.deployment.endpoint)
    return {"reason": reason_of(last)} if last.is_alarming else {}


def _answer(
    request: HttpRequest,
    template: str,
    form: forms.Form,
    context: dict[str, Any],
    act: Callable[[], Any],
) -> HttpResponse:
    """Show the form, or do what it asks for and go to what came of it."""
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return redirect(act())
            except Refusal as refusal:
                status = put_on_form(form, refusal)
    context = {**context, "form": form, "nav": "deciding"}
    return render(request, template, context, status=status)


def decision_or_404(ref: str) -> Decision:
    """Return a decision with its proposal, body and contract."""
    rows = Decision.objects.select_related("proposal__body", "proposal__contract")
    return get_object_or_404(rows, proposal__ref=ref)
