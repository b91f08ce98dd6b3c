"""Audit bundles to download, and the program that verifies them."""

import tempfile
from threading import BoundedSemaphore

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from oversight.dashboards.audit import VERIFIER, Scope, StillMoving, exists, write_bundle
from oversight.ledger.bundle import NothingPublished
from oversight.web.unchanged import later

_one_at_a_time = BoundedSemaphore(1)
"""Making a bundle reads the whole log; a stranger must not make this process do it many times."""

PATIENCE_SECONDS = 20
MEMORY_BYTES = 8 * 1024 * 1024


@login_not_required
@never_cache
@require_safe
def log_bundle(request: HttpRequest) -> HttpResponseBase:  # noqa: ARG001
    """Send the audit bundle of the whole log."""
    return _answer(Scope())


@login_not_required
@never_cache
@require_safe
def decision_bundle(request: HttpRequest, ref: str) -> HttpResponseBase:  # noqa: ARG001
    """Send the audit bundle of one decision."""
    return _answer(Scope(decision=ref))


@login_not_required
@never_cache
@require_safe
def deployment_bundle(request: HttpRequest, slug: str) -> HttpResponseBase:  # noqa: ARG001
    """Send the audit bundle of one deployment."""
    return _answer(Scope(deployment=slug))


@login_not_required
@require_safe
def verifier(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Send the program that verifies bundles, to read before it is run."""
    return HttpResponse(VERIFIER.read_bytes(), content_type="text/x-python; charset=utf-8")


def _answer(scope: Scope) -> HttpResponseBase:
    if not exists(scope):
        raise Http404
    if not _one_at_a_time.acquire(timeout=PATIENCE_SECONDS):
        return later(gettext("Other bundles are being made. Ask again in a minute."), 60)
    target = tempfile.SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 - the response closes it
    try:
        write_bundle(scope, target)  # type: ignore[arg-type]
    except (NothingPublished, StillMoving) as reason:
        target.close()
        return later(gettext("%(reason)s Ask again in a few seconds.") % {"reason": reason}, 2)
    finally:
        _one_at_a_time.release()
    target.seek(0)
    answer = FileResponse(
        target, as_attachment=True, filename=scope.file_name, content_type="application/zip"
    )
    answer["X-Robots-Tag"] = "noindex"
    return answer
