"""What the newest check holds against an endpoint: one reading for pages, services and the API."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from evals.identity import ALARMING, DIFFERS
from evals.models import Check, CheckedEndpoint
from oversight.registry.models import Endpoint


@dataclass(frozen=True, slots=True)
class LastCheck:
    """The newest judged check that an endpoint had a part in, and what it found about it."""

    endpoint: Endpoint
    check: Check | None
    findings: list[dict[str, Any]]

    @property
    def alarms(self) -> list[dict[str, Any]]:
        """The findings that are alarms: its answers differ, or it gave none."""
        return [each for each in self.findings if each["verdict"] in ALARMING]

    @property
    def is_alarming(self) -> bool:
        """Whether an alarm stands."""
        return bool(self.alarms)

    def words(self) -> list[str]:
        """Return each alarm as a sentence that says no more than was compared."""
        return [_sentence(each, self.endpoint.slug) for each in self.alarms]


def last_check(endpoint: Endpoint) -> LastCheck:
    """Return what was found about an endpoint the last time it was checked."""
    judged = Check.objects.filter(answerers__endpoint=endpoint).exclude(judged_at=None)
    check = judged.select_related("plan__suite_version__suite").first()
    return LastCheck(endpoint, check, check.findings_about(endpoint.slug) if check else [])


def last_checks(endpoints: Collection[Endpoint]) -> dict[int, LastCheck]:
    """Return the same of each of these endpoints, by its key; one query for all."""
    parts = CheckedEndpoint.objects.filter(endpoint__in=endpoints)
    newest = parts.exclude(check_round__judged_at=None).select_related("check_round", "endpoint")
    order = ("endpoint_id", "-check_round__begun_at", "-check_round_id")
    found = {
        part.endpoint_id: (part.endpoint, part.check_round)
        for part in newest.order_by(*order).distinct("endpoint_id")
    }
    return {
        key: LastCheck(endpoint, check, check.findings_about(endpoint.slug))
        for key, (endpoint, check) in found.items()
        if key and endpoint
    }


def _sentence(found: dict[str, Any], slug: str) -> str:
    if found["verdict"] != DIFFERS:
        return _("It gave no answers: %(value)s") % {
            "value": found["reason"] or "no reason is known",
        }
    other = {
        "weights": "those of the registered weights",
        "drift": "its own of the round before",
    }.get(found["kind"])
    if other is None:
        beside = found["beside"] if found["endpoint"] == slug else found["endpoint"]
        other = _("those of %(beside)s") % {"beside": beside}
    return _(
        "Its answers differ from %(other)s: %(found)s of %(found_2)s are alike to "
        "the letter (%(found_3)s, %(found_4)s)."
    ) % {
        "other": other,
        "found": found["alike"],
        "found_2": found["compared"],
        "found_3": found["run"],
        "found_4": found["beside_run"],
    }
