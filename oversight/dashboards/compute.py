"""Who computed what: task runs, hours, energy and cost by host, from the signed statements.

Sums over everything are read from `UsageSum`, which is kept with each accepted result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

_USAGE = """
    SELECT worker.id, worker.name, worker.public_id, organisation.name, organisation.slug,
        kept.resource_class, nullif(kept.energy_method, ''), nullif(kept.currency, ''),
        sum(kept.task_runs), sum(kept.seconds), sum(kept.tokens), sum(kept.joules),
        trim_scale(sum(kept.money) FILTER (WHERE kept.currency <> '')), max(kept.last_at)
    FROM evals_usagesum AS kept
    JOIN evals_worker AS worker ON worker.id = kept.worker_id
    JOIN accounts_organisation AS organisation ON organisation.id = worker.organisation_id
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ORDER BY 4, 2, 6, 7
"""

# The same sums by something else than hosts. Keys and joins are ours, never a request's.
_BY = """
    SELECT {key}, nullif(kept.currency, ''), sum(kept.task_runs), sum(kept.runs),
        sum(kept.seconds), sum(kept.tokens),
        coalesce(sum(kept.joules) FILTER (WHERE kept.energy_method = 'measured'), 0),
        coalesce(sum(kept.joules) FILTER (WHERE kept.energy_method <> 'measured'), 0),
        trim_scale(sum(kept.money) FILTER (WHERE kept.currency <> ''))
    FROM evals_usagesum AS kept
    {joins}
    GROUP BY {key}, kept.currency
    ORDER BY sum(kept.seconds) DESC, 1, kept.currency LIMIT %s
"""
# No more statements are decoded than are shown: those of the newest runs.
_BY_RUN = """
    WITH newest AS MATERIALIZED (
        SELECT run.id, run.ref, run.requested_at FROM evals_run AS run
        WHERE EXISTS (
            SELECT FROM evals_taskrun AS part
            WHERE part.run_id = run.id AND part.state = 'succeeded'
        )
        ORDER BY run.requested_at DESC LIMIT %s
    ), stated AS (
        SELECT run.ref, run.requested_at, usage ->> 'energyMethod' AS method,
            usage ->> 'currency' AS currency,
            coalesce((usage ->> 'wallSeconds')::numeric, 0) AS seconds,
            coalesce((usage ->> 'tokens')::numeric, 0) AS tokens,
            coalesce((usage ->> 'energyJoules')::numeric, 0) AS joules,
            (usage ->> 'money')::numeric AS money
        FROM newest AS run
        JOIN evals_taskrun AS part ON part.run_id = run.id AND part.state = 'succeeded',
        LATERAL (
            SELECT convert_from(decode(part.envelope ->> 'payload', 'base64'), 'UTF8')::jsonb
                -> 'predicate' -> 'usage' AS usage
        ) AS statement
    )
    SELECT ref, ref, currency, count(*), 1, sum(seconds), sum(tokens),
        coalesce(sum(joules) FILTER (WHERE method = 'measured'), 0),
        coalesce(sum(joules) FILTER (WHERE method IS DISTINCT FROM 'measured'), 0),
        trim_scale(sum(money))
    FROM stated GROUP BY ref, requested_at, currency ORDER BY requested_at DESC, ref, currency
"""
_VERSIONS = (
    "JOIN registry_modelversion AS version ON version.id = kept.model_version_id"
    " JOIN registry_registeredmodel AS model ON model.id = version.model_id"
)
_BODIES = (
    "LEFT JOIN proposals_proposal AS proposal ON kept.purpose LIKE 'proposal:%%'"
    " AND proposal.ref = substr(kept.purpose, length('proposal:') + 1)"
    " LEFT JOIN accounts_body AS body ON body.id = proposal.body_id"
)
_GROUPINGS = {
    "model": _BY.format(key="model.slug, model.name", joins=_VERSIONS),
    "body": _BY.format(key="coalesce(body.slug, ''), coalesce(body.name, '')", joins=_BODIES),
    "run": _BY_RUN,
}
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
        limit: how many lines, or runs.
    """
    with connection.cursor() as cursor:
        cursor.execute(_GROUPINGS[by], [limit])
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
