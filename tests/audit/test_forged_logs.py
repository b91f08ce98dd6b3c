"""Whoever holds the log's key can sign anything; the replay names what does not follow.

Every log here is consistent: its tree, its signature, its digests and its manifest all fit.
"""

from datetime import timedelta

import pytest

from proposals.tally.motion import Rules, Votes
from proposals.tally.yes_no import count as yes_no_count
from tests.audit.forge import BODY, CHARTER, CLERK, RULES, Forge


@pytest.fixture
def forge():
    """A body of five, and a motion that has its final text."""
    made = Forge(5)
    made.ref = made.draft()
    return made


def open_vote(forge, **changes):
    forge.open(forge.ref, **changes)
    forge.tick()


def refused(verify, forge, *words, check=None, **pack):
    """The replay must contradict, and say where."""
    status, report = verify(forge.pack(**pack))
    found = [c for c in report["checks"] if c["verdict"] == "contradicts"]
    assert (status, report["verdict"]) == (1, "contradicted")
    says = " / ".join(c["says"] for c in found if check in (None, c["check"]))
    for word in words:
        assert word in says, says or found


def last(forge):
    """The place of the newest entry, as the verifier writes it."""
    return f"entry {len(forge.entries) - 1}"


def votes(forge, *choices):
    for member, choice in zip(forge.members, choices, strict=False):
        forge.cast(member, choice)
    forge.tick()


def test_an_honest_log_is_proven(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "no", "yes", "yes", "abstain")
    forge.cast(forge.members[1], "yes")
    forge.decide()
    forge.motion(["no"] * 5)
    status, report = verify(forge.pack())
    assert (status, report["verdict"]) == (0, "proven")
    assert {c["verdict"] for c in report["checks"]} == {"proven", "note"}


# -- Ballots


def test_a_late_ballot_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "no", "no")
    forge.tick(hours=24)
    forge.cast(forge.members[4], "yes")
    place = last(forge)
    forge.decide()
    refused(verify, forge, place, "the ballot is late", check="ballots")


def test_a_ballot_dated_back_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "no", "no")
    early = forge.now
    forge.tick(hours=24)
    forge.act("proposals.comment.hidden", CLERK, f"proposal:{forge.ref}", facts={"comment": "x"})
    forge.cast(forge.members[4], "yes", at=early)
    place = last(forge)
    forge.decide()
    refused(verify, forge, place, "long before entries that it follows", check="entries")


def test_a_ballot_after_the_decision_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "yes", "no", "no")
    forge.decide()
    forge.cast(forge.members[4], "yes")
    refused(verify, forge, last(forge), "decided", check="ballots")


def test_a_ballot_from_outside_the_roll_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "no", "no", "no")
    sheet = forge.sheet()
    forge.cast("member:stranger", "yes")
    place = last(forge)
    forge.decide(sheet=sheet)
    refused(verify, forge, place, "member:stranger is not on the roll", check="ballots")


def test_a_doubled_ballot_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "yes", "no", "no")
    forge.entries.append(forge.entries[-1])
    place = last(forge)
    forge.decide()
    refused(verify, forge, place, "the number of the ballot of member:000004")


def test_a_ballot_counted_twice_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "no", "no", "no")
    sheet = forge.sheet()
    forge.vote["cast"]["again"] = forge.vote["cast"]["member:000000"]
    forge.decide(sheet=sheet)
    refused(verify, forge, "member:000000 has two counted ballots", check="ballots")


def test_a_ballot_left_out_of_the_count_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "yes", "no", "no")
    del forge.vote["cast"]["member:000003"]
    forge.decide()
    refused(verify, forge, "the ballot of member:000003 was left out", check="ballots")


def test_an_earlier_ballot_of_a_member_counted_in_place_of_the_last_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "yes", "no", "no")
    first = forge.vote["cast"]["member:000000"]
    forge.cast("member:000000", "no")
    place = last(forge)
    forge.vote["cast"]["member:000000"] = first
    forge.decide()
    refused(verify, forge, f"the ballot of member:000000 ({place})", check="ballots")


def test_a_ballot_opened_as_another_choice_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "no", "no", "no")
    forge.vote["cast"]["member:000004"]["choice"] = "yes"
    place = last(forge)
    forge.decide()
    refused(
        verify,
        forge,
        f'member:000004 ({place}) does not open as {{"choice": "yes"}}',
        check="ballots",
    )


def test_a_ballot_with_another_weight_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "no", "no", "no")
    sheet = forge.sheet() | {"outcome": "carried"}
    forge.vote["cast"]["member:000000"]["weight"] = 3
    forge.decide(sheet=sheet)
    refused(verify, forge, "the weight of the ballot of member:000000", check="ballots")


def test_a_ballot_under_another_contract_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "yes", "no")
    forge.cast("member:000004", "yes", contract="sha256:" + "0" * 64)
    forge.decide()
    refused(verify, forge, "the contract that the ballot names", check="ballots")


# -- The count


def test_a_wrong_tally_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "no", "no", "no")
    sheet = forge.sheet()
    sheet["votes"] |= {"yes": "4", "no": "1"}
    forge.decide(sheet=sheet)
    refused(verify, forge, 'sheet.votes.yes is "4", but it must be "2"', check="count")


def test_an_outcome_that_the_votes_do_not_give_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "no", "no", "no")
    sheet = forge.sheet() | {"outcome": "carried"}
    forge.decide(sheet=sheet)
    refused(verify, forge, "the outcome on the log is carried", check="count")


def test_a_threshold_said_to_be_met_is_recomputed(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "yes", "no", "no")
    sheet = forge.sheet()
    sheet["threshold"]["met"] = True
    forge.decide(sheet=sheet)
    refused(verify, forge, "sheet.threshold.met", check="count")


def test_a_missed_quorum_cannot_be_called_met(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes")
    forge.tick(hours=24)
    sheet = forge.sheet()
    assert sheet["outcome"] == "no_quorum"
    sheet["quorum"]["met"], sheet["outcome"] = True, "carried"
    forge.decide(sheet=sheet)
    refused(verify, forge, "the outcome on the log is carried, but it must be no_quorum")


def test_a_vote_closed_early_without_all_members_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "yes", "no")
    forge.decide()
    refused(verify, forge, "member:000004 had not voted", check="close")


def test_another_outcome_on_the_log_than_in_the_record_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, "yes", "yes", "yes", "yes", "no")
    forge.decide(outcome="not_carried", sheet=forge.sheet())
    refused(verify, forge, "the outcome on the log is not_carried")


# -- Contract, roll, charter, stages


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"rules": {**RULES["vote"], "threshold": "1/2"}}, "the rules of the vote"),
        ({"rules": {**RULES["vote"], "quorum": "0"}}, "the rules of the vote"),
        ({"override": True}, "the override"),
        ({"sunset_days": 1}, "sunset_days"),
        ({"secrecy": "secret"}, "secrecy"),
        ({"method": "irv"}, "the method"),
        ({"time_zone": "UTC"}, "the time zone"),
        ({"charter": {"number": 2, "digest": "sha256:" + "1" * 64}}, "the charter in force"),
        ({"text": {"revision": 1, "digest": "sha256:" + "1" * 64}}, "the revision"),
        ({"options": ["yes", "no"]}, "the options"),
        ({"proposal": "2026-099"}, "the proposal"),
        ({"criteria": [{"task": "facts"}]}, "the number of criteria"),
    ],
)
def test_a_contract_that_is_not_what_the_charter_and_the_log_say_is_refused(
    verify, forge, changes, word
):
    open_vote(forge, **changes)
    votes(forge, *["yes"] * 5)
    forge.decide(sheet=forge.sheet())
    refused(verify, forge, word)


def test_a_roll_with_a_stranger_is_refused(verify, forge):
    roll = forge.contract(forge.ref)["roll"] + [{"member": "member:friend", "weight": 1}]
    open_vote(forge, roll=roll)
    forge.members.append("member:friend")
    votes(forge, *["yes"] * 6)
    forge.decide()
    refused(verify, forge, "member:friend is on the roll and was not in term", check="roll")


def test_a_roll_without_a_member_is_refused(verify, forge):
    open_vote(forge, roll=forge.contract(forge.ref)["roll"][:-1])
    votes(forge, *["yes"] * 4)
    forge.decide()
    refused(verify, forge, "member:000004 was in term and is not on the roll", check="roll")


def test_a_roll_with_other_weights_is_refused(verify, forge):
    roll = forge.contract(forge.ref)["roll"]
    roll[2]["weight"] = 40
    open_vote(forge, roll=roll)
    votes(forge, *["yes"] * 5)
    forge.decide()
    refused(verify, forge, "the weight of member:000002", check="roll")


def test_a_member_whose_term_had_ended_is_not_entitled(verify, forge):
    forge.act(
        "accounts.membership.ended",
        "person:admin",
        f"body:{BODY}",
        facts={"member": "member:000001", "ends_at": forge.now.strftime("%Y-%m-%dT%H:%M:%SZ")},
    )
    open_vote(forge)
    votes(forge, *["yes"] * 5)
    forge.decide()
    refused(verify, forge, "member:000001 is on the roll and was not in term", check="roll")


def test_a_member_appointed_after_the_opening_is_not_entitled(verify, forge):
    open_vote(forge)
    forge.appoint("member:late", "person:late")
    votes(forge, *["yes"] * 5)
    sheet = forge.sheet()
    forge.cast("member:late", "yes")
    forge.decide(sheet=sheet)
    refused(verify, forge, "member:late is not on the roll", check="ballots")


def test_a_deliberation_cut_short_is_refused(verify):
    forge = Forge(3)
    forge.open(forge.draft(deliberation=timedelta(hours=1)))
    refused(verify, forge, "deliberation lasts until", check="proposals")


def test_a_notice_cut_short_is_refused(verify, forge):
    open_vote(forge, notice=timedelta(minutes=59))
    refused(verify, forge, "the notice of the final text ran until", check="periods")


def test_a_vote_opened_by_somebody_else_than_a_clerk_is_refused(verify, forge):
    forge.now += timedelta(hours=1)
    forge.move(forge.ref, "final_text", "voting", "person:000001")
    refused(verify, forge, "person:000001 may not move 2026-001", check="proposals")


def test_a_stage_left_out_is_refused(verify):
    forge = Forge(3)
    ref = forge.draft()
    forge.move(ref, "final_text", "decided")
    refused(verify, forge, "no move leads from final_text to decided", check="proposals")


def test_a_text_changed_after_it_was_final_is_refused(verify, forge):
    digest = forge.keep(f"proposals/{forge.ref}/text-2.json", {"title": "Other"})
    forge.act(
        "proposals.text.revised",
        "person:000000",
        f"proposal:{forge.ref}",
        digests={"text": digest},
        facts={"number": 2},
    )
    refused(verify, forge, "it is in final_text", check="texts")


def test_a_second_vote_on_the_same_proposal_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, *["no"] * 5)
    forge.decide()
    forge.move(forge.ref, "decided", "voting")
    refused(verify, forge, "no move leads from decided to voting", check="proposals")


def test_an_ended_vote_without_decision_is_refused(verify, forge):
    open_vote(forge)
    votes(forge, *["yes"] * 5)
    forge.move(forge.ref, "voting", "decided")
    refused(verify, forge, "ended and no decision is on the log", check="decided")


def test_a_charter_that_skips_a_number_is_refused(verify, forge):
    digest = forge.keep(f"bodies/{BODY}/charter-3.json", {})
    forge.act(
        "proposals.charter.adopted",
        "person:admin",
        f"body:{BODY}",
        digests={"charter": digest},
        facts={"number": 3},
    )
    refused(verify, forge, "the charter's number is 3, but it must be 2", check="charters")


# -- What may be in service


def test_an_authorisation_without_a_decision_is_refused(verify, forge):
    version = "sha256:" + "ab" * 32
    forge.act(
        "registry.authorisation.granted",
        "decision:2026-001",
        "authorisation:2026-001",
        digests={"version": version},
        facts={"deployment": "helpdesk", "starts_at": "2026-03-02T09:00:00Z", "ends_at": None},
    )
    refused(verify, forge, "acts on decision 2026-001, which was never carried", check="decided")


def test_an_authorisation_granted_by_a_person_is_refused(verify, forge):
    forge.act(
        "registry.authorisation.granted",
        "person:admin",
        "authorisation:2026-001",
        digests={"version": "sha256:" + "ab" * 32},
        facts={"deployment": "helpdesk", "starts_at": "2026-03-02T09:00:00Z", "ends_at": None},
    )
    refused(verify, forge, "person:admin is no decision", check="in force")


# -- What the verifier does not know


def test_an_act_of_an_unknown_kind_is_not_called_proven(verify, forge):
    forge.act("proposals.oracle.asked", "member:000001", f"proposal:{forge.ref}")
    status, report = verify(forge.pack())
    assert (status, report["verdict"]) == (2, "incomplete")
    assert "proposals.oracle.asked" in str(report["checks"])


def test_a_method_that_the_program_does_not_know_is_not_called_proven(verify):
    forge = Forge(3, charter=CHARTER | {"general_motion": RULES | {"method": "acclaim"}})
    forge.open(forge.draft(), method="acclaim")
    votes(forge, *["yes"] * 3)
    forge.decide()
    status, report = verify(forge.pack())
    assert (status, report["verdict"]) == (2, "incomplete")
    assert "'acclaim' is not known" in str(report["checks"])


# -- Recusals and delegations


def rules_with(**more):
    return CHARTER | {"general_motion": RULES | more}


def delegate(forge, giver, to):
    forge.act("proposals.delegation.given", giver, f"body:{BODY}", facts={"to": to})


def delegating():
    """Five members; 3 delegates to 2, and 4 to 3."""
    forge = Forge(5, charter=rules_with(delegation="transitive"))
    forge.ref = forge.draft()
    one, two, three = forge.members[2:]
    delegate(forge, two, one)
    delegate(forge, three, two)
    rows = [{"from": two, "to": one}, {"from": three, "to": two}]
    return forge, {"delegation": "transitive", "delegations": rows}


def carrying(forge):
    """Count as delegations ask for: member 2 carries members 3 and 4."""
    rows = [{"member": member, "weight": 1} for member in forge.members[3:]]
    forge.vote["cast"]["member:000002"]["carries"] = rows
    votes_cast = Votes.of(yes=4, no=1, roll=5)
    return yes_no_count(Rules.of(**RULES["vote"]), votes_cast).as_json()


def test_delegated_votes_are_carried_along_their_chains(verify):
    forge, delegations = delegating()
    open_vote(forge, **delegations)
    votes(forge, "yes", "no", "yes")
    forge.tick(hours=24)
    forge.decide(sheet=carrying(forge))
    status, report = verify(forge.pack())
    assert (status, report["verdict"]) == (0, "proven"), report
    assert "4 yes, 1 no" in str(report["checks"])


def test_a_delegation_left_out_of_the_contract_is_refused(verify):
    forge, delegations = delegating()
    open_vote(forge, **delegations | {"delegations": delegations["delegations"][:1]})
    refused(verify, forge, "the delegations", check="roll")


def test_a_delegation_that_was_taken_back_carries_nothing(verify):
    forge, delegations = delegating()
    open_vote(forge, **delegations)
    votes(forge, "yes", "no", "yes")
    giver, to = forge.members[3], forge.members[2]
    forge.act("proposals.delegation.revoked", giver, f"body:{BODY}", facts={"to": to})
    forge.tick(hours=24)
    forge.decide(sheet=carrying(forge))
    refused(verify, forge, "whose votes the ballot of member:000002 carries", check="ballots")


def test_a_ballot_of_ones_own_overrides_a_delegation(verify):
    forge, delegations = delegating()
    open_vote(forge, **delegations)
    votes(forge, "yes", "no", "yes", "no")
    forge.tick(hours=24)
    forge.decide(sheet=carrying(forge))
    refused(verify, forge, "whose votes the ballot of member:000002 carries", check="ballots")


def test_delegations_in_a_circle_are_refused(verify):
    forge, _ = delegating()
    delegate(forge, forge.members[2], forge.members[4])
    refused(verify, forge, last(forge), "go in a circle", check="people")


def recusing(**more):
    forge = Forge(5, charter=rules_with(recusal="declared", **more))
    forge.ref = forge.draft()
    commits = {"reason": "sha256:" + "1" * 64}
    subject = f"proposal:{forge.ref}"
    forge.act("proposals.conflict.declared", forge.members[4], subject, commits=commits)
    return forge


def test_who_declared_a_conflict_is_off_the_roll(verify):
    forge = recusing()
    gone = forge.members.pop()
    forge.weights.pop()
    open_vote(forge, recusals=[{"member": gone, "weight": 1}])
    votes(forge, "yes", "yes", "yes", "no")
    forge.decide()
    status, report = verify(forge.pack())
    assert (status, report["verdict"]) == (0, "proven")
    assert "1 recused" in str(report["checks"])


def test_who_declared_a_conflict_and_stays_on_the_roll_is_refused(verify):
    forge = recusing()
    open_vote(forge)
    refused(verify, forge, "who is recused", check="roll")


def test_a_recusal_that_nobody_declared_is_refused(verify, forge):
    gone = forge.members.pop()
    forge.weights.pop()
    open_vote(forge, recusals=[{"member": gone, "weight": 1}])
    refused(verify, forge, "who is recused", check="roll")


# -- The one key


def test_a_log_signed_by_another_key_fails_the_policy_that_the_auditor_keeps(
    verify, forge, tmp_path
):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from oversight.ledger import note
    from tests.audit.forge import LOG_KEY, ORIGIN

    policy = tmp_path / "mine"
    policy.write_text(f"# kept since March\nlog {LOG_KEY.verifier.format()}\nquorum none\n")
    assert verify(forge.pack(), "--policy", str(policy))[0] == 0
    other = note.SigningKey(ORIGIN, Ed25519PrivateKey.generate())
    data = forge.pack(key=other)
    assert verify(data)[0] == 0, "with the bundle's own policy nobody can tell"
    status, report = verify(data, "--policy", str(policy))
    assert status == 1
    assert "no key that the policy trusts has signed" in str(report["checks"])
