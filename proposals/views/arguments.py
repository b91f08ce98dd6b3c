"""Arguments for and against: making one, supporting one, and all of them."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from oversight.accounts.policy import is_person
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Conflict, Invalid
from proposals.arguments import ARGUMENTS_A_SIDE, arguments_of
from proposals.choices import Side
from proposals.forms.talk import ArgumentForm
from proposals.models import Argument, Proposal
from proposals.services import arguments as services
from proposals.standing import may_do
from proposals.views.page import require_person, visible


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def arguments(request: HttpRequest, ref: str) -> HttpResponse:
    """Show all arguments of both sides; POST adds one."""
    proposal = visible(request, ref)
    if request.method != "POST":
        return _page(request, proposal, ArgumentForm(language=proposal.written_in))
    if not is_person(request.user):
        return redirect_to_login(request.path)
    form = ArgumentForm(request.POST)
    if not form.is_valid():
        return _page(request, proposal, form, status=422)
    try:
        made = services.make_argument(
            by=request.user,
            proposal=proposal,
            side=Side(form.cleaned_data["side"]),
            text=form.cleaned_data["text"],
            language=form.cleaned_data["language"],
        )
    except (Conflict, Invalid) as refusal:
        return _page(request, proposal, form, status=put_on_form(form, refusal))
    address = reverse("proposal-arguments", args=[proposal.ref])
    return HttpResponseRedirect(f"{address}#argument-{made.pk}")


@require_POST
def support(request: HttpRequest, ref: str, pk: int) -> HttpResponse:
    """Support an argument or take the support back: `act` says which, `all` from which page."""
    person, proposal = require_person(request), visible(request, ref)
    argument = get_object_or_404(Argument, pk=pk, proposal=proposal)
    act = request.POST.get("act")
    if act == "support":
        services.support_argument(by=person, argument=argument)
    elif act == "withdraw":
        services.withdraw_support(by=person, argument=argument)
    else:
        raise Invalid(_("Unknown act: use support or withdraw."), fields={"act": _("Unknown.")})
    is_all = request.POST.get("all") == "1"
    if request.htmx:  # type: ignore[attr-defined]
        form = ArgumentForm(language=proposal.written_in)
        context = _context(request, proposal, form, None if is_all else ARGUMENTS_A_SIDE)
        return render(request, "proposals/_arguments.html", context | {"touched": pk, "act": act})
    address = (
        reverse("proposal-arguments", args=[proposal.ref])
        if is_all
        else proposal.get_absolute_url()
    )
    return HttpResponseRedirect(f"{address}#argument-{pk}")


def _page(
    request: HttpRequest, proposal: Proposal, form: ArgumentForm, status: int = 200
) -> HttpResponse:
    context = _context(request, proposal, form, None)
    return render(request, "proposals/arguments.html", context, status=status)


def _context(
    request: HttpRequest, proposal: Proposal, form: ArgumentForm, most: int | None
) -> dict[str, Any]:
    return {
        "nav": "deciding",
        "proposal": proposal,
        "arguments": arguments_of(proposal, request.user, most),
        "argument_form": form,
        "may": may_do(request.user, proposal),
        "shows_all": most is None,
    }
