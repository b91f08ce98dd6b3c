"""Erasing a person's data: what can be taken back is, and the record keeps every proof."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Left, Replace
from django.utils.translation import gettext

from oversight.accounts.models import (
    ApiKey,
    ImmediateKind,
    KeptAnswer,
    Notice,
    NoticeSettings,
    Person,
)
from oversight.ledger import services as ledger
from oversight.ledger.choices import Leaf
from oversight.ledger.models import LedgerEntry, Opening, PendingLeaf
from oversight.registry.choices import Leaf as Registry
from oversight.web.refusals import Conflict
from proposals.choices import Leaf as Record
from proposals.models import (
    Amendment,
    AmendmentVersion,
    Argument,
    Comment,
    Opinion,
    OpinionStatement,
    Proposal,
    Recusal,
)

ERASED_NAME = "Erased person"
ERASED_TEXT = "(erased)"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased of a person."""

    public_id: str
    openings: int
    comments: int
    """Comments, arguments, statements; reasons of amendments and conflicts, and answers."""

    opinions: int


@transaction.atomic(durable=True)
def erase_person(*, person: Person, official: frozenset[str] = frozenset()) -> Erased:
    """Erase name, address, ways to sign in, and words of a person; put the erasure on the record.

    What they did stays under their public id, which says nothing of them any more. What they did
    for a body, `OFFICIAL`, stays with its words. What they answered in opinion maps goes; a map
    published before holds it as one of many rows without a name. Digests and commitments stay in
    their leaves, so every proof holds, but without salt and words nobody can open them. Locks the
    person's row.

    Args:
        person: whose data.
        official: acts of upper floors that are a body's too, by the type of their leaf.

    Raises:
        Conflict: when the account is the system's own or was erased before.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    if person.is_system:
        raise Conflict(gettext("That account stands for this machine and holds no personal data."))
    address = f"{person.public_id}@erased.invalid"
    if person.email == address:
        raise Conflict(gettext("That account was erased before."))
    openings, comments = _erase_openings(person, OFFICIAL | official), _erase_words(person)
    opinions, _ = Opinion.objects.filter(person=person).delete()
    _close_account(person, address)
    ledger.append(
        type=Leaf.OPENINGS_ERASED,
        actor="system:operator",
        subject=person.actor,
        facts={"openings": openings, "texts": comments},
    )
    return Erased(person.public_id, openings, comments, opinions)


OFFICIAL = frozenset(
    {
        Record.BALLOT_CAST,
        Record.CASTING_VOTE_GIVEN,
        Record.STATEMENT_MADE,
        Record.DECISION_ANNULLED,
        Record.ATTACHMENT_ADDED,
        *(act for act in Record if act.endswith((".hidden", ".restored"))),
        Registry.AUTHORISATION_SUSPENDED,
    }
)
"""Acts for a body, whose words are the body's or the public's and stay open: ballots, reasons,
explanations and dissents, rulings, moderation, suspensions, files of texts. All other words go."""


def _erase_words(person: Person) -> int:
    """Replace what the person wrote for themselves; return how many texts. The row is locked."""
    written = sum(
        kind._default_manager.filter(author=person).update(text=ERASED_TEXT)
        for kind in (Comment, Argument, OpinionStatement)
    )
    written += Amendment.objects.filter(author=person).update(reason=ERASED_TEXT)
    AmendmentVersion.objects.filter(amendment__author=person).update(reason=ERASED_TEXT)
    for leaf in (*_rejections(LedgerEntry, person), *_rejections(PendingLeaf, person)):
        answered = Amendment.objects.filter(
            proposal__ref=leaf.subject.partition(":")[2], number=leaf.content["facts"]["number"]
        )
        written += answered.exclude(answer="").update(answer=ERASED_TEXT)
    return written + Recusal.objects.filter(membership__person=person).update(reason=ERASED_TEXT)


def _erase_openings(person: Person, kept: frozenset[str]) -> int:
    """Erase the salts and contents of what the person wrote; the person's row is locked."""
    actors = [person.actor, *(seat.actor for seat in person.memberships.all())]
    official = Q(type__in=kept) | (
        Q(type=Record.AMENDMENT_REJECTED) & ~Q(subject__in=_own_subjects(person))
    )
    done = LedgerEntry.objects.filter(actor__in=actors).exclude(official)
    pending = PendingLeaf.objects.filter(actor__in=actors).exclude(official)
    leaves = [
        *done.values_list("leaf_id", flat=True),
        *pending.values_list("id", flat=True),
    ]
    erased, _ = Opening.objects.filter(leaf_id__in=leaves).delete()
    return erased


def _rejections(kind: type[LedgerEntry | PendingLeaf], person: Person) -> Iterable[Any]:
    """Return the leaves of amendments that the person rejected as a proposer."""
    made = kind._default_manager.filter(type=Record.AMENDMENT_REJECTED, actor=person.actor)
    return made.filter(subject__in=_own_subjects(person))


def _own_subjects(person: Person) -> list[str]:
    """Return the person's proposals as the record names them.

    Who rejects an amendment of another's is a clerk, in place of a proposer who has left.
    """
    refs = Proposal.objects.filter(proposer=person).values_list("ref", flat=True)
    return [f"proposal:{ref}" for ref in refs]


def _close_account(person: Person, address: str) -> None:
    """Replace name and address, and end every way to sign in; the person's row is locked."""
    # Notices to others name who did something, and last half a year.
    name, nobody = Value(person.display_name), Value(ERASED_NAME)
    Notice.objects.filter(subject__contains=person.display_name).update(
        subject=Left(Replace("subject", name, nobody), 160)
    )
    Notice.objects.filter(text__contains=person.display_name).update(
        text=Replace("text", name, nobody)
    )
    person.display_name = ERASED_NAME
    person.email = address
    person.is_active = person.is_staff = person.is_auditor = person.is_superuser = False
    person.set_unusable_password()
    person.last_login = None
    person.save()
    for model in (EmailAddress, Authenticator):
        model.objects.filter(user=person).delete()
    for model in (ApiKey, KeptAnswer, Notice, NoticeSettings, ImmediateKind):
        model.objects.filter(person=person).delete()
    for session in Session.objects.iterator():
        if session.get_decoded().get("_auth_user_id") == str(person.pk):
            session.delete()
