"""Pages of what is being decided and what was: proposals, decisions, bodies."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from oversight.accounts.models import Body
from oversight.accounts.policy import is_person
from oversight.dashboards.findings import chart_of_judgements
from oversight.ledger.models import LedgerEntry
from oversight.ledger.queries import LedgerEntryQuerySet, receipt
from oversight.registry.models import Authorisation
from proposals import policy
from proposals.charter import fraction_words
from proposals.choices import ProposalType
from proposals.models import Charter, Decision, Proposal
from proposals.readiness import judgements_of
from proposals.services.closing import last_ballots
from proposals.views import stage_rows, vote_summary


@login_not_required
@require_safe
def deciding(request: HttpRequest) -> HttpResponse:
    """List what is open, then what was decided."""
    proposals = Proposal.objects.visible_to(request.user).with_parts().newest_first()
    decided = Decision.objects.select_related("proposal__body")
    context = {
        "cards": open_cards(list(proposals.open())),
        "drafts": proposals.filter(status="draft"),
        "page": Paginator(decided, 25).get_page(request.GET.get("page")),
        "ended": proposals.filter(status__in=["withdrawn", "annulled"])[:25],
        "open_count": Proposal.objects.open().count(),
        "may_propose": any(policy.can_propose(request.user, body) for body in Body.objects.all())
        if is_person(request.user)
        else False,
        "bodies": Body.objects.all(),
        "nav": "deciding",
    }
    return render(request, "dashboards/deciding.html", context)


@login_not_required
@require_safe
def decision(request: HttpRequest, ref: str) -> HttpResponse:
    """Show a decision: outcome with its arithmetic, evidence, ballots by name, proof."""
    found = get_object_or_404(
        Decision.objects.select_related(
            "proposal__body",
            "proposal__deployment",
            "proposal__version__model",
            "proposal__contract",
        ),
        proposal__ref=ref,
    )
    proposal, contract = found.proposal, found.proposal.contract
    judgements = judgements_of(proposal)
    context = {
        "decision": found,
        "proposal": proposal,
        "contract": contract,
        "contract_content": contract.content,
        "sheet": found.sheet,
        "bar": _result_bar(found),
        "ballots": last_ballots(contract),
        "absent": contract.roll.exclude(ballots__isnull=False).select_related("membership__person"),
        "judgements": judgements,
        "chart": chart_of_judgements(judgements),
        "authorisation": Authorisation.objects.filter(decision_ref=found.ref).with_parts().first(),
        "receipt": receipt(found.leaf_id),
        "timeline": _acts(proposal),
        "threshold_words": fraction_words(_fraction(contract.content["rules"]["threshold"])),
        "nav": "deciding",
    }
    return render(request, "dashboards/decision.html", context)


@login_not_required
@require_safe
def decision_record(request: HttpRequest, ref: str) -> HttpResponse:  # noqa: ARG001
    """Send a decision's record: the very bytes that its digest on the log is of."""
    found = get_object_or_404(Decision, proposal__ref=ref)
    return HttpResponse(found.record, content_type="application/json")


@login_not_required
@require_safe
def contract(request: HttpRequest, ref: str) -> HttpResponse:  # noqa: ARG001
    """Send a vote's contract: the very bytes that its digest on the log is of."""
    found = get_object_or_404(
        Proposal.objects.select_related("contract"), ref=ref, contract__isnull=False
    )
    return HttpResponse(found.contract.document, content_type="application/json")


@login_not_required
@require_safe
def body(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a body: its charter in plain words, its members, what it decides."""
    found = get_object_or_404(Body, slug=slug)
    charter = Charter.objects.filter(body=found).first()
    seats = found.memberships.in_term().select_related("person")
    proposals = Proposal.objects.filter(body=found).visible_to(request.user).with_parts()
    context = {
        "body": found,
        "charter": charter,
        "rules": [(str(kind.label), charter.rules_for(kind).words()) for kind in ProposalType]
        if charter
        else [],
        "seats": seats.voting(),
        "clerks": seats.clerks(),
        "proposals": proposals.newest_first()[:50],
        "nav": "deciding",
    }
    return render(request, "dashboards/body.html", context)


def open_cards(proposals: list[Proposal]) -> list[dict[str, Any]]:
    """Return cards of open proposals: stage bar, what is missing, when it closes."""
    now = timezone.now()
    return [
        {
            "proposal": proposal,
            "stages": stage_rows(proposal),
            "vote": vote_summary(proposal),
            "judgements": judgements_of(proposal),
            "comment_count": proposal.comments.count(),
            "is_due": hasattr(proposal, "contract") and proposal.contract.closes_at <= now,
        }
        for proposal in proposals
    ]


def _result_bar(found: Decision) -> dict[str, Any]:
    """Return the bar of the outcome: weights for, against and abstained, and where the line is."""
    from fractions import Fraction

    sheet = found.sheet
    votes = sheet["votes"]
    base = Fraction(sheet["threshold"]["base_weight"])
    share = sheet["threshold"]["share"]
    return {
        "yes": Fraction(votes["yes"]),
        "no": Fraction(votes["no"]),
        "abstain": Fraction(votes["abstain"]),
        "cast": Fraction(votes["cast"]),
        "roll": Fraction(votes["roll"]),
        "threshold": float(Fraction(sheet["threshold"]["line"]) / base) if base else None,
        "share": float(Fraction(share)) if share else None,
    }


def _acts(proposal: Proposal) -> LedgerEntryQuerySet:
    """Return the proposal's acts on the record but its ballots, in order."""
    acts = LedgerEntry.objects.about(proposal.subject)
    return acts.exclude(type__in=["proposals.ballot.cast", "proposals.comment.made"])


def _fraction(text: str) -> Any:
    from fractions import Fraction

    return Fraction(text)
