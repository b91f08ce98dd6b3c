"""One URL, one view, one context: the whole page, or only the part that htmx asked for."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers


def page_or_part(
    request: HttpRequest,
    template: str,
    part: str,
    context: dict[str, Any],
    *,
    status: int = 200,
    beside: Sequence[str] = (),
) -> HttpResponse:
    """Render `template#part` for an htmx request, else the whole `template`.

    Templates `beside` the part are sent along with it and take the place of what an act has made
    old elsewhere on the page: each names its elements and, with `oob`, says that they are renewed.

    A boosted request or a history restore gets the whole page, because htmx replaces the body then.
    """
    htmx: Any = getattr(request, "htmx", None)
    wants_part = htmx and not htmx.boosted and not htmx.history_restore_request
    name = f"{template}#{part}" if wants_part else template
    response = render(request, name, context, status=status)
    for each in beside if wants_part else ():
        response.write(render_to_string(each, {**context, "oob": True}, request))
    patch_vary_headers(response, ["HX-Request"])
    return response
