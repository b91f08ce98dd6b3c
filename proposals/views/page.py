"""The proposal's page: where it stands, what one can do, text, evidence, vote, discussion."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from evals.models import Run
from oversight.accounts.models import Person
from oversight.accounts.policy import is_person
from oversight.ledger.queries import receipt
from oversight.web.parts import page_or_part
from proposals.amending import A_PAGE, amendments_of, fitting, rows_of, text_blocks
from proposals.anchored import passages_of
from proposals.arguments import ARGUMENTS_A_SIDE, arguments_of
from proposals.changes import shown_changes
from proposals.choices import AmendmentStatus, ProposalType, Status
from proposals.decided_text import amended_since_summary, set_with_evidence
from proposals.effect_words import would_do
from proposals.evidence import lines_of, references_in, resolve
from proposals.forms.talk import ArgumentForm
from proposals.forms.texts import CommentForm, OpenVoteForm
from proposals.models import Amendment, Charter, Proposal, Revision
from proposals.readiness import (
    judgements_of,
    obstacles_to_deliberation,
    obstacles_to_final_text,
    obstacles_to_vote,
    standing_supports,
)
from proposals.services.charters import charter_of
from proposals.shown_map import opinions_of
from proposals.standing import Vote, headline, may_do, vote_of
from proposals.threads import Sent, discussion_of

RUNS_SHOWN = 20
TO_ANSWER_SHOWN = 5
REVISIONS_SHOWN = 100
_OBSTACLES: dict[Status, Callable[[Proposal, Charter, datetime], list[str]]] = {
    Status.DRAFT: lambda proposal, charter, _: obstacles_to_deliberation(proposal, charter),
    Status.DELIBERATION: obstacles_to_final_text,
    Status.FINAL_TEXT: obstacles_to_vote,
}


@login_not_required
@require_safe
def detail(request: HttpRequest, ref: str) -> HttpResponse:
    """Show a proposal: what it is, in which stage, what one can do, then text and discussion."""
    asked = request.GET.get("comment", "")
    is_key = asked.isascii() and asked.isdigit() and len(asked) < 19
    return show(request, visible(request, ref), sent=Sent(asked=int(asked)) if is_key else None)


@login_not_required
@require_safe
def revision(request: HttpRequest, ref: str, number: int) -> HttpResponse:
    """Show one state of the text, with those before and after it."""
    proposal = visible(request, ref)
    found = get_object_or_404(proposal.revisions.select_related("author"), number=number)
    before = proposal.revisions.filter(number=number - 1).first()
    context = {
        "proposal": proposal,
        "revision": found,
        "blocks": set_with_evidence(proposal, found),
        "before": before,
        "changes": shown_changes(before.body_markdown, found.body_markdown) if before else (),
        "after": proposal.revisions.filter(number=number + 1).first(),
        "latest": proposal.text,
        "receipt": receipt(found.leaf_id),
        "nav": "deciding",
    }
    return render(request, "proposals/revision.html", context)


def show(
    request: HttpRequest,
    proposal: Proposal,
    *,
    sent: Sent | None = None,
    comment_form: CommentForm | None = None,
    vote_form: OpenVoteForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Answer with the page, or with its discussion for an htmx request."""
    text = proposal.revisions.select_related("author").order_by("-number")[0]
    standing, judgements = fitting(proposal, text), judgements_of(proposal)
    contract = getattr(proposal, "contract", None)
    lines = lines_of(judgements, contract.content if contract else None)
    references = references_in(text.body_markdown)
    evidence = resolve(references, lines, is_frozen=contract is not None)
    runs, may = Run.objects.filter(purpose=proposal.subject), may_do(request.user, proposal)
    discussion = discussion_of(proposal, request.GET.get("page"), sent, text=text.body_markdown)
    context = {
        "nav": "deciding",
        "proposal": proposal,
        "text": text,
        "passages": passages_of(
            proposal, text, text_blocks(text.body_markdown, standing, evidence)
        ),
        "attachments": proposal.attachments.filter(removed_at=None).select_related("artefact"),
        "supports": standing_supports(proposal).select_related("membership__person"),
        "earlier": _earlier_revisions(proposal, text),
        "judgements": judgements,
        "runs": runs.with_parts().newest_first()[:RUNS_SHOWN],
        "has_active_runs": runs.active().exists(),
        "arguments": arguments_of(proposal, request.user, ARGUMENTS_A_SIDE),
        "argument_form": ArgumentForm(language=proposal.written_in),
        "opinions": opinions_of(proposal),
        "discussion": discussion,
        "discussion_place": _place("page", discussion.page),
        "just_made": sent.made if sent else None,
        "comment_form": comment_form or _comment_form(proposal),
        "vote_form": vote_form or OpenVoteForm(),
        "recusals": proposal.recusals.select_related("membership__person"),
        "may": may,
        "decision": getattr(proposal, "decision", None),
    } | _standing_context(proposal, text, request.user)
    context |= _amendments_context(proposal, text, standing, request.GET.get("amendments"))
    context |= _to_answer(proposal) if may["answer"] else {}
    if proposal.status == Status.DELIBERATION and (may["edit"] or may["fix_text"]):
        context["amended_since_summary"] = amended_since_summary(proposal, text)
    beside = ("proposals/_standing.html", "components/_renewed.html")
    return page_or_part(
        request, "proposals/detail.html", "discussion", context, status=status, beside=beside
    )


def _comment_form(proposal: Proposal) -> CommentForm:
    may_ask = proposal.status == Status.DELIBERATION
    return CommentForm(may_ask=may_ask, language=proposal.written_in)


def _amendments_context(
    proposal: Proposal, text: Revision, standing: Sequence[Amendment], number: str | None
) -> dict[str, Any]:
    """Return one page of the amendments."""
    page = Paginator(amendments_of(proposal), A_PAGE).get_page(number)
    rows = rows_of(page, text, standing)
    place = _place("amendments", page)
    return {"amendments": page, "amendment_rows": rows, "amendments_place": place}


def _place(name: str, page: Page[Any]) -> str:
    """Return the parameter that keeps one list of the page where it is while another goes on."""
    return urlencode({name: page.number}) if page.number > 1 else ""


def _to_answer(proposal: Proposal) -> dict[str, Any]:
    """Return the first amendments that wait for an answer, and how many more there are."""
    found = proposal.amendments.filter(status=AmendmentStatus.OPEN).order_by("number")
    rows = list(found[: TO_ANSWER_SHOWN + 1])
    more = found.count() - TO_ANSWER_SHOWN if len(rows) > TO_ANSWER_SHOWN else 0
    return {"to_answer": rows[:TO_ANSWER_SHOWN], "more_to_answer": more}


def _earlier_revisions(proposal: Proposal, text: Revision) -> QuerySet[Revision]:
    """Return the revisions before this one, newest first, without their texts."""
    found = proposal.revisions.filter(number__lt=text.number).select_related("author")
    return found.defer("body_markdown").order_by("-number")[:REVISIONS_SHOWN]


def _standing_context(proposal: Proposal, text: Revision, user: object) -> dict[str, Any]:
    """Return where the proposal stands, the charter's rules in words, and what is in the way."""
    vote = vote_of(proposal)
    charter = _charter(proposal, vote)
    in_the_way = _OBSTACLES.get(Status(proposal.status))
    obstacles = in_the_way(proposal, charter, timezone.now()) if in_the_way else []
    rules = charter.rules_for(proposal.type)
    return {
        "charter": charter,
        "rules": rules,
        "effect": would_do(proposal, text.terms, charter),
        "rules_words": rules.words(ProposalType(proposal.type)),
        "obstacles": obstacles,
        "vote": vote,
        "seat": vote.seat_of(user) if vote else None,
        "headline": headline(proposal, vote, obstacles),
    }


def _charter(proposal: Proposal, vote: Vote | None) -> Charter:
    """Return the charter a vote is held under, else the one in force."""
    if vote is None:
        return charter_of(proposal.body)
    return Charter.objects.get(body=proposal.body, number=vote.content["charter"]["number"])


def visible(request: HttpRequest, ref: str) -> Proposal:
    """Return the proposal, or 404 where the reader may not even know of it."""
    return get_object_or_404(Proposal.objects.visible_to(request.user).with_parts(), ref=ref)


def require_person(request: HttpRequest) -> Person:
    """Return who is signed in."""
    if not is_person(request.user):
        raise Http404
    return request.user
