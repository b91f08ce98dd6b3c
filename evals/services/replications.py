"""Comparing what several organisations found of the same question, and saying so in public."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from evals.choices import Leaf, ReplicationState, RunState
from evals.decimals import decimal_text
from evals.models import Aggregate, Replication, Run
from evals.services.moves import conclude_replication
from oversight.ledger import services as ledger

MOST_ORGANISATIONS = 10


def conclude(replication_id: int) -> Replication:
    """Compare the runs of a replication once all have ended; the caller's transaction writes it.

    The replication's row is locked here, after the run's: everyone locks in this order, so the last
    two runs that end at once do not both believe that the other is still going.
    """
    replication = Replication.objects.select_for_update().get(pk=replication_id)
    runs = list(replication.runs.all())
    if replication.state != ReplicationState.OPEN or any(run.is_active for run in runs):
        return replication
    findings = compare([run for run in runs if run.state == RunState.SUCCEEDED], replication)
    if any(run.state != RunState.SUCCEEDED for run in runs):
        state = ReplicationState.INCOMPLETE
    elif all(found["agrees"] for found in findings):
        state = ReplicationState.AGREED
    else:
        state = ReplicationState.DISAGREED
    conclude_replication(replication, state, findings)
    apart = sum(not found["agrees"] for found in findings)
    ledger.append(
        type=Leaf.REPLICATION_CONCLUDED,
        actor="system:evaluations",
        subject=replication.subject,
        facts={"state": str(state), "compared": len(findings), "apart": apart},
    )
    return replication


def compare(runs: list[Run], replication: Replication) -> list[dict[str, Any]]:
    """Return by task and metric what each organisation found, the spread, and whether they agree.

    They agree when the largest mean is no further from the smallest than the tolerance. Means are
    compared as the decimals that are published.
    """
    rows = Aggregate.objects.filter(task_run__run__in=runs, group="").select_related(
        "task_run__run__organisation"
    )
    found: dict[tuple[int, str, str], list[Aggregate]] = defaultdict(list)
    for row in rows:
        found[row.task_run.position, row.task_run.task_name, row.metric].append(row)
    return [
        _finding(task, metric, aggregates, replication.tolerance)
        for (_, task, metric), aggregates in sorted(found.items(), key=lambda item: item[0])
    ]


def _finding(
    task: str, metric: str, aggregates: list[Aggregate], tolerance: Decimal
) -> dict[str, Any]:
    means = {
        row.task_run.run.organisation.slug: decimal_text(row.mean)
        for row in aggregates
        if row.task_run.run.organisation is not None
    }
    spread = max(map(Decimal, means.values())) - min(map(Decimal, means.values()))
    return {
        "task": task,
        "metric": metric,
        "means": means,
        "spread": f"{spread:f}",
        "agrees": spread <= tolerance,
    }
