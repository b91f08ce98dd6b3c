"""What a text would look like, while it is being written."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from proposals.amending import text_blocks
from proposals.changes import shown_changes
from proposals.evidence import lines_of, references_in, resolve
from proposals.models import Proposal
from proposals.readiness import judgements_of
from proposals.services.drafting import MAX_TEXT


def is_preview(request: HttpRequest) -> bool:
    """Say whether the form was sent to be looked at, not to be kept."""
    return request.method == "POST" and "preview" in request.POST


def preview_context(request: HttpRequest, proposal: Proposal | None = None) -> dict[str, Any]:
    """Return the text that was typed, set, and what it changes of the one that stands."""
    text = request.POST.get("text", "").replace("\r\n", "\n")
    if len(text) > MAX_TEXT:
        problem = _("The text has %(text)s characters; at most %(max_text)s fit.") % {
            "text": f"{len(text):,}",
            "max_text": f"{MAX_TEXT:,}",
        }
        return {"is_preview": True, "preview_problem": problem}
    text = text.replace("\x00", "")
    before = proposal.text.body_markdown if proposal else ""
    lines = lines_of(judgements_of(proposal), None) if proposal else []
    evidence = resolve(references_in(text), lines) if proposal else {}
    return {
        "is_preview": True,
        "preview_blocks": text_blocks(text, evidence=evidence),
        "preview_changes": shown_changes(before, text) if before else (),
        "preview_before": bool(before),
        "preview_language": request.POST.get("language") or (proposal and proposal.written_in),
    }


def show_preview(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Answer with the page and the preview in it; for an htmx request with the preview alone."""
    htmx: Any = getattr(request, "htmx", None)
    is_part = htmx and not htmx.boosted and not htmx.history_restore_request
    response = render(request, "proposals/_preview.html" if is_part else template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response
