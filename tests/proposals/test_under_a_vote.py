"""What nobody can change while a vote is open, and what is too large to be said at all."""

import pytest

from evals.choices import Comparison
from oversight.web.refusals import Conflict
from proposals.models import Comment, Contract, Revision
from proposals.services import amendments, attachments, drafting, roll, scheduling, stages, support
from tests import factories
from tests.api.conftest import assert_is_problem, send

pytestmark = pytest.mark.django_db

ACTS = {
    "the text": lambda cast, proposal, more: drafting.revise_text(
        by=cast.member,
        proposal=proposal,
        title="Another",
        summary="Another",
        text="Another",
        base_number=1,
    ),
    "what it asks of the model": lambda cast, proposal, more: drafting.attach_criterion(
        by=cast.member,
        proposal=proposal,
        suite_version=more["suite"],
        task_name="facts",
        metric="acc",
        comparison=Comparison.AT_LEAST,
        threshold="0.1",
    ),
    "its files": lambda cast, proposal, more: attachments.add_attachment(
        by=cast.member, proposal=proposal, name="a.txt", data=b"words"
    ),
    "a file it has": lambda cast, proposal, more: attachments.remove_attachment(
        by=cast.member, attachment=more["file"]
    ),
    "its wording": lambda cast, proposal, more: amendments.propose_amendment(
        by=cast.chair, proposal=proposal, text="Another", reason="Better.", base_number=1
    ),
    "its roll": lambda cast, proposal, more: roll.declare_conflict(
        by=cast.chair, proposal=proposal, reason="My firm sells it."
    ),
    "who supports it": lambda cast, proposal, more: support.give_support(
        by=cast.chair, proposal=proposal
    ),
    "when it opens": lambda cast, proposal, more: scheduling.schedule_vote(
        by=cast.clerk, proposal=proposal, opens_at=proposal.contract.closes_at
    ),
    "its stage": lambda cast, proposal, more: stages.reopen_deliberation(
        by=cast.clerk, proposal=proposal
    ),
    "whether it is proposed": lambda cast, proposal, more: stages.withdraw(
        by=cast.member, proposal=proposal, reason="No."
    ),
}


@pytest.mark.parametrize("what", ACTS)
def test_under_an_open_vote_nothing_of_it_changes(what):
    cast = factories.make_cast(charter=factories.quick_charter(recusal="declared"))
    subject = {"version": factories.make_model_version(), "deployment": factories.make_deployment()}
    proposal = factories.make_deliberated_proposal(cast, **subject)
    more = {
        "suite": factories.make_suite(cast.evaluator),
        "file": attachments.add_attachment(
            by=cast.member, proposal=proposal, name="b.txt", data=b"beside it"
        ),
    }
    stages.fix_text(by=cast.clerk, proposal=proposal)
    proposal = factories.open_vote(cast, proposal)
    before = Contract.objects.values().get()
    with pytest.raises(Conflict):
        ACTS[what](cast, proposal, more)
    assert Contract.objects.values().get() == before
    assert Revision.objects.filter(proposal=proposal).count() == 1
    assert proposal.attachments.filter(removed_at=None).count() == 1
    assert not proposal.recusals.exists()


def test_a_comment_of_five_megabytes_is_refused_at_both_doors(client):
    cast = factories.make_cast()
    proposal = factories.make_deliberated_proposal(cast)
    client.force_login(cast.outsider)
    huge = "word " * 1_000_000
    answer = client.post(f"{proposal.get_absolute_url()}comments/", {"text": huge})
    assert answer.status_code in {400, 413, 422}
    assert answer["Content-Type"].startswith("text/html")
    path = f"/api/v1/proposals/{proposal.ref}/comments/"
    assert_is_problem(send(client, "POST", path, {"text": huge}), 413)
    assert_is_problem(send(client, "POST", path, {"text": "x" * 5_001}), 422, "text")
    assert not Comment.objects.exists()
