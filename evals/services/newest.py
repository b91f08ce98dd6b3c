"""Keeps what each model version scored newest: one row a task and metric of a suite version.

A run whose workers had every answer from before measured nothing: it is kept only until one that
computed has a result, whichever of the two is newer.

The rows follow from the aggregates of finished runs that were not cut short by a limit. They are
written in the transaction that ends such a run, so that no page looks through a million results
for the newest of them, and can be made anew from the aggregates at any time. A server of before
this table ends runs without writing to it, while another one migrates: `mend_newest` finds them.
"""

from django.db import connection, transaction

from evals.models import NewestResult, Run

_COLUMNS = (
    *("model_version_id", "suite_version_id", "task_name", "metric", "is_headline", "run_id"),
    *("requested_at", "finished_at", "n", "mean", "stderr", "low", "high", "method"),
    "is_recalled",
)
_KEY = _COLUMNS[:4]

_SELECTED = """
    SELECT DISTINCT ON (run.model_version_id, run.suite_version_id, part.task_name, row.metric)
        run.model_version_id, run.suite_version_id, part.task_name, row.metric,
        row.metric = task.metric, run.id, run.requested_at, run.finished_at,
        row.n, row.mean, row.stderr, row.low, row.high, row.method, origin.is_recalled
    FROM evals_run AS run
    JOIN LATERAL (
        SELECT coalesce(run.answers > 0 AND run.recalled >= run.answers, false) AS is_recalled
    ) AS origin ON true
    JOIN evals_taskrun AS part ON part.run_id = run.id
    JOIN evals_aggregate AS row ON row.task_run_id = part.id AND row."group" = ''
    JOIN LATERAL (
        SELECT entry ->> 'metric' AS metric
        FROM evals_suiteversion AS asked, jsonb_array_elements(asked.document -> 'tasks') AS entry
        WHERE asked.id = run.suite_version_id AND entry ->> 'name' = part.task_name
    ) AS task ON true
    WHERE run.state = 'succeeded' AND run.settings -> 'limit' = 'null' {only}
    ORDER BY run.model_version_id, run.suite_version_id, part.task_name, row.metric,
        origin.is_recalled, run.requested_at DESC, run.id DESC
"""
_KEPT = f"""
    INSERT INTO evals_newestresult ({", ".join(_COLUMNS)}) {_SELECTED}
    ON CONFLICT ({", ".join(_KEY)}) DO UPDATE
    SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _COLUMNS[4:])}
    WHERE (NOT EXCLUDED.is_recalled, EXCLUDED.requested_at, EXCLUDED.run_id) > (
        NOT evals_newestresult.is_recalled, evals_newestresult.requested_at,
        evals_newestresult.run_id
    )
"""  # noqa: S608 - columns are ours


# Runs that were asked for later than everything that is kept of their model and suite version.
_MISSING = """
    AND NOT EXISTS (
        SELECT FROM evals_newestresult AS kept
        WHERE kept.model_version_id = run.model_version_id
            AND kept.suite_version_id = run.suite_version_id
            AND kept.requested_at >= run.requested_at
    )
"""


def keep_newest(run: Run) -> None:
    """Keep a run's results where no run that was asked for later has any.

    The caller has just ended the run and holds its lock. Rows come in the order of their keys, so
    that two runs that end at once wait for each other and never in a circle.
    """
    with connection.cursor() as cursor:
        cursor.execute(_KEPT.format(only="AND run.id = %s"), [run.pk])


@transaction.atomic(durable=True)
def rebuild_newest() -> int:
    """Make every row anew from the aggregates; return how many there are now.

    Runs that end meanwhile wait for it.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE evals_newestresult IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("DELETE FROM evals_newestresult")
        cursor.execute(_KEPT.format(only=""))
    return NewestResult.objects.count()


@transaction.atomic(durable=True)
def mend_newest() -> int:
    """Keep the results of runs that ended without it; return how many rows that changed."""
    with connection.cursor() as cursor:
        cursor.execute(_KEPT.format(only=_MISSING))
        return int(cursor.rowcount)
