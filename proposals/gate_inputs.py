"""Tells the gate what a decision rests on: its rules, its evidence, its leaf."""

from oversight.registry.gate.inputs import Input, Inputs
from proposals.models import Decision


def inputs_of(ref: str) -> Inputs:
    """Return the frozen contract as the rules, and as evidence the record and all signed results.

    Results are those that the contract names: of each criterion, and of a version it was beside.
    """
    decision = (
        Decision.objects.select_related("proposal__contract").filter(proposal__ref=ref).first()
    )
    if decision is None:
        return Inputs()
    contract = decision.proposal.contract
    record = Input("decision", f"/decisions/{ref}/record.json", decision.digest)
    results = {
        row[f"{who}statement"]: Input(
            "evaluation",
            f"/api/v1/runs/{row[f'{who}run']}/statements.json",
            row[f"{who}statement"],
        )
        for row in contract.content["criteria"]
        for who in ("", "beside_")
        if row.get(f"{who}statement")
    }
    return Inputs(
        rules=Input("contract", f"/decisions/{ref}/contract.json", contract.digest),
        evidence=(record, *(results[digest] for digest in sorted(results))),
        leaf_id=decision.leaf_id,
    )
