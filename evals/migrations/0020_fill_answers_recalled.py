"""What was recalled, from the statements that are there, and the newest results that follow.

Each batch of runs is a transaction of its own. Killed in between, it begins anew.
"""

from django.db import migrations

RUNS_EACH = 5_000

# As `evals.services.recalled` had it then.
FILL = """
    UPDATE evals_run SET answers = least(stated.answers, 9223372036854775807),
        recalled = least(stated.recalled, stated.answers, 9223372036854775807)
    FROM (
        SELECT run_id, sum(CASE jsonb_typeof(usage -> 'requests')
                WHEN 'number' THEN (usage ->> 'requests')::numeric ELSE 0 END) AS answers,
            sum(CASE WHEN part.attempt = 1 AND jsonb_typeof(usage -> 'fromJournal') = 'number'
                THEN greatest(trunc((usage ->> 'fromJournal')::numeric), 0)
                ELSE 0 END) AS recalled
        FROM evals_taskrun AS part
        JOIN evals_run AS run ON run.id = part.run_id,
        LATERAL (
            SELECT convert_from(decode(part.envelope ->> 'payload', 'base64'), 'UTF8')::jsonb
                -> 'predicate' -> 'usage' AS usage
        ) AS statement
        WHERE run.id > %s AND run.id <= %s
            AND run.state = 'succeeded' AND part.state = 'succeeded'
        GROUP BY 1
    ) AS stated
    WHERE stated.run_id = evals_run.id
"""
MARK = """
    UPDATE evals_newestresult AS kept SET is_recalled = true
    FROM evals_run AS run
    WHERE run.id = kept.run_id AND run.answers > 0 AND run.recalled >= run.answers
"""
# As `evals.services.newest` had it then, of runs that computed and that a recalled one displaced.
DISPLACED = """
    INSERT INTO evals_newestresult (
        model_version_id, suite_version_id, task_name, metric, is_headline, run_id,
        requested_at, finished_at, n, mean, stderr, low, high, method, is_recalled
    )
    SELECT DISTINCT ON (run.model_version_id, run.suite_version_id, part.task_name, row.metric)
        run.model_version_id, run.suite_version_id, part.task_name, row.metric,
        kept.is_headline, run.id, run.requested_at, run.finished_at,
        row.n, row.mean, row.stderr, row.low, row.high, row.method, false
    FROM evals_newestresult AS kept
    JOIN evals_run AS run ON run.model_version_id = kept.model_version_id
        AND run.suite_version_id = kept.suite_version_id
    JOIN evals_taskrun AS part ON part.run_id = run.id AND part.task_name = kept.task_name
    JOIN evals_aggregate AS row ON row.task_run_id = part.id AND row."group" = ''
        AND row.metric = kept.metric
    WHERE kept.is_recalled AND run.state = 'succeeded' AND run.settings -> 'limit' = 'null'
        AND NOT coalesce(run.answers > 0 AND run.recalled >= run.answers, false)
    ORDER BY run.model_version_id, run.suite_version_id, part.task_name, row.metric,
        run.requested_at DESC, run.id DESC
    ON CONFLICT (model_version_id, suite_version_id, task_name, metric) DO UPDATE
    SET run_id = EXCLUDED.run_id, requested_at = EXCLUDED.requested_at,
        finished_at = EXCLUDED.finished_at, n = EXCLUDED.n, mean = EXCLUDED.mean,
        stderr = EXCLUDED.stderr, low = EXCLUDED.low, high = EXCLUDED.high,
        method = EXCLUDED.method, is_recalled = false
"""


def fill(_apps, schema_editor):
    """Sum up what the results of all runs state, and let what was computed come first."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM evals_run")
        (last,) = cursor.fetchone()
        for first in range(0, last, RUNS_EACH):
            cursor.execute(FILL, [first, first + RUNS_EACH])
        cursor.execute(MARK)
        cursor.execute(DISPLACED)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("evals", "0019_answers_recalled")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
