"""Stopping what a spent budget pays for."""

from evals.budgets import standings
from evals.models import ComputeBudget, Run
from evals.services.runs import stop_for_budget


def stop_spent() -> int:
    """Stop every run whose budget is spent; return how many. Each is a transaction of its own.

    A run may have taken a little more than was left when it stops: the sweep comes every few
    seconds, and a host hears of it with its next heartbeat.
    """
    paying = ComputeBudget.objects.filter(pk__in=Run.objects.active().values("budget_id"))
    spent = [each.budget for each in standings(paying.select_related("body")) if each.is_spent]
    active = Run.objects.active().filter(budget__in=spent, cancel_requested_at=None)
    return sum(
        stop_for_budget(run=run).cancel_requested_at is not None for run in active.order_by("pk")
    )
