"""Amendments: another wording asked for, shown, followed, answered; and what happens at once."""

import contextlib
import threading

import pytest
from django.db import connection

from oversight.accounts.models import Notice
from oversight.ledger.models import Opening, PendingLeaf
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.models import Amendment, Revision
from proposals.services import amendments, drafting, stages
from tests.factories import (
    make_amendment,
    make_cast,
    make_deliberated_proposal,
    make_proposal,
)

pytestmark = pytest.mark.django_db

TEXT = """The operator must log every request for twelve months.

A person takes over when the caller asks for one.

The council looks at the outages every quarter.
"""


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def proposal(cast):
    return make_deliberated_proposal(cast, text=TEXT)


def amend(cast, proposal, old, new, **fields):
    return make_amendment(cast.second_member, proposal, old, new, **fields)


def revise(cast, proposal, text):
    base = proposal.text
    return drafting.revise_text(
        by=cast.member,
        proposal=proposal,
        title=base.title,
        summary=base.summary,
        text=text,
        base_number=base.number,
    )


def leaves(kind):
    return [leaf.content for leaf in PendingLeaf.objects.filter(type=f"proposals.{kind}")]


def test_an_amendment_is_its_words_and_goes_on_the_record(cast, proposal):
    amendment = amend(cast, proposal, "twelve", "six")
    assert [(row["passage"], row["text"]) for row in amendment.edits] == [("twelve", "six")]
    assert amendment.text == TEXT.replace("twelve", "six")
    (leaf,) = leaves("amendment.made")
    assert leaf["actor"] == cast.second_member.actor
    assert leaf["facts"] == {"number": 1, "version": 1}
    assert leaf["digests"] == {
        "amendment": amendment.versions.get().digest,
        "base": proposal.text.digest,
    }
    opening = Opening.objects.get(leaf_id=amendment.leaf_id)
    assert opening.value == {"reason": amendment.reason}
    assert amendment.reason not in str(leaf)
    notice = Notice.objects.get(person=cast.member, kind="amendment")
    assert notice.path == amendment.get_absolute_url()


def test_sending_the_same_amendment_again_makes_no_second_one(cast, proposal):
    assert amend(cast, proposal, "twelve", "six") == amend(cast, proposal, "twelve", "six")
    assert amend(cast, proposal, "twelve", "two").number == 2
    assert len(leaves("amendment.made")) == 2


def test_who_has_no_vote_in_the_body_does_not_amend(cast, proposal):
    for person in (cast.clerk, cast.outsider, cast.administrator, cast.auditor):
        with pytest.raises(NotAllowed):
            make_amendment(person, proposal, "twelve", "six")


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        (TEXT, "Better.", "Nothing is changed"),
        ("", "Better.", "text is missing"),
        ("x\x00", "Better.", "text is missing"),
        (TEXT + "!", " ", "reason is missing"),
        ("x" * 100_001, "Better.", "at most 100,000"),
        (TEXT + "!", "x" * 2001, "at most 2,000"),
    ],
)
def test_an_amendment_that_cannot_be_used_is_refused_with_the_field(
    cast, proposal, text, reason, words
):
    with pytest.raises(Invalid, match=words) as refusal:
        amendments.propose_amendment(
            by=cast.second_member, proposal=proposal, text=text, reason=reason, base_number=1
        )
    assert refusal.value.fields
    assert not Amendment.objects.exists()


def test_an_amendment_of_too_many_places_is_refused(cast):
    text = " ".join(f"word{n} and" for n in range(500))
    proposal = make_deliberated_proposal(cast, text=text)
    with pytest.raises(Invalid, match="changes 250 places; one amendment has at most 200"):
        amendments.propose_amendment(
            by=cast.second_member,
            proposal=proposal,
            text=" ".join(f"word{n} {'or' if n % 2 else 'and'}" for n in range(500)),
            reason="Or.",
            base_number=1,
        )


def test_amendments_belong_to_the_deliberation(cast):
    draft = make_proposal(cast, text=TEXT)
    with pytest.raises(NotAllowed):
        amend(cast, draft, "twelve", "six")
    stages.open_deliberation(by=cast.member, proposal=draft)
    stages.fix_text(by=cast.clerk, proposal=draft)
    draft.refresh_from_db()
    with pytest.raises(Conflict, match="belong to the deliberation"):
        amend(cast, draft, "twelve", "six")


def test_one_author_has_so_many_open_at_a_time(cast, proposal, monkeypatch):
    monkeypatch.setattr(amendments, "MOST_STANDING", 2)
    amend(cast, proposal, "twelve", "one")
    amend(cast, proposal, "twelve", "two")
    with pytest.raises(Conflict, match="withdraw one"):
        amend(cast, proposal, "twelve", "three")


# -- Following the text


def test_an_open_amendment_follows_a_revision_of_other_words(cast, proposal):
    amendment = amend(cast, proposal, "twelve", "six")
    newer = revise(cast, proposal, f"# First\n\n{TEXT}".replace("asks", "wishes"))
    amendment.refresh_from_db()
    assert amendment.base == newer
    assert amendment.text == newer.body_markdown.replace("twelve", "six")
    assert amendment.versions.get().base.number == 1


def test_an_amendment_whose_words_changed_is_touched_and_its_author_told(client, cast, proposal):
    amendment = amend(cast, proposal, "twelve", "six")
    revise(cast, proposal, TEXT.replace("twelve", "eighteen"))
    amendment.refresh_from_db()
    assert amendment.base.number == 1
    assert Notice.objects.filter(person=cast.second_member, subject__contains="no longer fits")
    page = client.get(amendment.get_absolute_url()).content.decode()
    assert "A newer revision changed the same words." in page
    with pytest.raises(Conflict, match="write it anew first"):
        amendments.accept_amendment(by=cast.member, amendment=amendment)
    amendments.revise_amendment(
        by=cast.second_member,
        amendment=amendment,
        text=TEXT.replace("twelve", "seven"),
        reason="Still too long.",
        base_number=2,
    )
    revision = amendments.accept_amendment(by=cast.member, amendment=amendment)
    assert revision.body_markdown == TEXT.replace("twelve", "seven")
    assert [v.number for v in amendment.versions.all()] == [1, 2]
    assert leaves("amendment.revised")[0]["facts"] == {"number": 1, "version": 2}


def test_a_touched_amendment_follows_again_when_its_words_come_back(cast, proposal):
    amendment = amend(cast, proposal, "twelve", "six")
    revise(cast, proposal, TEXT.replace("twelve", "eighteen"))
    newest = revise(cast, proposal, f"{TEXT}\nThe end.\n")
    amendment.refresh_from_db()
    assert amendment.base == newest


def test_an_amendment_written_on_an_older_revision_is_taken_where_it_still_fits(cast, proposal):
    revise(cast, proposal, TEXT.replace("asks", "wishes"))
    amendment = amend(cast, proposal, "twelve", "six", base_number=1, text=TEXT)
    assert amendment.base.number == 2
    assert amendment.text == TEXT.replace("twelve", "six").replace("asks", "wishes")
    with pytest.raises(Conflict, match="changed the same words"):
        amend(cast, proposal, "asks", "begs", base_number=1, text=TEXT)


# -- Answers


def test_accepting_makes_the_next_revision_and_names_the_amendment(cast, proposal):
    amendment = amend(cast, proposal, "twelve", "six")
    other = amend(cast, proposal, "quarter", "month")
    revision = amendments.accept_amendment(by=cast.member, amendment=amendment)
    assert (revision.number, revision.amendment) == (2, amendment)
    assert revision.body_markdown == TEXT.replace("twelve", "six")
    amendment.refresh_from_db()
    other.refresh_from_db()
    assert (amendment.status, other.status, other.base) == ("accepted", "open", revision)
    assert leaves("text.revised")[-1]["facts"] == {"number": 2, "amendment": 1}
    (leaf,) = leaves("amendment.accepted")
    assert leaf["digests"] == {"text": revision.digest}
    assert Notice.objects.filter(person=cast.second_member, subject__contains="is accepted")
    with pytest.raises(Conflict, match="cannot become"):
        amendments.withdraw_amendment(by=cast.second_member, amendment=amendment)


def test_rejecting_needs_a_reason_and_leaves_the_amendment_a_way(cast, proposal):
    amendment = amend(cast, proposal, "twelve", "six")
    with pytest.raises(Invalid):
        amendments.reject_amendment(by=cast.member, amendment=amendment, reason=" ")
    rejected = amendments.reject_amendment(
        by=cast.member, amendment=amendment, reason="The law says <twelve>."
    )
    assert (rejected.status, rejected.answer) == ("rejected", "The law says <twelve>.")
    (leaf,) = leaves("amendment.rejected")
    assert "law" not in str(leaf)
    with pytest.raises(Conflict, match="can be put to a vote until"):
        stages.fix_text(by=cast.clerk, proposal=proposal)
    amendments.revise_amendment(
        by=cast.second_member,
        amendment=rejected,
        text=TEXT.replace("twelve", "nine"),
        reason="Then nine.",
        base_number=1,
    )
    rejected.refresh_from_db()
    assert (rejected.status, rejected.answer) == ("open", "")


def test_only_the_proposer_answers_and_only_the_author_withdraws(cast, proposal):
    amendment = amend(cast, proposal, "twelve", "six")
    for person in (cast.second_member, cast.clerk, cast.chair, cast.outsider):
        with pytest.raises(NotAllowed):
            amendments.accept_amendment(by=person, amendment=amendment)
        with pytest.raises(NotAllowed):
            amendments.reject_amendment(by=person, amendment=amendment, reason="No.")
    for person in (cast.member, cast.clerk):
        with pytest.raises(NotAllowed):
            amendments.withdraw_amendment(by=person, amendment=amendment)
        with pytest.raises(NotAllowed):
            amendments.revise_amendment(
                by=person, amendment=amendment, text="x", reason="y", base_number=1
            )


def test_a_clerk_answers_where_the_proposers_account_is_closed(cast, proposal):
    amendment = amend(cast, proposal, "twelve", "six")
    cast.member.is_active = False
    cast.member.save(update_fields=["is_active"])
    amendment = Amendment.objects.get(pk=amendment.pk)
    revision = amendments.accept_amendment(by=cast.clerk, amendment=amendment)
    assert revision.author == cast.clerk


def test_an_open_amendment_holds_up_the_final_text_and_a_withdrawn_one_does_not(cast, proposal):
    amendment = amend(cast, proposal, "twelve", "six")
    with pytest.raises(Conflict, match="Amendment 1 by A member for the south is open"):
        stages.fix_text(by=cast.clerk, proposal=proposal)
    amendments.withdraw_amendment(by=cast.second_member, amendment=amendment)
    assert stages.fix_text(by=cast.clerk, proposal=proposal).status == "final_text"
    assert leaves("amendment.withdrawn")[0]["facts"] == {"number": 1}


# -- At once


def at_once(*acts):
    """Run acts on connections of their own at the same moment; return what refused."""
    start, refused = threading.Barrier(len(acts)), []

    def run(act):
        try:
            start.wait()
            act()
        except Conflict as conflict:
            refused.append(conflict)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


@pytest.mark.django_db(transaction=True)
def test_of_two_conflicting_amendments_accepted_at_once_one_comes_into_the_text():
    cast = make_cast()
    proposal = make_deliberated_proposal(cast, text=TEXT)
    both = [amend(cast, proposal, "twelve", word) for word in ("six", "nine")]
    refused = at_once(
        *(
            lambda each=each: amendments.accept_amendment(by=cast.member, amendment=each)
            for each in both
        )
    )
    assert len(refused) == 1
    assert Revision.objects.filter(proposal=proposal).count() == 2
    assert sorted(Amendment.objects.values_list("status", flat=True)) == ["accepted", "open"]


@pytest.mark.django_db(transaction=True)
def test_two_amendments_of_other_words_accepted_at_once_are_both_in_the_text():
    cast = make_cast()
    proposal = make_deliberated_proposal(cast, text=TEXT)
    both = [amend(cast, proposal, "twelve", "six"), amend(cast, proposal, "quarter", "month")]
    refused = at_once(
        *(
            lambda each=each: amendments.accept_amendment(by=cast.member, amendment=each)
            for each in both
        )
    )
    assert not refused
    assert proposal.text.body_markdown == TEXT.replace("twelve", "six").replace("quarter", "month")
    assert proposal.text.number == 3


@pytest.mark.django_db(transaction=True)
def test_an_amendment_and_the_final_text_at_once_leave_no_amendment_open():
    cast = make_cast()
    proposal = make_deliberated_proposal(cast, text=TEXT)

    def declare():
        with contextlib.suppress(Conflict):
            stages.fix_text(by=cast.clerk, proposal=proposal)

    at_once(lambda: amend(cast, proposal, "twelve", "six"), declare)
    proposal.refresh_from_db()
    assert Amendment.objects.exists() == (proposal.status == "deliberation")


@pytest.mark.django_db(transaction=True)
def test_accepting_and_withdrawing_at_once_do_one_of_the_two():
    cast = make_cast()
    proposal = make_deliberated_proposal(cast, text=TEXT)
    amendment = amend(cast, proposal, "twelve", "six")
    refused = at_once(
        lambda: amendments.accept_amendment(by=cast.member, amendment=amendment),
        lambda: amendments.withdraw_amendment(by=cast.second_member, amendment=amendment),
    )
    assert len(refused) == 1
    amendment.refresh_from_db()
    assert (amendment.status == "accepted") == (proposal.text.number == 2)


@pytest.mark.django_db(transaction=True)
def test_an_amendment_is_accepted_before_the_final_text_or_not_at_all():
    cast = make_cast()
    proposal = make_deliberated_proposal(cast, text=TEXT)
    amendment = amend(cast, proposal, "twelve", "six")
    refused = at_once(
        lambda: amendments.accept_amendment(by=cast.member, amendment=amendment),
        lambda: stages.fix_text(by=cast.clerk, proposal=proposal),
    )
    amendment.refresh_from_db()
    proposal.refresh_from_db()
    assert amendment.status == "accepted"
    assert proposal.text.number == 2
    # The clerk came second and the text is final, or first and was told of the open amendment.
    assert (proposal.status == "final_text") == (not refused)


@pytest.mark.django_db(transaction=True)
def test_putting_two_conflicting_amendments_to_a_vote_at_once_begins_one_vote():
    cast = make_cast()
    proposal = make_deliberated_proposal(cast, text=TEXT)
    both = [amend(cast, proposal, "twelve", word) for word in ("six", "nine")]
    refused = at_once(
        *(lambda each=each: amendments.put_to_vote(by=cast.clerk, amendment=each) for each in both)
    )
    assert len(refused) == 1
    assert sorted(Amendment.objects.values_list("status", flat=True)) == ["open", "voting"]
