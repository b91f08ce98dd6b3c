"""Whole journeys with a keyboard alone and without scripts: amend, vote, evaluate, verify."""

import pytest

from evals.models import Run
from oversight.ledger.sequencer import sequence_once
from proposals.choices import ProposalType
from proposals.models import Amendment, Ballot, CastingVote, Decision
from proposals.services import closing
from tests import factories
from tests.ledger.record_fixtures import (  # noqa: F401 - fixtures are found by their name here
    _log_folder,
    own_log,
)
from tests.proposals.test_ballots_in_a_browser import OPTIONS, open_votes
from tests.proposals.test_in_a_browser import apart, barriers, opened, signed_in, tab_to
from tests.proposals.test_methods import ruled

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def press(page, words, key="Enter"):
    """Go with the Tab key to what is called so, and press it."""
    tab_to(page, words)
    page.keyboard.press(key)


def choose(page, words):
    """Go to a box by its label's words and tick it."""
    for _ in range(120):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if not focused.count():
            continue
        label = "e => e.labels && e.labels.length ? e.labels[0].innerText.trim() : ''"
        if focused.evaluate(label).startswith(words):
            page.keyboard.press("Space")
            return
    pytest.fail(f"the keyboard does not reach the box {words!r}")


PAPERS = {
    "yes-no": (lambda page: press(page, "choice", "Space"), {"choice": "yes"}),
    "consent": (lambda page: press(page, "choice", "Space"), {"choice": "consent"}),
    "approval": (lambda page: choose(page, OPTIONS[1]), {"ranking": [OPTIONS[1]]}),
    # The blank is chosen beforehand, so the group is entered there; the arrow goes round.
    "plurality": (lambda page: press(page, "ranking", "ArrowDown"), {"ranking": [OPTIONS[0]]}),
    "score": (lambda page: typed(page, "points-1", "4"), {"scores": {OPTIONS[1]: 4}}),
    "irv": (lambda page: typed(page, "rank-2", "1"), {"ranking": [OPTIONS[2]]}),
    "scottish-stv": (lambda page: typed(page, "rank-0", "1"), {"ranking": [OPTIONS[0]]}),
    "schulze": (lambda page: typed(page, "rank-1", "1"), {"ranking": [OPTIONS[1]]}),
}


def typed(page, name, text):
    tab_to(page, name)
    page.keyboard.type(text)


def test_one_votes_by_every_method(live_server, chromium, settings):
    settings.RECEIPT_WAIT_SECONDS = 0
    votes, cast = open_votes(), {}
    assert votes.keys() == PAPERS.keys()
    with opened(chromium, live_server, next(iter(votes.values()))[0]) as page:
        for method, (session, address) in votes.items():
            cookie = {"name": "sessionid", "value": session, "url": live_server.url}
            page.context.add_cookies([cookie])
            page.goto(address)
            PAPERS[method][0](page)
            press(page, "Cast my ballot")
            page.get_by_role("heading", name="Your ballot is cast").wait_for()
            cast[method] = apart(lambda: Ballot.objects.latest("pk")).content
    assert cast == {method: content for method, (_, content) in PAPERS.items()}


def tied():
    """Return a vote that waits for the chair, and its people."""
    cast = factories.make_cast(charter=ruled(ProposalType.MOTION, vote={"tie_rule": "chair"}))
    proposal = factories.make_open_vote(cast)
    for person, choice in zip(cast.members, ("yes", "no", "abstain"), strict=True):
        factories.make_ballot(person, proposal, choice)
    closing.close_vote(by=cast.clerk, proposal=proposal)
    return cast, proposal


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_casting_vote_and_its_question_have_no_barriers(live_server, chromium, scheme):
    cast, proposal = tied()
    session = signed_in(cast.chair)
    with opened(chromium, live_server, session, scripts=True, width=320, scheme=scheme) as page:
        page.goto(f"{proposal.get_absolute_url()}casting-vote/")
        assert barriers(page) == []
        press(page, "choice", "Space")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Yes, give it").wait_for()
        assert barriers(page) == []


def test_the_enter_key_on_a_choice_gives_no_casting_vote_past_its_fold(live_server, chromium):
    cast, proposal = tied()
    with opened(chromium, live_server, signed_in(cast.chair)) as page:
        page.goto(proposal.get_absolute_url())
        press(page, "Give the casting vote")
        page.wait_for_url("**/casting-vote/")
        press(page, "choice", "Space")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Yes, give it").wait_for()
        assert page.locator(":focus").inner_text() == "Give the casting vote"
        assert page.get_by_role("radio", name="For").is_checked()
        assert apart(CastingVote.objects.count) == 0
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "Yes, give it"
        page.keyboard.press("Enter")
        page.wait_for_url("**/decisions/**")
    (given,) = CastingVote.objects.all()
    assert given.names == ["yes"]


def test_one_closes_a_vote_in_two_steps_and_can_leave_after_the_first(live_server, chromium):
    cast = factories.make_cast()
    proposal = factories.make_open_vote(cast)
    for person in cast.members:
        factories.make_ballot(person, proposal)
    with opened(chromium, live_server, signed_in(cast.clerk)) as page:
        page.goto(proposal.get_absolute_url())
        press(page, "Close and count the vote")
        focused = page.locator(":focus")
        assert focused.inner_text() == "Close and count the vote"  # the step keeps the focus
        assert page.get_by_role("button", name="Yes, close it").is_visible()
        page.keyboard.press("Enter")  # folds it again
        assert not page.get_by_role("button", name="Yes, close it").is_visible()
        assert apart(Decision.objects.count) == 0
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert focused.inner_text() == "Yes, close it"
        page.keyboard.press("Enter")
        page.wait_for_url("**/decisions/**")
        assert page.evaluate("document.scrollingElement.scrollTop") == 0
    assert Decision.objects.get().outcome == "carried"


def test_one_amends_a_text(live_server, chromium):
    cast = factories.make_cast()
    proposal = factories.make_deliberated_proposal(cast)
    with opened(chromium, live_server, signed_in(cast.second_member)) as page:
        page.goto(proposal.get_absolute_url())
        press(page, "Propose an amendment")
        tab_to(page, "text")
        page.keyboard.press("Control+End")
        page.keyboard.type("\n\nStaff read every answer in the first month.")
        typed(page, "reason", "Nobody knows yet how it answers.")
        press(page, "Propose the amendment")
        page.get_by_text("Staff read every answer in the first month.").first.wait_for()
    (made,) = Amendment.objects.all()
    assert made.author == cast.second_member


def test_one_starts_an_evaluation(live_server, chromium, monkeypatch):
    monkeypatch.setattr("evals.services.runs.nudge_workers", lambda resource_class: None)
    cast = factories.make_cast()
    suite = factories.make_suite(cast.evaluator)
    version = factories.make_model_version(cast.evaluator)
    with opened(chromium, live_server, signed_in(cast.evaluator)) as page:
        page.goto(suite.suite.get_absolute_url())
        press(page, "Start an evaluation")
        typed(page, "version", str(version)[:8])
        press(page, "Start the run")
        page.wait_for_url("**/runs/run-*/")
    (run,) = Run.objects.all()
    assert (run.model_version, run.requested_by) == (version, cast.evaluator)


def test_one_verifies_a_receipt(live_server, chromium, own_log):  # noqa: F811
    cast = factories.make_cast()
    decision = factories.make_decision(cast)
    apart(sequence_once)
    with opened(chromium, live_server, signed_in(cast.member)) as page:
        page.goto(decision.get_absolute_url())
        press(page, "Check the receipt")
        press(page, "Check it here")
        page.get_by_text("is on the record").first.wait_for()
