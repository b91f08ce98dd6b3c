"""A chart as SVG or PNG, drawn by a process of its own and kept by the digest of what it shows."""

import json
import subprocess
import sys
from threading import BoundedSemaphore

from django.conf import settings
from django.core.cache import caches
from django.utils.translation import gettext

from oversight.dashboards.drawings.chart import Chart

SECONDS = 30
_one_at_a_time = BoundedSemaphore(1)
"""Drawing takes a processor for a moment; a stranger must not make this process take all."""


class BusyError(Exception):
    """Other charts are being drawn."""


class DrawingError(Exception):
    """The chart program could not draw; the message says why."""


def drawn(chart: Chart, form: str, theme: str = "light") -> bytes:
    """Return a chart as `svg` or `png`; what was drawn once is not drawn again.

    Raises:
        BusyError: too many others are being drawn.
        DrawingError: the chart program failed.
    """
    kept, key = caches["charts"], chart.digest(theme, form)
    found: bytes | None = kept.get(key)
    if found is not None:
        return found
    if not _one_at_a_time.acquire(timeout=SECONDS / 3):
        raise BusyError
    try:
        made = _press(json.dumps(chart.spec(theme)).encode(), form)
    finally:
        _one_at_a_time.release()
    kept.set(key, made)
    return made


def _press(spec: bytes, form: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "oversight.dashboards.drawings.press", form],
            input=spec,
            capture_output=True,
            check=False,
            timeout=SECONDS,
            cwd=settings.BASE_DIR,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        raise DrawingError(
            gettext("it took longer than %(seconds)s s") % {"seconds": SECONDS}
        ) from None
    if done.returncode:
        raise DrawingError(
            done.stderr.decode("utf-8", "replace")[-400:] or gettext("it was stopped")
        )
    return done.stdout
