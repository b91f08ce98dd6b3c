"""The only writer of snapshots. One makes no leaf: all that it holds is on the record already."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from evals import artefacts
from evals.models import Artefact
from oversight.ledger.queries import published_size
from oversight.snapshots.models import Snapshot
from oversight.snapshots.packing import Packed, pack

MEDIA_TYPE = "application/zip"
GROWN_TIMES = 4
"""A young record soon has little in common with its first snapshot: one that has grown so many
times is taken anew within the month."""

_PIECE_BYTES = 1 << 20
_LOCK = 0x736E6170  # any constant: keeps this advisory lock apart from others


def is_due() -> bool:
    """Say whether there is none of this month, in UTC, or the record has grown a lot since."""
    size, newest = published_size(), Snapshot.objects.first()
    if size == 0:
        return False
    if newest is None:
        return True
    now = timezone.now()
    is_of_this_month = (newest.made_at.year, newest.made_at.month) == (now.year, now.month)
    return (
        size > newest.tree_size if not is_of_this_month else size >= GROWN_TIMES * newest.tree_size
    )


def take_if_due() -> Snapshot | None:
    """Take a snapshot if one is due and nobody takes one; return it.

    A crash leaves nothing, or a file among the artefacts that no row names; the next one has the
    same bytes where nothing has changed, and so the same name.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return None
    try:
        return take() if is_due() else None
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def take() -> Snapshot:
    """Take a snapshot now and return it; the earlier one where the log has not grown since."""
    with tempfile.TemporaryDirectory() as name:
        target, work = Path(name) / "snapshot.zip", Path(name) / "work"
        work.mkdir()
        packed = pack(target, work, site=settings.SITE_NAME, address=settings.PUBLIC_URL)
        file = artefacts.store(_pieces(target), media_type=MEDIA_TYPE)
    return _keep(file=file, packed=packed)


@transaction.atomic(durable=True)
def _keep(*, file: Artefact, packed: Packed) -> Snapshot:
    row, _ = Snapshot.objects.get_or_create(
        tree_size=packed.tree_size, defaults={"file": file, "rows": packed.rows}
    )
    return row


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
