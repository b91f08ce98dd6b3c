"""Charts at addresses of their own: drawn, as data, and as a page for the frames of others."""

from typing import Any

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language, gettext
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from oversight.dashboards.drawings.drawing import drawn
from oversight.dashboards.drawings.frame import code_of
from oversight.dashboards.drawings.layers import THEMES
from oversight.dashboards.drawings.sizes import SIZES, WIDE, Size
from oversight.dashboards.drawings.subjects import chart_of
from oversight.dashboards.pressing import BusyError, PressError
from oversight.dashboards.tables.of_pages import CHART
from oversight.dashboards.twins import as_table
from oversight.web.languages import in_language, spoken_in_query
from oversight.web.unchanged import KEPT_SECONDS

TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@login_not_required
@require_safe
def drawing(request: HttpRequest, kind: str, subject: str, form: str) -> HttpResponse:
    """Send a chart as SVG or PNG.

    `?theme=dark` for dark pages, `?width=narrow` for phones, `?language=fr` in another language.
    """
    theme, size = _asked(request)
    try:
        with spoken_in_query(request):
            content = drawn(chart_of(kind, subject), form, theme, size)
    except (BusyError, PressError):
        answer = HttpResponse(gettext("Charts are being drawn. Try again in a moment."), status=503)
        answer["Retry-After"] = "10"
        return answer
    answer = HttpResponse(content, content_type=TYPES[form])
    if "download" in request.GET:
        name = f"{kind}-{subject}" + ("" if size is WIDE else f"-{size.name}")
        answer["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    patch_cache_control(answer, public=True, max_age=KEPT_SECONDS)
    return answer


def _asked(request: HttpRequest) -> tuple[str, Size]:
    """Return the theme and the size that are asked for; what there is not is light and wide."""
    theme = request.GET.get("theme", "light")
    return theme if theme in THEMES else "light", SIZES.get(request.GET.get("width", ""), WIDE)


@login_not_required
@require_safe
def spec(request: HttpRequest, kind: str, subject: str) -> JsonResponse:
    """Send a chart as Vega-Lite specification with its data inside."""
    with spoken_in_query(request):
        found = chart_of(kind, subject).spec(*_asked(request))
    answer = JsonResponse(found, json_dumps_params={"ensure_ascii": False})
    patch_cache_control(answer, public=True, max_age=KEPT_SECONDS)
    return answer


@login_not_required
@require_safe
def figures(request: HttpRequest, kind: str, subject: str, form: str) -> HttpResponse:
    """Send the figures of a chart as CSV or Parquet."""
    return as_table(request, form, f"{kind}-{subject}", chart_of(kind, subject).rows(), CHART)


@login_not_required
@require_safe
@xframe_options_exempt
@csp_replace({"frame-ancestors": ["*"]})  # type: ignore[arg-type]
def embed(request: HttpRequest, kind: str, subject: str) -> HttpResponse:
    """Show a chart alone, for a frame in the page of anybody else."""
    context = context_of(kind, subject)
    return render(
        request, "dashboards/chart_embed.html", context | {"whole": _outside(context["chart"].page)}
    )


@login_not_required
@require_safe
def page(request: HttpRequest, kind: str, subject: str) -> HttpResponse:
    """Show a chart with its figures, its files, and how to put it into another page."""
    context = context_of(kind, subject)
    chart = context["chart"]
    # A column of which nothing is known says nothing.
    known = {
        name: any(getattr(each, name) is not None for each in chart.data)
        for name in ("at", "low", "n")
    }
    address = _outside(reverse("chart-embed", args=[kind, subject]))
    code = code_of(chart, address, settings.SITE_NAME)
    context |= {"known": known, "code": code, "nav": "findings"}
    return render(request, "dashboards/chart.html", context)


def _outside(path: str) -> str:
    """Return the whole address of a page in the language that is spoken, for pages of others."""
    return settings.PUBLIC_URL + in_language(path, get_language() or settings.LANGUAGE_CODE)


def context_of(kind: str, subject: str) -> dict[str, Any]:
    """Return what the component of a chart needs."""
    return {"kind": kind, "subject": subject, "chart": chart_of(kind, subject)}
