"""What a text would look like, while it is being written."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from proposals.changes import shown_changes
from proposals.markdown import render_markdown
from proposals.services.drafting import MAX_TEXT


def is_preview(request: HttpRequest) -> bool:
    """Say whether the form was sent to be looked at, not to be kept."""
    return request.method == "POST" and "preview" in request.POST


def preview_context(request: HttpRequest, before: str = "") -> dict[str, Any]:
    """Return the text that was typed, set, and what it changes of an earlier one."""
    text = request.POST.get("text", "").replace("\r\n", "\n")
    if len(text) > MAX_TEXT:
        problem = f"The text has {len(text):,} characters; at most {MAX_TEXT:,} fit."
        return {"is_preview": True, "preview_problem": problem}
    return {
        "is_preview": True,
        "preview_html": render_markdown(text.replace("\x00", "")),
        "preview_changes": shown_changes(before, text) if before else (),
        "preview_before": bool(before),
    }


def show_preview(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Answer with the page and the preview in it; for an htmx request with the preview alone."""
    htmx: Any = getattr(request, "htmx", None)
    is_part = htmx and not htmx.boosted and not htmx.history_restore_request
    response = render(request, "proposals/_preview.html" if is_part else template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response
