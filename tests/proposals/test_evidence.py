"""Runs and criteria pulled into a text: shown as they stand, then as the contract froze them."""

import pytest

from oversight.web.refusals import Conflict
from proposals.evidence import Reference, reference_in, references_in
from proposals.services import drafting, stages
from tests.factories import (
    finish_run,
    make_cast,
    make_criterion,
    make_deliberated_proposal,
    make_deployment,
    make_model_version,
    make_run,
    make_suite,
    make_worker,
    open_vote,
)


@pytest.mark.parametrize(
    ("paragraph", "found"),
    [
        ("[[evidence]]", Reference("evidence")),
        ("[[criterion facts]]\n", Reference("criterion", "facts")),
        ("[[run run-1.2]]", Reference("run", "run-1.2")),
        ("See [[evidence]].", None),
        ("[[evidence facts]]", None),
        ("[[run]]", None),
        ("[[run <script>]]", None),
        ("[[else x]]", None),
        ("[[evidence]] [[evidence]]", None),
    ],
)
def test_a_paragraph_is_a_reference_or_words(paragraph, found):
    assert reference_in(paragraph) == found


def test_references_in_code_and_inside_sentences_are_words():
    assert references_in("    [[evidence]]\n\n`[[evidence]]`\n\nSo [[evidence]] it is.\n") == []
    assert references_in("One.\n\n[[evidence]]\n\n[[evidence]]\n") == [Reference("evidence")]


@pytest.fixture
def evaluated(db):
    """Return a cast, its proposal with one criterion and one finished run, and the run."""
    cast = make_cast()
    version = make_model_version(cast.evaluator)
    suite = make_suite(cast.evaluator)
    run = make_run(cast.member, suite, version)
    worker = make_worker(cast.administrator, cast.organisation)
    finish_run(run, worker, right=70)
    text = f"Why.\n\n[[criterion facts]]\n\n[[run {run.ref}]]\n\n[[evidence]]\n\n[[run none]]\n"
    proposal = make_deliberated_proposal(
        cast,
        text=text,
        version=version,
        deployment=make_deployment(cast.operator, cast.organisation),
    )
    make_criterion(cast, proposal, suite)
    return cast, proposal, run, suite, worker


def test_evidence_stands_in_the_text_and_what_is_missing_is_said(client, evaluated):
    cast, proposal, *_ = evaluated
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert page.count("no result yet") >= 2
    assert "0.785 to 0.931" in page
    assert "[[run none]]: there is no such evidence" in page
    with pytest.raises(Conflict, match=r"refers to \[\[run none\]\], and there is no such"):
        stages.fix_text(by=cast.clerk, proposal=proposal)


def test_the_contract_freezes_what_the_text_shows(client, evaluated):
    cast, proposal, run, suite, worker = evaluated
    text = proposal.text
    text.body_markdown = text.body_markdown.replace("[[run none]]\n", "")
    text.save(update_fields=["body_markdown"])
    again = make_run(cast.member, suite, proposal.version, purpose=proposal.subject)
    finish_run(again, worker, right=75)
    stages.fix_text(by=cast.clerk, proposal=proposal)
    contract = open_vote(cast, proposal).contract.content
    digests = sorted(row.statement_digest for row in run.task_runs.all())
    assert contract["runs"] == [{"run": run.ref, "statements": digests}]
    later = make_run(cast.member, suite, proposal.version, purpose=proposal.subject)
    finish_run(later, worker, right=10)
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "As the contract of the vote has it." in page
    block = page[page.index("text-evidence") : page.index("The evidence</h2>")]
    assert again.ref in block
    assert later.ref not in block


def test_an_older_revision_shows_its_evidence_too(client, evaluated):
    cast, proposal, *_ = evaluated
    text = proposal.text
    drafting.revise_text(
        by=cast.member,
        proposal=proposal,
        title=text.title,
        summary=text.summary,
        text=f"{text.body_markdown}\nMore.\n",
        base_number=1,
    )
    page = client.get(f"{proposal.get_absolute_url()}revisions/1/").content.decode()
    assert "text-evidence" in page
    assert "[[criterion facts]]" not in page
    assert "[[run none]]: there is no such evidence" in page
