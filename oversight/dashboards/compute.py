"""Who computed what: task runs, hours, energy and cost by host, from the signed statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

# What a worker stated of a task run lies, as base64, in the envelope that it signed.
_USAGE = """
    SELECT worker.id, worker.name, worker.public_id, organisation.name, organisation.slug,
        stated.class, stated.method, stated.currency,
        count(*), sum(stated.seconds), sum(stated.tokens), sum(stated.joules), sum(stated.money),
        max(stated.finished_at)
    FROM (
        SELECT task_run.worker_id, task_run.resource_class AS class, task_run.finished_at,
            usage ->> 'energyMethod' AS method,
            usage ->> 'currency' AS currency,
            coalesce((usage ->> 'wallSeconds')::numeric, 0) AS seconds,
            coalesce((usage ->> 'tokens')::numeric, 0) AS tokens,
            coalesce((usage ->> 'energyJoules')::numeric, 0) AS joules,
            (usage ->> 'money')::numeric AS money
        FROM evals_taskrun AS task_run, LATERAL (
            SELECT convert_from(decode(task_run.envelope ->> 'payload', 'base64'), 'UTF8')::jsonb
                -> 'predicate' -> 'usage' AS usage
        ) AS statement
        WHERE task_run.state = 'succeeded' AND task_run.envelope IS NOT NULL
    ) AS stated
    JOIN evals_worker AS worker ON worker.id = stated.worker_id
    JOIN accounts_organisation AS organisation ON organisation.id = worker.organisation_id
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ORDER BY 4, 2, 6, 7
"""


# The same sums by something else than hosts. Keys and joins are ours, never a request's.
_BY = """
    SELECT {key}, stated.currency, count(*), count(DISTINCT run.id), sum(stated.seconds),
        sum(stated.tokens),
        coalesce(sum(stated.joules) FILTER (WHERE stated.method = 'measured'), 0),
        coalesce(sum(stated.joules) FILTER (WHERE stated.method IS DISTINCT FROM 'measured'), 0),
        sum(stated.money)
    FROM (
        SELECT task_run.run_id, usage ->> 'energyMethod' AS method,
            usage ->> 'currency' AS currency,
            coalesce((usage ->> 'wallSeconds')::numeric, 0) AS seconds,
            coalesce((usage ->> 'tokens')::numeric, 0) AS tokens,
            coalesce((usage ->> 'energyJoules')::numeric, 0) AS joules,
            (usage ->> 'money')::numeric AS money
        FROM evals_taskrun AS task_run, LATERAL (
            SELECT convert_from(decode(task_run.envelope ->> 'payload', 'base64'), 'UTF8')::jsonb
                -> 'predicate' -> 'usage' AS usage
        ) AS statement
        WHERE task_run.state = 'succeeded' AND task_run.envelope IS NOT NULL
    ) AS stated
    JOIN evals_run AS run ON run.id = stated.run_id
    {joins}
    GROUP BY {key}, stated.currency
    ORDER BY {order} LIMIT %s
"""
_VERSIONS = (
    "JOIN registry_modelversion AS version ON version.id = run.model_version_id"
    " JOIN registry_registeredmodel AS model ON model.id = version.model_id"
)
_BODIES = (
    "LEFT JOIN proposals_proposal AS proposal ON run.purpose = 'proposal:' || proposal.ref"
    " LEFT JOIN accounts_body AS body ON body.id = proposal.body_id"
)
_GROUPINGS = {
    "run": ("run.ref, run.ref", "", "max(run.requested_at) DESC"),
    "model": ("model.slug, model.name", _VERSIONS, "sum(stated.seconds) DESC, 1"),
    "body": ("coalesce(body.slug, ''), coalesce(body.name, '')", _BODIES,
             "sum(stated.seconds) DESC, 1"),
}  # fmt: skip
GROUPS_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Group:
    """What one run, one model or the proposals of one body took."""

    key: str
    name: str
    currency: str | None
    task_runs: int
    runs: int
    seconds: Decimal
    tokens: Decimal
    measured_joules: Decimal
    estimated_joules: Decimal
    money: Decimal | None

    @property
    def hours(self) -> Decimal:
        """Hours of work."""
        return self.seconds / 3600

    @property
    def measured_wh(self) -> Decimal:
        """Energy that devices reported, in watt-hours."""
        return self.measured_joules / 3600

    @property
    def estimated_wh(self) -> Decimal:
        """Energy estimated from the kind of device, in watt-hours."""
        return self.estimated_joules / 3600


def groups(by: str, limit: int = GROUPS_LIMIT) -> list[Group]:
    """Return what each run, model or body took; one query.

    Args:
        by: "run" (the newest first), "model" or "body" (those that took most first). Work for no
            body's proposal has an empty key.
        limit: how many lines.
    """
    key, joins, order = _GROUPINGS[by]
    with connection.cursor() as cursor:
        cursor.execute(_BY.format(key=key, joins=joins, order=order), [limit])
        return [Group(*row) for row in cursor.fetchall()]


def group_records(by: str) -> list[dict[str, Any]]:
    """Return what each took as data."""
    return [
        {
            by: row.key or None,
            "runs": row.runs,
            "task_runs": row.task_runs,
            "hours": f"{row.hours:.4f}",
            "tokens": int(row.tokens),
            "measured_wh": f"{row.measured_wh:.3f}",
            "estimated_wh": f"{row.estimated_wh:.3f}",
            "money": None if row.money is None else f"{row.money}",
            "currency": row.currency,
        }
        for row in groups(by)
    ]


@dataclass(frozen=True, slots=True)
class Share:
    """What one host gave, of one class and with one way of knowing its energy."""

    worker_id: int
    worker: str
    public_id: str
    organisation: str
    organisation_slug: str
    resource_class: str
    method: str | None
    currency: str | None
    task_runs: int
    seconds: Decimal
    tokens: Decimal
    joules: Decimal
    money: Decimal | None
    last_at: Any

    @property
    def hours(self) -> Decimal:
        """Hours of work."""
        return self.seconds / 3600

    @property
    def watt_hours(self) -> Decimal:
        """Energy in watt-hours."""
        return self.joules / 3600

    @property
    def is_measured(self) -> bool:
        """Whether the device reported its energy; else it is estimated from its kind."""
        return self.method == "measured"


@dataclass(frozen=True, slots=True)
class Total:
    """What an organisation gave, or all of them together."""

    name: str
    hosts: int
    task_runs: int
    hours: Decimal
    tokens: Decimal
    measured_wh: Decimal
    estimated_wh: Decimal
    money: tuple[tuple[str, Decimal], ...]


def shares() -> list[Share]:
    """Return what every host gave, by organisation and name; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_USAGE)
        return [Share(*row) for row in cursor.fetchall()]


def total(name: str, rows: Sequence[Share]) -> Total:
    """Add shares up; measured and estimated energy stay apart."""
    money: dict[str, Decimal] = {}
    for row in rows:
        if row.money is not None:
            money[row.currency or ""] = money.get(row.currency or "", Decimal()) + row.money
    return Total(
        name=name,
        hosts=len({row.worker_id for row in rows}),
        task_runs=sum(row.task_runs for row in rows),
        hours=sum((row.hours for row in rows), Decimal()),
        tokens=sum((row.tokens for row in rows), Decimal()),
        measured_wh=sum((row.watt_hours for row in rows if row.is_measured), Decimal()),
        estimated_wh=sum((row.watt_hours for row in rows if not row.is_measured), Decimal()),
        money=tuple(sorted(money.items())),
    )


def by_organisation(rows: Sequence[Share]) -> list[Total]:
    """Add shares up by organisation."""
    names = sorted({(row.organisation, row.organisation_slug) for row in rows})
    return [total(n, [row for row in rows if row.organisation_slug == slug]) for n, slug in names]


def as_records(rows: Sequence[Share]) -> list[dict[str, Any]]:
    """Return the shares as data."""
    return [
        {
            "organisation": row.organisation_slug,
            "worker": row.worker,
            "worker_id": row.public_id,
            "resource_class": row.resource_class,
            "task_runs": row.task_runs,
            "hours": f"{row.hours:.4f}",
            "tokens": int(row.tokens),
            "watt_hours": f"{row.watt_hours:.3f}",
            "energy_is": "measured" if row.is_measured else "estimated",
            "money": None if row.money is None else f"{row.money}",
            "currency": row.currency,
        }
        for row in rows
    ]
