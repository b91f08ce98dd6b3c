"""Amendments: asking for another wording, and answering it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from oversight.ledger.queries import receipt
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Conflict, Invalid, NotAllowed, Refusal
from proposals import policy
from proposals.amending import fitting, may_do_with, rows_of
from proposals.edits import applied
from proposals.forms.amendments import AmendmentForm, AnswerForm
from proposals.models import Amendment, Proposal
from proposals.readiness import obstacle_to_amendments
from proposals.revisions import fitting_edits
from proposals.services import amendments
from proposals.views.page import require_person, visible
from proposals.views.previews import is_preview, preview_context, show_preview


@require_http_methods(["GET", "POST"])
def amend(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask for another wording of the text."""
    person, proposal = require_person(request), visible(request, ref)
    if not policy.can_amend(person, proposal):
        raise NotAllowed(
            _("Only members of %(body)s amend its proposals.") % {"body": proposal.body}
        )
    if request.method == "GET" and (in_the_way := obstacle_to_amendments(proposal)):
        raise Conflict(in_the_way)

    def send(data: dict[str, Any]) -> Amendment:
        return amendments.propose_amendment(by=person, proposal=proposal, **data)

    return _write(request, proposal, None, send)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, ref: str, number: int) -> HttpResponse:
    """Write an amendment anew, on the newest text."""
    person, proposal = require_person(request), visible(request, ref)
    found = _amendment(proposal, number)
    if found.author_id != person.pk:
        raise NotAllowed(_("Only its author writes an amendment anew."))

    def send(data: dict[str, Any]) -> Amendment:
        return amendments.revise_amendment(by=person, amendment=found, **data)

    return _write(request, proposal, found, send)


def _write(
    request: HttpRequest,
    proposal: Proposal,
    amendment: Amendment | None,
    send: Callable[[dict[str, Any]], Amendment],
) -> HttpResponse:
    """Show the form with the newest text in it, or send what was written."""
    text = proposal.text
    context: dict[str, Any] = {
        "proposal": proposal,
        "amendment": amendment,
        "text": text,
        "nav": "deciding",
    }
    if is_preview(request):
        context["form"] = AmendmentForm(initial=request.POST.dict())
        context |= preview_context(request, proposal)
        return show_preview(request, "proposals/amend.html", context)
    form = AmendmentForm(request.POST or None, initial=_initial(text, amendment, context))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return redirect(send(form.cleaned_data))
            except Refusal as refusal:
                status = put_on_form(form, refusal)
                # The next try is based on the revision that is shown beside it.
                context["newer"] = text if form.cleaned_data["base_number"] != text.number else None
                form.base_on(text.number)
    context["form"] = form
    return render(request, "proposals/amend.html", context, status=status)


def _initial(text: Any, amendment: Amendment | None, context: dict[str, Any]) -> dict[str, Any]:
    """Return the newest text, with as much of the amendment in it as still fits."""
    if amendment is None:
        return {"text": text.body_markdown, "base_number": text.number}
    fitting, lost = fitting_edits(amendment, text)
    old = amendment.base.body_markdown
    context["lost"] = [(old[edit.start : edit.end], edit.text) for edit in lost]
    return {
        "text": applied(text.body_markdown, fitting),
        "reason": amendment.reason,
        "base_number": text.number,
    }


@login_not_required
@require_safe
def amendment(request: HttpRequest, ref: str, number: int) -> HttpResponse:
    """Show one amendment: what it would change, why, and what became of it."""
    proposal = visible(request, ref)
    return _show(request, proposal, _amendment(proposal, number))


@require_POST
def act(request: HttpRequest, ref: str, number: int) -> HttpResponse:
    """Answer an amendment, withdraw it or put it to a vote; which one is the button's name."""
    person, proposal = require_person(request), visible(request, ref)
    found = _amendment(proposal, number)
    wanted = request.POST.get("act", "")
    if wanted == "accept":
        revision = amendments.accept_amendment(by=person, amendment=found)
        messages.success(
            request, _("It is in the text: revision %(number)s.") % {"number": revision.number}
        )
        return redirect(proposal)
    if wanted == "withdraw":
        amendments.withdraw_amendment(by=person, amendment=found)
        return redirect(found)
    if wanted == "put":
        return redirect(amendments.put_to_vote(by=person, amendment=found))
    if wanted != "reject":
        raise Invalid(_("Unknown step: use one of accept, put, reject, withdraw."))
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _show(request, proposal, found, form, status=422)
    try:
        amendments.reject_amendment(by=person, amendment=found, reason=form.cleaned_data["reason"])
    except Invalid as refusal:
        return _show(request, proposal, found, form, status=put_on_form(form, refusal))
    return redirect(found)


def _amendment(proposal: Proposal, number: int) -> Amendment:
    found = proposal.amendments.select_related("author", "base", "vote")
    return get_object_or_404(found, number=number)


def _show(
    request: HttpRequest,
    proposal: Proposal,
    found: Amendment,
    form: AnswerForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    text = proposal.text
    found.proposal = proposal
    (row,) = rows_of([found], text, fitting(proposal, text))
    context = {
        "proposal": proposal,
        "amendment": found,
        "row": row,
        "text": text,
        "made_revision": proposal.revisions.filter(amendment=found).first(),
        "versions": found.versions.select_related("base"),
        "may": may_do_with(request.user, found),
        "form": form or AnswerForm(),
        "receipt": receipt(found.leaf_id),
        "nav": "deciding",
    }
    return render(request, "proposals/amendment.html", context, status=status)
