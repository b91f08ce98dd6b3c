"""The worked example's people argue, vote and keep minutes, and doing it twice adds nothing."""

from types import SimpleNamespace

import pytest

from oversight.registry.models import Description
from proposals.example import texts
from proposals.example import walk as walk_module
from proposals.example.people import assemble
from proposals.example.walk import Walk
from proposals.models import Minutes, Proposal
from proposals.services import casting, drafting, stages, voting
from proposals.shown_map import opinions_of
from tests.factories import make_cast, make_decision, make_model_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def walk(tmp_path, settings):
    settings.RECEIPT_WAIT_SECONDS = 0
    return Walk(assemble(tmp_path), lambda what, path: None)


def test_no_register_lacks_what_the_example_can_say(walk, client):
    use = walk._deploy()
    version = make_model_version(walk.cast.operator)
    for _ in range(2):
        walk._describe(version, use)
    assert Description.objects.count() == 3
    assert use.endpoint.claimed_version == version
    make_decision(make_cast(), version=version, deployment=use)
    lacking = {}
    for name in ("algoritmeregister", "atrs", "annex-viii"):
        (entry,) = client.get(f"/registers/{name}.json").json()["records"]
        lacking[name] = entry["missing"]
    # Of the Annex, the Member States in which it is on offer: nothing here asks for them.
    assert lacking == {"algoritmeregister": [], "atrs": [], "annex-viii": ["10_member_states"]}


def test_who_watches_hears_of_each_task_and_of_samples_where_one_takes_long(walk, monkeypatch):
    now, said = [0.0], []
    monkeypatch.setattr(walk_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    walk.say = lambda what, path: said.append(what)
    tell = walk._tell_tasks()
    for at, line in (
        (1, "run-1: 0 of 2 tasks finished; facts 0/9, refusals queued"),
        (20, "run-1: 0 of 2 tasks finished; facts 3/9, refusals queued"),
        (31, "run-1: 0 of 2 tasks finished; facts 4/9, refusals queued"),
        (60, "run-1: 0 of 2 tasks finished; facts 8/9, refusals queued"),
        (60, "run-1: 1 of 2 tasks finished; refusals 1/9"),
    ):
        now[0] = at
        tell(line)
    assert said == [
        "… 0 of 2 tasks finished",
        "… 0 of 2 tasks finished; facts 4/9, refusals queued",
        "… 1 of 2 tasks finished",
    ]


@pytest.fixture
def proposal(walk):
    draft = drafting.draft_proposal(
        by=walk.cast.chair,
        body=walk.cast.body,
        type="general_motion",
        title=texts.TITLE,
        summary=texts.SUMMARY,
        text=texts.TEXT,
    )
    return stages.open_deliberation(by=walk.cast.chair, proposal=draft)


def test_there_is_something_to_look_at_of_every_part_of_a_deliberation(walk, proposal, client):
    for _ in range(2):
        walk._deliberate(Proposal.objects.get(pk=proposal.pk))
    assert proposal.comments.count() == 2
    assert proposal.arguments.count() == len(texts.REASONS)
    assert proposal.statements.count() == len(texts.STATEMENTS)
    assert opinions_of(proposal).statement_count == len(texts.STATEMENTS)
    page = client.get(f"{proposal.get_absolute_url()}arguments/").content.decode()
    assert "3 of 4 support" in page


def test_the_decision_has_reasons_and_the_day_its_minutes(walk, proposal, client):
    walk._deliberate(proposal)
    proposal = Proposal.objects.get(pk=proposal.pk)
    voting.open_vote(by=walk.cast.clerk, proposal=proposal)
    for member, choice in zip(walk.cast.members, texts.VOTES, strict=True):
        casting.cast_ballot(by=member, proposal=proposal, choice=choice)
    decision = walk._decide(proposal)
    assert walk._decide(proposal) == decision
    assert decision.statements.get().text == texts.WHY.strip()
    kept = Minutes.objects.get()
    assert decision.ref in client.get(kept.get_absolute_url()).content.decode()
