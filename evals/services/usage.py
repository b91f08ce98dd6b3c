"""Keeps what hosts stated they used: sums by host, model version, purpose and currency.

Each accepted result is added in its own transaction, so that no page decodes a million statements
for the sum of them. The sums follow from the statements alone and can be made anew at any time. A
server of before this table accepts results without adding them, while another one migrates:
`mend_usage` finds that some are missing.
"""

from django.db import connection, transaction

from evals.models import TaskRun, UsageSum

_KEY = (
    "worker_id",
    *("model_version_id", "purpose", "resource_class", "energy_method", "currency"),
)
_SUMS = ("runs", "task_runs", "seconds", "tokens", "joules", "money")

# What a worker stated of a task run lies, as base64, in the envelope that it signed.
_STATED = """
    SELECT task_run.worker_id, run.model_version_id, run.purpose, task_run.resource_class,
        coalesce(usage ->> 'energyMethod', ''), coalesce(usage ->> 'currency', ''),
        count(*) FILTER (WHERE {is_first}), count(*),
        sum(coalesce((usage ->> 'wallSeconds')::numeric, 0)),
        sum(coalesce((usage ->> 'tokens')::numeric, 0)),
        sum(coalesce((usage ->> 'energyJoules')::numeric, 0)),
        sum(coalesce((usage ->> 'money')::numeric, 0)),
        max(task_run.finished_at)
    FROM evals_taskrun AS task_run
    JOIN evals_run AS run ON run.id = task_run.run_id,
    LATERAL (
        SELECT convert_from(decode(task_run.envelope ->> 'payload', 'base64'), 'UTF8')::jsonb
            -> 'predicate' -> 'usage' AS usage
    ) AS statement
    WHERE task_run.state = 'succeeded' AND task_run.worker_id IS NOT NULL {only}
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 1, 2, 3, 4, 5, 6
"""
_OTHERS = """
    NOT EXISTS (
        SELECT FROM evals_taskrun AS other
        WHERE other.run_id = task_run.run_id AND other.state = 'succeeded' AND {which}
    )
"""
_MISSING = """
    SELECT (SELECT coalesce(sum(task_runs), 0) FROM evals_usagesum)
        <> (SELECT count(*) FROM evals_taskrun
            WHERE state = 'succeeded' AND worker_id IS NOT NULL)
"""
_KEPT = f"""
    INSERT INTO evals_usagesum ({", ".join((*_KEY, *_SUMS, "last_at"))}) {_STATED}
    ON CONFLICT ({", ".join(_KEY)}) DO UPDATE
    SET {", ".join(f"{name} = evals_usagesum.{name} + EXCLUDED.{name}" for name in _SUMS)},
        last_at = greatest(evals_usagesum.last_at, EXCLUDED.last_at)
"""  # noqa: S608 - columns are ours
_ONE = _KEPT.format(
    is_first=_OTHERS.format(which="other.id <> task_run.id"), only="AND task_run.id = %s"
)
# Two results of a run that are accepted in the same moment may be counted the other way round:
# the run then counts for the other host, and is counted once all the same.
_ALL = _KEPT.format(
    is_first=_OTHERS.format(
        which="(other.finished_at, other.id) < (task_run.finished_at, task_run.id)"
    ),
    only="",
)


def keep_usage(task_run: TaskRun) -> None:
    """Add what an accepted result states; to be called once for each, as it is accepted.

    The caller holds the lock of its run, so that no other result of the run is the first one, too.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ONE, [task_run.pk])


@transaction.atomic(durable=True)
def rebuild_usage() -> int:
    """Make every sum anew from the statements; return how many there are now.

    Results that come meanwhile wait for it.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE evals_usagesum IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("DELETE FROM evals_usagesum")
        cursor.execute(_ALL)
    return UsageSum.objects.count()


def mend_usage() -> bool:
    """Make the sums anew where they do not count every result; say whether that was so."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSING)
        (is_missing,) = cursor.fetchone()
    if is_missing:
        rebuild_usage()
    return bool(is_missing)
