"""The tally sheet as a page and as JSON, and the chair's casting vote on a tie."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.ballot_files import ballots_as_blt, has_blt
from proposals.forms.ballots import CastingForm, RankingForm, casting_form
from proposals.models import Decision, Proposal
from proposals.services import closing
from proposals.shown_sheet import ShownSheet
from proposals.standing import is_awaited_chair, vote_of
from proposals.views.page import require_person, visible


@login_not_required
@require_safe
def sheet(request: HttpRequest, ref: str) -> HttpResponse:
    """Show the whole count: all stages, exact totals, ties and what resolved them."""
    found = _decision(ref)
    context = {
        "nav": "deciding",
        "decision": found,
        "proposal": found.proposal,
        "sheet": found.sheet,
        "shown": ShownSheet.of(found.sheet),
        "has_blt": has_blt(found),
    }
    return render(request, "proposals/sheet.html", context)


@login_not_required
@require_safe
def sheet_json(request: HttpRequest, ref: str) -> HttpResponse:  # noqa: ARG001
    """Send the sheet as the decision's record holds it."""
    return JsonResponse(_decision(ref).sheet)


@login_not_required
@require_safe
def ballots_blt(request: HttpRequest, ref: str) -> HttpResponse:  # noqa: ARG001
    """Send a decided election's ballots as a BLT file, for other counting programs."""
    found = _decision(ref)
    if not has_blt(found):
        raise Http404(gettext("BLT holds orders of preference; this vote had none."))
    answer = HttpResponse(ballots_as_blt(found), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{found.ref}.blt"'
    return answer


@never_cache
@require_http_methods(["GET", "POST"])
def casting_vote(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask the chair to break a tie, and decide by the answer, once the chair is sure of it."""
    person, proposal = require_person(request), visible(request, ref)
    vote = vote_of(proposal)
    if vote is None or not vote.is_tied or proposal.status != "voting":
        raise Conflict(_("There is no tie that waits for a casting vote."))
    if not is_awaited_chair(person, proposal):
        raise NotAllowed(_("The tie falls to the chair whom the contract of this vote names."))
    form = casting_form(request.POST or None, contract=vote.content)
    if request.method != "POST":
        return _casting_page(request, proposal, form)
    if not form.is_valid():
        return _casting_page(request, proposal, form, status=422)
    if isinstance(form, RankingForm) and form.is_step:
        return _casting_page(request, proposal, form.stepped(), step=request.POST["step"])
    if request.POST.get("sure") != "yes":
        return _casting_page(request, proposal, form, asks=True)
    try:
        decision = closing.give_casting_vote(by=person, proposal=proposal, names=form.names)
    except (Conflict, Invalid) as refusal:
        return _casting_page(request, proposal, form, status=put_on_form(form, refusal))
    return redirect(decision)


def _casting_page(
    request: HttpRequest,
    proposal: Proposal,
    form: CastingForm | RankingForm,
    *,
    step: str = "",
    asks: bool = False,
    status: int = 200,
) -> HttpResponse:
    context = {
        "nav": "deciding",
        "proposal": proposal,
        "vote": vote_of(proposal),
        "asks": asks,
        "form": form,
        "step": step,
    }
    return render(request, "proposals/casting_vote.html", context, status=status)


def _decision(ref: str) -> Decision:
    rows = Decision.objects.select_related("proposal__body", "proposal__contract")
    return get_object_or_404(rows, proposal__ref=ref)
