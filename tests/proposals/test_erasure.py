"""What an erasure takes of members and clerks: words and openings share one fate."""

import pytest

from oversight.accounts.models import Notice
from oversight.ledger.models import Opening
from oversight.ledger.sequencer import sequence_once
from proposals.choices import StatementKind
from proposals.models import Amendment, Argument, Moderation, Recusal, Statement
from proposals.services import amendments, annulment, moderation, roll, statements
from proposals.services.erasure import ERASED_NAME, ERASED_TEXT, erase_person
from tests import factories

pytestmark = pytest.mark.django_db

TEXT = "The operator must log every request for twelve months.\n\nA person takes over.\n"


@pytest.fixture(params=[False, True], ids=["pending", "sequenced"])
def settle(request):
    """Return a function that sequences what was done, or leaves it waiting."""

    def run():
        while request.param and sequence_once():
            pass

    return run


@pytest.fixture
def cast():
    return factories.make_cast(charter=factories.quick_charter(recusal="declared"))


def opened(*rows):
    """Say of each row whether what it committed to can still be opened."""
    return [Opening.objects.filter(leaf_id=row.leaf_id).exists() for row in rows]


def test_a_clerks_official_acts_stay_with_words_and_openings(cast, settle):
    clerk, decision = cast.clerk, factories.make_decision(cast)
    reasons = statements.make_statement(
        by=clerk, decision=decision, kind=StatementKind.REASONS, text="So that it is useful."
    )
    talked = factories.make_deliberated_proposal(cast, text=TEXT)
    said = factories.make_comment(cast.outsider, talked, "It names somebody.")
    moderation.hide(by=clerk, said=said, reason="It names a person.")
    own = factories.make_comment(clerk, talked, "A clerk's own opinion.")
    words = {"authority": "Court", "reason": "No hearing."}
    ruled = annulment.record_ruling(by=clerk, decision=factories.make_decision(cast), **words)
    settle()
    erased = erase_person(person=clerk)
    assert (erased.comments, erased.openings) == (1, 1)
    assert opened(reasons, Moderation.objects.get(), own) == [True, True, False]
    assert Opening.objects.filter(leaf_id=ruled.annulment_leaf_id).exists()
    ruled.refresh_from_db()
    assert ruled.annulment_reason == "No hearing."
    assert Statement.objects.get().text == "So that it is useful."
    assert str(Statement.objects.get().author) == ERASED_NAME
    own.refresh_from_db()
    assert own.text == ERASED_TEXT


def test_a_members_dissent_stays_and_the_reason_of_a_conflict_goes(cast, settle):
    decision = factories.make_decision(cast, ("yes", "yes", "no"))
    dissent = statements.make_statement(
        by=cast.chair, decision=decision, kind=StatementKind.DISSENT, text="It is too early."
    )
    talked = factories.make_deliberated_proposal(cast, text=TEXT)
    conflict = roll.declare_conflict(
        by=cast.chair, proposal=talked, reason="My sister works there."
    )
    settle()
    assert erase_person(person=cast.chair).comments == 1
    assert opened(dissent, conflict) == [True, False]
    assert Recusal.objects.get().reason == ERASED_TEXT


def test_a_proposers_answer_goes_and_a_clerks_in_their_place_stays(cast, settle):
    talked = factories.make_deliberated_proposal(cast, text=TEXT)
    first, second = (
        factories.make_amendment(cast.second_member, talked, "twelve", new)
        for new in ("six", "nine")
    )
    amendments.reject_amendment(by=cast.member, amendment=first, reason="I do not want it.")
    cast.member.is_active = False
    cast.member.save(update_fields=["is_active"])
    second.proposal.proposer.refresh_from_db()
    amendments.reject_amendment(by=cast.clerk, amendment=second, reason="It cannot be done.")
    argument = factories.make_argument(cast.second_member, talked, "It costs less.")
    settle()
    for person in (cast.member, cast.clerk, cast.second_member):
        erase_person(person=person)
    answers = Amendment.objects.order_by("number").values_list("answer", flat=True)
    assert list(answers) == [ERASED_TEXT, "It cannot be done."]
    fields = Opening.objects.filter(field="reason").values_list("value", flat=True)
    assert list(fields) == [{"reason": "It cannot be done."}]
    assert set(Amendment.objects.values_list("reason", flat=True)) == {ERASED_TEXT}
    assert Argument.objects.get(pk=argument.pk).text == ERASED_TEXT


def test_a_name_goes_from_the_notices_of_others(cast):
    talked = factories.make_deliberated_proposal(cast, text=TEXT)
    factories.make_amendment(cast.second_member, talked, "twelve", "six")
    name = cast.second_member.display_name
    assert Notice.objects.filter(person=cast.member, subject__contains=name).exists()
    erase_person(person=cast.second_member)
    assert not Notice.objects.filter(subject__contains=name).exists()
    assert Notice.objects.filter(person=cast.member, subject__contains=ERASED_NAME).exists()
