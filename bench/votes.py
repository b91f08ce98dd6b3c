"""Steps of `bench.ballots` inside the system: an electorate, its receipts, and what was counted.

`python -m bench.votes STEP ARGUMENT`, in the environment of the system.
"""

import json
import sys
from pathlib import Path
from typing import Any

from bench.own_system import open_system


def _electorate(number: str) -> dict[str, Any]:
    """Make a body of so many members with a key each, and open a vote of theirs."""
    import secrets
    import uuid

    from oversight.accounts import services as accounts
    from oversight.accounts.choices import BodyRole, Scope
    from oversight.accounts.models import ApiKey, Membership, Person
    from proposals.charter import usual
    from proposals.choices import ProposalType
    from proposals.services import charters, drafting, stages, voting

    shell = accounts.shell_person()
    body = accounts.found_body(by=shell, slug="assembly", name="Assembly")
    rules = {kind: found | {"deliberation_hours": 0} for kind, found in usual().items()}
    charters.adopt_charter(by=shell, body=body, document=rules)
    # Accounts and seats are not what is measured: they are written in one go.
    people = Person.objects.bulk_create(
        Person(email=f"member{n}@example.org", display_name=f"Member {n}", password="!")
        for n in range(int(number))
    )
    Membership.objects.bulk_create(
        Membership(body=body, person=person, leaf_id=uuid.uuid4()) for person in people
    )
    secret = [accounts.KEY_PREFIX + secrets.token_urlsafe(32) for _ in people]
    ApiKey.objects.bulk_create(
        ApiKey(
            person=person,
            name="bench",
            prefix=key[:12],
            digest=accounts.digest_of_secret(key),
            scopes=[Scope.VOTES_CAST],
        )
        for person, key in zip(people, secret, strict=True)
    )
    clerk = accounts.register_person(email="clerk@example.org", display_name="Clerk")
    accounts.appoint(by=shell, body=body, person=clerk, role=BodyRole.CLERK)
    proposal = drafting.draft_proposal(
        by=people[0],
        body=body,
        type=ProposalType.MOTION,
        title="Keep the minutes",
        summary="The assembly keeps its minutes.",
        text="As it says.",
    )
    stages.open_deliberation(by=people[0], proposal=proposal)
    stages.fix_text(by=clerk, proposal=proposal)
    voting.open_vote(by=clerk, proposal=proposal)
    return {"ref": proposal.ref, "keys": secret}


def _late_receipts(file: str) -> dict[str, Any]:
    """Return the receipts of these leaves, once the log has caught up."""
    from uuid import UUID

    from oversight.ledger.services import wait_for_receipt

    found = {leaf: wait_for_receipt(UUID(leaf), 60) for leaf in json.loads(Path(file).read_text())}
    return {leaf: receipt.text for leaf, receipt in found.items() if receipt}


def _counted(ref: str) -> dict[str, Any]:
    """Return every ballot kept, by key, member's number and choice, and which would be counted."""
    from oversight.accounts.models import ApiKey
    from proposals.ballot_box import last_ballots, tally
    from proposals.models import Ballot, Contract

    keys = dict(ApiKey.objects.values_list("person", "prefix"))
    contract = Contract.objects.get(proposal__ref=ref)
    rows = Ballot.objects.filter(entry__contract=contract)
    values = rows.values_list("entry__membership__person", "number", "choice")
    last = last_ballots(contract)
    sheet = tally(contract, last).sheet
    return {
        "ballots": [(keys[person], number, choice) for person, number, choice in values],
        "counted": [(keys[each.entry.membership.person_id], each.number) for each in last],
        "cast": int(sheet["votes"]["cast"]),  # type: ignore[index, call-overload, arg-type]
    }


def _main() -> None:
    open_system()
    step, argument = sys.argv[1:]
    steps = {"electorate": _electorate, "receipts": _late_receipts, "counted": _counted}
    print(json.dumps(steps[step](argument)))


if __name__ == "__main__":
    _main()
