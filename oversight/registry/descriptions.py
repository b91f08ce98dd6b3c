"""What a version, a use or an endpoint says of itself: fields of a known shape, checked. Pure.

The fields of versions and uses are those that public registers ask for (the Dutch
Algoritmeregister, the UK's Algorithmic Transparency Recording Standard, Annex VIII of the EU's AI
Act) and that readers look for; none has to be filled. A description can be written anew at any
time; each is numbered, kept, and on the record by the digest of its document.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from oversight.web.marks import gettext_noop as _

Document = dict[str, Any]
MOST_TEXT, MOST_LINE, MOST_ADDRESS, MOST_LIST = 4000, 200, 500, 50
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", re.ASCII)
_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", re.ASCII)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


class DescriptionError(ValueError):
    """A field that cannot be used; `field` names it, `problem` says how to write it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Item:
    """One field of a description."""

    name: str
    label: str
    kind: str
    """One of `KINDS`, which says how it is read."""
    help: str
    part: str
    """The heading under which it stands."""
    choices: tuple[tuple[str, str], ...] = ()
    most: int = 0
    """Of a number: the largest."""


_USE, _MAKING, _LIMITS, _ANSWERS = (
    _("Use"),
    _("Data and making"),
    _("Limits and risks"),
    _("Who answers"),
)
_WORK, _LAW, _PEOPLE = _("What it is for"), _("On what ground"), _("People and their rights")
_SERVED, _BOUNDS = _("What is served"), _("How it is served")

VERSION = (
    Item("intended_use", _("Meant for"), "text", _("What it was made to do, and for whom."), _USE),
    Item("out_of_scope", _("Not meant for"), "text", _("What it must not be used for."), _USE),
    Item("languages", _("Languages"), "languages", _("Codes such as de, fr, en-GB."), _USE),
    Item("modalities", _("Takes and gives"), "line", _("Such as: text to text."), _USE),
    Item("released_on", _("Released"), "date", _("A day, as in 2026-11-27."), _MAKING),
    Item("parameters", _("Parameters"), "whole", _("How many."), _MAKING, most=10**15),
    Item("context_tokens", _("Longest input"), "whole", _("In tokens."), _MAKING, most=10**9),
    Item(
        "training_data",
        _("Training data"),
        "text",
        _("What it learnt from, and by what right."),
        _MAKING,
    ),
    Item("data_until", _("Data until"), "date", _("The newest day it can know of."), _MAKING),
    Item(
        "personal_data",
        _("Personal data in it"),
        "text",
        _("What is known of people's data."),
        _MAKING,
    ),
    Item(
        "method", _("How it was made"), "text", _("Architecture, training, post-training."), _MAKING
    ),
    Item("energy", _("Energy of the training"), "line", _("With unit and source."), _MAKING),
    Item("limitations", _("Known limits"), "text", _("Where it fails."), _LIMITS),
    Item("risks", _("Risks and measures"), "text", _("What can go wrong; what was done."), _LIMITS),
    Item("fairness", _("Groups treated unequally"), "text", _("What was found, and how."), _LIMITS),
    Item(
        "provider",
        _("Provider"),
        "line",
        _("Who puts it on the market or gives it away."),
        _ANSWERS,
    ),
    Item(
        "representative",
        _("Representative"),
        "line",
        _("In the EU, where the provider is not."),
        _ANSWERS,
    ),
    Item("contact", _("Contact"), "line", _("An office, not a person."), _ANSWERS),
    Item("documentation", _("Documentation"), "address", _("Its page, with https."), _ANSWERS),
    Item("source_code", _("Source code"), "address", _("Its page, with https."), _ANSWERS),
)

DEPLOYMENT = (
    Item("goal", _("Goal and effect"), "text", _("What it shall achieve, for whom."), _WORK),
    Item(
        "process",
        _("Its place in the process"),
        "text",
        _("What comes before and after it."),
        _WORK,
    ),
    Item(
        "alternatives",
        _("Alternatives"),
        "text",
        _("What else was considered, and why not."),
        _WORK,
    ),
    Item("input_data", _("Data it takes"), "text", _("What it is given, and from where."), _WORK),
    Item("output", _("What it gives"), "text", _("What its answers are used for."), _WORK),
    Item("begins_on", _("In use from"), "date", _("A day, as in 2026-11-27."), _WORK),
    Item("ends_on", _("In use until"), "date", _("A day, if one is set."), _WORK),
    Item("website", _("Its page"), "address", _("Where people meet it, with https."), _WORK),
    Item("legal_basis", _("Legal basis"), "text", _("Acts and articles."), _LAW),
    Item("legal_basis_address", _("Legal basis, text"), "address", _("With https."), _LAW),
    Item(
        "category",
        _("Category"),
        "choice",
        _("By the EU's AI Act and the registers."),
        _LAW,
        (
            ("high-risk", _("high risk (AI Act)")),
            ("impactful", _("impactful, not high risk")),
            ("other", _("neither")),
        ),
    ),
    Item(
        "proportionality", _("Proportionality"), "text", _("Why its use is worth its costs."), _LAW
    ),
    Item(
        "personal_data",
        _("Personal data"),
        "choice",
        _("The most sensitive kind that it is given."),
        _LAW,
        (
            ("none", _("none")),
            ("pseudonymous", _("pseudonymous")),
            ("ordinary", _("ordinary")),
            ("special", _("special categories")),
        ),
    ),
    Item(
        "impact_assessment",
        _("Impact assessments"),
        "text",
        _("Which, when, what they found."),
        _LAW,
    ),
    Item("impact_address", _("Impact assessments, text"), "address", _("With https."), _LAW),
    Item(
        "human_oversight",
        _("Human oversight"),
        "text",
        _("Who checks, corrects, stops it."),
        _PEOPLE,
    ),
    Item("monitoring", _("Monitoring"), "text", _("How its work is watched."), _PEOPLE),
    Item("risks", _("Risks and measures"), "text", _("What can go wrong; what was done."), _PEOPLE),
    Item(
        "objection",
        _("Objection and redress"),
        "text",
        _("What people can do, and where."),
        _PEOPLE,
    ),
    Item("department", _("Department"), "line", _("Who is responsible."), _ANSWERS),
    Item("supplier", _("Supplier"), "line", _("Of model or service."), _ANSWERS),
    Item("contact", _("Contact"), "line", _("An office, not a person."), _ANSWERS),
    Item(
        "other_registers",
        _("In other registers"),
        "line",
        _("As what it is known there."),
        _ANSWERS,
    ),
)

ENDPOINT = (
    Item(
        "version",
        _("Version"),
        "digest",
        _("What it serves, as sha256: and 64 hex digits."),
        _SERVED,
    ),
    Item("served_as", _("Model name"), "line", _("What callers write as `model`."), _SERVED),
    Item(
        "interface",
        _("Interface"),
        "choice",
        _("Of the OpenAI-compatible ones; checks ask by it."),
        _SERVED,
        (("completions", _("completions")), ("chat", _("chat"))),
    ),
    Item(
        "fallbacks",
        _("Falls back to"),
        "slugs",
        _("Address names of endpoints, in order."),
        _SERVED,
    ),
    Item(
        "system_prompt",
        _("System prompt"),
        "digest",
        _("Its SHA-256; its text stays yours."),
        _BOUNDS,
    ),
    Item("temperature", _("Temperature"), "decimal", _("By default; 0 to 2."), _BOUNDS, most=2),
    Item("top_p", _("Top-p"), "decimal", _("By default; 0 to 1."), _BOUNDS, most=1),
    Item(
        "max_tokens",
        _("Longest answer"),
        "whole",
        _("In tokens, by default."),
        _BOUNDS,
        most=10**9,
    ),
    Item(
        "requests_per_minute", _("Requests a minute"), "whole", _("That checks keep to."), _BOUNDS,
        most=1_000_000,
    ),
    Item("regions", _("Regions"), "regions", _("Where it computes: CH, DE-BE."), _BOUNDS),
)  # fmt: skip

_WHAT, _RIGHT = _("What it was trained on"), _("By what right")

DATA = (
    Item("content", _("Data"), "text", _("What they are, whose, how they were chosen."), _WHAT),
    Item("method", _("Method"), "line", _("Such as supervised fine-tuning."), _WHAT),
    Item("amount", _("Amount"), "line", _("Examples or tokens."), _WHAT),
    Item("languages", _("Languages"), "languages", _("Codes such as de, fr, en-GB."), _WHAT),
    Item("address", _("Where they are"), "address", _("With https."), _WHAT),
    Item("licence", _("Licence"), "line", _("By SPDX where there is one."), _RIGHT),
    Item(
        "personal_data", _("Personal data"), "text", _("What is in them, on what ground."), _RIGHT
    ),
)

ITEMS: dict[str, tuple[Item, ...]] = {
    "version": VERSION,
    "deployment": DEPLOYMENT,
    "endpoint": ENDPOINT,
    "data": DATA,
}


def read(kind: str, given: object) -> Document:
    """Return a description in its one form; what is left empty is left out.

    Raises:
        DescriptionError: an unknown field, or one that is not written as its kind asks.
    """
    if not isinstance(given, Mapping):
        raise DescriptionError("document", "Give an object of fields.")
    items = {item.name: item for item in ITEMS[kind]}
    unknown = sorted(str(name) for name in given if name not in items)
    if unknown:
        known = ", ".join(items)
        raise DescriptionError("document", f"“{unknown[0][:40]}” is no field: use {known}.")
    return {
        name: _READERS[item.kind](item, given[name])
        for name, item in items.items()
        if name in given and given[name] not in (None, "", [])
    }


def typed(kind: str, texts: Mapping[str, str]) -> Document:
    """Return what a form's texts mean, to be read by `read`: lists are split, numbers counted."""
    found: Document = {}
    for item in ITEMS[kind]:
        text = texts.get(item.name, "").strip()
        if item.kind in _LISTS:
            found[item.name] = [part for part in re.split(r"[,;\s]+", text) if part]
        elif item.kind == "whole":
            digits = re.sub(r"[\s,'’]", "", text)
            is_number = digits.isascii() and digits.isdigit() and len(digits) < 20
            found[item.name] = int(digits) if is_number else text
        else:
            found[item.name] = text.replace("\r\n", "\n")
    return found


def as_texts(kind: str, document: Mapping[str, Any]) -> dict[str, str]:
    """Return a document as a form shows it."""
    return {
        item.name: ", ".join(value) if isinstance(value, list) else str(value)
        for item in ITEMS[kind]
        if (value := document.get(item.name)) is not None
    }


def parts(kind: str, document: Mapping[str, Any]) -> list[tuple[str, list[tuple[Item, str]]]]:
    """Return what is filled, heading by heading, in words for people."""
    found: dict[str, list[tuple[Item, str]]] = {}
    for item in ITEMS[kind]:
        if item.name in document:
            found.setdefault(item.part, []).append((item, said(item, document[item.name])))
    return list(found.items())


def said(item: Item, value: Any) -> str:
    """Return a value in words."""
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, int):
        return f"{value:,}"
    return dict(item.choices).get(str(value), str(value))


def _plain(item: Item, value: object, most: int) -> str:
    problem = DescriptionError(item.name, f"Write it in up to {most:,} characters.")
    if not isinstance(value, str) or len(value.strip()) > most:
        raise problem
    if any(ord(sign) < 32 and sign not in "\n\t" for sign in value):
        raise DescriptionError(item.name, "Leave control characters out.")
    return value.strip()


def _text(item: Item, value: object) -> str:
    return _plain(item, value, MOST_TEXT)


def _line(item: Item, value: object) -> str:
    found = _plain(item, value, MOST_LINE)
    if "\n" in found:
        raise DescriptionError(item.name, "Write it in one line.")
    return found


def _address(item: Item, value: object) -> str:
    found = _plain(item, value, MOST_ADDRESS)
    try:
        split = urlsplit(found)
    except ValueError:
        split = urlsplit("")
    if split.scheme not in {"https", "http"} or not split.hostname or " " in found:
        raise DescriptionError(item.name, "Write a web address such as https://example.org/model.")
    return found


def _date(item: Item, value: object) -> str:
    try:
        return date.fromisoformat(_plain(item, value, 10)).isoformat()
    except ValueError:
        raise DescriptionError(item.name, "Write a day such as 2026-11-27.") from None


def _choice(item: Item, value: object) -> str:
    names = [name for name, _ in item.choices]
    if value not in names:
        raise DescriptionError(item.name, f"Use one of {', '.join(names)}.")
    return str(value)


def _whole(item: Item, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= item.most:
        raise DescriptionError(item.name, f"Use a whole number from 1 to {item.most:,}.")
    return value


def _decimal(item: Item, value: object) -> str:
    """Return a decimal as its shortest text; the record holds no floats."""
    problem = DescriptionError(item.name, f"Use a number from 0 to {item.most}, such as 0.7.")
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise problem
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise problem from None
    if not number.is_finite() or not 0 <= number <= item.most:
        raise problem
    if abs(int(number.as_tuple().exponent)) > 4:
        raise problem
    return f"{number.normalize():f}"


def _digest(item: Item, value: object) -> str:
    if not isinstance(value, str) or _DIGEST.fullmatch(value.strip()) is None:
        raise DescriptionError(item.name, "Write a digest as sha256: and 64 hex digits.")
    return value.strip()


def _listed(
    pattern: re.Pattern[str], example: str, *, in_order: bool = False
) -> Callable[[Item, object], list[str]]:
    def read_list(item: Item, value: object) -> list[str]:
        if not isinstance(value, list | tuple) or len(value) > MOST_LIST:
            raise DescriptionError(
                item.name, f"Give a list of up to {MOST_LIST}, such as {example}."
            )
        for each in value:
            if not isinstance(each, str) or pattern.fullmatch(each) is None:
                shown = str(each)[:40]
                raise DescriptionError(item.name, f"“{shown}” is none: write it like {example}.")
        return list(dict.fromkeys(value)) if in_order else sorted(set(value))

    return read_list


_LISTS = frozenset({"languages", "regions", "slugs"})
_READERS: dict[str, Callable[[Item, object], Any]] = {
    "text": _text,
    "line": _line,
    "address": _address,
    "date": _date,
    "choice": _choice,
    "whole": _whole,
    "decimal": _decimal,
    "digest": _digest,
    "languages": _listed(_LANGUAGE, "de, fr or en-GB"),
    "regions": _listed(_REGION, "CH or DE-BE"),
    "slugs": _listed(_SLUG, "town-endpoint", in_order=True),
}
