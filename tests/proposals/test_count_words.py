"""The lines of a count in the reader's language, and that none of any method is left out."""

from collections import Counter

import pytest
from django.conf import settings
from django.utils.translation import override
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from proposals.count_words import in_language
from proposals.shown_sheet import ShownSheet, result_words
from proposals.tally import consent, score, yes_no
from proposals.tally.casting import CastingVote
from proposals.tally.consent import ConsentBallot, Stance
from proposals.tally.election import Election
from proposals.tally.lot import Lot
from proposals.tally.methods import METHODS
from proposals.tally.motion import Base, Comparison, Rules, Votes
from proposals.tally.quorum import Quorum, QuorumBase, Turnout
from proposals.tally.score import ScoreElection
from proposals.tally.sheet import TieRule
from tests.proposals.tally.strategies import NAMES, elections, weights

few = hypothesis_settings(max_examples=60, deadline=None)
deciders = st.sampled_from([None, Lot("seed"), CastingVote(NAMES), CastingVote(NAMES[:2])])
halves = st.sampled_from(["1/2", "2/3", "1/3"])


def recorded(sheet):
    """Return every line of a sheet that a page shows."""
    if "words" in sheet:
        return sheet["words"]
    ties = [tie["words"] for tie in sheet["ties"]]
    return [*sheet["notes"], *ties, *(stage["act"] for stage in sheet["stages"])]


def assert_translated(sheet):
    with override("ar-xb"):
        said = in_language(sheet)
    for line in recorded(sheet):
        assert said.get(line, "").startswith("["), line
    with override("en"):
        assert in_language(sheet) == {}
        assert not any("[" in line for line in ShownSheet.of(sheet).words)


@few
@given(elections(max_candidates=4), st.sampled_from(sorted(METHODS)), deciders)
@example(Election.of(candidates="AB", ballots=[(1, ["A"]), (1, ["B"])]), "irv", None)
def test_every_line_of_an_election_is_translated(election, method, decider):
    sheet = METHODS[method](election, decider)
    quorum = Quorum.of("1/2").check(Turnout.of(cast=1, roll=9))
    assert_translated(sheet.as_json())
    assert_translated(sheet.under(quorum).as_json())


@few
@given(
    st.lists(st.tuples(weights, st.dictionaries(st.sampled_from(NAMES[:3]), st.integers(0, 3)))),
    st.integers(1, 2),
    deciders,
)
def test_every_line_of_a_vote_by_points_is_translated(ballots, seats, decider):
    election = ScoreElection.of(candidates=NAMES[:3], highest=3, ballots=ballots, seats=seats)
    assert_translated(score.count(election, decider).as_json())


@few
@given(st.lists(st.tuples(st.sampled_from(Stance), weights, st.booleans()), max_size=5), halves)
def test_every_line_of_a_vote_by_consent_is_translated(given_ballots, quorum):
    ballots = [
        ConsentBallot(stance, weight, "It harms." if has and stance == "object" else "")
        for stance, weight, has in given_ballots
    ]
    for asked in (Quorum(), Quorum.of(quorum)):
        assert_translated(consent.count(ballots, roll=60, quorum=asked).as_json())


@few
@given(
    st.tuples(*[st.integers(0, 3)] * 3),
    halves,
    st.sampled_from(Base),
    st.sampled_from(Comparison),
    st.sampled_from(TieRule),
    st.sampled_from(QuorumBase),
)
@example((1, 1, 0), "1/2", Base.YES_AND_NO, Comparison.MORE_THAN, TieRule.CHAIR, QuorumBase.ROLL)
@example((1, 1, 0), "1/2", Base.YES_AND_NO, Comparison.MORE_THAN, TieRule.LOT, QuorumBase.MEMBERS)
def test_every_line_of_a_motion_is_translated(cast, share, base, comparison, tie, quorum_base):
    yes, no, abstain = cast
    votes = Votes.of(yes=yes, no=no, abstain=abstain, roll=9, recused=1, voters=2, members=4)
    for quorum in (0, share):
        rules = Rules.of(
            threshold=share,
            base=base,
            comparison=comparison,
            quorum=quorum,
            quorum_base=quorum_base,
            tie_rule=tie,
        )
        assert_translated(yes_no.count(rules, votes, lot_seed="it's drawn").as_json())
        assert_translated(yes_no.count(rules, votes).as_json())
        if tie is TieRule.CHAIR:
            assert_translated(yes_no.count(rules, votes, casting_vote="no").as_json())


TIED = Election.of(
    candidates=["Ada", "Bo", "Cy, who runs"],
    ballots=[("2.5", ["Ada"]), ("2.5", ["Bo"]), (1, ["Cy, who runs"])],
)


IN_ENGLISH = (
    "Stage 2: Ada and Bo are tied; Ada and Bo were equal at every stage and no lot may be drawn.",
    "Chosen: nobody.",
)
IN_GERMAN = (
    (
        "Stufe 2: Gleichstand von Ada und Bo; Ada und Bo waren auf jeder Stufe gleich, und es darf "
        "nicht gelost werden."
    ),
    "Bestimmt: niemand.",
)


@pytest.mark.parametrize(
    ("language", "lines", "votes"), [("en", IN_ENGLISH, "2.5"), ("de", IN_GERMAN, "2,5")]
)
def test_a_page_has_figures_and_names_as_its_language_writes_them(language, lines, votes):
    sheet = METHODS["irv"](TIED, None).as_json()
    with override(language):
        shown = ShownSheet.of(sheet)
    assert shown.words[-2:] == lines
    assert [row.cells[0] for row in shown.rows] == [votes, votes, "1"]


def test_a_line_that_is_none_of_ours_stays_as_it_was_recorded():
    sheet = METHODS["plurality"](TIED, None).as_json()
    sheet["notes"] = ["Counted twice, by hand."]
    with override("fr"):
        assert "Counted twice, by hand." in ShownSheet.of(sheet).words


def test_what_a_program_reads_is_the_recorded_line_whatever_language_is_spoken():
    with override("de"):
        sheet = METHODS["irv"](TIED, None).as_json()
    assert sheet["ties"][0]["words"].startswith("Ada and Bo are tied;")


def test_the_result_in_a_few_words_has_its_names_as_the_language_lists_them():
    sheet = METHODS["approval"](TIED, Lot("seed")).as_json()
    sheet["elected"] = ["Ada", "Bo"]
    said = Counter()
    for language, _name in settings.LANGUAGES:
        with override(language):
            said[result_words(sheet)] += 1
    assert {"Ada and Bo", "Ada et Bo", "Ada und Bo"} <= set(said)
