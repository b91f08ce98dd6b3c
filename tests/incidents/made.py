"""Incidents for tests, made by the real services."""

import time
from typing import Any

from oversight.accounts.models import Person
from oversight.incidents import form_token
from oversight.incidents.choices import Category, Harm, Severity
from oversight.incidents.models import Incident
from oversight.incidents.services import handling, reporting

WORDS = "It told my neighbour, Ada Canary of Elm Street 4, that she owes money. She does not."
TITLE = "The helpdesk named a debt that was none"
TEXT = "A resident was told of a debt that does not exist. The answer named no source."
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


def form(age: int = 60) -> str:
    """Return what a report's form carries that was shown so many seconds ago."""
    return form_token.new_token(time.time() - age)


def make_report(**fields: Any) -> tuple[Incident, str]:
    """Report an incident as somebody without an account; returns its secret, too."""
    words: dict[str, Any] = {
        "address": "198.51.100.7",
        "token": form(),
        "text": WORDS,
        "category": Category.WRONG_ANSWER,
    }
    return reporting.report_incident(**words | fields)


def make_incident(clerk: Person, **fields: Any) -> Incident:
    """Report and triage an incident; what `triage` takes is given to it, the rest to the report."""
    judged = {"severity", "harm", "title", "text", "deployments"}
    incident, _ = make_report(**{k: v for k, v in fields.items() if k not in judged})
    words: dict[str, Any] = {
        "severity": Severity.INCIDENT,
        "category": fields.get("category", Category.WRONG_ANSWER),
        "harm": Harm.ECONOMIC,
        "title": TITLE,
        "text": TEXT,
    }
    given = {k: v for k, v in fields.items() if k in judged}
    return handling.triage(by=clerk, incident=incident, **words | given)
