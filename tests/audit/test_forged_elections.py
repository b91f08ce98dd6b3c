"""Votes by every method a charter may name: honest ones proven, forged ones refused.

The sheets come from the server's own counting; the verifier counts anew, sharing no code with it.
"""

import hashlib

import pytest

from oversight.ledger.commitment import commit
from proposals.tally import score, yes_no
from proposals.tally.casting import CastingVote
from proposals.tally.election import Election
from proposals.tally.lot import Lot
from proposals.tally.methods import METHODS
from proposals.tally.motion import Rules, Votes
from proposals.tally.quorum import Quorum, Turnout
from proposals.tally.score import ScoreElection
from tests.audit.conftest import program
from tests.audit.forge import CHARTER, CLERK, RULES, Forge

NAMES = ["Ann", "Ben", "Cat", "Dan"]
RANKINGS = [["Ann", "Ben"], ["Ann", "Cat"], ["Ben", "Cat"], ["Ben", "Ann"], ["Cat", "Ben"]]
SEED = "5eed" * 16


def charter(method, tie_rule="lot"):
    rules = RULES | {"method": method, "highest": 5}
    rules["vote"] = RULES["vote"] | {"tie_rule": tie_rule}
    return CHARTER | {"general_motion": rules}


class Poll(Forge):
    """An election, or a motion with a tie rule, with what the newer rules ask of the log."""

    def __init__(self, method, *, members=5, tie_rule="lot"):
        super().__init__(members, charter=charter(method, tie_rule))
        self.method, self.tie_rule = method, tie_rule
        self.ref = self.draft()

    def draft_text(self, ref):
        asked = {} if self.method == "yes-no" else {"options": NAMES, "seats": self.seats}
        return super().draft_text(ref) | asked

    @property
    def seats(self):
        return 1 if self.method in {"irv", "schulze", "plurality"} else 2

    def begin(self, **changes):
        extra = {"method": self.method, "rules": RULES["vote"] | {"tie_rule": self.tie_rule}}
        if self.method != "yes-no":
            extra |= {"options": NAMES, "seats": self.seats}
        if self.method == "score":
            extra["highest"] = 5
        subject = f"proposal:{self.ref}"
        if self.tie_rule == "lot":
            digest = f"sha256:{hashlib.sha256(SEED.encode()).hexdigest()}"
            extra["lot"] = {"commitment": digest}
            self.act("proposals.lot.committed", CLERK, subject, digests={"seed": digest})
        if self.tie_rule == "chair":
            extra |= {"chair": self.members[0], "casting_hours": 168}
        self.open(self.ref, **(extra | changes))
        self.tick()

    def vote_all(self):
        for n, member in enumerate(self.members):
            ranking = RANKINGS[n % len(RANKINGS)]
            if self.method == "score":
                points = {name: 5 - 2 * place for place, name in enumerate(ranking)}
                self.cast(member, points, field="scores")
            else:
                only = ranking[:1] if self.method == "plurality" else ranking
                self.cast(member, only, field="ranking")
        self.tick()

    def sheet(self):
        if self.method == "yes-no":
            return super().sheet()
        cast = list(self.vote["cast"].values())
        if self.method == "score":
            ballots = [(b["weight"], b["scores"]) for b in cast]
            election = ScoreElection.of(candidates=NAMES, highest=5, ballots=ballots, seats=2)
            found = score.count(election, Lot(SEED))
        else:
            ballots = [(b["weight"], b["ranking"]) for b in cast]
            election = Election.of(candidates=NAMES, ballots=ballots, seats=self.seats)
            found = METHODS[self.method](election, Lot(SEED))
        turnout = Turnout.of(cast=len(cast), roll=len(self.members))
        return found.under(Quorum.of("1/2").check(turnout)).as_json()

    def end(self, *, seed=SEED, **changes):
        digest = f"sha256:{hashlib.sha256(SEED.encode()).hexdigest()}"
        facts = {"seed": seed}
        subject = f"proposal:{self.ref}"
        self.act("proposals.lot.revealed", CLERK, subject, digests={"seed": digest}, facts=facts)
        self.decide(**({"lot_seed": seed} | changes))


ALL = sorted([*METHODS, "score"])


def contradictions(report):
    return " / ".join(c["says"] for c in report["checks"] if c["verdict"] == "contradicts")


@pytest.mark.parametrize("method", ALL)
def test_an_election_by_every_method_is_proven(verify, method):
    poll = Poll(method)
    poll.begin()
    poll.vote_all()
    poll.end()
    status, report = verify(poll.pack())
    assert (status, contradictions(report)) == (0, "")
    assert f"{method}, counted anew: elected" in str(report["checks"])


@pytest.mark.parametrize("method", ALL)
def test_another_winner_than_the_ballots_give_is_refused(verify, method):
    poll = Poll(method)
    poll.begin()
    poll.vote_all()
    sheet = poll.sheet()
    sheet["elected"] = ["Dan", *sheet["elected"][1:]]
    poll.end(sheet=sheet)
    status, report = verify(poll.pack())
    assert status == 1
    assert "sheet.elected.0" in contradictions(report)


def test_totals_moved_between_candidates_are_refused(verify):
    poll = Poll("scottish-stv")
    poll.begin()
    poll.vote_all()
    sheet = poll.sheet()
    sheet["stages"][0]["totals"]["Dan"] = "1.00000"
    poll.end(sheet=sheet)
    status, report = verify(poll.pack())
    assert status == 1
    assert "sheet.stages.0.totals.Dan" in contradictions(report)


def test_a_lot_with_another_seed_than_the_one_committed_to_is_refused(verify):
    poll = Poll("irv")
    poll.begin()
    poll.vote_all()
    poll.end(seed="a luckier one")
    status, report = verify(poll.pack())
    assert status == 1
    assert "what the seed was committed to as" in contradictions(report)


def test_a_lot_that_the_contract_does_not_bind_is_refused(verify):
    poll = Poll("irv")
    poll.begin(lot={"commitment": "sha256:" + "0" * 64})
    poll.vote_all()
    poll.end()
    status, report = verify(poll.pack())
    assert status == 1
    assert "the lot is sha256:0000" in contradictions(report)


def tied_motion():
    poll = Poll("yes-no", members=4, tie_rule="chair")
    chair = poll.members[0]
    old = f'"member":"{chair}","person":"person:000000","role":"member"'.encode()
    new = old.replace(b'"role":"member"', b'"role":"chair"')
    poll.entries = [entry.replace(old, new) for entry in poll.entries]
    half = {"threshold": "2/3"}
    poll.begin(rules=RULES["vote"] | {"tie_rule": "chair"} | half)
    return poll, chair


@pytest.mark.parametrize("says", ["yes", "no"])
def test_the_chairs_casting_vote_decides_only_a_tie(verify, says):
    """Two thirds of yes and no can never be tied at one half: the casting vote changes nothing."""
    poll, chair = tied_motion()
    for member, choice in zip(poll.members, ("yes", "yes", "no", "no"), strict=True):
        poll.cast(member, choice)
    poll.tick()
    subject, contract = f"proposal:{poll.ref}", {"contract": poll.vote["digest"]}
    facts = {"casting_until": "2026-03-20T00:00:00Z"}
    poll.act("proposals.vote.tied", CLERK, subject, digests=contract, facts=facts)
    committed = commit({"casting_vote": [says]}, bytes(32))
    commits = {"choice": committed.digest}
    poll.act("proposals.casting.given", chair, subject, digests=contract, commits=commits)
    poll.tick()
    given = {"member": chair, "names": [says], "leaf": "x", "salt": bytes(32).hex()}
    poll.decide(casting_vote=given)
    status, report = verify(poll.pack())
    assert (status, contradictions(report)) == (0, "")
    poll.documents[f"decisions/{poll.ref}/record.json"] = b"{}"
    assert verify(poll.pack())[0] == 1


@pytest.mark.parametrize("says", ["yes", "no"])
def test_a_tie_falls_to_the_chair_as_the_server_counts_it(says):
    rules = Rules.of(threshold="1/2", tie_rule="chair")
    sheet = yes_no.count(rules, Votes.of(yes=2, no=2, roll=4), casting_vote=says).as_json()
    ballots = [{"choice": c, "weight": 2} for c in ("yes", "no")]
    draw = program.order_of([says, "yes", "no"])
    own = program.count_motion(rules.as_json(), ballots, 4, (2, 2, 0), draw)
    program.matches(sheet, own, "sheet")


@pytest.mark.parametrize("method", sorted(METHODS))
def test_the_chairs_order_breaks_ties_as_the_server_does_it(method):
    order = ["Dan", "Cat", "Ben", "Ann"]
    ballots = [(1, [name]) for name in NAMES]
    election = Election.of(candidates=NAMES, ballots=ballots, seats=1)
    sheet = METHODS[method](election, CastingVote(tuple(order))).as_json()
    papers = [program.read_ranks({"weight": w, "ranking": r}) for w, r in ballots]
    own = program.METHODS[method](NAMES, 1, papers, program.order_of(order))
    program.matches(sheet, own, "sheet")


def test_who_is_named_as_the_chair_must_be_the_chair(verify):
    poll, _ = tied_motion()
    poll.entries = [e.replace(b'"role":"chair"', b'"role":"member"') for e in poll.entries]
    for member in poll.members:
        poll.cast(member, "yes")
    poll.tick()
    poll.decide()
    status, report = verify(poll.pack())
    assert status == 1
    assert "is named as the chair and is not" in contradictions(report)


def test_a_secret_vote_is_not_called_proven(verify):
    secret = charter("irv")
    secret["general_motion"] = secret["general_motion"] | {"secrecy": "secret"}
    poll = Poll.__new__(Poll)
    Forge.__init__(poll, 5, charter=secret)
    poll.method, poll.tie_rule = "irv", "lot"
    poll.ref = poll.draft()
    poll.begin(secrecy="secret")
    poll.vote_all()
    shown = [{"ranking": b["ranking"], "weight": b["weight"]} for b in poll.vote["cast"].values()]
    poll.end(ballots=shown, sheet=poll.sheet())
    status, report = verify(poll.pack())
    assert (status, contradictions(report)) == (2, "")
    assert "the vote is secret" in str(report["checks"])
