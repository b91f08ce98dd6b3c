"""The fields that a version, a use, an endpoint or its data may say of itself."""

from dataclasses import dataclass

from oversight.web.marks import gettext_noop as _


@dataclass(frozen=True, slots=True)
class Item:
    """One field of a description."""

    name: str
    label: str
    kind: str
    """Which of the readers in `reading.py` takes it."""
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
