"""Who may put something into the registry."""

from oversight.accounts.choices import OrganisationRole
from oversight.accounts.models import Organisation
from oversight.accounts.policy import acts_for, is_administrator, is_person
from oversight.registry.models import Deployment, Endpoint, ModelVersion


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


def can_describe(user: object, what: ModelVersion | Deployment | Endpoint) -> bool:
    """Say whether the user may write what this says of itself.

    A version's: who registered it, and administrators. A use's or an endpoint's: its operators.
    """
    if isinstance(what, ModelVersion):
        return is_person(user) and (is_administrator(user) or user.pk == what.registered_by_id)
    endpoint = what if isinstance(what, Endpoint) else what.endpoint
    return can_register_endpoint(user, endpoint.operator)
