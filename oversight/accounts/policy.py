"""Who may do what on the accounts floor, and the questions about people that upper floors ask."""

from typing import TypeGuard

from django.contrib.auth.models import AnonymousUser

from oversight.accounts.choices import OrganisationRole
from oversight.accounts.models import Body, Membership, Organisation, Person

User = Person | AnonymousUser


def is_person(user: object) -> TypeGuard[Person]:
    """Say whether this is a signed-in, active person."""
    return isinstance(user, Person) and user.is_active


def is_administrator(user: object) -> bool:
    """Say whether the user manages accounts; administrators change no record.

    The shell of this machine may do what an administrator may: who has it has the files anyway.
    """
    return is_person(user) and (user.is_superuser or user.is_system)


def can_read_restricted(user: object) -> bool:
    """Say whether the user reads what is not public (auditors and administrators)."""
    return is_person(user) and (user.is_auditor or user.is_superuser)


def voting_membership(user: object, body: Body) -> Membership | None:
    """Return the user's seat in the body now, or None."""
    if not is_person(user):
        return None
    return user.memberships.in_term().voting().filter(body=body).first()


def is_clerk(user: object, body: Body) -> bool:
    """Say whether the user is a clerk of the body now."""
    return is_person(user) and user.memberships.in_term().clerks().filter(body=body).exists()


def acts_for(
    user: object, role: OrganisationRole, organisation: Organisation | None = None
) -> bool:
    """Say whether the user has the role now, for this organisation or for any."""
    if not is_person(user):
        return False
    found = user.affiliations.in_term().filter(role=role)
    return (found.filter(organisation=organisation) if organisation else found).exists()


def can_manage_accounts(user: object) -> bool:
    """Say whether the user may found bodies, admit organisations and appoint people."""
    return is_administrator(user)
