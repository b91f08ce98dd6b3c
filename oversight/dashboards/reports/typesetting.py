"""A report as PDF, set by a process of its own."""

import json
import subprocess
import sys
from datetime import datetime
from threading import BoundedSemaphore

from django.conf import settings
from django.core.cache import caches

from oversight.dashboards.reports.document import Prose, Report
from oversight.dashboards.reports.prose import blocks_of

SECONDS = 60
_one_at_a_time = BoundedSemaphore(1)
"""Setting takes a processor for a moment; a stranger must not make this process take all."""


class TypesettingError(Exception):
    """The typesetter could not make the PDF; the message says why."""


class BusyError(Exception):
    """Other reports are being set."""


def pdf_of(report: Report) -> bytes:
    """Return a report as PDF/A-2 with the tags of PDF/UA; the same report gives the same bytes.

    Raises:
        BusyError: too many others are being set.
        TypesettingError: the typesetter failed.
    """
    kept, key = caches["reports"], report.digest.removeprefix("sha256:")
    found: bytes | None = kept.get(key)
    if found is not None:
        return found
    if not _one_at_a_time.acquire(timeout=SECONDS / 3):
        raise BusyError
    try:
        made = _press(press_values(report))
    finally:
        _one_at_a_time.release()
    kept.set(key, made)
    return made


def press_values(report: Report) -> bytes:
    """Return what the typesetter gets: the report, its prose as trees, letters it can print."""
    values = json.loads(report.content)
    for section, written in zip(report.sections, values["sections"], strict=True):
        for block, plain in zip(section.blocks, written["blocks"], strict=True):
            if isinstance(block, Prose):
                plain["tree"] = blocks_of(block.markdown)
    values |= {
        "digest": report.digest,
        "site_url": settings.PUBLIC_URL,
        "made": int(datetime.fromisoformat(report.as_of).timestamp()),
    }
    return json.dumps(values, ensure_ascii=False).encode()


def _press(written: bytes) -> bytes:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "oversight.dashboards.reports.press"],
            input=written,
            capture_output=True,
            check=False,
            timeout=SECONDS,
            cwd=settings.BASE_DIR,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        raise TypesettingError(f"it took longer than {SECONDS} s") from None
    if done.returncode:
        raise TypesettingError(done.stderr.decode("utf-8", "replace")[:400] or "it was stopped")
    return done.stdout
