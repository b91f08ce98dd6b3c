"""Speaking about a proposal, and moderating in the open."""

from django.db import transaction
from django.utils import timezone

from oversight.accounts.choices import NoticeKind
from oversight.accounts.models import Person
from oversight.accounts.services import notify
from oversight.ledger import services as ledger
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import policy
from proposals.choices import OPEN, Leaf, Status
from proposals.models import Comment, Proposal

MAX_COMMENT = 5000


@transaction.atomic(durable=True)
def make_comment(
    *,
    by: Person,
    proposal: Proposal,
    text: str,
    parent: Comment | None = None,
    is_question: bool = False,
) -> Comment:
    """Add a comment while the proposal is open; the record holds a salted commitment to it.

    A question is asked of the proposer, and the text cannot be final before it is answered; the
    proposer's first answer to it counts as that. The lock on the proposal makes a question and
    the final text wait for each other.

    Raises:
        Invalid: empty or longer than 5,000 characters, or a question inside a thread.
        Conflict: the discussion has ended.
    """
    if not policy.can_comment(by, proposal):
        raise NotAllowed("Sign in to take part in the discussion.")
    words = _checked(text)
    locked = Proposal.objects.select_for_update(no_key=True).get(pk=proposal.pk)
    if locked.status not in OPEN:
        raise Conflict(f"The discussion has ended: {locked.get_status_display().lower()}.")
    if parent is not None and parent.proposal_id != locked.pk:
        raise Invalid("The comment you answer belongs to another proposal.")
    if is_question:
        _require_askable(locked, parent)
    question = _question_answered(by, locked, parent)
    committed = ledger.commit_to({"text": words})
    leaf = ledger.append(
        type=Leaf.COMMENT_MADE,
        actor=by.actor,
        subject=locked.subject,
        commits={"text": committed.digest},
        # The record has to show on its own that no question was open when the text became final.
        facts=({"kind": "question"} if is_question else {})
        | ({"answers": str(question.leaf_id)} if question else {}),
    )
    ledger.keep_opening(leaf, "text", committed)
    comment = Comment.objects.create(
        proposal=locked,
        parent=parent,
        author=by,
        text=words,
        is_question=is_question,
        leaf_id=leaf.id,
    )
    if question is not None:
        question.answer = comment
        question.save(update_fields=["answer"])
    _tell(comment, locked)
    return comment


def _tell(comment: Comment, proposal: Proposal) -> None:
    """Tell who is asked or answered; in the transaction of the comment."""
    address = f"{proposal.get_absolute_url()}#comment-{comment.pk}"
    if comment.is_question:
        notify(
            kind=NoticeKind.QUESTION,
            body=proposal.body,
            about=proposal.ref,
            people=[proposal.proposer],
            subject=f"{comment.author} asks you about {proposal.ref}",
            text=f"“{proposal.title}” cannot become final before you answer.",
            path=address,
        )
    if comment.parent is not None and comment.parent.author_id != comment.author_id:
        notify(
            kind=NoticeKind.ANSWER,
            body=proposal.body,
            about=proposal.ref,
            people=[comment.parent.author],
            subject=f"{comment.author} answered you on {proposal.ref}",
            text=f"There is an answer to your comment on “{proposal.title}”.",
            path=address,
        )


def _checked(text: str) -> str:
    """Return a comment's words, or refuse what is empty, too long or cannot be stored."""
    words = text.strip()
    if not words or "\x00" in words:
        raise Invalid("Write something first.", fields={"text": "Empty."})
    if len(words) > MAX_COMMENT:
        message = f"A comment has at most {MAX_COMMENT:,} characters; this one has {len(words):,}."
        raise Invalid(message, fields={"text": message})
    return words


def _require_askable(proposal: Proposal, parent: Comment | None) -> None:
    """Refuse a question where it could hold up nothing; the caller holds the proposal's lock."""
    if parent is not None:
        raise Invalid("A question to the proposer begins a thread of its own.")
    if proposal.status != Status.DELIBERATION:
        raise Conflict("The text is final: questions that it waits for are asked before that.")


def _question_answered(by: Person, proposal: Proposal, parent: Comment | None) -> Comment | None:
    """Return the open question that this answer settles, locked by the proposal's lock.

    The proposer answers; where the proposer's account is closed, a clerk does in their place.
    """
    if parent is None:
        return None
    question = Comment.objects.filter(pk=parent.pk, is_question=True, answer=None).first()
    may = policy.can_answer_questions(by, proposal)
    return question if may else None


@transaction.atomic(durable=True)
def hide_comment(*, by: Person, comment: Comment, reason: str) -> Comment:
    """Hide a comment; that it was there, and why it is hidden, stays visible to all."""
    if not policy.can_moderate(by, comment.proposal):
        raise NotAllowed("Only a clerk of the body moderates.")
    if not reason.strip():
        raise Invalid("Say in public why the comment is hidden.", fields={"reason": "Missing."})
    row = Comment.objects.select_for_update().get(pk=comment.pk)
    if row.hidden_at is not None:
        raise Conflict("This comment is hidden already.")
    row.hidden_at = timezone.now()
    row.hidden_reason = reason.strip()[:400]
    row.save(update_fields=["hidden_at", "hidden_reason"])
    ledger.append(
        type=Leaf.COMMENT_HIDDEN,
        actor=by.actor,
        subject=row.proposal.subject,
        facts={"comment": str(row.leaf_id)},
    )
    return row


def is_open_for_comments(proposal: Proposal) -> bool:
    """Say whether the discussion goes on."""
    return Status(proposal.status) in OPEN
