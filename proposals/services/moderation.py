"""Moderation in the open: hiding what somebody said, and restoring it, with a public reason."""

from typing import TypeAlias, TypeVar

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.models import Person
from oversight.accounts.services import notify
from oversight.ledger import services as ledger
from oversight.web.figures import grouped
from oversight.web.languages import filled, lowered
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import policy
from proposals.choices import Leaf, Moderated, Spoken
from proposals.models import Argument, Comment, Moderation, OpinionStatement

Said: TypeAlias = Comment | Argument | OpinionStatement
Kind = TypeVar("Kind", Comment, Argument, OpinionStatement)

MAX_REASON = 400
LEAVES = {
    (Spoken.COMMENT, Moderated.HIDDEN): Leaf.COMMENT_HIDDEN,
    (Spoken.COMMENT, Moderated.RESTORED): Leaf.COMMENT_RESTORED,
    (Spoken.ARGUMENT, Moderated.HIDDEN): Leaf.ARGUMENT_HIDDEN,
    (Spoken.ARGUMENT, Moderated.RESTORED): Leaf.ARGUMENT_RESTORED,
    (Spoken.STATEMENT, Moderated.HIDDEN): Leaf.OPINION_STATEMENT_HIDDEN,
    (Spoken.STATEMENT, Moderated.RESTORED): Leaf.OPINION_STATEMENT_RESTORED,
}


@transaction.atomic(durable=True)
def hide(*, by: Person, said: Kind, reason: str) -> Kind:
    """Hide what somebody said; that it was there, and why it is hidden, stays visible to all.

    Locks its row; the author is told.
    """
    row, words = _locked(by, said, reason)
    if row.hidden_at is not None:
        raise Conflict(gettext("This %(kind)s is hidden already.") % {"kind": row.KIND})
    row.hidden_at, row.hidden_reason = timezone.now(), words
    _write(row, by, Moderated.HIDDEN, words)
    return row


@transaction.atomic(durable=True)
def restore(*, by: Person, said: Kind, reason: str) -> Kind:
    """Show again what was hidden, and say in public why. Locks its row; the author is told."""
    row, words = _locked(by, said, reason)
    if row.hidden_at is None:
        raise Conflict(gettext("This %(kind)s is not hidden.") % {"kind": row.KIND})
    row.hidden_at, row.hidden_reason = None, ""
    _write(row, by, Moderated.RESTORED, words)
    return row


def _locked(by: Person, said: Kind, reason: str) -> tuple[Kind, str]:
    """Return the row, locked, and the reason, checked."""
    if not policy.can_moderate(by, said.proposal):
        raise NotAllowed(gettext("Only a clerk of the body moderates."))
    words = reason.strip()
    if not words or "\x00" in words:
        raise Invalid(gettext("Say the reason in public."), fields={"reason": gettext("Missing.")})
    if len(words) > MAX_REASON:
        message = gettext(
            "A reason has at most %(max_reason)s characters; this one has %(words)s."
        ) % {
            "max_reason": MAX_REASON,
            "words": grouped(len(words)),
        }
        raise Invalid(message, fields={"reason": message})
    row: Kind = type(said)._default_manager.select_for_update(of=("self",)).get(pk=said.pk)
    return row, words


def _write(row: Said, by: Person, act: Moderated, reason: str) -> None:
    """Save the row with its line in the log of moderation; the caller holds the row's lock."""
    row.save(update_fields=["hidden_at", "hidden_reason"])
    committed = ledger.commit_to({"reason": reason})
    leaf = ledger.append(
        type=LEAVES[row.KIND, act],
        actor=by.actor,
        subject=row.proposal.subject,
        commits={"reason": committed.digest},
        facts={row.KIND.value: str(row.leaf_id)},
    )
    ledger.keep_opening(leaf, "reason", committed)
    Moderation.objects.create(
        proposal=row.proposal,
        act=act,
        reason=reason,
        clerk=by,
        leaf_id=leaf.id,
        **{row.KIND.value: row},
    )
    if row.author_id != by.pk:
        notify(
            people=[row.author],
            subject=filled(
                _("Your %(kind)s on %(ref)s was %(act)s"),
                kind=lowered(row.KIND.label),
                ref=row.proposal.ref,
                act=lowered(act.label),
            ),
            text=filled(
                _("A clerk gave the reason in public, on “%(title)s”."), title=row.proposal.title
            ),
            path=f"{row.proposal.get_absolute_url()}moderation/",
            body=row.proposal.body,
            about=row.proposal.ref,
        )
