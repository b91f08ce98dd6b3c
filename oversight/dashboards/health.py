"""`/healthz`: is every part there that this process needs?"""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from oversight.ledger.models import Checkpoint, RecordCheck
from oversight.web.clock import stamp


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Answer 200 with the state of database, broker and ledger; 503 when a part is down."""
    database = _database_answers()
    broker = _broker_answers()
    size = _ledger_size() if database else None
    healthy = database and broker
    body: dict[str, Any] = {
        "status": "ok" if healthy else "degraded",
        "database": "ok" if database else "down",
        "broker": "ok" if broker else "down",
        "ledger": {"size": size, "last_check": _last_check() if database else None},
    }
    return JsonResponse(body, status=200 if healthy else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _broker_answers() -> bool:
    from oversight.celery import app

    try:
        with app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2, interval_start=0, interval_step=0)
    except Exception:  # noqa: BLE001 - any failure of any transport means the same here: down
        return False
    return True


def _ledger_size() -> int:
    latest = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first()
    return latest or 0


def _last_check() -> dict[str, Any] | None:
    """Return what the last daily check of the whole record found; None before the first.

    The status stays as it is when the record does not hold: taking the site away would hide it.
    """
    latest = RecordCheck.objects.first()
    if latest is None:
        return None
    return {"sound": latest.is_sound, "at": stamp(latest.checked_at), "finding": latest.finding}
