"""What can be had as data, and where; everything in one file; and the catalogue for portals."""

from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from evals.artefacts import path_of
from oversight.accounts.models import Body
from oversight.dashboards.tables.dictionary import LICENCE, LISTS
from oversight.snapshots.catalogue import catalogue
from oversight.snapshots.models import Snapshot
from oversight.snapshots.services import MEDIA_TYPE
from oversight.web.unchanged import send_unless_unchanged

SHOWN = 24
KEPT_SECONDS = 86_400


@login_not_required
@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """List what can be had as data, and where."""
    context = {
        "lists": LISTS,
        "licence": LICENCE,
        "snapshots": _newest(),
        "bodies": Body.objects.order_by("name")[:SHOWN],
        "nav": "",
    }
    return render(request, "dashboards/data.html", context)


@login_not_required
@require_safe
def data_catalogue(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Send the same for data portals (DCAT 3)."""
    return JsonResponse(
        catalogue(_newest()),
        content_type="application/ld+json",
        json_dumps_params={"ensure_ascii": False},
    )


@login_not_required
@require_safe
def snapshot(request: HttpRequest, sha256: str) -> HttpResponseBase:
    """Send a snapshot; its name is its digest, so it never changes."""
    found = get_object_or_404(Snapshot, file_id=sha256)
    name = f"public-lists-{found.made_at:%Y-%m-%d}.zip"
    file = path_of(sha256).open("rb")
    return send_unless_unchanged(request, file, MEDIA_TYPE, name, KEPT_SECONDS, digest=sha256)


@login_not_required
@require_safe
def newest_snapshot(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Send on to the newest snapshot."""
    newest = Snapshot.objects.first()
    if newest is None:
        raise Http404("No snapshot was taken yet.")
    return redirect("snapshot", newest.file_id)


def _newest() -> QuerySet[Snapshot]:
    return Snapshot.objects.select_related("file")[:SHOWN]
