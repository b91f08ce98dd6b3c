"""The discussion: speaking, answering, and hiding with a public reason."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import policy
from proposals.forms.texts import CommentForm, HideForm
from proposals.models import Comment, Proposal
from proposals.services import discussion, moderation
from proposals.threads import Sent, discussion_of
from proposals.views.page import require_person, show, visible


@require_POST
def comment(request: HttpRequest, ref: str) -> HttpResponse:
    """Add a comment or an answer to one; answers with the discussion."""
    person, proposal = require_person(request), visible(request, ref)
    # Only what begins a thread can be a question; an answer's form does not offer it.
    form = CommentForm(request.POST, may_ask=not request.POST.get("parent"))
    if not form.is_valid():
        return _refused_comment(request, proposal, form, 422)
    parent = None
    if form.cleaned_data["parent"]:
        parent = get_object_or_404(Comment, pk=form.cleaned_data["parent"], proposal=proposal)
    try:
        made = discussion.make_comment(
            by=person,
            proposal=proposal,
            text=form.cleaned_data["text"],
            parent=parent,
            is_question=form.cleaned_data.get("is_question", False),
            language=form.cleaned_data["language"],
        )
    except (Conflict, Invalid) as refusal:
        return _refused_comment(request, proposal, form, put_on_form(form, refusal))
    return _discussion(request, proposal, Sent(made=made), made)


@require_POST
def hide_comment(request: HttpRequest, ref: str, pk: int) -> HttpResponse:
    """Hide a comment with a public reason; answers with the discussion."""
    person, proposal = require_person(request), visible(request, ref)
    found = get_object_or_404(Comment, pk=pk, proposal=proposal)
    if not policy.can_moderate(person, proposal):
        raise NotAllowed(_("Only a clerk of the body moderates."))
    form = HideForm(request.POST, auto_id=f"hide_{pk}_%s")
    if not form.is_valid():
        return show(request, proposal, sent=Sent(hiding=(pk, form)), status=422)
    hidden = moderation.hide(by=person, said=found, reason=form.cleaned_data["reason"])
    return _discussion(request, proposal, Sent(made=hidden), hidden)


def _refused_comment(
    request: HttpRequest, proposal: Proposal, form: CommentForm, status: int
) -> HttpResponse:
    """Show the discussion with what was typed, at the place where it was typed."""
    sent = Sent(answer=form)
    if sent.answered is None or status == Conflict.status:
        # Once the discussion has ended no comment has a place for answers any more.
        return show(request, proposal, comment_form=form, status=status)
    form.auto_id = f"answer_{sent.answered}_%s"
    return show(request, proposal, sent=sent, status=status)


def _discussion(
    request: HttpRequest, proposal: Proposal, sent: Sent, found: Comment
) -> HttpResponse:
    """Answer with the discussion's part, or lead a reader without scripts to the comment."""
    if request.htmx:  # type: ignore[attr-defined]
        return show(request, proposal, sent=sent)
    number = discussion_of(proposal, sent=sent).page.number
    query = f"?page={number}" if number > 1 else ""
    return HttpResponseRedirect(f"{proposal.get_absolute_url()}{query}#comment-{found.pk}")
