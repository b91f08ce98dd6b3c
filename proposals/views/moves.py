"""Leading a proposal from stage to stage, and ending it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from oversight.accounts.models import Person
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Conflict, Invalid, NotAllowed, Refusal
from proposals import policy
from proposals.choices import Status
from proposals.forms.texts import OpenVoteForm, ReasonForm
from proposals.models import Proposal
from proposals.services import closing, scheduling, stages, voting
from proposals.views.page import require_person, show, visible


@require_POST
def move(request: HttpRequest, ref: str) -> HttpResponse:
    """Move the proposal to its next stage; which one is the button's name."""
    person, proposal = require_person(request), visible(request, ref)
    acts = {
        "deliberate": stages.open_deliberation,
        "fix-text": stages.fix_text,
        "reopen": stages.reopen_deliberation,
        "close": closing.close_vote,
    }
    act = request.POST.get("act", "")
    if act == "open-vote":
        return _open_vote(request, person, proposal)
    if act not in acts:
        raise Invalid(
            _("Unknown step: use one of %(names)s.")
            % {
                "names": ", ".join([*acts, "open-vote"]),
            }
        )
    acts[act](by=person, proposal=proposal)
    proposal.refresh_from_db()
    if act == "close" and proposal.status == Status.DECIDED:
        return redirect(proposal.decision)
    return redirect(proposal)


@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, ref: str) -> HttpResponse:
    """Withdraw a proposal, or annul its vote, with a public reason."""
    person, proposal = require_person(request), visible(request, ref)
    is_vote = proposal.status == Status.VOTING
    may = policy.can_move_stage if is_vote else policy.can_withdraw
    if not may(person, proposal):
        raise NotAllowed(_("Only the proposer withdraws, and only a clerk annuls."))
    form = ReasonForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            act = stages.annul_vote if is_vote else stages.withdraw
            try:
                act(by=person, proposal=proposal, reason=form.cleaned_data["reason"])
            except Refusal as refusal:
                status = put_on_form(form, refusal)
            else:
                return redirect(proposal)
    context = {"form": form, "proposal": proposal, "is_vote": is_vote}
    return render(request, "proposals/end.html", context, status=status)


def _open_vote(request: HttpRequest, person: Person, proposal: Proposal) -> HttpResponse:
    form = OpenVoteForm(request.POST)
    if not form.is_valid():
        return show(request, proposal, vote_form=form, status=422)
    opens_at, closes_at = (_local(proposal, form.cleaned_data[f"{name}_at"]) for name in _TIMES)
    try:
        if opens_at is not None:
            scheduling.schedule_vote(
                by=person, proposal=proposal, opens_at=opens_at, closes_at=closes_at
            )
        else:
            voting.open_vote(by=person, proposal=proposal, closes_at=closes_at)
    except (Conflict, Invalid) as refusal:
        status = put_on_form(form, refusal)
        return show(request, proposal, vote_form=form, status=status)
    return redirect(proposal)


_TIMES = ("opens", "closes")


def _local(proposal: Proposal, asked: datetime | None) -> datetime | None:
    """Read a field's wall-clock time where the body sits, whatever the browser's zone."""
    if asked is None:
        return None
    return timezone.make_naive(asked).replace(tzinfo=ZoneInfo(proposal.body.time_zone))
