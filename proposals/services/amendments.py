"""Amendments: asked for by members, answered by the proposer, or decided by a vote."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import NoticeKind
from oversight.accounts.models import Person
from oversight.accounts.services import notify
from oversight.ledger import services as ledger
from oversight.ledger.models import PendingLeaf
from oversight.web.clock import database_now
from oversight.web.figures import grouped
from oversight.web.languages import filled
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import policy
from proposals.choices import AMENDMENT_TRANSITIONS, AmendmentStatus, Leaf, ProposalType, Status
from proposals.digests import digest_of
from proposals.edits import as_documents, touch
from proposals.models import Amendment, AmendmentVersion, Proposal, Revision
from proposals.readiness import obstacle_to_amendments
from proposals.revisions import write_revision
from proposals.services.amendment_words import checked_reason, edits_of, question_of
from proposals.services.drafting import MAX_TEXT, write_draft
from proposals.services.stages import lock_proposal, move

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MAX_ANSWER = 1000
MOST_STANDING = 20
"""Amendments of one author to one proposal that can stand at a time."""

_ANSWER = _("Accept it or reject it: the text cannot be final while it is open.")


@transaction.atomic(durable=True)
def propose_amendment(
    *, by: Person, proposal: Proposal, text: str, reason: str, base_number: int
) -> Amendment:
    """Ask for another wording: the author sends the whole text as it should be.

    Sending the same again returns what is there.

    Args:
        by: a member of the body.
        proposal: in deliberation.
        text: the whole Markdown with the changes in it.
        reason: why, for everybody to read.
        base_number: the revision that the author changed.

    Raises:
        Conflict: the text is final, or a newer revision changed the same words.
        Invalid: nothing is changed, or too much, or no reason is given.
    """
    if not policy.can_amend(by, proposal):
        raise NotAllowed(
            gettext("Only members of %(body)s amend its proposals.") % {"body": proposal.body}
        )
    words = checked_reason(text, reason)
    locked = _locked_in_deliberation(proposal)
    base = locked.text
    edits = edits_of(locked, base, text, base_number)
    rows = as_documents(edits, base.body_markdown)
    mine = locked.amendments.filter(author=by, status=AmendmentStatus.OPEN)
    same = mine.filter(base=base, edits=rows, reason=words).first()
    if same is not None:
        return same
    if mine.count() >= MOST_STANDING:
        raise Conflict(
            gettext("%(most_standing)s of your amendments are open; withdraw one before another.")
            % {
                "most_standing": MOST_STANDING,
            }
        )
    last = locked.amendments.order_by("-number").first()
    amendment = Amendment(
        proposal=locked,
        number=last.number + 1 if last else 1,
        author=by,
        base=base,
        edits=rows,
        reason=words,
    )
    _write_version(amendment, 1, Leaf.AMENDMENT_MADE)
    _tell(
        amendment,
        [locked.proposer],
        filled(_("%(person)s amends %(ref)s"), person=by, ref=locked.ref),
        _ANSWER,
    )
    return amendment


@transaction.atomic(durable=True)
def revise_amendment(
    *, by: Person, amendment: Amendment, text: str, reason: str, base_number: int
) -> Amendment:
    """Write an amendment anew, on the newest text; a rejected one is open again.

    Raises:
        Conflict: it is decided or put to a vote, or a newer revision changed the same words.
        Invalid: nothing is changed, or too much, or no reason is given.
    """
    if amendment.author_id != by.pk or not policy.can_amend(by, amendment.proposal):
        raise NotAllowed(gettext("Only its author writes an amendment anew."))
    words = checked_reason(text, reason)
    locked, row = _locked_standing(amendment)
    if row.status == AmendmentStatus.VOTING:
        raise Conflict(gettext("The body is voting on it; its words cannot change any more."))
    base = locked.text
    rows = as_documents(edits_of(locked, base, text, base_number), base.body_markdown)
    if row.base_id == base.pk and row.edits == rows and row.reason == words:
        return row
    if row.status == AmendmentStatus.REJECTED:
        _move(row, AmendmentStatus.OPEN)
        row.answer = ""
    row.base, row.edits, row.reason = base, rows, words
    _write_version(row, row.versions.count() + 1, Leaf.AMENDMENT_REVISED)
    _tell(
        row,
        [locked.proposer],
        filled(
            _("%(person)s changed amendment %(number)s to %(ref)s"),
            person=by,
            number=row.number,
            ref=locked.ref,
        ),
        _ANSWER,
    )
    return row


@transaction.atomic(durable=True)
def withdraw_amendment(*, by: Person, amendment: Amendment) -> Amendment:
    """Take an amendment back, before it is decided."""
    if amendment.author_id != by.pk:
        raise NotAllowed(gettext("Only its author withdraws an amendment."))
    _locked, row = _locked_standing(amendment)
    _move(row, AmendmentStatus.WITHDRAWN)
    row.save()
    _append(row, Leaf.AMENDMENT_WITHDRAWN, by)
    return row


@transaction.atomic(durable=True)
def accept_amendment(*, by: Person, amendment: Amendment) -> Revision:
    """Take an amendment over into the text, as a new revision that names it.

    Raises:
        Conflict: the text is final, the amendment is decided, or no longer fits the newest text.
    """
    if not policy.can_answer_amendments(by, amendment.proposal):
        raise NotAllowed(gettext("Only the proposer accepts amendments."))
    locked, row = _locked_standing(amendment)
    base = locked.text
    _require_fit(row, base)
    _move(row, AmendmentStatus.ACCEPTED)
    row.save()
    text = row.text
    if len(text) > MAX_TEXT:
        raise Conflict(
            gettext("With it the text has %(text)s characters; at most %(max_text)s fit.")
            % {
                "text": grouped(len(text)),
                "max_text": grouped(MAX_TEXT),
            }
        )
    revision = write_revision(
        locked, by, base.number + 1, {**base.document, "text": text}, amendment=row
    )
    _append(row, Leaf.AMENDMENT_ACCEPTED, by, digests={"text": revision.digest})
    _tell(
        row,
        [row.author],
        filled(_("Your amendment to %(ref)s is accepted"), ref=locked.ref),
        filled(_("It is in revision %(number)s of the text."), number=revision.number),
    )
    return revision


@transaction.atomic(durable=True)
def reject_amendment(*, by: Person, amendment: Amendment, reason: str) -> Amendment:
    """Refuse an amendment with a public reason; its author can still put it to a vote."""
    if not policy.can_answer_amendments(by, amendment.proposal):
        raise NotAllowed(gettext("Only the proposer rejects amendments."))
    words = reason.strip()
    if not words or "\x00" in words:
        raise Invalid(
            gettext("Say in public why it is rejected."), fields={"reason": gettext("Missing.")}
        )
    if len(words) > MAX_ANSWER:
        message = gettext("The reason has %(words)s characters; at most %(max_answer)s fit.") % {
            "words": grouped(len(words)),
            "max_answer": grouped(MAX_ANSWER),
        }
        raise Invalid(message, fields={"reason": message})
    locked, row = _locked_standing(amendment)
    _move(row, AmendmentStatus.REJECTED)
    row.answer = words
    row.save()
    committed = ledger.commit_to({"reason": words})
    leaf = _append(row, Leaf.AMENDMENT_REJECTED, by, commits={"reason": committed.digest})
    ledger.keep_opening(leaf, "reason", committed)
    _tell(
        row,
        [row.author],
        filled(_("Your amendment to %(ref)s is rejected"), ref=locked.ref),
        _("The reason stands beside it. You can write it anew, or put it to a vote of the body."),
    )
    return row


@transaction.atomic(durable=True)
def put_to_vote(*, by: Person, amendment: Amendment) -> Proposal:
    """Ask the body to decide on an amendment by the charter's rules for that; return the proposal.

    It is a proposal like others, in deliberation at once. When it is carried, the next revision has
    the amendment. Until it has ended, no revision can change the words that it is about.

    Raises:
        Conflict: the amendment no longer fits the text, or is about the same words as one that is
            being voted on.
    """
    if not policy.can_put_to_vote(by, amendment):
        raise NotAllowed(gettext("Only its author or a clerk puts an amendment to a vote."))
    locked, row = _locked_standing(amendment)
    base = locked.text
    _require_fit(row, base)
    for other in locked.amendments.filter(status=AmendmentStatus.VOTING):
        if touch(other.changes, row.changes, base.body_markdown):
            raise Conflict(
                gettext(
                    "Amendment %(number)s is about the same words and is being voted on; wait "
                    "for the end of that vote."
                )
                % {
                    "number": other.number,
                }
            )
    _move(row, AmendmentStatus.VOTING)
    vote = Proposal(body=locked.body, type=ProposalType.AMENDMENT, proposer=by)
    vote.language = settings.LANGUAGE_CODE  # of the words around what is quoted
    write_draft(vote, author=by, actor=by.actor, content=question_of(locked, row))
    move(vote, Status.DELIBERATION, by=by.actor)
    vote.deliberation_opened_at = vote.status_changed_at
    vote.save(update_fields=["deliberation_opened_at"])
    row.vote = vote
    row.save()
    _append(row, Leaf.AMENDMENT_PUT, by, facts={"vote": vote.ref})
    _tell(
        row,
        [each for each in (locked.proposer, row.author) if each.pk != by.pk],
        filled(
            _("Amendment %(number)s to %(ref)s is put to a vote"), number=row.number, ref=locked.ref
        ),
        filled(_("The body decides on it by %(ref)s."), ref=vote.ref),
    )
    return vote


def _write_version(amendment: Amendment, number: int, kind: Leaf) -> None:
    """Save an amendment with one more state of its words; the caller holds the proposal's lock."""
    proposal, base = amendment.proposal, amendment.base
    version = AmendmentVersion(
        amendment=amendment,
        number=number,
        base=base,
        edits=amendment.edits,
        reason=amendment.reason,
    )
    _, version.digest = digest_of(version.document)
    committed = ledger.commit_to({"reason": amendment.reason})
    leaf = ledger.append(
        type=kind,
        actor=amendment.author.actor,
        subject=proposal.subject,
        digests={"amendment": version.digest, "base": base.digest},
        commits={"reason": committed.digest},
        facts={"number": amendment.number, "version": number},
    )
    ledger.keep_opening(leaf, "reason", committed)
    if number == 1:
        amendment.leaf_id = leaf.id
    amendment.save()
    version.leaf_id = leaf.id
    # Unsaved until here, the amendment had no key that the version could have.
    version.amendment = amendment
    version.save()


def _locked_in_deliberation(proposal: Proposal) -> Proposal:
    """Return the proposal, locked against a final text and a newer revision."""
    locked = lock_proposal(proposal)
    if in_the_way := obstacle_to_amendments(locked):
        raise Conflict(in_the_way)
    return locked


def _locked_standing(amendment: Amendment) -> tuple[Proposal, Amendment]:
    """Return the proposal and the amendment as they are now, under the proposal's lock."""
    locked = _locked_in_deliberation(amendment.proposal)
    row = locked.amendments.select_related("base", "author").get(pk=amendment.pk)
    row.proposal = locked
    return locked, row


def _require_fit(amendment: Amendment, newest: Revision) -> None:
    """Refuse an amendment that could not be carried to the newest text."""
    if amendment.base_id != newest.pk:
        raise Conflict(
            gettext(
                "Revision %(number)s changed the words that amendment %(number_2)s is about; "
                "its author has to write it anew first."
            )
            % {
                "number": newest.number,
                "number_2": amendment.number,
            }
        )


def _move(amendment: Amendment, to: AmendmentStatus) -> None:
    """Change the state under the proposal's lock; the caller saves.

    Raises:
        Conflict: the states do not lead there from here.
    """
    if to not in AMENDMENT_TRANSITIONS[AmendmentStatus(amendment.status)]:
        raise Conflict(
            gettext(
                "Amendment %(number)s is in the state “%(status)s”; it cannot become "
                "“%(label)s” from there."
            )
            % {
                "number": amendment.number,
                "status": amendment.get_status_display(),
                "label": to.label,
            }
        )
    amendment.status = to
    amendment.status_changed_at = database_now()


def _append(amendment: Amendment, kind: Leaf, by: Person, **parts: Any) -> PendingLeaf:
    """Append the leaf of an act on an amendment, which the leaf names by its number."""
    return ledger.append(
        type=kind,
        actor=by.actor,
        subject=amendment.proposal.subject,
        facts={"number": amendment.number} | parts.pop("facts", {}),
        **parts,
    )


def _tell(
    amendment: Amendment, people: list[Person], subject: "StrOrPromise", text: "StrOrPromise"
) -> None:
    notify(
        people=people,
        subject=subject,
        text=text,
        path=amendment.get_absolute_url(),
        kind=NoticeKind.AMENDMENT,
        body=amendment.proposal.body,
        about=amendment.proposal.ref,
    )
