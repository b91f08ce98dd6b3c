"""The ballot: what is asked, casting and changing it, its receipt; and the chair's casting vote."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from oversight.ledger import services as ledger
from oversight.ledger.queries import receipt
from oversight.web.form_refusals import put_on_form
from oversight.web.parts import page_or_part
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.choices import Status
from proposals.forms.ballots import BallotForm, RankingForm, ballot_form
from proposals.models import Ballot, Proposal, RollEntry
from proposals.services import casting
from proposals.standing import vote_of
from proposals.views.page import require_person, visible

OTHERS_NAMED = 20
"""How many of those for whom a ballot counts, too, it names; the roll has all."""


@never_cache
@require_http_methods(["GET", "POST"])
def ballot(request: HttpRequest, ref: str) -> HttpResponse:
    """Show one's ballot, cast it or change it, and answer with the receipt."""
    person, proposal = require_person(request), visible(request, ref)
    entry = RollEntry.objects.filter(contract__proposal=proposal, membership__person=person).first()
    if request.method == "POST":
        if entry is None and proposal.status != Status.VOTING:
            raise Conflict(_("There is no vote open on this proposal."))
        return _cast(request, proposal, _on_roll(entry))
    if proposal.status != Status.VOTING and _last_ballot(entry) is None:
        raise Http404
    last = _last_ballot(_on_roll(entry))
    form = ballot_form(
        contract=proposal.contract.content, last=last.content if last is not None else None
    )
    return _ballot_page(request, proposal, last, form)


def _on_roll(entry: RollEntry | None) -> RollEntry:
    if entry is None:
        raise NotAllowed(str(casting.NOT_ON_ROLL))
    return entry


def _cast(request: HttpRequest, proposal: Proposal, entry: RollEntry) -> HttpResponse:
    """Cast a ballot: 201 with its receipt, 202 while that waits, else why not."""
    form = ballot_form(request.POST, contract=proposal.contract.content)
    last = _last_ballot(entry)
    if not form.is_valid():
        return _ballot_page(request, proposal, last, form, status=422)
    if isinstance(form, RankingForm) and form.is_step:
        return _ballot_page(request, proposal, last, form.stepped(), step=request.POST["step"])
    try:
        cast = casting.cast_ballot(
            by=require_person(request), proposal=proposal, choice=form.content
        )
    except (Conflict, Invalid) as refusal:
        status = put_on_form(form, refusal)
        return _ballot_page(request, proposal, last, form, status=status)
    found = ledger.wait_for_receipt(cast.leaf_id, settings.RECEIPT_WAIT_SECONDS)
    return _ballot_page(request, proposal, cast, form, just_cast=True, status=201 if found else 202)


def _last_ballot(entry: RollEntry | None) -> Ballot | None:
    return entry.ballots.order_by("-number").first() if entry else None


def _ballot_page(
    request: HttpRequest,
    proposal: Proposal,
    last: Ballot | None,
    form: BallotForm,
    *,
    just_cast: bool = False,
    step: str = "",
    status: int = 200,
) -> HttpResponse:
    proposal.refresh_from_db(fields=["status"])
    vote = vote_of(proposal)
    seat = vote.seat_of(request.user) if vote else None
    context = {
        "nav": "deciding",
        "proposal": proposal,
        "text": proposal.text,
        "vote": vote,
        "seat": seat,
        "others": (others := vote.others_of(seat) if vote and seat else [])[:OTHERS_NAMED],
        "more_others": max(0, len(others) - OTHERS_NAMED),
        "ballot": last,
        "form": form,
        "receipt": receipt(last.leaf_id) if last else None,
        "just_cast": just_cast,
        "step": step,
        "is_open": vote is not None and proposal.status == Status.VOTING and not vote.is_over,
    }
    beside = ("components/_renewed.html",)
    return page_or_part(
        request, "proposals/ballot.html", "ballot", context, status=status, beside=beside
    )
