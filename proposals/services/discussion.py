"""Speaking about a proposal, and moderating in the open."""

from django.db import transaction
from django.utils import timezone

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
    *, by: Person, proposal: Proposal, text: str, parent: Comment | None = None
) -> Comment:
    """Add a comment while the proposal is open; the record holds a salted commitment to it.

    Raises:
        Invalid: empty or longer than 5,000 characters.
        Conflict: the discussion has ended.
    """
    if not policy.can_comment(by, proposal):
        raise NotAllowed("Sign in to take part in the discussion.")
    words = text.strip()
    if not words or "\x00" in words:
        raise Invalid("Write something first.", fields={"text": "Empty."})
    if len(words) > MAX_COMMENT:
        message = f"A comment has at most {MAX_COMMENT:,} characters; this one has {len(words):,}."
        raise Invalid(message, fields={"text": message})
    locked = Proposal.objects.select_for_update(no_key=True).get(pk=proposal.pk)
    if locked.status not in OPEN:
        raise Conflict(f"The discussion has ended: {locked.get_status_display().lower()}.")
    if parent is not None and parent.proposal_id != locked.pk:
        raise Invalid("The comment you answer belongs to another proposal.")
    committed = ledger.commit_to({"text": words})
    leaf = ledger.append(
        type=Leaf.COMMENT_MADE,
        actor=by.actor,
        subject=locked.subject,
        commits={"text": committed.digest},
    )
    ledger.keep_opening(leaf, "text", committed)
    comment = Comment.objects.create(
        proposal=locked, parent=parent, author=by, text=words, leaf_id=leaf.id
    )
    if parent is not None and parent.author_id != by.pk:
        notify(
            people=[parent.author],
            subject=f"{by} answered you on {locked.ref}",
            text=f"There is an answer to your comment on “{locked.title}”.",
            path=f"{locked.get_absolute_url()}#comment-{comment.pk}",
        )
    return comment


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
