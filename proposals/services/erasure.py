"""Erasing a person's data: what can be taken back is, and the record keeps every proof."""

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import transaction

from oversight.accounts.models import (
    ApiKey,
    ImmediateKind,
    Notice,
    NoticeSettings,
    Person,
)
from oversight.ledger import services as ledger
from oversight.ledger.choices import Leaf
from oversight.ledger.models import LedgerEntry, Opening, PendingLeaf
from oversight.web.refusals import Conflict
from proposals.models import (
    Amendment,
    AmendmentVersion,
    Argument,
    Comment,
    Opinion,
    OpinionStatement,
)

ERASED_NAME = "Erased person"
ERASED_TEXT = "(erased)"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased of a person."""

    public_id: str
    openings: int
    comments: int
    """Comments, arguments, statements, and reasons of amendments."""

    opinions: int


@transaction.atomic(durable=True)
def erase_person(*, person: Person) -> Erased:
    """Erase name, address, ways to sign in, and words of a person; put the erasure on the record.

    What they did stays under their public id, which says nothing of them any more; ballots of
    members are official acts and stay. What they answered in opinion maps goes; a map published
    before holds it as one of many rows without a name. Digests and commitments stay in their
    leaves, so every proof holds, but without salt and words nobody can open them. Locks the
    person's row.

    Raises:
        Conflict: when the account is the system's own or was erased before.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    if person.is_system:
        raise Conflict("That account stands for this machine and holds no personal data.")
    address = f"{person.public_id}@erased.invalid"
    if person.email == address:
        raise Conflict("That account was erased before.")
    openings = _erase_openings(person)
    comments = sum(
        kind._default_manager.filter(author=person).update(text=ERASED_TEXT)
        for kind in (Comment, Argument, OpinionStatement)
    )
    comments += Amendment.objects.filter(author=person).update(reason=ERASED_TEXT)
    AmendmentVersion.objects.filter(amendment__author=person).update(reason=ERASED_TEXT)
    opinions, _ = Opinion.objects.filter(person=person).delete()
    _close_account(person, address)
    ledger.append(
        type=Leaf.OPENINGS_ERASED,
        actor="system:operator",
        subject=person.actor,
        facts={"openings": openings, "texts": comments},
    )
    return Erased(person.public_id, openings, comments, opinions)


def _erase_openings(person: Person) -> int:
    """Erase the salts and contents of what the person wrote; the person's row is locked."""
    leaves = [
        *LedgerEntry.objects.filter(actor=person.actor).values_list("leaf_id", flat=True),
        *PendingLeaf.objects.filter(actor=person.actor).values_list("id", flat=True),
    ]
    erased, _ = Opening.objects.filter(leaf_id__in=leaves).delete()
    return erased


def _close_account(person: Person, address: str) -> None:
    """Replace name and address, and end every way to sign in; the person's row is locked."""
    person.display_name = ERASED_NAME
    person.email = address
    person.is_active = person.is_staff = person.is_auditor = person.is_superuser = False
    person.set_unusable_password()
    person.last_login = None
    person.save()
    for model in (EmailAddress, Authenticator):
        model.objects.filter(user=person).delete()
    for model in (ApiKey, Notice, NoticeSettings, ImmediateKind):
        model.objects.filter(person=person).delete()
    for session in Session.objects.iterator():
        if session.get_decoded().get("_auth_user_id") == str(person.pk):
            session.delete()
