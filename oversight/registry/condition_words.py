"""The conditions of an authorisation in words, in the language that is spoken."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.web.figures import grouped, localised

LABELS = {
    "audience": _("Audience"),
    "languages": _("Languages"),
    "regions": _("Regions"),
    "requests_per_minute": _("Rate"),
    "system_prompt": _("System prompt"),
    "maximum_temperature": _("Temperature"),
}


def words(conditions: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each condition as a label and what it says, for people."""
    return [
        (str(label), _said(name, conditions[name]))
        for name, label in LABELS.items()
        if name in conditions
    ]


def _said(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    if name == "requests_per_minute":
        rate = gettext("at most %(number)s requests a minute for each caller")
        return rate % {"number": grouped(value)}
    if name == "maximum_temperature":
        return gettext("at most %(number)s") % {"number": localised(str(value))}
    return str(value)
