"""The points of Annex VIII of the EU's AI Act, section A. Pure.

Source: Regulation (EU) 2024/1689, Annex VIII, section A, points 1 to 13: what providers of
high-risk systems enter into the EU's database. Certificates and declarations (8, 9, 11) are papers
that this site does not hold; they stay empty.
"""

from typing import Any

from oversight.dashboards.registers.entry import Entry

STATUS = {
    "planned": "not yet placed on the market or put into service",
    "in_use": "in service",
    "ended": "no longer in service",
}
REQUIRED = ("1_provider", "4_trade_name_and_reference", "5_intended_purpose",
            "6_information_used_and_operating_logic", "7_status", "10_member_states",
            "12_instructions_for_use")  # fmt: skip


def record_of(entry: Entry) -> dict[str, Any]:
    """Return a deployment by the points of the annex; None where nothing is known."""
    logic = [entry.said("input_data"), entry.on_card("method")]
    name = f"{entry.name}: {entry.model} {entry.version}" if entry.model else entry.name
    values = {
        "1_provider": entry.on_card("provider") or entry.said("supplier"),
        "2_submitted_by": entry.operator,
        "3_authorised_representative": entry.on_card("representative"),
        "4_trade_name_and_reference": f"{name} ({entry.weights})" if entry.weights else name,
        "5_intended_purpose": entry.said("goal") or entry.purpose,
        "6_information_used_and_operating_logic": "\n\n".join(filter(None, logic)),
        "7_status": STATUS[entry.status],
        "8_certificate": "",
        "9_copy_of_the_certificate": "",
        "10_member_states": "",
        "11_declaration_of_conformity": "",
        "12_instructions_for_use": entry.on_card("documentation"),
        "13_additional_information": entry.address,
    }
    return {point: value or None for point, value in values.items()}


def missing_from(record: dict[str, Any]) -> list[str]:
    """Return the points that every entry has to fill and that are empty here."""
    return [point for point in REQUIRED if not record[point]]
