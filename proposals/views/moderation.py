"""Moderation in the open: its log, and hiding or restoring with a public reason."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from oversight.accounts.models import Body
from oversight.accounts.policy import is_clerk
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import NotAllowed, Refusal
from proposals import policy
from proposals.choices import Moderated, Spoken
from proposals.forms.talk import ModerationForm
from proposals.models import Argument, Comment, Moderation, OpinionStatement, Proposal
from proposals.services import moderation as services
from proposals.views.page import require_person, visible

ACTS_A_PAGE = 50
KINDS: dict[str, type[Comment] | type[Argument] | type[OpinionStatement]] = {
    Spoken.COMMENT: Comment,
    Spoken.ARGUMENT: Argument,
    Spoken.STATEMENT: OpinionStatement,
}


@login_not_required
@require_safe
def log(request: HttpRequest, ref: str) -> HttpResponse:
    """List what clerks hid and restored on a proposal, and why."""
    proposal = visible(request, ref)
    return _log(request, acts().filter(proposal=proposal), proposal=proposal, body=proposal.body)


@login_not_required
@require_safe
def body_log(request: HttpRequest, slug: str) -> HttpResponse:
    """List what the clerks of a body hid and restored, and why."""
    body = get_object_or_404(Body, slug=slug)
    return _log(request, acts().filter(proposal__body=body), body=body)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def moderate(request: HttpRequest, ref: str, kind: str, pk: int) -> HttpResponse:
    """Ask a clerk for the public reason to hide something or show it again."""
    person, proposal = require_person(request), visible(request, ref)
    if kind not in KINDS:
        raise Http404
    said: Any = get_object_or_404(
        KINDS[kind].objects.select_related("author", "proposal__body"), pk=pk, proposal=proposal
    )
    if not policy.can_moderate(person, proposal):
        raise NotAllowed(_("Only a clerk of the body moderates."))
    act = Moderated.RESTORED if said.hidden_at else Moderated.HIDDEN
    form, status = ModerationForm(request.POST or None, initial={"act": act}), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _act(person, said, form)
            except Refusal as refusal:
                status = put_on_form(form, refusal)
            else:
                return redirect("proposal-moderation", proposal.ref)
    context = {"form": form, "proposal": proposal, "said": said, "kind": kind, "act": act}
    return render(request, "proposals/moderate.html", context | {"nav": "deciding"}, status=status)


def acts() -> QuerySet[Moderation]:
    """Return acts of moderation with all that a line of the log says, the newest first."""
    return Moderation.objects.select_related(
        *("proposal__body", "clerk"),
        *("comment__author", "argument__author", "statement__author"),
    )


def _act(person: Any, said: Any, form: ModerationForm) -> None:
    """Do what the form was shown for, unless another clerk did it meanwhile."""
    service = {Moderated.HIDDEN: services.hide, Moderated.RESTORED: services.restore}
    service[Moderated(form.cleaned_data["act"])](
        by=person, said=said, reason=form.cleaned_data["reason"]
    )


def _log(
    request: HttpRequest,
    rows: QuerySet[Moderation],
    *,
    body: Body,
    proposal: Proposal | None = None,
) -> HttpResponse:
    page = Paginator(rows, ACTS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "nav": "deciding",
        "page": page,
        "proposal": proposal,
        "body": body,
        "may_restore": is_clerk(request.user, body),
    }
    return render(request, "proposals/moderation.html", context)
