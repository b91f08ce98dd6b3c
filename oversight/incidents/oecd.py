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

CRITERIA = (
    (1, "title", "incident_metadata.title"),
    (2, "description", "incident_metadata.description"),
    (3, "how the AI system relates to it", "incident_metadata.relation_of_the_system"),
    (4, "submitter", "incident_metadata.submitter"),
    (5, "date of first known occurrence", "incident_metadata.date_of_first_known_occurrence"),
    (6, "countries", "incident_metadata.countries"),
    (7, "supporting materials", "incident_metadata.supporting_material"),
    (8, "name and version of the system", "ai_model.versions"),
    (9, "developer and deployer", "economic_context.deployments"),
    (10, "severity", "harm_details.severity"),
    (11, "harm type", "harm_details.harm_type"),
    (12, "quantification of harm", "harm_details.quantification"),
    (13, "unintended or wrongful use", "harm_details.wrongful_use"),
    (14, "affected stakeholders", "people_and_planet.affected_stakeholders"),
    (15, "impacts on rights", "people_and_planet.rights_affected"),
    (16, "AI principles", "people_and_planet.ai_principle"),
    (17, "industries", "economic_context.industry"),
    (18, "business functions", "economic_context.deployments"),
    (19, "critical functions or infrastructure", "economic_context.critical_infrastructure"),
    (20, "breadth of deployment", "economic_context.breadth_of_deployment"),
    (21, "link to training data", "data_and_input"),
    (22, "link to the AI model", "ai_model.cause_in_the_model"),
    (23, "usage rights", "ai_model.versions"),
    (24, "interaction of several systems", "ai_model.several_systems"),
    (25, "tasks of the system", "task_and_output.tasks"),
    (26, "highest level of autonomy", "task_and_output.autonomy"),
    (27, "actions taken", "other.actions_taken"),
    (28, "steps to reproduce", "other.steps_to_reproduce"),
    (29, "additional information", "other.outcome"),
)
"""The framework's criteria by number, and where an answer to each would stand here.

Taken from lists of the criteria that others publish; the framework's own text was not at hand.
"""

NOT_HELD = tuple(
    path for number, _, path in CRITERIA
    if number in {3, 6, 12, 13, 14, 15, 19, 20, 21, 22, 24, 25, 26, 28}
)  # fmt: skip
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
            "relation_of_the_system": None,
            "countries": None,
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
            "quantification": None,
            "wrongful_use": None,
        },
        "people_and_planet": {
            "affected_stakeholders": None,
            "rights_affected": None,
            "ai_principle": PRINCIPLES.get(facts.category),
        },
        "economic_context": {
            "industry": "public administration",
            "critical_infrastructure": None,
            "breadth_of_deployment": None,
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
        "ai_model": {
            "versions": [
                {
                    "name": each.name,
                    "version": each.version,
                    "developer": each.developer or None,
                    "licence": each.licence or None,
                    "weights_digest": each.digest,
                }
                for each in facts.systems
            ],
            "cause_in_the_model": None,
            "several_systems": None,
        },
        "task_and_output": {"what_went_wrong": facts.category, "tasks": None, "autonomy": None},
        "other": {
            "actions_taken": list(facts.responses),
            "steps_to_reproduce": None,
            "outcome": facts.ending or None,
        },
        "not_held": list(NOT_HELD),
    }
