"""Keeps how many of a run's answers its worker had from before: whether it measured anything anew.

A worker remembers what the same weights answered to the same question in the same settings, and
states how much of a result it only remembered. What was remembered is no second measurement, so
pages and tables say so beside every such result. The sums follow from the signed statements alone
and can be made anew from them at any time. A server of before these columns ends runs without them,
while another one migrates: `mend_answers` finds those.
"""

from django.db import connection, transaction

from evals.models import Run

# A later attempt remembers what an earlier one of the same run computed, so only first ones count.
# Statements of earlier workers do not count what was recalled, and nobody checked the number then.
_SUMMED = """
    UPDATE evals_run SET answers = least(stated.answers, {most}),
        recalled = least(stated.recalled, stated.answers, {most})
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
        WHERE run.state = 'succeeded' AND part.state = 'succeeded' {only}
        GROUP BY 1
    ) AS stated
    WHERE stated.run_id = evals_run.id
"""
_MOST = str(2**63 - 1)
_ONE = _SUMMED.format(only="AND run.id = %s", most=_MOST)
_ALL = _SUMMED.format(only="", most=_MOST)
_MISSING = _SUMMED.format(only="AND run.answers IS NULL", most=_MOST)


def keep_answers(run: Run) -> None:
    """Sum up what the results of a run state; the caller has just ended it and holds its lock."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE, [run.pk])


@transaction.atomic(durable=True)
def rebuild_answers() -> int:
    """Make every sum anew from the statements; return how many runs have one."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL)
        return int(cursor.rowcount)


@transaction.atomic(durable=True)
def mend_answers() -> int:
    """Sum up the runs that ended without it; return how many those were."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSING)
        return int(cursor.rowcount)
