"""What bodies' budgets of compute have paid for, and what is left of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from evals.models import ComputeBudget
from oversight.accounts.models import Body
from oversight.web.clock import database_now, stamp
from oversight.web.figures import grouped
from oversight.web.refusals import Conflict

_USED = """
    SELECT run.budget_id, count(DISTINCT run.id),
        coalesce(sum(part.busy_seconds), 0) + coalesce(sum(
            greatest(0, extract(epoch FROM clock_timestamp() - part.started_at))
        ) FILTER (WHERE part.state = 'running'), 0)
    FROM evals_run AS run JOIN evals_taskrun AS part ON part.run_id = run.id
    WHERE run.budget_id = ANY (%s)
    GROUP BY run.budget_id
"""
"""Time in which hosts held the work: of ended attempts, whatever came of them, and of this one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget with what it has paid for."""

    budget: ComputeBudget
    runs: int
    used_seconds: Decimal

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left of it."""
        return self.used_seconds >= self.budget.seconds

    @property
    def is_over(self) -> bool:
        """Whether its time has passed."""
        return database_now() >= self.budget.until

    @property
    def used_hours(self) -> Decimal:
        """Hours used."""
        return self.used_seconds / 3600

    @property
    def left_hours(self) -> Decimal:
        """Hours left, never below nought: what runs is stopped a moment after the last of them."""
        return max(Decimal(), self.budget.hours - self.used_hours)

    @property
    def state(self) -> str:
        """One word: replaced, spent, over or open."""
        if self.budget.ended_at is not None:
            return "ended"
        if self.is_spent:
            return "spent"
        return "over" if self.is_over else "open"

    def as_record(self) -> dict[str, Any]:
        """Return it as data."""
        row = self.budget
        return {
            "body": row.body.slug,
            "decision": row.decision_ref,
            "state": self.state,
            "hours": row.hours,
            "used_hours": f"{self.used_hours:.4f}",
            "left_hours": f"{self.left_hours:.4f}",
            "runs": self.runs,
            "starts_at": stamp(row.starts_at),
            "until": stamp(row.until),
            "ended_at": stamp(row.ended_at) if row.ended_at else None,
            "ended_by": row.ended_by or None,
        }


def standings(rows: Iterable[ComputeBudget]) -> list[Standing]:
    """Return budgets with what each has paid for, in one query for all."""
    kept = list(rows)
    with connection.cursor() as cursor:
        cursor.execute(_USED, [[row.pk for row in kept]])
        used = {pk: (runs, Decimal(seconds)) for pk, runs, seconds in cursor.fetchall()}
    return [Standing(row, *used.get(row.pk, (0, Decimal()))) for row in kept]


def paying_budget(body: Body) -> ComputeBudget | None:
    """Return the budget that pays for another run of a body; None where it has voted none.

    Raises:
        Conflict: what the body has voted is spent, or its time is over.
    """
    row = ComputeBudget.objects.filter(body=body, ended_at=None).first()
    if row is None:
        return None
    (found,) = standings([row])
    if found.is_spent:
        raise Conflict(
            _(
                "The budget of %(body)s is spent: %(used_hours)s of %(hours)s hours, "
                "decision %(decision_ref)s. The body can vote another."
            )
            % {
                "body": body,
                "used_hours": f"{found.used_hours:,.1f}",
                "hours": grouped(row.hours),
                "decision_ref": row.decision_ref,
            }
        )
    if found.is_over:
        raise Conflict(
            _(
                "The budget of %(body)s, decision %(decision_ref)s, ended on %(stamp)s. The "
                "body can vote another."
            )
            % {
                "body": body,
                "decision_ref": row.decision_ref,
                "stamp": stamp(row.until),
            }
        )
    return row


def standing_by_the_log(leaves: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return which budget stands for each body, from the contents of leaves alone."""
    bodies: dict[str, str] = {}
    standing: dict[str, str] = {}
    for leaf in leaves:
        subject, act = leaf["subject"], leaf["type"].removeprefix("evals.budget.")
        if act == "allocated":
            bodies[subject] = leaf["facts"]["body"]
        if act in {"allocated", "restored"}:
            standing[bodies[subject]] = subject
        elif act == "ended" and standing.get(bodies[subject]) == subject:
            del standing[bodies[subject]]
    return standing
