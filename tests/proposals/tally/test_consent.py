"""Consent: one reasoned objection stops a motion, an unreasoned one does not, silence neither."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proposals.tally import consent
from proposals.tally.consent import ConsentBallot, Stance
from proposals.tally.errors import InputError
from proposals.tally.quorum import Quorum
from tests.proposals.tally.strategies import weights

YES = ConsentBallot.of("consent")
OBJECTION = ConsentBallot.of("object", reason="It was never tested at night.", by="member:7")
BARE = ConsentBallot.of("object")
STOPPED = "one that stands is enough, so the motion is stopped"
ABSTAIN = ConsentBallot.of("abstain")


@pytest.mark.parametrize(
    ("ballots", "quorum", "expected"),
    [
        ([YES], 0, "carried"),
        ([YES, ABSTAIN, ABSTAIN], 0, "carried"),
        ([YES, BARE], 0, "carried"),
        ([YES, ConsentBallot.of("object", reason=" \n\t")], 0, "carried"),
        ([YES] * 9 + [OBJECTION], 0, "not_carried"),
        ([YES, ConsentBallot.of("object", "1/8", reason="No.")], 0, "not_carried"),
        ([ABSTAIN, ABSTAIN], 0, "not_carried"),
        ([BARE], 0, "not_carried"),
        ([], 0, "not_carried"),
        ([YES, ABSTAIN], "1/5", "carried"),
        ([YES, BARE, ABSTAIN], "3/10", "carried"),
        ([YES], "1/5", "no_quorum"),
        ([OBJECTION], "1/5", "no_quorum"),
    ],
)
def test_a_motion_passes_unless_a_reasoned_objection_stands(ballots, quorum, expected):
    sheet = consent.count(ballots, roll=10, quorum=Quorum.of(quorum))
    assert sheet.outcome.value == expected


def test_the_sheet_says_who_objected_why_and_whether_it_stands():
    sheet = consent.count([YES, BARE, OBJECTION], roll=5, quorum=Quorum.of("1/2"))
    assert sheet.as_json() == {
        "method": "consent",
        "votes": {"consent": "1", "abstain": "0", "object": "2", "cast": "3", "roll": "5"},
        "quorum": {
            "fraction": "1/2",
            "base": "roll",
            "whole": "5",
            "needed": "2.5",
            "present": "3",
            "met": True,
        },
        "objections": [
            {"by": "", "weight": "1", "reason": "", "stands": False},
            {"by": "member:7", "weight": "1", "reason": OBJECTION.reason, "stands": True},
        ],
        "standing": 1,
        "outcome": "not_carried",
        "words": [
            "Cast: 1 consent + 0 abstain + 2 object = 3, of a roll of 5.",
            "Quorum: at least 1/2 of the roll: 1/2 × 5 = 2.5; 3 were cast, so the quorum is met.",
            f"Objections: 2 made, 1 with a reason; {STOPPED}.",
            "Outcome: not carried.",
        ],
    }
    assert json.loads(json.dumps(sheet.as_json())) == sheet.as_json()


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("choice", lambda: ConsentBallot.of("veto")),
        ("weight", lambda: ConsentBallot.of("consent", -1)),
        ("weight", lambda: ConsentBallot.of("consent", 0.5)),
        ("reason", lambda: ConsentBallot.of("consent", reason="I like it")),
        ("reason", lambda: ConsentBallot.of("object", reason="x" * 10_001)),
        ("roll", lambda: consent.count([YES, YES], roll=1)),
        ("roll", lambda: consent.count([], roll=0)),
        ("members", lambda: consent.count([YES], roll=1, quorum=Quorum.of("1/2", "members"))),
    ],
)
def test_an_input_that_makes_no_sense_is_refused_by_the_name_of_its_field(field, make):
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.field == field


@st.composite
def ballots(draw):
    stance = draw(st.sampled_from(Stance))
    reason = draw(st.sampled_from(["", " ", "Because."])) if stance is Stance.OBJECT else ""
    return ConsentBallot(stance, draw(weights), reason)


@settings(deadline=None)
@given(st.lists(ballots(), max_size=8), st.data())
def test_the_order_of_ballots_changes_nothing_and_every_vote_is_on_the_sheet(given_ballots, data):
    sheet = consent.count(given_ballots, roll=1000, quorum=Quorum.of("1/500"))
    moved = data.draw(st.permutations(given_ballots))
    assert consent.count(moved, roll=1000, quorum=Quorum.of("1/500")) == sheet
    assert sheet.consent + sheet.abstain + sheet.object == sum(b.weight for b in given_ballots)


@settings(deadline=None)
@given(st.lists(ballots(), max_size=8))
def test_a_further_objection_never_carries_and_a_further_consent_never_stops(given_ballots):
    before = consent.count(given_ballots, roll=1000).outcome
    assert consent.count([*given_ballots, OBJECTION], roll=1000).outcome == "not_carried"
    if before == "carried":
        assert consent.count([*given_ballots, YES], roll=1000).outcome == "carried"
