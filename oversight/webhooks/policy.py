"""Who may have webhooks for whom."""

from oversight.accounts.choices import OrganisationRole
from oversight.accounts.models import Organisation
from oversight.accounts.policy import acts_for


def can_subscribe_for(user: object, organisation: Organisation) -> bool:
    """Say whether the user may make and manage webhooks of the organisation: its operators."""
    return acts_for(user, OrganisationRole.OPERATOR, organisation)
