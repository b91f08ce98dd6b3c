"""The sections of the UK's Algorithmic Transparency Recording Standard, version 3. Pure.

Source: the template of the Government Digital Service. It has no machine-readable form of its own,
so that the keys here are its numbers and headings in small letters. A heading of which no
description speaks, such as the process before the tool, is left out.
"""

from typing import Any

from oversight.dashboards.registers.entry import Entry

STANDARD = "3.0"
PHASES = {"planned": "Pre-deployment", "in_use": "Production", "ended": "Retired"}
REQUIRED = ("tier_1.name", "tier_1.description", "tier_1.contact_email",
            "tier_2.1_owner_and_responsibility.organisation_or_department",
            "tier_2.2_description_and_rationale.detailed_description",
            "tier_2.3_deployment_context.human_review",
            "tier_2.3_deployment_context.appeals_and_review",
            "tier_2.5_risks_mitigations_and_impact_assessments.impact_assessments",
            "tier_2.5_risks_mitigations_and_impact_assessments.risks_and_mitigations")  # fmt: skip


def record_of(entry: Entry) -> dict[str, Any]:
    """Return a deployment in the standard's sections; None where nothing is known."""
    found = {
        "standard_version": STANDARD,
        "date_updated": entry.changed.date().isoformat(),
        "tier_1": _overview(entry),
        "tier_2": {
            "1_owner_and_responsibility": _owner(entry),
            "2_description_and_rationale": _rationale(entry),
            "3_deployment_context": _context(entry),
            "4_tool_and_model_specification": _specification(entry),
            "5_risks_mitigations_and_impact_assessments": _risks(entry),
        },
        "evidence": {"decision": entry.decision, "report": entry.report, "bundle": entry.bundle},
    }
    filled: dict[str, Any] = _none_for_empty(found)
    return filled


def missing_from(record: dict[str, Any]) -> list[str]:
    """Return what the standard asks for of every tool and is empty here."""
    return [path for path in REQUIRED if not _at(record, path)]


def _overview(entry: Entry) -> dict[str, str]:
    return {
        "name": entry.name,
        "description": entry.purpose,
        "website_url": entry.said("website") or entry.address,
        "contact_email": entry.said("contact"),
    }


def _owner(entry: Entry) -> dict[str, str]:
    return {
        "organisation_or_department": entry.operator,
        "team": entry.said("department"),
        "senior_responsible_owner": entry.body,
        "external_supplier": entry.said("supplier") or entry.on_card("provider"),
    }


def _rationale(entry: Entry) -> dict[str, str]:
    return {
        "detailed_description": entry.said("goal"),
        "scope": entry.audience,
        "benefit": entry.said("proportionality"),
        "alternatives_considered": entry.said("alternatives"),
    }


def _context(entry: Entry) -> dict[str, str]:
    return {
        "integration_into_broader_operational_process": entry.said("process"),
        "provided_information": entry.said("output"),
        "human_review": entry.said("human_oversight"),
        "appeals_and_review": entry.said("objection"),
        "monitoring": entry.said("monitoring"),
    }


def _specification(entry: Entry) -> dict[str, str]:
    return {
        "phase": PHASES[entry.status],
        "model_name": entry.model,
        "model_version": entry.version,
        "model_weights": entry.weights,
        "model_task": entry.on_card("intended_use"),
        "model_input_and_output": entry.on_card("modalities"),
        "model_architecture": entry.on_card("method"),
        "model_performance": entry.evidence,
        "model_licence": entry.licence,
        "development_data": entry.on_card("training_data"),
        "operational_data": entry.said("input_data"),
        "personal_data": entry.said("personal_data"),
    }


def _risks(entry: Entry) -> dict[str, str]:
    return {
        "impact_assessments": entry.said("impact_assessment", "impact_address"),
        "risks_and_mitigations": entry.said("risks") or entry.on_card("risks"),
        "legal_basis": entry.said("legal_basis"),
    }


def _none_for_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _none_for_empty(each) for name, each in value.items()}
    return value or None


def _at(record: Any, path: str) -> Any:
    for name in path.split("."):
        record = record[name]
    return record
