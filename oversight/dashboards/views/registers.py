"""Deployments in the fields of public registers."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.utils.translation import gettext_noop as _
from django.views.decorators.http import require_safe

from oversight.dashboards.registers import algoritmeregister, annex_viii, atrs
from oversight.dashboards.registers.entry import entries_of
from oversight.dashboards.twins import as_json
from oversight.registry.models import Deployment
from oversight.web.clock import database_now

MOST = 500


@dataclass(frozen=True, slots=True)
class Register:
    """One register and how it is written."""

    name: str
    title: str
    standard: str
    room: ModuleType

    @property
    def record_of(self) -> Callable[..., dict[str, Any]]:
        """What writes a deployment in its fields."""
        found: Callable[..., dict[str, Any]] = self.room.record_of
        return found

    def written(self, entry: Any) -> dict[str, Any]:
        """Return a deployment's record with what it lacks."""
        record = self.record_of(entry)
        return {"record": record, "missing": self.room.missing_from(record)}


REGISTERS = {
    each.name: each
    for each in (
        Register("algoritmeregister", _("Algoritmeregister (Netherlands)"),
                 _("publication standard 1.0"), algoritmeregister),
        Register("atrs", _("Algorithmic Transparency Recording Standard (UK)"), _("version 3.0"),
                 atrs),
        Register("annex-viii", _("AI Act, Annex VIII, section A (EU)"),
                 _("Regulation (EU) 2024/1689"), annex_viii),
    )
}  # fmt: skip


@login_not_required
@require_safe
def registers(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what each register would hold of a deployment, and what it would still ask for."""
    deployment = get_object_or_404(
        Deployment.objects.select_related("endpoint__operator"), slug=slug
    )
    (entry,) = entries_of([deployment], database_now())
    # What a register would hold is one document, whatever language its page is in.
    with translation.override(settings.LANGUAGE_CODE):
        shown = [
            {"register": each, "rows": list(_rows(each.record_of(entry))), **each.written(entry)}
            for each in REGISTERS.values()
        ]
    context = {"deployment": deployment, "shown": shown, "nav": "in-service"}
    return render(request, "dashboards/registers.html", context)


def _rows(record: dict[str, Any], before: str = "") -> Any:
    """Give each field of a record with its value as text, sections flattened."""
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _rows(value, f"{before}{name}.")
        elif isinstance(value, list):
            yield f"{before}{name}", "; ".join(" ".join(each.values()) for each in value)
        else:
            yield f"{before}{name}", value


@login_not_required
@require_safe
def register_json(request: HttpRequest, slug: str, name: str) -> HttpResponse:  # noqa: ARG001
    """Send a deployment in the fields of one register."""
    register = _named(name)
    deployment = get_object_or_404(
        Deployment.objects.select_related("endpoint__operator"), slug=slug
    )
    (entry,) = entries_of([deployment], database_now())
    return as_json("records", [register.written(entry)], **_about(register))


@login_not_required
@require_safe
def whole_register_json(request: HttpRequest, name: str) -> HttpResponse:  # noqa: ARG001
    """Send all deployments in the fields of one register."""
    register = _named(name)
    rows = Deployment.objects.select_related("endpoint__operator").order_by("slug")[:MOST]
    written = [register.written(entry) for entry in entries_of(rows, database_now())]
    return as_json("records", written, **_about(register))


def _named(name: str) -> Register:
    if name not in REGISTERS:
        raise Http404
    return REGISTERS[name]


def _about(register: Register) -> dict[str, str]:
    return {"register": register.title, "standard": register.standard}
