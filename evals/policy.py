"""Who may publish suites, start runs, and read what is not public."""

from collections.abc import Iterable, Mapping
from typing import Any

from evals.models import Run, Worker
from oversight.accounts.choices import OrganisationRole
from oversight.accounts.policy import (
    acts_for,
    can_read_restricted,
    is_administrator,
    is_person,
)


def can_publish_suite(user: object) -> bool:
    """Say whether the user may publish suite versions."""
    return is_administrator(user) or acts_for(user, OrganisationRole.EVALUATOR)


def can_start_run(user: object) -> bool:
    """Say whether the user may start evaluations: evaluators, and seats and clerks of a body."""
    if not is_person(user):
        return False
    return can_publish_suite(user) or user.memberships.in_term().exists()


def can_raise_priority(user: object) -> bool:
    """Say whether the user may let a run go before everybody else's."""
    return is_administrator(user)


def can_manage_worker(user: object, worker: Worker) -> bool:
    """Say whether the user may pause a worker and end its key: its organisation, or an admin."""
    roles = (OrganisationRole.EVALUATOR, OrganisationRole.OPERATOR)
    own = any(acts_for(user, role, worker.organisation) for role in roles)
    return own or is_administrator(user)


def can_cancel_run(user: object, run: Run) -> bool:
    """Say whether the user may cancel this run: who asked for it, or an administrator."""
    return is_person(user) and (run.requested_by_id == user.pk or is_administrator(user))


def can_read_items(user: object, task: Mapping[str, Any]) -> bool:
    """Say whether the user may read a task's items, and what models answered to them.

    Those of a public task are everybody's, those of a restricted one the auditors'. Those of a
    sealed one only workers get: what has been read can be trained on. Their digests are public.
    """
    if task["visibility"] == "public":
        return True
    return bool(task["visibility"] == "restricted" and can_read_restricted(user))


def readable_tasks(user: object, tasks: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the names of the tasks whose items the user may read."""
    return frozenset(task["name"] for task in tasks if can_read_items(user, task))


def can_record_criterion(user: object) -> bool:
    """Say whether the user may record criteria; the deciding floor narrows it to its proposal."""
    return can_start_run(user)
