"""Declaring a conflict of interest, and delegating one's vote in a body."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from oversight.accounts.models import Body, Membership, Person
from oversight.accounts.policy import voting_membership
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Conflict, NotAllowed, Refusal
from proposals.charter_chapters import title_of
from proposals.forms.roll import ConflictForm, DelegationForm
from proposals.models import Delegation
from proposals.readiness import obstacle_to_conflict
from proposals.services import roll
from proposals.services.charters import charter_of
from proposals.views.page import require_person, visible


@never_cache
@require_http_methods(["GET", "POST"])
def conflict(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask for the reason of a conflict of interest, and put it on the record."""
    person, proposal = require_person(request), visible(request, ref)
    seat = _seat(person, proposal.body)
    in_the_way = obstacle_to_conflict(proposal, charter_of(proposal.body), seat)
    if in_the_way and request.method == "GET":
        # What was typed while the vote opened stays on the form, with the reason.
        raise Conflict(in_the_way)
    form, status = ConflictForm(request.POST or None), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                roll.declare_conflict(
                    by=person, proposal=proposal, reason=form.cleaned_data["reason"]
                )
            except Refusal as refusal:
                status = put_on_form(form, refusal)
            else:
                messages.success(request, _("Your conflict of interest is declared, in public."))
                return redirect(proposal)
    context = {"form": form, "proposal": proposal, "nav": "deciding"}
    return render(request, "proposals/conflict.html", context, status=status)


@never_cache
@require_http_methods(["GET", "POST"])
def delegation(request: HttpRequest, slug: str) -> HttpResponse:
    """Show to whom one delegates and who delegates to one; give it or take it back."""
    person, body = require_person(request), get_object_or_404(Body, slug=slug)
    seat = _seat(person, body)
    form, status = DelegationForm(request.POST or None, seat=seat), 200
    if request.method == "POST":
        if request.POST.get("act") == "revoke":
            roll.revoke_delegation(by=person, body=body)
            messages.success(request, _("Your vote is your own again."))
            return redirect("delegation", body.slug)
        status = 422
        if form.is_valid():
            try:
                given = roll.give_delegation(by=person, body=body, to=form.cleaned_data["to"])
            except Refusal as refusal:
                status = put_on_form(form, refusal)
            else:
                messages.success(
                    request,
                    _("Your vote is delegated to %(person)s.") % {"person": given.receiver.person},
                )
                return redirect("delegation", body.slug)
    return render(request, "proposals/delegation.html", _context(body, seat, form), status=status)


def _context(body: Body, seat: Membership, form: DelegationForm) -> dict[str, object]:
    standing = Delegation.objects.filter(revoked_at=None)
    return {
        "nav": "deciding",
        "body": body,
        "form": form,
        "allows": _delegable(body),
        "given": standing.filter(giver=seat).select_related("receiver__person").first(),
        "received": standing.filter(receiver=seat).select_related("giver__person"),
    }


def _delegable(body: Body) -> list[str]:
    """Return what a vote in the body can be delegated for by its charter, as ends of “to …”."""
    charter = charter_of(body)
    allows = [kind for kind in charter.kinds if charter.rules_for(kind).delegation != "none"]
    return [title_of(kind) for kind in allows]


def _seat(person: Person, body: Body) -> Membership:
    seat = voting_membership(person, body)
    if seat is None:
        raise NotAllowed(_("Only members of %(body)s with a vote do this.") % {"body": body})
    return seat
