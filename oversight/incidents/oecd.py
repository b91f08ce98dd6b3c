"""One incident in the terms of the OECD's common reporting framework for AI incidents (2025).

The framework groups what a report should say; it prescribes no file format. Keys here are ours and
follow its groups; `docs/reference/incidents.md` says which field holds what, and what we do not
hold. Pure: no Django.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FRAMEWORK = "OECD, Towards a common reporting framework for AI incidents, 2025"
SEVERITIES = {
    "hazard": "AI hazard",
    "serious_hazard": "serious AI hazard",
    "incident": "AI incident",
    "serious_incident": "serious AI incident",
    "disaster": "AI disaster",
}
HARMS = {
    "none": None,
    "physical": "physical",
    "psychological": "psychological",
    "reputational": "reputational",
    "economic": "economic or property",
    "environmental": "environmental",
    "public_interest": "public interest or critical infrastructure",
    "rights": "human or fundamental rights",
}
_RIGHTS = (
    "respect for the rule of law, human rights and democratic values, including fairness and "
    "privacy"
)
_ROBUST = "robustness, security and safety"
PRINCIPLES = {
    "wrong_answer": _ROBUST,
    "discrimination": _RIGHTS,
    "privacy": _RIGHTS,
    "harmful_content": _ROBUST,
    "security": _ROBUST,
    "not_available": _ROBUST,
    "not_authorised": "accountability",
    "other": None,
}
"""The AI principle that a kind of incident touches first."""

NOT_HELD = (
    "people_and_planet.affected_stakeholders",
    "people_and_planet.number_affected",
    "economic_context.countries",
    "economic_context.critical_infrastructure",
    "data_and_input",
    "task_and_output.autonomy",
)
"""What the framework asks for and this record does not hold; a reader need not look for it."""


@dataclass(frozen=True, slots=True)
class Use:
    """A deployment that an incident is about."""

    name: str
    purpose: str
    audience: str
    operator: str
    address: str


@dataclass(frozen=True, slots=True)
class System:
    """A model version that an incident is about."""

    name: str
    version: str
    developer: str
    licence: str
    digest: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is public of an incident."""

    ref: str
    address: str
    title: str
    description: str
    status: str
    severity: str
    category: str
    harm: str
    occurred_on: str | None
    reported_at: str
    body: str
    uses: Sequence[Use]
    systems: Sequence[System]
    evidence: Sequence[str]
    """Addresses of evaluations."""

    responses: Sequence[str]
    """Addresses of suspensions and proposals."""

    ending: str


def as_oecd(facts: Facts) -> dict[str, Any]:
    """Return the incident in the framework's groups; what is not known is null."""
    is_harm = facts.severity in {"incident", "serious_incident", "disaster"}
    return {
        "framework": FRAMEWORK,
        "incident_metadata": {
            "identifier": facts.ref,
            "title": facts.title,
            "description": facts.description,
            "date_of_first_known_occurrence": facts.occurred_on,
            "date_reported": facts.reported_at,
            "status": facts.status,
            "submitter": {"name": facts.body, "role": "public body that oversees the system"},
            "supporting_material": [facts.address, *facts.evidence],
        },
        "harm_details": {
            "severity": SEVERITIES.get(facts.severity),
            "harm_type": HARMS.get(facts.harm),
            "harm_has_materialised": is_harm if facts.severity else None,
        },
        "people_and_planet": {
            "affected_stakeholders": None,
            "number_affected": None,
            "ai_principle": PRINCIPLES.get(facts.category),
        },
        "economic_context": {
            "industry": "public administration",
            "countries": None,
            "critical_infrastructure": None,
            "deployments": [
                {
                    "name": use.name,
                    "business_function": use.purpose,
                    "users": use.audience,
                    "deployer": use.operator,
                    "address": use.address,
                }
                for use in facts.uses
            ],
        },
        "data_and_input": None,
        "ai_model": [
            {
                "name": each.name,
                "version": each.version,
                "developer": each.developer or None,
                "licence": each.licence or None,
                "weights_digest": each.digest,
            }
            for each in facts.systems
        ],
        "task_and_output": {"what_went_wrong": facts.category, "autonomy": None},
        "other": {"actions_taken": list(facts.responses), "outcome": facts.ending or None},
        "not_held": list(NOT_HELD),
    }
