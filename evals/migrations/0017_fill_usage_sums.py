"""The sums of what hosts stated they used, from the statements that are there, some runs at a time.

Each batch is a transaction of its own. Killed in between, it begins anew.
"""

from django.db import migrations

RUNS_EACH = 5_000

# As `evals.services.usage` had it then.
FILL = """
    INSERT INTO evals_usagesum (
        worker_id, model_version_id, purpose, resource_class, energy_method, currency,
        runs, task_runs, seconds, tokens, joules, money, last_at
    )
    SELECT worker_id, model_version_id, purpose, resource_class,
        coalesce(usage ->> 'energyMethod', ''), coalesce(usage ->> 'currency', ''),
        count(*) FILTER (WHERE place = 1), count(*),
        sum(coalesce((usage ->> 'wallSeconds')::numeric, 0)),
        sum(coalesce((usage ->> 'tokens')::numeric, 0)),
        sum(coalesce((usage ->> 'energyJoules')::numeric, 0)),
        sum(coalesce((usage ->> 'money')::numeric, 0)),
        max(finished_at)
    FROM (
        SELECT part.worker_id, run.model_version_id, run.purpose, part.resource_class,
            part.finished_at,
            row_number() OVER (PARTITION BY run.id ORDER BY part.finished_at, part.id) AS place,
            convert_from(decode(part.envelope ->> 'payload', 'base64'), 'UTF8')::jsonb
                -> 'predicate' -> 'usage' AS usage
        FROM evals_run AS run
        JOIN evals_taskrun AS part ON part.run_id = run.id
        WHERE run.id > %s AND run.id <= %s
            AND part.state = 'succeeded' AND part.worker_id IS NOT NULL
    ) AS stated
    GROUP BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (worker_id, model_version_id, purpose, resource_class, energy_method, currency)
    DO UPDATE SET
        runs = evals_usagesum.runs + EXCLUDED.runs,
        task_runs = evals_usagesum.task_runs + EXCLUDED.task_runs,
        seconds = evals_usagesum.seconds + EXCLUDED.seconds,
        tokens = evals_usagesum.tokens + EXCLUDED.tokens,
        joules = evals_usagesum.joules + EXCLUDED.joules,
        money = evals_usagesum.money + EXCLUDED.money,
        last_at = greatest(evals_usagesum.last_at, EXCLUDED.last_at)
"""


def fill(_apps, schema_editor):
    """Add up what the results of all runs state."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DELETE FROM evals_usagesum")
        cursor.execute("SELECT coalesce(max(id), 0) FROM evals_run")
        (last,) = cursor.fetchone()
        for first in range(0, last, RUNS_EACH):
            cursor.execute(FILL, [first, first + RUNS_EACH])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("evals", "0016_usage_sums")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
