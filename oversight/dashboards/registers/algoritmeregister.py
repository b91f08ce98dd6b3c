"""The fields of the Dutch Algoritmeregister, publication standard 1.0. Pure.

Source: the standard of the Dutch Ministry of the Interior (regels.overheid.nl), and the names of
its fields in the register's own programs. Texts are left in the language they were written in.
"""

from typing import Any

from oversight.dashboards.registers.entry import Entry

STANDARD = "1.0"
STATUS = {"planned": "In ontwikkeling", "in_use": "In gebruik", "ended": "Buiten gebruik"}
CATEGORIES = {
    "high-risk": "Hoog-risico AI-systeem",
    "impactful": "Impactvolle algoritmes",
    "other": "Overige algoritmes",
}
REQUIRED = ("name", "description_short", "organization", "status", "contact_email",
            "publication_category")  # fmt: skip
LONGEST = {"name": 100, "organization": 100, "description_short": 350}
LONGEST_TEXT = 2500


def record_of(entry: Entry) -> dict[str, Any]:
    """Return a deployment in the register's fields; None where nothing is known."""
    risks = "\n\n".join(filter(None, [entry.said("risks"), entry.on_card("risks", "limitations")]))
    methods = "\n\n".join(filter(None, [_model(entry), entry.on_card("method"), entry.evidence]))
    values: dict[str, Any] = {
        "name": entry.name,
        "organization": entry.operator,
        "department": entry.said("department"),
        "description_short": entry.purpose,
        "category": None,
        "website": entry.said("website"),
        "status": STATUS[entry.status],
        "begin_date": entry.said("begins_on")[:7] or _month(entry.starts),
        "end_date": entry.said("ends_on")[:7]
        or (_month(entry.ends) if entry.status == "ended" else ""),
        "contact_email": entry.said("contact"),
        "publication_category": CATEGORIES.get(entry.said("category"), ""),
        "goal": entry.said("goal"),
        "proportionality": entry.said("proportionality", "alternatives"),
        "human_intervention": entry.said("human_oversight"),
        "risks": risks,
        "lawful_basis": entry.said("legal_basis"),
        "lawful_basis_grouping": _linked(entry, "legal_basis", "legal_basis_address"),
        "impacttoetsen": entry.said("impact_assessment"),
        "impacttoetsen_grouping": _linked(entry, "impact_assessment", "impact_address"),
        "objection_procedure": entry.said("objection"),
        "monitoring": entry.said("monitoring"),
        "source_data": entry.said("input_data"),
        "methods_and_models": methods,
        "provider": entry.said("supplier") or entry.on_card("provider"),
        "publiccode": entry.on_card("source_code"),
        "decision_making_process": entry.said("process"),
        "documentation": entry.report,
        "url": entry.address,
        "source_id": entry.slug,
        "revision_date": entry.changed.date().isoformat(),
        "standard_version": STANDARD,
    }
    return {name: _cut(name, value) if value else None for name, value in values.items()}


def missing_from(record: dict[str, Any]) -> list[str]:
    """Return the fields without which the register does not publish an entry."""
    return [name for name in REQUIRED if not record[name]]


def _model(entry: Entry) -> str:
    if not entry.model:
        return ""
    licence = entry.licence or "no licence named"
    return f"{entry.model} {entry.version}, {entry.weights} ({licence})."


def _linked(entry: Entry, text: str, address: str) -> list[dict[str, str]] | None:
    link = entry.said(address)
    return [{"title": entry.said(text) or link, "link": link}] if link else None


def _month(moment: Any) -> str:
    return f"{moment:%Y-%m}" if moment else ""


def _cut(name: str, value: Any) -> Any:
    """Return a text no longer than the register takes."""
    most = LONGEST.get(name, LONGEST_TEXT)
    if isinstance(value, str) and len(value) > most:
        return value[: most - 1].rstrip() + "…"
    return value
