"""Pages of the deciding floor: the proposal with its text, evidence, discussion, vote."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from evals.choices import Comparison
from evals.models import Run, SuiteVersion
from evals.services.runs import request_run
from oversight.accounts.models import Body, Person
from oversight.accounts.policy import is_person, voting_membership
from oversight.ledger import services as ledger
from oversight.ledger.queries import receipt
from oversight.web.parts import page_or_part
from oversight.web.refusals import Invalid, NotAllowed, Refusal
from proposals import policy
from proposals.charter import fraction_words
from proposals.choices import STAGES, ProposalType, Status
from proposals.forms import (
    BallotForm,
    CommentForm,
    CriterionForm,
    OpenVoteForm,
    ProposalForm,
    ReasonForm,
    RevisionForm,
)
from proposals.markdown import render_markdown
from proposals.models import Ballot, Comment, Proposal, Revision, RollEntry
from proposals.readiness import judgements_of, obstacles_to_final_text
from proposals.services import closing, discussion, drafting, stages, voting
from proposals.services.charters import charter_of


@login_not_required
@require_safe
def detail(request: HttpRequest, ref: str) -> HttpResponse:
    """Show a proposal: what it is, in which stage, what one can do, then text and discussion."""
    return _detail(request, _visible(request, ref))


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Draft a proposal."""
    person = _person(request)
    bodies = [body for body in Body.objects.all() if policy.can_propose(person, body)]
    if not bodies:
        raise NotAllowed("Only members of a body propose. A clerk can tell you how to become one.")
    form = ProposalForm(request.POST or None, bodies=bodies)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            data = dict(form.cleaned_data)
            data["type"] = ProposalType(data["type"])
            try:
                proposal = drafting.draft_proposal(by=person, **data)
            except Invalid as refusal:
                _put_on_form(form, refusal)
            else:
                return redirect(proposal)
    return render(request, "proposals/create.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, ref: str) -> HttpResponse:
    """Write the next revision of the text."""
    person, proposal = _person(request), _visible(request, ref)
    if not policy.can_edit_text(person, proposal):
        raise NotAllowed("Only the proposer edits the text.")
    text = proposal.text
    initial = {
        "title": text.title,
        "summary": text.summary,
        "text": text.body_markdown,
        "base_number": text.number,
    }
    form = RevisionForm(request.POST or None, initial=initial)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                drafting.revise_text(by=person, proposal=proposal, **form.cleaned_data)
            except Refusal as refusal:
                # What was typed stays on the page, whatever the reason.
                _put_on_form(form, refusal)
                status = refusal.status
            else:
                return redirect(proposal)
    context = {"form": form, "proposal": proposal, "latest": text}
    return render(request, "proposals/edit.html", context, status=status)


@login_not_required
@require_safe
def revision(request: HttpRequest, ref: str, number: int) -> HttpResponse:
    """Show an earlier state of the text."""
    proposal = _visible(request, ref)
    found = get_object_or_404(
        Revision.objects.select_related("author"), proposal=proposal, number=number
    )
    context = {
        "proposal": proposal,
        "revision": found,
        "html": render_markdown(found.body_markdown),
    }
    return render(request, "proposals/revision.html", context)


@require_POST
def comment(request: HttpRequest, ref: str) -> HttpResponse:
    """Add a comment; answers with the discussion."""
    person, proposal = _person(request), _visible(request, ref)
    form = CommentForm(request.POST)
    if not form.is_valid():
        return _detail(request, proposal, part="discussion", comment_form=form, status=422)
    parent = None
    if form.cleaned_data["parent"]:
        parent = get_object_or_404(Comment, pk=form.cleaned_data["parent"], proposal=proposal)
    made = discussion.make_comment(
        by=person, proposal=proposal, text=form.cleaned_data["text"], parent=parent
    )
    if not request.htmx:  # type: ignore[attr-defined]
        return HttpResponseRedirect(f"{proposal.get_absolute_url()}#comment-{made.pk}")
    return _detail(request, proposal, part="discussion")


@require_POST
def hide_comment(request: HttpRequest, ref: str, pk: int) -> HttpResponse:
    """Hide a comment with a public reason."""
    person, proposal = _person(request), _visible(request, ref)
    found = get_object_or_404(Comment, pk=pk, proposal=proposal)
    discussion.hide_comment(by=person, comment=found, reason=request.POST.get("reason", ""))
    return redirect(proposal)


@require_http_methods(["GET", "POST"])
def add_criterion(request: HttpRequest, ref: str) -> HttpResponse:
    """Put a criterion on the record."""
    person, proposal = _person(request), _visible(request, ref)
    if not policy.can_attach_evidence(person, proposal):
        raise NotAllowed("Only the proposer, members and clerks of the body set criteria.")
    form = CriterionForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            key, task, metric = form.measured
            try:
                drafting.attach_criterion(
                    by=person,
                    proposal=proposal,
                    suite_version=get_object_or_404(SuiteVersion, pk=key),
                    task_name=task,
                    metric=metric,
                    comparison=Comparison(form.cleaned_data["comparison"]),
                    threshold=form.cleaned_data["threshold"],
                    must_pass=form.cleaned_data["must_pass"],
                )
            except Refusal as refusal:
                _put_on_form(form, refusal)
                status = refusal.status
            else:
                messages.success(request, "The criterion is on the record.")
                return redirect(proposal)
    context = {"form": form, "proposal": proposal}
    return render(request, "proposals/criterion.html", context, status=status)


@require_POST
def evaluate(request: HttpRequest, ref: str) -> HttpResponse:
    """Start one run for every suite that a criterion of this proposal asks for."""
    person, proposal = _person(request), _visible(request, ref)
    if not policy.can_attach_evidence(person, proposal):
        raise NotAllowed("Only the proposer, members and clerks of the body start its evaluations.")
    if proposal.version is None:
        raise Invalid("This proposal is about no model version.")
    wanted = {
        j.criterion.suite_version_id: j.criterion.suite_version for j in judgements_of(proposal)
    }
    if not wanted:
        raise Invalid("Set criteria first: a run only counts for criteria recorded before it.")
    for suite_version in wanted.values():
        run = request_run(
            by=person,
            suite_version=suite_version,
            model_version=proposal.version,
            purpose=proposal.subject,
        )
        messages.success(request, f"{suite_version.suite} is queued as {run.ref}.")
    return redirect(proposal)


@require_POST
def move(request: HttpRequest, ref: str) -> HttpResponse:
    """Move the proposal to its next stage; which one is the button's name."""
    person, proposal = _person(request), _visible(request, ref)
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
        raise Invalid(f"Unknown step: use one of {', '.join([*acts, 'open-vote'])}.")
    acts[act](by=person, proposal=proposal)
    proposal.refresh_from_db()
    if act == "close":
        return redirect(proposal.decision)
    return redirect(proposal)


@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, ref: str) -> HttpResponse:
    """Withdraw a proposal, or annul its vote, with a public reason."""
    person, proposal = _person(request), _visible(request, ref)
    is_vote = proposal.status == Status.VOTING
    may = policy.can_move_stage if is_vote else policy.can_withdraw
    if not may(person, proposal):
        raise NotAllowed("Only the proposer withdraws, and only a clerk annuls.")
    form = ReasonForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            act = stages.annul_vote if is_vote else stages.withdraw
            act(by=person, proposal=proposal, reason=form.cleaned_data["reason"])
            return redirect(proposal)
    context = {"form": form, "proposal": proposal, "is_vote": is_vote}
    return render(request, "proposals/end.html", context, status=status)


@never_cache
@require_http_methods(["GET", "POST"])
def ballot(request: HttpRequest, ref: str) -> HttpResponse:
    """Show one's ballot, cast it or change it, and answer with the receipt."""
    person, proposal = _person(request), _visible(request, ref)
    entry = RollEntry.objects.filter(contract__proposal=proposal, membership__person=person).first()
    last = entry.ballots.order_by("-number").first() if entry else None
    form = BallotForm(request.POST or None, initial={"choice": last.choice} if last else None)
    status, just_cast = 200, None
    if request.method == "POST":
        status = 422
        if form.is_valid():
            just_cast = voting.cast_ballot(
                by=person, proposal=proposal, choice=form.cleaned_data["choice"]
            )
            last = just_cast
            found = ledger.wait_for_receipt(just_cast.leaf_id, settings.RECEIPT_WAIT_SECONDS)
            status = 201 if found else 202
    elif proposal.status != Status.VOTING and last is None:
        raise Http404
    context = _ballot_context(proposal, entry, last, form) | {"just_cast": just_cast}
    return page_or_part(request, "proposals/ballot.html", "ballot", context, status=status)


def _ballot_context(
    proposal: Proposal, entry: RollEntry | None, last: Ballot | None, form: BallotForm
) -> dict[str, Any]:
    content = proposal.contract.content if hasattr(proposal, "contract") else {}
    return {
        "proposal": proposal,
        "contract": getattr(proposal, "contract", None),
        "rules": content.get("rules", {}),
        "is_override": content.get("override", False),
        "entry": entry,
        "ballot": last,
        "form": form,
        "receipt": receipt(last.leaf_id) if last else None,
        "is_open": proposal.status == Status.VOTING,
    }


def _open_vote(request: HttpRequest, person: Person, proposal: Proposal) -> HttpResponse:
    form = OpenVoteForm(request.POST)
    if not form.is_valid():
        return _detail(request, proposal, vote_form=form, status=422)
    asked = form.cleaned_data["closes_at"]
    if asked is not None:
        # The field is wall-clock time where the body sits, whatever the browser's zone.
        asked = timezone.make_naive(asked).replace(tzinfo=ZoneInfo(proposal.body.time_zone))
    voting.open_vote(by=person, proposal=proposal, closes_at=asked)
    return redirect(proposal)


def _detail(
    request: HttpRequest,
    proposal: Proposal,
    *,
    part: str = "discussion",
    comment_form: CommentForm | None = None,
    vote_form: OpenVoteForm | None = None,
    status: int = 200,
) -> HttpResponse:
    text = proposal.text
    comments = list(proposal.comments.select_related("author", "parent"))
    context = {
        "nav": "deciding",
        "proposal": proposal,
        "text": text,
        "text_html": render_markdown(text.body_markdown),
        "revisions": proposal.revisions.select_related("author").order_by("-number"),
        "stages": stage_rows(proposal),
        "judgements": judgements_of(proposal),
        "runs": Run.objects.filter(purpose=proposal.subject).with_parts().newest_first(),
        "threads": threads(comments),
        "comment_count": len(comments),
        "comment_form": comment_form or CommentForm(),
        "vote_form": vote_form or OpenVoteForm(),
        "may": _may(request.user, proposal),
        "vote": vote_summary(proposal),
        "decision": getattr(proposal, "decision", None),
    } | _rules_context(proposal)
    return page_or_part(request, "proposals/detail.html", part, context, status=status)


def _rules_context(proposal: Proposal) -> dict[str, Any]:
    """Return the charter's rules in words, and what still stands in the way."""
    charter = charter_of(proposal.body)
    rules = charter.rules_for(proposal.type)
    obstacles = (
        obstacles_to_final_text(proposal, charter, timezone.now())
        if proposal.status == Status.DELIBERATION
        else []
    )
    return {"charter": charter, "rules_words": rules.words(), "obstacles": obstacles}


def stage_rows(proposal: Proposal) -> list[dict[str, Any]]:
    """Return the stage bar: each stage with `done`, `current` or `ahead`."""
    current = Status(proposal.status)
    reached = STAGES.index(current) if current in STAGES else -1
    states = [
        "done" if i < reached else "current" if i == reached else "ahead"
        for i in range(len(STAGES))
    ]
    return [
        {"label": str(s.label), "state": state} for s, state in zip(STAGES, states, strict=True)
    ]


def vote_summary(proposal: Proposal) -> dict[str, Any] | None:
    """Return what is public of an open vote: who may vote, how many have, what is needed."""
    contract = getattr(proposal, "contract", None)
    if contract is None:
        return None
    from fractions import Fraction

    content = contract.content
    roll = list(contract.roll.select_related("membership__person").prefetch_related("ballots"))
    voted = [entry for entry in roll if entry.ballots.all()]
    return {
        "contract": contract,
        "closes_at": contract.closes_at,
        "time_zone": content["time_zone"],
        "roll": roll,
        "roll_count": len(roll),
        "voted_count": len(voted),
        "all_voted": len(voted) == len(roll),
        "threshold": fraction_words(Fraction(content["rules"]["threshold"])),
        "quorum": fraction_words(Fraction(content["rules"]["quorum"])),
        "rules": content["rules"],
        "is_override": content["override"],
    }


def threads(comments: list[Comment]) -> list[dict[str, Any]]:
    """Return comments as threads: each with its HTML and its answers, in the order made."""
    nodes: dict[int, dict[str, Any]] = {}
    roots: list[dict[str, Any]] = []
    for each in comments:
        node = {"comment": each, "html": render_markdown(each.text), "replies": []}
        nodes[each.pk] = node
        parent = nodes.get(each.parent_id) if each.parent_id else None
        (parent["replies"] if parent else roots).append(node)
    return roots


def _may(user: Any, proposal: Proposal) -> dict[str, bool]:
    """Return what the user can do here now: right and stage together."""
    status = Status(proposal.status)
    early = status in {Status.DRAFT, Status.DELIBERATION}
    on_roll = (
        is_person(user)
        and status == Status.VOTING
        and RollEntry.objects.filter(contract__proposal=proposal, membership__person=user).exists()
    )
    clerk = policy.can_move_stage(user, proposal)
    return {
        "edit": early and policy.can_edit_text(user, proposal),
        "attach": early and policy.can_attach_evidence(user, proposal),
        "evaluate": status == Status.DELIBERATION and policy.can_attach_evidence(user, proposal),
        "deliberate": status == Status.DRAFT and policy.can_start_deliberation(user, proposal),
        "fix_text": clerk and status == Status.DELIBERATION,
        "reopen": clerk and status == Status.FINAL_TEXT,
        "open_vote": clerk and status == Status.FINAL_TEXT,
        "close": clerk and status == Status.VOTING,
        "annul": clerk and status == Status.VOTING,
        "withdraw": status in {Status.DRAFT, Status.DELIBERATION, Status.FINAL_TEXT}
        and policy.can_withdraw(user, proposal),
        "vote": on_roll,
        "comment": discussion.is_open_for_comments(proposal) and policy.can_comment(user, proposal),
        "moderate": policy.can_moderate(user, proposal),
        "is_member": voting_membership(user, proposal.body) is not None,
    }


def _visible(request: HttpRequest, ref: str) -> Proposal:
    return get_object_or_404(Proposal.objects.visible_to(request.user).with_parts(), ref=ref)


def _person(request: HttpRequest) -> Person:
    if not is_person(request.user):
        raise Http404
    return request.user


def _put_on_form(form: Any, refusal: Refusal) -> None:
    """Show a service's refusal on the form, beside its field where it names one."""
    named = {name: text for name, text in refusal.fields.items() if name in form.fields}
    for name, text in named.items():
        form.add_error(name, text)
    if not named:
        form.add_error(None, refusal.detail)
