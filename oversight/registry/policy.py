"""Who may put something into the registry."""

from oversight.accounts.choices import OrganisationRole
from oversight.accounts.models import Organisation
from oversight.accounts.policy import acts_for, is_administrator, is_person


def can_register_model(user: object) -> bool:
    """Say whether the user may register models: anyone with a role anywhere."""
    if not is_person(user):
        return False
    return (
        is_administrator(user)
        or user.affiliations.in_term().exists()
        or user.memberships.in_term().exists()
    )


def can_register_endpoint(user: object, operator: Organisation) -> bool:
    """Say whether the user may register endpoints and deployments of this operator."""
    return acts_for(user, OrganisationRole.OPERATOR, operator)
