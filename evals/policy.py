"""Who may publish suites, start runs, and read what is not public."""

from evals.models import Run
from oversight.accounts.choices import OrganisationRole
from oversight.accounts.policy import acts_for, is_administrator, is_person


def can_publish_suite(user: object) -> bool:
    """Say whether the user may publish suite versions."""
    return is_administrator(user) or acts_for(user, OrganisationRole.EVALUATOR)


def can_start_run(user: object) -> bool:
    """Say whether the user may start evaluations: evaluators, and seats and clerks of a body."""
    if not is_person(user):
        return False
    return can_publish_suite(user) or user.memberships.in_term().exists()


def can_cancel_run(user: object, run: Run) -> bool:
    """Say whether the user may cancel this run: who asked for it, or an administrator."""
    return is_person(user) and (run.requested_by_id == user.pk or is_administrator(user))


def can_record_criterion(user: object) -> bool:
    """Say whether the user may record criteria; the deciding floor narrows it to its proposal."""
    return can_start_run(user)
