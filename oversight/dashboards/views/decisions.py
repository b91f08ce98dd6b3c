"""Pages of what is being decided and what was: proposals, decisions, bodies."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from oversight.accounts.models import Body, Person
from oversight.accounts.policy import is_person, voting_membership
from oversight.dashboards.acts import timeline
from oversight.dashboards.cards import CARDS_LIMIT, open_cards
from oversight.dashboards.drawings.deciding import charts_of
from oversight.dashboards.evidence import beside_others, of_contract, without_criterion
from oversight.dashboards.results import result_of
from oversight.dashboards.words import decisions_open, members_in_words, sentence
from oversight.ledger.queries import receipt
from oversight.registry import condition_words
from oversight.registry.effects import STANDING
from oversight.registry.models import Authorisation
from oversight.web.clock import in_words
from oversight.web.written import Told, Written
from proposals import policy
from proposals.charter_chapters import chapters, differences, in_common, name_of
from proposals.choices import DecisionOutcome, ProposalType
from proposals.decided_text import amended_since_summary, set_with_evidence
from proposals.decision_words import IMPOSSIBLE, did
from proposals.effect_words import criteria_lines
from proposals.markdown import render_markdown
from proposals.models import (
    Argument,
    Charter,
    Decision,
    OpinionMap,
    OpinionStatement,
    Proposal,
    SuiteAdoption,
)
from proposals.services.charters import charter_of
from proposals.services.statements import kinds_open_to, statements_until
from proposals.titles import titled


@login_not_required
@require_safe
def around(_request: HttpRequest, page: str) -> HttpResponse:
    """Lead from an address that somebody shortened to the page that lists such things."""
    return redirect(page)


@login_not_required
@require_safe
def deciding(request: HttpRequest) -> HttpResponse:
    """List what is open, then what was decided."""
    proposals = Proposal.objects.visible_to(request.user).with_parts().newest_first()
    decided = titled(Decision.objects.select_related("proposal__body"), "proposal_id")
    open_count = Proposal.objects.open().count()
    context = {
        "headline": sentence(decisions_open(open_count)),
        "cards": open_cards(proposals.open()),
        "more_cards": max(0, open_count - CARDS_LIMIT),
        "drafts": titled(proposals.filter(status="draft"))[:50],
        "page": Paginator(decided, 25).get_page(request.GET.get("page")),
        "ended": titled(proposals.filter(status__in=["withdrawn", "annulled"]))[:25],
        "may_propose": is_person(request.user) and may_propose_something(request.user),
        "bodies": Body.objects.all(),
        "nav": "deciding",
    }
    return render(request, "dashboards/deciding.html", context)


def may_propose_something(user: Person) -> bool:
    """Say whether some body lets the person propose something."""
    if user.memberships.in_term().voting().exists():
        return True
    newest = Charter.objects.order_by("body_id", "-number").distinct("body_id")
    return any(
        rules.proposers != "members" and policy.can_propose(user, charter.body, rules)
        for charter in newest.select_related("body")
        for rules in map(charter.rules_for, charter.kinds)
    )


@login_not_required
@require_safe
def decision(request: HttpRequest, ref: str) -> HttpResponse:
    """Show a decision: outcome with its arithmetic, evidence, ballots by name, proof.

    What is not decided yet has its own page, and whoever asks is led there.
    """
    parts = ("body", "proposer", "deployment", "version__model", "contract")
    decisions = Decision.objects.select_related(*(f"proposal__{part}" for part in parts))
    found = decisions.filter(proposal__ref=ref).first()
    if found is None:
        return redirect(get_object_or_404(Proposal.objects.visible_to(request.user), ref=ref))
    proposal, contract = found.proposal, found.proposal.contract
    authorisation = Authorisation.objects.filter(decision_ref=found.ref).with_parts().first()
    evidence = of_contract(contract)
    text, placed = proposal.text, receipt(found.leaf_id)
    cited = _citation(found, text.title, placed.index if placed else None)
    context = {
        "decision": found,
        "proposal": proposal,
        "text": text,
        "contract": contract,
        "authorisation": authorisation,
        "in_force": bool(authorisation and authorisation.is_in_force()),
        "receipt": placed,
        "citation": cited,
        "citation_text": "\n".join(cited),
        "evidence": evidence,
        "charts": charts_of(evidence),
        "without_criterion": without_criterion(evidence),
        "comparisons": beside_others(evidence, proposal.version) if proposal.version else [],
        "timeline": timeline(proposal, {e.run_ref for e in evidence if e.run_ref}),
        "effect": did(found),
        "took_effect": _took_effect(found),
        "no_criteria_words": _no_criteria_words(ProposalType(proposal.type)),
        "decided_text": set_with_evidence(proposal, text),
        "amended": amended_since_summary(proposal, text),
        "terms": contract.content.get("terms", {}),
        "conditions": condition_words.words(authorisation.conditions) if authorisation else [],
        "impossible_words": IMPOSSIBLE.get(found.impossible, found.impossible),
        "annulling": _annulling(found),
        "about": Proposal.objects.visible_to(request.user).filter(target_ref=found.ref)[:20],
        "statements_until": _statements_until(found),
        "statements": [
            {"row": row, "html": render_markdown(row.text)}
            for row in found.statements.select_related("author")
        ],
        "said": _said(proposal),
        "may": _may_do(request.user, found, authorisation),
        "nav": "deciding",
    } | result_of(found, contract)
    return render(request, "dashboards/decision.html", context)


def _took_effect(found: Decision) -> bool:
    """Say whether anything but the decision itself came of it: a motion only states a will."""
    effect = found.effect
    if "impossible" in effect:
        return False
    return "restored" in effect or (found.outcome == DecisionOutcome.CARRIED and len(effect) > 1)


def _no_criteria_words(kind: ProposalType) -> str:
    """Say why a decision about no model has no evidence."""
    words = gettext("Its subject was to %(what)s. That has no criteria and no evaluation.")
    return words % {"what": name_of(kind)}


def _citation(found: Decision, title: str, index: int | None) -> list[str]:
    """Return how to name a decision elsewhere, so that it can be found and held against its act."""
    proposal = found.proposal
    parts: list[str] = [
        Told("%(body)s: %(title)s.", body=proposal.body, title=Written(title, proposal.written_in)),
        gettext("Decision %(ref)s of %(day)s.")
        % {"ref": found.ref, "day": in_words(found.decided_at, proposal.body.time_zone)},
        f"{settings.PUBLIC_URL}{found.get_absolute_url()}",
        found.digest,
    ]
    if index is not None:
        parts.append(
            gettext("Act %(index)s on the record %(origin)s.")
            % {"index": index, "origin": settings.LEDGER_ORIGIN}
        )
    return parts


def _said(proposal: Proposal) -> dict[str, Any]:
    """Return whether anything was argued or stated before the vote, and whether there is a map."""
    argued, stated = (
        Exists(kind.objects.filter(proposal=OuterRef("pk"), hidden_at=None))
        for kind in (Argument, OpinionStatement)
    )
    mapped = Exists(OpinionMap.objects.filter(proposal=OuterRef("pk")))
    row = Proposal.objects.filter(pk=proposal.pk)
    return dict(row.values(argued=argued, stated=stated, mapped=mapped)[0])


def _annulling(found: Decision) -> Decision | None:
    """Return the decision that annulled this one; none where it stands or an authority did."""
    if not found.is_annulled:
        return None
    return Decision.objects.filter(proposal__ref=found.annulled_by[:12]).first()


def _statements_until(found: Decision) -> datetime | None:
    """Return until when members can make a statement, while they can."""
    until = statements_until(found)
    return until if timezone.now() < until else None


def _may_do(user: Any, found: Decision, authorisation: Authorisation | None) -> dict[str, Any]:
    """Return what the reader can do about a decision now."""
    body = found.proposal.body
    if not is_person(user):
        return {}
    rules = charter_of(body).rules_for(ProposalType.SUSPEND)
    stands = bool(authorisation and authorisation.is_in_force())
    proposes = policy.can_propose(user, body, rules)
    return {
        "suspend": stands and policy.can_suspend_at_once(user, body, rules),
        "annul": not found.is_annulled and policy.can_state_reasons(user, body),
        "states": kinds_open_to(user, found, timezone.now()),
        "propose": _proposable(found, authorisation) if proposes else [],
    }


def _proposable(found: Decision, authorisation: Authorisation | None) -> list[ProposalType]:
    """Return what could be proposed about a decision as it stands."""
    kinds = []
    if authorisation and authorisation.state_now in STANDING:
        kinds.append(ProposalType.RENEW)
        if not authorisation.is_ended:
            kinds += [ProposalType.SUSPEND, ProposalType.RETIRE]
    if not found.is_annulled and found.proposal.type != ProposalType.ANNUL:
        kinds.append(ProposalType.ANNUL)
    return kinds


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
    charters = list(Charter.objects.filter(body=found))
    charter = charters[0] if charters else None
    adoptions = SuiteAdoption.objects.filter(body=found, ended_at=None)
    seats = found.memberships.in_term().select_related("person")
    proposals = Proposal.objects.filter(body=found).visible_to(request.user)
    context = {
        "body": found,
        "charter": charter,
        "earlier_charters": charters[1:],
        **_chapters(charter),
        "adoptions": [_adoption(row) for row in adoptions.select_related("version__suite")],
        "evaluators": found.evaluators.filter(ended_at=None).select_related("organisation"),
        "seats": seats.voting(),
        "member_words": members_in_words(seats.voting().count()),
        "clerks": seats.clerks(),
        "may_delegate": charter is not None
        and charter.has_delegations
        and voting_membership(request.user, found) is not None,
        "proposals": titled(proposals.with_parts().newest_first())[:50],
        "nav": "deciding",
    }
    return render(request, "dashboards/body.html", context)


def _chapters(charter: Charter | None) -> dict[str, Any]:
    """Return what a charter says of every vote, and of each type of decision besides."""
    common, rest = in_common(chapters(charter.document)) if charter else ((), [])
    return {"common": common, "chapters": rest}


def _adoption(row: SuiteAdoption) -> dict[str, Any]:
    return {
        "version": row.version,
        "decision_ref": row.decision_ref,
        "adopted_at": row.adopted_at,
        "lines": criteria_lines(row.criteria, row.version),
    }


@login_not_required
@require_safe
def charter(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show one version of a body's charter in plain words, and what it changed."""
    found = get_object_or_404(
        Charter.objects.select_related("body"), body__slug=slug, number=number
    )
    others = Charter.objects.filter(body=found.body)
    before = others.filter(number=number - 1).first()
    context = {
        "body": found.body,
        "charter": found,
        "before": before,
        "later": others.filter(number=number + 1).first(),
        "differences": differences(before.document, found.document) if before else [],
        **_chapters(found),
        "nav": "deciding",
    }
    return render(request, "dashboards/charter.html", context)
