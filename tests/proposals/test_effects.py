"""What carried decisions do, each in the transaction of the decision, and what they cannot do."""

import copy
import threading
from datetime import timedelta

import pytest
from django.db import connection

from evals.models import Criterion
from oversight.accounts.models import EvaluatorAdmission, Organisation
from oversight.ledger.models import PendingLeaf
from oversight.registry import gate
from oversight.registry.choices import AuthorisationState, GateCode
from oversight.registry.models import Authorisation
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import charter
from proposals.choices import ProposalType, Status
from proposals.effect_words import would_do
from proposals.models import Charter, Contract, Proposal, SuiteAdoption
from proposals.readiness import judgements_of
from proposals.services import closing, drafting, voting
from proposals.services.erasure import erase_person
from tests.factories import (
    finish_run,
    make_ballot,
    make_cast,
    make_decision,
    make_deliberated_proposal,
    make_deployment,
    make_final_proposal,
    make_model_version,
    make_open_vote,
    make_organisation,
    make_proposal,
    make_run,
    make_suite,
    quick_charter,
)

pytestmark = pytest.mark.django_db

CONDITIONS = {"languages": ["de", "fr"], "requests_per_minute": 20}
CRITERION = {
    "task": "facts",
    "metric": "acc",
    "comparison": "at_least",
    "threshold": "0.65",
    "must_pass": True,
}


@pytest.fixture
def cast():
    return make_cast()


def authorised(cast, **fields):
    fields = {"deployment": make_deployment(), "version": make_model_version()} | fields
    return make_decision(cast, **fields)


def authorisation(decision):
    return Authorisation.objects.get(decision_ref=decision.ref)


def answer(decision):
    row = authorisation(decision)
    return gate.answer(subject=row.version.digest, deployment_slug=row.deployment.slug)


def leaves(kind):
    return PendingLeaf.objects.filter(type=kind).order_by("position")


def amended(**rules):
    document = copy.deepcopy(quick_charter())
    document["general_motion"] |= rules
    return document


def amendment(cast, document=None, base=1):
    return {
        "type": ProposalType.AMEND_CHARTER,
        "terms": {"base": base, "charter": document or amended(voting_hours=24)},
    }


# -- Authorisations --------------------------------------------------------------------------


def test_conditions_stand_in_contract_authorisation_and_the_gates_answer(cast, client, gate_key):
    decision = authorised(cast, terms={"conditions": CONDITIONS, "days": 30})
    assert decision.proposal.contract.content["terms"]["conditions"] == CONDITIONS
    assert authorisation(decision).conditions == CONDITIONS
    row = authorisation(decision)
    asked = {"subject": row.version.digest, "deployment": row.deployment.slug}
    told = client.get("/api/v1/gate/", asked).json()
    assert told["authorisation"]["conditions"] == CONDITIONS
    assert decision.in_force_until == decision.decided_at + timedelta(days=30)
    assert "conditions" in leaves("registry.authorisation.granted").get().content["digests"]


def test_a_proposal_cannot_ask_for_longer_than_the_charter_gives(cast):
    with pytest.raises(Invalid, match="up to 120 days") as refusal:
        authorised(cast, terms={"days": 121})
    assert "days" in refusal.value.fields
    assert not Proposal.objects.exists()


def test_a_renewal_supersedes_what_it_renews_and_starts_its_time_anew(cast):
    first = authorised(cast)
    again = make_decision(cast, type=ProposalType.RENEW, target=first)
    assert authorisation(first).state == AuthorisationState.SUPERSEDED
    assert authorisation(again).version == authorisation(first).version
    assert answer(first).authorisation == authorisation(again)
    assert again.effect["authorisation"] == first.ref
    assert again.in_force_until == again.decided_at + timedelta(days=120)


def test_a_suspended_model_comes_back_by_renewal(cast):
    first = authorised(cast)
    make_decision(cast, type=ProposalType.SUSPEND, target=first)
    assert answer(first).code == GateCode.SUSPENDED
    make_decision(cast, type=ProposalType.RENEW, target=first)
    assert answer(first).allowed


def test_what_is_retired_is_refused_for_good(cast):
    first = authorised(cast)
    retired = make_decision(cast, type=ProposalType.RETIRE, target=first)
    assert answer(first).code == GateCode.REVOKED
    assert retired.effect == {"kind": "retire_deployment", "authorisation": first.ref}
    with pytest.raises(Invalid, match="was revoked"):
        make_proposal(cast, type=ProposalType.RENEW, target=first)


def test_only_the_body_that_decided_undoes_it(cast):
    first, other = authorised(cast), make_cast()
    with pytest.raises(Invalid, match="only that body undoes it"):
        make_proposal(other, type=ProposalType.SUSPEND, target=first)
    with pytest.raises(Invalid, match="Name the earlier decision"):
        make_proposal(cast, type=ProposalType.SUSPEND)
    motion = make_decision(cast)
    with pytest.raises(Invalid, match="has authorised nothing"):
        make_proposal(cast, type=ProposalType.SUSPEND, target=motion)


@pytest.mark.parametrize(
    ("kind", "meanwhile", "code"),
    [
        (ProposalType.SUSPEND, "expired", "expired"),
        (ProposalType.RETIRE, "expired", "expired"),
        (ProposalType.SUSPEND, "retired", "revoked"),
        (ProposalType.RENEW, "retired", "revoked"),
        (ProposalType.SUSPEND, "replaced", "superseded"),
        (ProposalType.RENEW, "replaced", "superseded"),
    ],
)
def test_an_effect_that_became_impossible_ends_clearly_and_changes_nothing(
    cast, kind, meanwhile, code
):
    first = authorised(cast)
    proposal = make_open_vote(cast, type=kind, target=first)
    row = authorisation(first)
    if meanwhile == "expired":
        Authorisation.objects.filter(pk=row.pk).update(ends_at=database_now())
    elif meanwhile == "retired":
        make_decision(cast, type=ProposalType.RETIRE, target=first)
    else:
        make_decision(cast, deployment=row.deployment, version=make_model_version())
    before = Authorisation.objects.count(), authorisation(first).state
    acts = PendingLeaf.objects.filter(type__startswith="registry.authorisation").count()
    for person in cast.members:
        make_ballot(person, proposal)
    decision = closing.close_vote(by=cast.clerk, proposal=proposal)
    assert (decision.outcome, decision.impossible) == ("carried", code)
    assert decision.effect == {"kind": str(kind), "impossible": code}
    assert decision.in_force_until is None
    assert (Authorisation.objects.count(), authorisation(first).state) == before
    assert PendingLeaf.objects.filter(type__startswith="registry.authorisation").count() == acts


def test_an_expired_authorisation_can_be_renewed(cast):
    first = authorised(cast)
    Authorisation.objects.update(ends_at=database_now())
    assert answer(first).code == GateCode.EXPIRED
    make_decision(cast, type=ProposalType.RENEW, target=first)
    assert answer(first).allowed


@pytest.mark.django_db(transaction=True)
def test_two_decisions_for_one_deployment_in_the_same_second_leave_one_standing():
    cast, other = make_cast(), make_cast()
    deployment = make_deployment()
    proposals = [
        (who, make_open_vote(who, deployment=deployment, version=make_model_version()))
        for who in (cast, other)
    ]
    for who, proposal in proposals:
        for person in who.members:
            make_ballot(person, proposal)
    both, failed = threading.Barrier(2), []

    def close(who, proposal):
        try:
            both.wait()
            closing.close_vote(by=who.clerk, proposal=proposal)
        except Exception as error:  # noqa: BLE001 - said by the assertion below
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=close, args=pair) for pair in proposals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert sorted(Authorisation.objects.values_list("state", flat=True)) == [
        "granted",
        "superseded",
    ]
    assert leaves("registry.authorisation.superseded").count() == 1


def test_a_proposer_who_is_erased_during_the_vote_stops_nothing(cast):
    first = authorised(cast)
    proposal = make_open_vote(cast, type=ProposalType.RETIRE, target=first)
    make_ballot(cast.member, proposal)
    erase_person(person=cast.member)
    for person in cast.members[1:]:
        make_ballot(person, proposal)
    decision = closing.close_vote(by=cast.clerk, proposal=proposal)
    assert (decision.outcome, decision.impossible) == ("carried", "")
    assert answer(first).code == GateCode.REVOKED


# -- Suites ----------------------------------------------------------------------------------


def adoption(cast, suite, *criteria):
    return make_decision(
        cast,
        type=ProposalType.ADOPT_SUITE,
        terms={"suite": suite.digest, "criteria": list(criteria)},
    )


def test_an_adopted_suite_comes_with_every_later_proposal_by_itself(cast):
    suite = make_suite(cast.evaluator)
    before = make_proposal(cast, deployment=make_deployment(), version=make_model_version())
    decision = adoption(cast, suite, CRITERION)
    after = make_proposal(cast, deployment=make_deployment(), version=make_model_version())
    motion = make_proposal(cast)
    assert not Criterion.objects.about(before.subject).exists()
    assert not Criterion.objects.about(motion.subject).exists()
    criterion = Criterion.objects.about(after.subject).get()
    assert (criterion.task_name, criterion.threshold, criterion.must_pass) == (
        "facts",
        Criterion.objects.get().threshold,
        True,
    )
    leaf = PendingLeaf.objects.get(pk=criterion.leaf_id)
    assert leaf.actor == f"decision:{decision.ref}"


def test_an_adopted_suite_may_ask_that_nothing_is_worse_than_a_version(cast):
    suite, kept = make_suite(cast.evaluator), make_model_version()
    asked = CRITERION | {"comparison": "not_worse", "threshold": "0.05", "beside": kept.digest}
    decision = adoption(cast, suite, asked)
    after = make_proposal(cast, deployment=make_deployment(), version=make_model_version())
    criterion = Criterion.objects.about(after.subject).get()
    assert (criterion.beside, str(criterion.threshold)) == (kept, "0.050000")
    assert f"not worse than {kept} by over 0.05" in did_words(decision)
    # The version that it names may be proposed itself: it is not worse than itself.
    itself = make_deliberated_proposal(cast, deployment=make_deployment(), version=kept)
    run = make_run(cast.member, suite, kept, purpose=itself.subject)
    finish_run(run, cast.machine.worker, right=70)
    assert [str(judged.outcome) for judged in judgements_of(itself)] == ["met"]


def did_words(decision):
    charter = Charter.objects.get(body=decision.proposal.body)
    return " ".join(would_do(decision.proposal, decision.proposal.text.terms, charter).criteria)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"comparison": "not_worse"}, "holds exactly .*beside"),
        ({"comparison": "at_least", "beside": "sha256:" + "a" * 64}, "holds exactly"),
        ({"comparison": "not_worse", "beside": "sha256:" + "a" * 64}, "No registered version"),
        ({"comparison": "not_worse", "beside": "nothing"}, "Write a digest"),
        (
            {"comparison": "not_worse", "beside": "sha256:" + "a" * 64, "threshold": "-0.1"},
            "margin is 0 or more",
        ),
    ],
)
def test_a_comparison_that_could_not_be_judged_is_not_adopted(cast, change, words):
    with pytest.raises(Invalid, match=words):
        adoption(cast, make_suite(cast.evaluator), CRITERION | change)


def test_a_suite_adopted_again_takes_the_place_of_what_stood_and_none_ends_it(cast):
    suite = make_suite(cast.evaluator)
    first = adoption(cast, suite, CRITERION)
    adoption(cast, suite, CRITERION | {"threshold": "0.8"})
    assert SuiteAdoption.objects.get(decision_ref=first.ref).ended_at
    standing = SuiteAdoption.objects.get(ended_at=None)
    assert standing.criteria[0]["threshold"] == "0.8"
    adoption(cast, suite)
    assert not SuiteAdoption.objects.filter(ended_at=None).exists()
    assert leaves("proposals.suite.dropped").count() == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"task": "nothing"}, "no task “nothing”"),
        ({"metric": "luck"}, "no metric “luck”"),
    ],
)
def test_a_criterion_that_the_suite_does_not_have_is_refused(cast, change, words):
    with pytest.raises(Invalid, match=words):
        adoption(cast, make_suite(cast.evaluator), CRITERION | change)


def test_dropping_what_was_never_adopted_is_refused(cast):
    with pytest.raises(Invalid, match="at least one criterion"):
        adoption(cast, make_suite(cast.evaluator))


# -- The charter -----------------------------------------------------------------------------


def test_a_carried_amendment_is_the_next_charter(cast):
    decision = make_decision(cast, **amendment(cast))
    made = Charter.objects.get(body=cast.body, number=2)
    assert made.decision_ref == decision.ref
    assert decision.effect == {"kind": "amend_charter", "charter": 2, "digest": made.digest}
    leaf = PendingLeaf.objects.get(pk=made.leaf_id)
    assert (leaf.actor, leaf.content["facts"]) == (f"decision:{decision.ref}", {"number": 2})


def test_an_amendment_that_is_not_carried_changes_no_charter(cast):
    make_decision(cast, ("no", "no", "yes"), **amendment(cast))
    assert Charter.objects.filter(body=cast.body).count() == 1


def test_a_vote_goes_on_under_the_charter_it_was_opened_under(cast):
    open_vote = make_open_vote(cast)
    strict = amended(vote={**quick_charter()["general_motion"]["vote"], "quorum": "1"})
    make_decision(cast, **amendment(cast, strict))
    assert Charter.objects.filter(body=cast.body).count() == 2
    for person in cast.members[:2]:
        make_ballot(person, open_vote)
    now = database_now()
    Contract.objects.filter(proposal=open_vote).update(
        opens_at=now - timedelta(days=1), closes_at=now
    )
    # Two of three: enough for the quorum of the first charter, not for that of the second.
    assert closing.close_due_vote(proposal=open_vote).outcome == "carried"
    assert open_vote.contract.content["charter"]["number"] == 1


def test_of_two_amendments_of_one_charter_the_second_ends_without_effect(cast):
    first = make_open_vote(cast, **amendment(cast))
    second = make_open_vote(cast, **amendment(cast, amended(voting_hours=48)))
    outcomes = []
    for proposal in (first, second):
        for person in cast.members:
            make_ballot(person, proposal)
        outcomes.append(closing.close_vote(by=cast.clerk, proposal=proposal).impossible)
    assert outcomes == ["", "charter-changed"]
    assert Charter.objects.filter(body=cast.body).count() == 2


def test_an_amendment_of_a_replaced_charter_is_stopped_at_the_opening_and_written_anew(cast):
    late = make_final_proposal(cast, **amendment(cast))
    make_decision(cast, **amendment(cast, amended(voting_hours=48)))
    with pytest.raises(Conflict, match="It amends charter 1, and charter 2 is in force"):
        voting.open_vote(by=cast.clerk, proposal=late)
    with pytest.raises(Invalid, match="write the amendment anew"):
        make_proposal(cast, **amendment(cast))
    assert make_proposal(cast, **amendment(cast, base=2))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"general_motion": {}}, "must rule on"),
        (quick_charter(), "says the same"),
        (quick_charter(voting_hours=0), "voting_hours"),
        ({k: v for k, v in amended().items() if k != "election"}, "election: is ruled on"),
    ],
)
def test_an_amendment_is_validated_when_it_is_drafted(cast, document, words):
    with pytest.raises(Invalid, match=words):
        make_proposal(cast, **amendment(cast, document))
    assert not Proposal.objects.exists()


def test_an_amendment_can_give_a_type_rules_of_its_own(cast):
    document = quick_charter()
    document["suspend_authorisation"] = document["authorise_deployment"] | {
        "vote": document["general_motion"]["vote"],
        "override_threshold": "3/4",
    }
    make_decision(cast, **amendment(cast, document))
    now = Charter.objects.filter(body=cast.body).first()
    assert str(now.rules_for("suspend_authorisation").vote.threshold) == "1/2"
    assert str(now.rules_for("retire_deployment").vote.threshold) == "2/3"


# -- Evaluators ------------------------------------------------------------------------------


def admission(cast, slug="statistics-office"):
    return make_decision(
        cast,
        type=ProposalType.ADMIT_EVALUATOR,
        terms={"organisation": slug, "name": "Statistics office"},
    )


def test_an_admitted_evaluator_is_made_known_when_it_was_not(cast):
    decision = admission(cast)
    made = Organisation.objects.get(slug="statistics-office")
    assert EvaluatorAdmission.objects.get().organisation == made
    assert decision.effect["organisation"] == made.slug
    assert leaves("accounts.organisation.admitted").last().actor == f"decision:{decision.ref}"


def test_a_known_organisation_is_admitted_once(cast):
    known = make_organisation()
    admission(cast, known.slug)
    assert Organisation.objects.filter(slug=known.slug).count() == 1
    with pytest.raises(Invalid, match="is an evaluator"):
        admission(cast, known.slug)


# -- Who proposes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proposers", "allowed"),
    [
        ("members", {"member", "chair"}),
        ("members_and_clerks", {"member", "chair", "clerk"}),
        ("anyone", {"member", "chair", "clerk", "outsider", "auditor"}),
    ],
)
def test_the_charter_says_who_proposes(proposers, allowed):
    cast = make_cast(charter=quick_charter(proposers=proposers))
    for role in ("member", "chair", "clerk", "outsider", "auditor"):
        by = cast.named(role)
        if role in allowed:
            assert make_proposal(cast, by=by).proposer == by
        else:
            with pytest.raises(NotAllowed):
                make_proposal(cast, by=by)


def test_the_contract_holds_the_decision_that_it_is_about(cast):
    first = authorised(cast)
    proposal = make_open_vote(cast, type=ProposalType.RETIRE, target=first)
    assert proposal.contract.content["target"] == first.ref
    assert proposal.status == Status.VOTING
    assert charter.read(quick_charter())  # the first charter rules on none of these by itself


def test_terms_are_part_of_the_text_and_each_change_is_a_revision(cast):
    proposal = make_proposal(
        cast,
        deployment=make_deployment(),
        version=make_model_version(),
        terms={"conditions": CONDITIONS},
    )
    text = proposal.text
    same = {"title": text.title, "summary": text.summary, "text": text.body_markdown}
    kept = drafting.revise_text(by=cast.member, proposal=proposal, base_number=1, **same)
    assert kept.number == 1
    changed = drafting.revise_text(
        by=cast.member, proposal=proposal, base_number=1, terms={"days": 10}, **same
    )
    assert (changed.number, changed.terms) == (2, {"days": 10})
    assert changed.digest != text.digest
