"""Who handles incidents."""

from oversight.accounts.models import Body
from oversight.accounts.policy import can_read_restricted, is_clerk, is_person
from oversight.incidents.models import Incident


def body_for(user: object, incident: Incident) -> Body | None:
    """Return the body for which the user handles it: its own, or one of theirs if it has none."""
    if not is_person(user):
        return None
    if incident.body is not None:
        return incident.body if is_clerk(user, incident.body) else None
    seat = user.memberships.in_term().clerks().select_related("body").order_by("body__slug").first()
    return seat.body if seat else None


def can_handle(user: object, incident: Incident) -> bool:
    """Say whether the user judges, links, publishes and closes it: a clerk of its body."""
    return body_for(user, incident) is not None


def can_read_report(user: object, incident: Incident) -> bool:
    """Say whether the user reads what the reporter wrote: who handles it, and auditors."""
    return can_handle(user, incident) or can_read_restricted(user)
