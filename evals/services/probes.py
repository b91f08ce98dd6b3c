"""Whether endpoints answer at all: who looks when, and what was seen. Not on the record.

A probe says nothing of what is served; checks do. It is cheap, so that it can be frequent.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Avg, Count, Max, Q
from django.utils.translation import gettext_lazy as _

from evals.models import EndpointProbe, ProbeTurn, Worker
from oversight.registry.models import Endpoint
from oversight.web.clock import database_now

EVERY_SECONDS = 300
AT_ONCE = 20
"""Endpoints that a worker gets to look at in one go."""
KEPT = timedelta(days=90)
SPANS = (
    (_("24 hours"), timedelta(days=1)),
    (_("7 days"), timedelta(7)),
    (_("30 days"), timedelta(30)),
)

_NEW_TURNS = """
    INSERT INTO evals_probeturn (endpoint_id, next_at)
    SELECT id, clock_timestamp() FROM registry_endpoint AS known
    WHERE base_url <> '' AND NOT EXISTS (
        SELECT FROM evals_probeturn AS turn WHERE turn.endpoint_id = known.id)
    ON CONFLICT DO NOTHING
"""
_TAKE = """
    UPDATE evals_probeturn SET worker_id = %(worker)s,
        next_at = clock_timestamp() + make_interval(secs => %(pause)s)
    WHERE id IN (
        SELECT id FROM evals_probeturn WHERE next_at <= clock_timestamp()
        ORDER BY next_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
    RETURNING endpoint_id
"""


@transaction.atomic(durable=True)
def take_turns(*, worker: Worker) -> list[Endpoint]:
    """Return the endpoints that this worker looks at now; each goes to one worker at a time."""
    if worker.paused_at is not None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_NEW_TURNS)
        values = {"worker": worker.pk, "pause": EVERY_SECONDS, "most": AT_ONCE}
        cursor.execute(_TAKE, values)
        due = [row[0] for row in cursor.fetchall()]
    return list(Endpoint.objects.filter(pk__in=due).order_by("pk"))


@transaction.atomic(durable=True)
def note_probes(*, worker: Worker, seen: Sequence[Mapping[str, Any]]) -> int:
    """Keep what a worker has seen of the endpoints whose turn it had; return how many were kept."""
    turns = ProbeTurn.objects.select_for_update().filter(
        worker=worker, endpoint__slug__in=[each["endpoint"] for each in seen]
    )
    mine = {turn.endpoint.slug: turn for turn in turns.select_related("endpoint")}
    now, kept = database_now(), 0
    for each in seen:
        # Popped, so that a report sent twice counts once.
        turn = mine.pop(each["endpoint"], None)
        if turn is None:
            continue
        EndpointProbe.objects.create(
            endpoint=turn.endpoint,
            worker=worker,
            at=now,
            is_up=each["is_up"],
            milliseconds=each["milliseconds"],
            reason=each["reason"],
        )
        turn.worker = None
        turn.save(update_fields=["worker"])
        kept += 1
    return kept


def forget_old() -> int:
    """Remove probes that are older than anybody asks for."""
    deleted, _by_kind = EndpointProbe.objects.filter(at__lt=database_now() - KEPT).delete()
    return deleted


def availability(endpoint: Endpoint, now: datetime) -> list[dict[str, Any]]:
    """Return, for each span of time until now, how often the endpoint answered, and how fast."""
    return [
        {
            "span": str(name),
            **_counted(EndpointProbe.objects.filter(endpoint=endpoint, at__gt=now - span)),
        }
        for name, span in SPANS
    ]


def _counted(probes: Any) -> dict[str, Any]:
    up = Q(is_up=True)
    found: dict[str, Any] = probes.aggregate(
        probes=Count("pk"),
        answered=Count("pk", filter=up),
        milliseconds=Avg("milliseconds", filter=up),
        last_up=Max("at", filter=up),
        last_down=Max("at", filter=~up),
    )
    share = found["answered"] / found["probes"] if found["probes"] else None
    mean = found["milliseconds"]
    return found | {"share": share, "milliseconds": None if mean is None else round(mean)}
