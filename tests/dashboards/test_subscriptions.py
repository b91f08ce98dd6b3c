"""What programs subscribe to: a body's Atom feed, and calendars of votes."""

from datetime import UTC, timedelta
from xml.etree import ElementTree

import icalendar
import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from evals.models import Run
from oversight.web.clock import database_now
from proposals.choices import ProposalType
from proposals.models import Contract, Proposal, Revision
from proposals.services.closing import close_vote, give_casting_vote
from proposals.services.scheduling import schedule_vote
from proposals.services.stages import annul_vote, reopen_deliberation, withdraw
from proposals.services.voting import open_vote
from tests.factories import (
    make_ballot,
    make_cast,
    make_decision,
    make_deliberated_proposal,
    make_final_proposal,
    make_open_vote,
    make_proposal,
)
from tests.proposals.test_methods import ruled
from tests.scenes import make_finished_run

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def cast():
    return make_cast()


def feed_of(client, cast, **headers):
    return client.get(reverse("body-feed", args=[cast.body.slug]), headers=headers)


def entries(answer):
    root = ElementTree.fromstring(answer.content)
    return [
        {part.tag.removeprefix(ATOM): part.text for part in entry}
        for entry in root.iter(f"{ATOM}entry")
    ]


def events(client, address):
    answer = client.get(address)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    return icalendar.Calendar.from_ical(answer.content).walk("VEVENT")


# -- The feed --------------------------------------------------------------------------------


def test_the_feed_has_what_an_atom_feed_must_have(client, cast):
    make_decision(cast)
    answer = feed_of(client, cast)
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    root = ElementTree.fromstring(answer.content)
    assert root.tag == f"{ATOM}feed"
    for part in ("id", "title", "updated", "author"):
        assert len(root.findall(f"{ATOM}{part}")) == 1, part
    assert root.find(f"{ATOM}author/{ATOM}name").text
    links = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
    assert links["self"].endswith(reverse("body-feed", args=[cast.body.slug]))
    assert links["alternate"].endswith(f"/bodies/{cast.body.slug}/")
    found = entries(answer)
    assert len(found) == 3
    for entry in found:
        assert {"id", "title", "updated", "summary"} <= entry.keys()
        assert entry["id"].startswith("urn:uuid:")
        assert parse_datetime(entry["updated"]).tzinfo
    times = [parse_datetime(entry["updated"]) for entry in found]
    assert times == sorted(times, reverse=True)
    assert parse_datetime(root.find(f"{ATOM}updated").text) == times[0]
    assert len({entry["id"] for entry in found}) == 3


def test_the_feed_tells_each_thing_once_and_its_ids_stay(client, cast):
    decision = make_decision(cast, title="Publish it")
    before = {entry["title"]: entry["id"] for entry in entries(feed_of(client, cast))}
    assert set(before) == {
        "Proposed: Publish it",
        "The vote is open: Publish it",
        "Carried: Publish it",
    }
    assert before["Carried: Publish it"] == f"urn:uuid:{decision.leaf_id}"
    make_open_vote(cast)
    after = {entry["title"]: entry["id"] for entry in entries(feed_of(client, cast))}
    assert before.items() <= after.items()


def test_a_draft_and_its_withdrawal_are_in_no_feed(client, cast):
    draft = make_proposal(cast, title="Not public")
    client.force_login(cast.member)
    assert entries(feed_of(client, cast)) == []
    withdraw(by=cast.proposer, proposal=draft, reason="Not now.")
    assert entries(feed_of(client, cast)) == []


def test_what_was_annulled_or_withdrawn_is_told_with_its_reason(client, cast):
    annul_vote(by=cast.clerk, proposal=make_open_vote(cast, title="One"), reason="A wrong text.")
    gone = make_deliberated_proposal(cast, title="Two")
    withdraw(by=cast.proposer, proposal=gone, reason="No longer needed.")
    told = {entry["title"]: entry["summary"] for entry in entries(feed_of(client, cast))}
    assert told["Annulled: One"] == "A wrong text."
    assert told["Withdrawn: Two"] == "No longer needed."


def test_the_feeds_of_the_site_tell_of_all_bodies(client, cast):
    other = make_cast()
    decision, second = make_decision(cast, title="One"), make_decision(other, title="Two")
    told = [entry["title"] for entry in entries(client.get("/feeds/decisions.atom"))]
    assert set(told) == {"Carried: Two", "Carried: One"}
    proposed = {entry["title"] for entry in entries(client.get("/feeds/proposals.atom"))}
    assert {"Proposed: One", "Proposed: Two", "The vote is open: One"} <= proposed
    assert not any(title.startswith("Carried") for title in proposed)
    ids = {entry["id"] for entry in entries(client.get("/feeds/decisions.atom"))}
    assert ids == {f"urn:uuid:{second.leaf_id}", f"urn:uuid:{decision.leaf_id}"}


def test_the_feed_of_evaluations_tells_how_each_ended(client):
    run = make_finished_run()
    (entry,) = entries(client.get("/feeds/runs.atom"))
    assert entry["title"] == f"Finished: {run.model_version} by {run.suite_version}"
    assert run.ref in entry["summary"]
    assert "recalled" not in entry["summary"]


def test_the_feed_of_evaluations_tells_which_measured_nothing_anew(client):
    run = make_finished_run()
    Run.objects.filter(pk=run.pk).update(recalled=F("answers"))
    (entry,) = entries(client.get("/feeds/runs.atom"))
    assert entry["summary"].startswith(f"{run.ref}, with every sample and its signed results.")
    assert "answers were all recalled" in entry["summary"]
    Run.objects.filter(pk=run.pk).update(recalled=F("answers") - 1)
    (entry,) = entries(client.get("/feeds/runs.atom"))
    assert "recalled" not in entry["summary"]


def test_an_empty_feed_of_the_site_is_a_whole_one(client):
    root = ElementTree.fromstring(client.get("/feeds/runs.atom").content)
    assert root.findall(f"{ATOM}entry") == []
    assert len(root.findall(f"{ATOM}updated")) == 1


def test_hostile_words_break_no_feed(client, cast):
    proposal = make_deliberated_proposal(cast)
    words = "<script>alert(1)</script> & ]]> \x0b\x1f\ufffe end"
    Revision.objects.filter(proposal=proposal).update(title=words, summary=words)
    (entry,) = entries(feed_of(client, cast))
    assert entry["title"] == "Proposed: <script>alert(1)</script> & ]]> end"
    # The summary is said to be HTML, so it holds the escaped words.
    assert "<" not in entry["summary"]


def test_a_reader_that_has_it_is_told_304(client, cast):
    make_deliberated_proposal(cast)
    first = feed_of(client, cast)
    by_tag = feed_of(client, cast, if_none_match=first["ETag"])
    by_time = feed_of(client, cast, if_modified_since=first["Last-Modified"])
    assert (by_tag.status_code, by_tag.content) == (304, b"")
    assert by_time.status_code == 304
    assert "max-age" in first["Cache-Control"]
    make_open_vote(cast)
    assert feed_of(client, cast, if_none_match=first["ETag"]).status_code == 200


def test_the_bodys_page_leads_to_the_feed_and_the_calendar(client, cast):
    page = client.get(reverse("body", args=[cast.body.slug])).content.decode()
    feed = reverse("body-feed", args=[cast.body.slug])
    assert 'rel="alternate" type="application/atom+xml"' in page
    assert page.count(feed) == 2
    assert reverse("body-calendar", args=[cast.body.slug]) in page


def test_a_long_feed_is_bounded_and_costs_the_same(client, cast, monkeypatch):
    monkeypatch.setattr("oversight.dashboards.feeds.ENTRIES", 4)
    make_decision(cast)

    def cost():
        with CaptureQueriesContext(connection) as queries:
            found = entries(feed_of(client, cast))
        return len(queries), len(found)

    few = cost()[0]
    make_decision(cast)
    make_decision(cast)
    assert cost() == (few, 4)


# -- Calendars -------------------------------------------------------------------------------


def test_a_vote_has_an_opening_and_a_close_in_the_bodys_zone(client):
    cast = make_cast(body={"time_zone": "Asia/Kathmandu"})
    proposal = make_open_vote(cast, title="Publish it")
    opens, closes = events(client, reverse("vote-calendar", args=[proposal.ref]))
    assert str(opens["SUMMARY"]) == f"Vote opens: {proposal.ref} Publish it"
    assert str(closes["SUMMARY"]) == f"Vote closes: {proposal.ref} Publish it"
    assert opens.decoded("DTSTART").astimezone(UTC) == proposal.contract.opens_at
    assert closes.decoded("DTSTART").astimezone(UTC) == proposal.contract.closes_at
    assert closes["DTSTART"].params["TZID"] == "Asia/Kathmandu"
    assert opens["UID"] != closes["UID"]
    assert (closes["SEQUENCE"], closes["STATUS"]) == (0, "CONFIRMED")
    assert closes.walk("VALARM")


def test_an_annulled_vote_is_cancelled_under_the_same_ids(client, cast):
    proposal = make_open_vote(cast)
    address = reverse("vote-calendar", args=[proposal.ref])
    before = events(client, address)
    annul_vote(by=cast.clerk, proposal=proposal, reason="A wrong text.")
    after = events(client, address)
    assert [each["UID"] for each in before] == [each["UID"] for each in after]
    assert {each["STATUS"] for each in after} == {"CANCELLED"}
    assert {each["SEQUENCE"] for each in after} == {1}
    assert after[0]["LAST-MODIFIED"].dt >= before[0]["LAST-MODIFIED"].dt


def test_a_vote_that_closed_early_moves_its_close(client, cast):
    decision = make_decision(cast)
    _, closes = events(client, reverse("vote-calendar", args=[decision.ref]))
    assert closes.decoded("DTSTART").astimezone(UTC) == decision.decided_at
    assert closes["SEQUENCE"] == 1
    assert not closes.walk("VALARM")


def tied(cast):
    """Return a vote that all have cast, and that ended in a tie before its close."""
    proposal = make_open_vote(cast, title="Publish it")
    for person, choice in zip(cast.members, ("yes", "no", "abstain"), strict=True):
        make_ballot(person, proposal, choice)
    assert close_vote(by=cast.clerk, proposal=proposal) is None
    return Proposal.objects.get(pk=proposal.pk)


@pytest.fixture
def cast_with_a_chair():
    return make_cast(charter=ruled(ProposalType.MOTION, vote={"tie_rule": "chair"}))


def test_a_tie_ends_the_vote_in_the_calendar_and_says_until_when_it_waits(
    client, cast_with_a_chair
):
    cast = cast_with_a_chair
    proposal = make_open_vote(cast)
    address = reverse("vote-calendar", args=[proposal.ref])
    assert len(events(client, address)) == 2
    proposal = tied(cast)
    contract = proposal.contract
    address = reverse("vote-calendar", args=[proposal.ref])
    opens, closes, tie = events(client, address)
    tied_at = contract.casting_until - timedelta(hours=contract.content["casting_hours"])
    assert closes.decoded("DTSTART").astimezone(UTC) == tied_at < contract.closes_at
    assert tie.decoded("DTSTART").astimezone(UTC) == contract.casting_until
    assert str(tie["SUMMARY"]) == f"Tie ends: {proposal.ref} Publish it"
    assert "can give the casting vote" in str(tie["DESCRIPTION"])
    assert [each["SEQUENCE"] for each in (opens, closes, tie)] == [0, 1, 0]
    assert (closes.walk("VALARM"), len(tie.walk("VALARM"))) == ([], 1)
    assert tie["LAST-MODIFIED"].dt == tied_at
    assert tie in events(client, reverse("body-calendar", args=[cast.body.slug]))


def test_a_reader_that_knows_the_calendar_is_told_of_a_tie(client, cast_with_a_chair):
    cast = cast_with_a_chair
    moment = database_now() + timedelta(hours=1)
    proposal = tied(cast)
    before = client.get(reverse("vote-calendar", args=[proposal.ref]))
    Contract.objects.filter(proposal=proposal).update(
        casting_until=moment + timedelta(hours=proposal.contract.content["casting_hours"])
    )
    later = client.get(
        reverse("vote-calendar", args=[proposal.ref]),
        headers={"if_modified_since": before["Last-Modified"]},
    )
    assert later.status_code == 200


def test_the_chairs_word_ends_the_tie_in_the_calendar_and_not_the_vote_again(
    client, cast_with_a_chair
):
    cast = cast_with_a_chair
    proposal = tied(cast)
    address = reverse("vote-calendar", args=[proposal.ref])
    before = events(client, address)
    decision = give_casting_vote(by=cast.chair, proposal=proposal, names=["yes"])
    opens, closes, tie = events(client, address)
    assert [each["UID"] for each in before] == [each["UID"] for each in (opens, closes, tie)]
    assert closes["DTSTART"].dt == before[1]["DTSTART"].dt
    assert tie.decoded("DTSTART").astimezone(UTC) == decision.decided_at
    assert (tie["SEQUENCE"], tie.walk("VALARM")) == (1, [])
    assert "was tied and waited" in str(tie["DESCRIPTION"])
    assert decision.voting_ended_at == closes.decoded("DTSTART")
    assert decision.is_early


def test_an_annulled_tie_is_cancelled_with_its_vote(client, cast_with_a_chair):
    cast = cast_with_a_chair
    proposal = tied(cast)
    annul_vote(by=cast.clerk, proposal=proposal, reason="A wrong text.")
    found = events(client, reverse("vote-calendar", args=[proposal.ref]))
    assert {each["STATUS"] for each in found} == {"CANCELLED"}
    # The close had moved once before.
    assert [each["SEQUENCE"] for each in found] == [1, 2, 1]


def test_a_bodys_page_says_when_its_votes_close_and_until_when_ties_wait(client, cast_with_a_chair):
    cast = cast_with_a_chair
    make_open_vote(cast)
    tied(cast)
    page = " ".join(client.get(reverse("body", args=[cast.body.slug])).content.decode().split())
    assert page.count('<span class="cell-note"> closes ') == 1
    assert page.count('<span class="cell-note"> tied; the chair decides until ') == 1


def test_a_vote_that_is_planned_is_in_the_calendar_and_keeps_its_ids_when_it_opens(client, cast):
    proposal = make_final_proposal(cast, title="Publish it")
    address = reverse("vote-calendar", args=[proposal.ref])
    assert client.get(address).status_code == 404
    first = timezone.now() + timedelta(days=2)
    schedule_vote(by=cast.clerk, proposal=proposal, opens_at=first)
    before = events(client, address)
    assert before == events(client, reverse("body-calendar", args=[cast.body.slug]))
    opens, closes = before
    assert opens.decoded("DTSTART").astimezone(UTC) == first.replace(microsecond=0)
    assert closes.decoded("DTSTART") - opens.decoded("DTSTART") == timedelta(hours=72)
    assert "Planned" in str(opens["DESCRIPTION"])
    ends = first + timedelta(days=5)
    schedule_vote(
        by=cast.clerk, proposal=proposal, opens_at=first + timedelta(hours=3), closes_at=ends
    )
    later = events(client, address)
    assert later[1].decoded("DTSTART").astimezone(UTC) == ends.replace(microsecond=0)
    open_vote(by=cast.clerk, proposal=proposal)
    after = events(client, address)
    assert [each["SEQUENCE"] for each in (opens, later[0], after[0])] == [0, 1, 2]
    for found in (later, after):
        assert [each["UID"] for each in found] == [each["UID"] for each in before]
    assert len(events(client, reverse("body-calendar", args=[cast.body.slug]))) == 2


def test_a_plan_that_was_given_up_is_in_no_calendar(client, cast):
    proposal = make_final_proposal(cast)
    schedule_vote(by=cast.clerk, proposal=proposal, opens_at=timezone.now() + timedelta(days=2))
    reopen_deliberation(by=cast.clerk, proposal=proposal)
    assert client.get(reverse("vote-calendar", args=[proposal.ref])).status_code == 404
    assert events(client, reverse("body-calendar", args=[cast.body.slug])) == []


def test_a_bodys_calendar_has_its_votes_and_no_others(client, cast):
    other = make_cast()
    mine = make_open_vote(cast, closes_at=timezone.now() + timedelta(days=20))
    make_open_vote(other)
    make_deliberated_proposal(cast)
    found = events(client, reverse("body-calendar", args=[cast.body.slug]))
    assert len(found) == 2
    assert all(mine.ref in str(each["SUMMARY"]) for each in found)
    answer = client.get(reverse("body-calendar", args=[cast.body.slug]))
    again = client.get(
        reverse("body-calendar", args=[cast.body.slug]), headers={"if_none_match": answer["ETag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize("address", ["/bodies/{}/feed.atom", "/bodies/{}/votes.ics"])
def test_a_body_without_acts_has_an_empty_one_and_no_body_has_none(client, cast, address):
    assert client.get(address.format(cast.body.slug)).status_code == 200
    assert client.get(address.format("nothing")).status_code == 404


def test_what_was_not_voted_on_has_no_calendar(client, cast):
    for ref in (make_deliberated_proposal(cast).ref, make_proposal(cast).ref, "1999-001"):
        assert client.get(reverse("vote-calendar", args=[ref])).status_code == 404
