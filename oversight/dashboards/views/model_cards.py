"""Model cards to download."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from oversight.dashboards.model_card import card_of
from oversight.registry.models import ModelVersion
from oversight.web.unchanged import answer_unless_unchanged

CONTENT_TYPE = "text/markdown; charset=utf-8"


@login_not_required
@require_safe
def model_card(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the card of a model's newest version."""
    versions = ModelVersion.objects.filter(model__slug=slug).select_related("model")
    newest = versions.order_by("-registered_at", "-pk").first()
    if newest is None:
        raise Http404
    return _sent(request, newest)


@login_not_required
@require_safe
def version_card(request: HttpRequest, digest: str) -> HttpResponse:
    """Send the card of one version."""
    versions = ModelVersion.objects.select_related("model")
    return _sent(request, get_object_or_404(versions, digest=digest))


def _sent(request: HttpRequest, version: ModelVersion) -> HttpResponse:
    card = card_of(version)
    return answer_unless_unchanged(request, card.written(), CONTENT_TYPE, card.changed_at)
