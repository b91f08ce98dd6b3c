"""The opinion map: adding statements, answering them, keeping and publishing what was drawn."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from oversight.accounts.models import Person
from oversight.ledger import services as ledger
from oversight.web.figures import grouped
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from oversight.web.written import required_language
from proposals import policy
from proposals.choices import Answer, Leaf, Status
from proposals.crowds import basis_of
from proposals.digests import digest_of
from proposals.models import Opinion, OpinionMap, OpinionStatement, Proposal
from proposals.models.opinions import MAX_STATEMENT
from proposals.opinions.answers import MOST_STATEMENTS, Answers
from proposals.services.words import one_line

MAX_STATEMENTS_EACH = 10
"""Of one person on one proposal that are not hidden."""

ACTOR = "system:clock"


@transaction.atomic(durable=True)
def make_statement(
    *, by: Person, proposal: Proposal, text: str, language: str = ""
) -> OpinionStatement:
    """Add a statement in the deliberation; the record holds a salted commitment to it.

    Without a `language` it is in the proposal's.

    Raises:
        Invalid: empty, longer than 280 characters, or there already.
        Conflict: the deliberation is over, or there are as many as can be drawn.
    """
    locked = _locked(by, proposal)
    words = one_line(text, MAX_STATEMENT, "A statement")
    spoken = required_language(language or locked.written_in)
    there = OpinionStatement.objects.filter(proposal=locked)
    if there.filter(hidden_at=None, text__iexact=words).exists():
        message = gettext("This statement is there already: answer it.")
        raise Invalid(message, fields={"text": message})
    if there.filter(hidden_at=None, author=by).count() >= MAX_STATEMENTS_EACH:
        raise Conflict(
            gettext("You have made %(max_statements_each)s statements here; answer others' now.")
            % {
                "max_statements_each": MAX_STATEMENTS_EACH,
            }
        )
    # Hidden ones count, too: they can be restored.
    if there.count() >= MOST_STATEMENTS:
        raise Conflict(
            gettext("There are %(most_statements)s statements, as many as a map can hold.")
            % {
                "most_statements": grouped(MOST_STATEMENTS),
            }
        )
    committed = ledger.commit_to({"text": words})
    leaf = ledger.append(
        type=Leaf.OPINION_STATEMENT_MADE,
        actor=by.actor,
        subject=locked.subject,
        commits={"text": committed.digest},
    )
    ledger.keep_opening(leaf, "text", committed)
    return OpinionStatement.objects.create(
        proposal=locked, author=by, text=words, language=spoken, leaf_id=leaf.id
    )


@transaction.atomic(durable=True)
def give_opinion(*, by: Person, statement: OpinionStatement, answer: Answer) -> Opinion:
    """Answer a statement, or change one's answer; the last one counts.

    No leaf: what all answered is put on the record as one digest when the map is published.

    Raises:
        Conflict: the deliberation is over, or the statement is hidden.
    """
    _locked(by, statement.proposal)
    if OpinionStatement.objects.get(pk=statement.pk).hidden_at is not None:
        raise Conflict(gettext("This statement is hidden."))
    opinion, _ = Opinion.objects.update_or_create(
        statement=statement, person=by, defaults={"answer": answer, "given_at": timezone.now()}
    )
    return opinion


@transaction.atomic(durable=True)
def keep_map(
    *, proposal: Proposal, basis: str, answers: Answers, drawn: dict[str, Any]
) -> OpinionMap:
    """Keep a map that was drawn of `basis`; after the deliberation publish it, with a leaf.

    Raises:
        Conflict: something changed while it was drawn; draw it anew.
    """
    locked = Proposal.objects.select_for_update(no_key=True).get(pk=proposal.pk)
    if basis_of(locked) != basis:
        raise Conflict(gettext("There are newer answers: draw the map anew."))
    document, digest = digest_of(answers.document)
    result, result_digest = digest_of(drawn)
    row = locked.opinion_maps.filter(leaf_id=None).first() or OpinionMap(proposal=locked)
    row.basis, row.drawn_at = basis, timezone.now()
    row.input, row.input_digest = document, digest
    row.result, row.digest = result, result_digest
    # Few answers could be guessed from their digest: under the minimum nothing is published.
    if locked.status not in {Status.DRAFT, Status.DELIBERATION} and drawn["groups"]:
        leaf = ledger.append(
            type=Leaf.OPINIONS_MAPPED,
            actor=ACTOR,
            subject=locked.subject,
            digests={"input": digest, "map": result_digest},
            facts={"participants": drawn["participants"], "statements": len(answers.statements)},
        )
        row.leaf_id = leaf.id
    row.save()
    return row


def _locked(by: Person, proposal: Proposal) -> Proposal:
    """Return the proposal, locked and in its deliberation."""
    if not policy.can_comment(by, proposal):
        raise NotAllowed(gettext("Sign in to take part in the opinion map."))
    locked = Proposal.objects.select_for_update(no_key=True).get(pk=proposal.pk)
    if locked.status != Status.DELIBERATION:
        raise Conflict(
            gettext("The deliberation is over; the opinion map stays as it was at its end.")
        )
    return locked
