"""A decision and what it does to the registry are one transaction: cut anywhere, none is left."""

import pytest

from oversight.ledger import services as ledger
from oversight.ledger.models import PendingLeaf
from oversight.registry.models import Authorisation
from proposals.choices import ProposalType, Status
from proposals.models import Decision, Proposal
from proposals.services import closing
from tests.factories import (
    make_ballot,
    make_cast,
    make_decision,
    make_deployment,
    make_model_version,
    make_open_vote,
)

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = {
    ProposalType.AUTHORISE: "granted",
    ProposalType.RENEW: "granted",
    ProposalType.SUSPEND: "suspended",
    ProposalType.RETIRE: "revoked",
    ProposalType.ANNUL: "revoked",
}


class Cut(Exception):  # noqa: N818 - what happens
    """The power goes."""


def ready_to_close(kind):
    """Return a cast and an open vote on a deployment with something in force, all votes in."""
    cast = make_cast()
    deployment, version = make_deployment(), make_model_version()
    standing = make_decision(cast, deployment=deployment, version=version)
    fields = {"type": kind, "target": standing}
    if kind == ProposalType.AUTHORISE:
        fields = {"deployment": deployment, "version": make_model_version()}
    proposal = make_open_vote(cast, **fields)
    for person in cast.members:
        make_ballot(person, proposal)
    return cast, proposal


def picture():
    """Return all that a decision could have changed."""
    rows = Authorisation.objects.order_by("pk").values_list("decision_ref", "state", "changed_by")
    return (
        list(rows),
        Decision.objects.count(),
        PendingLeaf.objects.count(),
        Proposal.objects.filter(status=Status.VOTING).count(),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_cut_at_any_of_its_leaves_leaves_nothing(monkeypatch, kind):
    cast, proposal = ready_to_close(kind)
    before, append, step = picture(), ledger.append, 0
    while True:
        step += 1
        asked = []

        def cut(*, step=step, asked=asked, **words):
            asked.append(words["type"])
            if len(asked) == step:
                raise Cut
            return append(**words)

        monkeypatch.setattr(ledger, "append", cut)
        try:
            closing.close_vote(by=cast.clerk, proposal=proposal)
        except Cut:
            assert picture() == before, f"cut at leaf {step}, {asked[-1]}"
        else:
            break
    assert {"proposals.decision.made"} < set(asked)
    assert [each for each in asked if each.startswith("registry.authorisation.")]
    newest = Authorisation.objects.order_by("-pk")[0]
    assert newest.state == KINDS[kind]
