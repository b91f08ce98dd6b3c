"""The proposal's pages: who sees and does what, and what stays when something is refused."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from evals.models import Criterion, Run
from oversight.ledger.models import PendingLeaf
from proposals.choices import Status
from proposals.models import Proposal, Revision
from proposals.services import drafting, stages
from tests.factories import (
    finish_run,
    make_ballot,
    make_cast,
    make_criterion,
    make_decision,
    make_deliberated_proposal,
    make_deployment,
    make_final_proposal,
    make_model_version,
    make_open_vote,
    make_proposal,
    make_run,
    make_suite,
    make_worker,
    quick_charter,
)
from tests.marked import put_in

pytestmark = pytest.mark.django_db

EVERYBODY = (
    "anonymous",
    "outsider",
    "member",
    "second_member",
    "clerk",
    "administrator",
    "auditor",
    "evaluator",
)
TEXTS = {"title": "A title", "summary": "A summary.", "text": "Some text."}


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def as_role(client, cast):
    def sign_in(role):
        person = cast.named(role)
        if person:
            client.force_login(person)
        else:
            client.logout()
        return client

    return sign_in


def address(name, proposal, *rest):
    return reverse(name, args=[proposal.ref, *rest])


def statuses(as_role, roles, method, path, data=None):
    """Return the answer's status by role; anonymous readers are led to the sign-in."""
    return {role: getattr(as_role(role), method)(path, data or {}).status_code for role in roles}


def authorisation(cast):
    return {
        "version": make_model_version(cast.evaluator),
        "deployment": make_deployment(cast.operator, cast.organisation),
    }


def test_a_draft_is_seen_by_its_body_its_proposer_and_auditors_only(as_role, cast):
    path = make_proposal(cast).get_absolute_url()
    seen = {role for role, code in statuses(as_role, EVERYBODY, "get", path).items() if code == 200}
    assert seen == {"member", "second_member", "clerk", "administrator", "auditor"}


def test_from_the_deliberation_on_everybody_reads_the_proposal(as_role, cast):
    path = make_deliberated_proposal(cast).get_absolute_url()
    assert set(statuses(as_role, EVERYBODY, "get", path).values()) == {200}


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("proposal-edit", {"member"}),
        ("proposal-end", {"member"}),
        ("proposal-criterion", {"member", "second_member", "clerk"}),
    ],
)
def test_a_form_page_opens_for_those_who_may_send_it(as_role, cast, name, allowed):
    path = address(name, make_deliberated_proposal(cast, **authorisation(cast)))
    for role, code in statuses(as_role, EVERYBODY, "get", path).items():
        expected = 302 if role == "anonymous" else 200 if role in allowed else 403
        assert code == expected, role


@pytest.mark.parametrize(
    ("act", "prepare", "allowed"),
    [
        ("deliberate", make_proposal, {"member", "clerk"}),
        ("fix-text", make_deliberated_proposal, {"clerk"}),
        ("reopen", make_final_proposal, {"clerk"}),
        ("open-vote", make_final_proposal, {"clerk"}),
    ],
)
def test_a_stage_moves_only_by_those_who_may(as_role, cast, act, prepare, allowed):
    for role in EVERYBODY:
        proposal = prepare(cast)
        before = proposal.status
        answer = as_role(role).post(address("proposal-move", proposal), {"act": act})
        proposal.refresh_from_db()
        assert (proposal.status != before) == (role in allowed), role
        if role not in allowed:
            # Who may not even see a draft is told that there is nothing.
            assert answer.status_code in {302, 403, 404}, role
    assert PendingLeaf.objects.filter(type__in=["proposals.stage.moved", "proposals.vote.opened"])


def test_an_unknown_step_is_refused_with_the_known_ones(as_role, cast):
    path = address("proposal-move", make_proposal(cast))
    answer = as_role("clerk").post(path, {"act": "destroy"})
    assert answer.status_code == 422
    assert "open-vote" in answer.content.decode()


def test_a_step_from_the_wrong_stage_is_a_conflict(as_role, cast):
    path = address("proposal-move", make_proposal(cast))
    assert as_role("clerk").post(path, {"act": "open-vote"}).status_code == 409
    assert as_role("clerk").post(path, {"act": "fix-text"}).status_code == 409
    assert as_role("clerk").post(path, {"act": "close"}).status_code == 409


@pytest.mark.parametrize(
    ("act", "prepare", "role"),
    [("reopen", make_proposal, "clerk"), ("deliberate", make_final_proposal, "member")],
)
def test_opening_and_reopening_the_deliberation_are_two_steps(as_role, cast, act, prepare, role):
    path = address("proposal-move", prepare(cast))
    assert as_role(role).post(path, {"act": act}).status_code == 409


def test_what_stands_in_the_way_is_said_in_words_and_the_button_is_not_there(client):
    cast = make_cast(charter=quick_charter(deliberation_hours=48))
    proposal = make_deliberated_proposal(cast, **authorisation(cast))
    make_criterion(cast, proposal, make_suite(cast.evaluator))
    client.force_login(cast.clerk)
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "2 things stand in the way of the final text." in page
    assert "There is no result yet for “Facts on public services”." in page
    assert "Declare the text final" not in page
    path = address("proposal-move", proposal)
    assert client.post(path, {"act": "fix-text"}).status_code == 409


def test_of_many_criteria_without_a_result_the_first_are_named(client, cast):
    proposal = make_deliberated_proposal(cast, **authorisation(cast))
    for _ in range(4):
        suite = make_suite(cast.evaluator)
        for task in suite.tasks:
            make_criterion(cast, proposal, suite, task["name"])
    page = client.get(proposal.get_absolute_url()).content.decode()
    named = "“Facts on public services”, “Refuses unsafe requests” and 3 more."
    assert f"There is no result yet for {named}" in page


def test_the_evidence_shows_the_score_beside_its_criterion(client, cast):
    proposal = make_deliberated_proposal(cast, **authorisation(cast))
    suite = make_suite(cast.evaluator)
    make_criterion(cast, proposal, suite)
    run = make_run(cast.member, suite, proposal.version, purpose=proposal.subject)
    assert "being evaluated" in client.get(proposal.get_absolute_url()).content.decode()
    finish_run(run, make_worker(cast.administrator, cast.organisation), right=70)
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "0.875" in page
    assert "0.785 to 0.931" in page
    assert run.ref in page
    assert "Nothing stands in the way of the final text." in page


def test_a_new_proposal_is_drafted_by_members_only(as_role, cast):
    path = reverse("proposal-create")
    allowed = {"member", "second_member"}
    for role, code in statuses(as_role, EVERYBODY, "get", path).items():
        assert code == (302 if role == "anonymous" else 200 if role in allowed else 403), role
    data = {"body": cast.body.pk, "type": "general_motion", **TEXTS}
    assert as_role("outsider").post(path, data).status_code == 403
    assert not Proposal.objects.exists()
    assert as_role("member").post(path, data).status_code == 302
    assert Proposal.objects.get().title == "A title"


def test_an_authorisation_without_its_subject_is_refused_and_keeps_what_was_typed(as_role, cast):
    data = {"body": cast.body.pk, "type": "authorise_deployment", **TEXTS}
    answer = as_role("member").post(reverse("proposal-create"), data)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "An authorisation says where it serves: choose one." in page
    assert 'href="#id_version"' in page
    assert "A summary." in page
    assert not Proposal.objects.exists()


def test_a_member_of_another_body_cannot_propose_to_this_one(as_role, cast):
    other = make_cast()
    data = {"body": other.body.pk, "type": "general_motion", **TEXTS}
    assert as_role("member").post(reverse("proposal-create"), data).status_code == 422
    assert not Proposal.objects.exists()


def test_an_edit_is_the_next_revision(as_role, cast):
    proposal = make_proposal(cast)
    data = {**TEXTS, "text": "One\r\ntwo", "base_number": 1}
    assert as_role("member").post(address("proposal-edit", proposal), data).status_code == 302
    assert proposal.text.number == 2
    assert proposal.text.body_markdown == "One\ntwo"


def test_saving_an_unchanged_text_makes_no_revision(as_role, cast):
    proposal = make_proposal(cast)
    text = proposal.text
    data = {
        "title": text.title,
        "summary": text.summary,
        "text": text.body_markdown.strip().replace("\n", "\r\n"),
        "base_number": 1,
    }
    as_role("member").post(address("proposal-edit", proposal), {**data, "title": "Other"})
    as_role("member").post(
        address("proposal-edit", proposal), {**data, "title": "Other", "base_number": 2}
    )
    assert proposal.revisions.count() == 2


def test_an_edit_on_an_older_revision_keeps_what_was_typed_and_shows_the_newer_text(as_role, cast):
    proposal = make_proposal(cast)
    drafting.revise_text(
        by=cast.member,
        proposal=proposal,
        title="Theirs",
        summary="Theirs.",
        text="Their sentence.",
        base_number=1,
    )
    data = {**TEXTS, "text": "My sentence.", "base_number": 1}
    answer = as_role("member").post(address("proposal-edit", proposal), data)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "My sentence." in page
    assert "Their sentence." in page
    assert 'name="base_number" value="2"' in page
    assert as_role("member").post(
        address("proposal-edit", proposal), {**data, "base_number": 2}
    ).status_code == 302  # fmt: skip
    assert proposal.text.body_markdown == "My sentence."


def test_a_final_text_cannot_be_edited_and_what_was_typed_stays(as_role, cast):
    proposal = make_final_proposal(cast)
    data = {**TEXTS, "text": "Too late.", "base_number": 1}
    answer = as_role("member").post(address("proposal-edit", proposal), data)
    assert answer.status_code == 409
    assert "Too late." in answer.content.decode()
    assert Revision.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"), [("title", ""), ("title", "x" * 161), ("summary", "x" * 401), ("text", " ")]
)
def test_texts_out_of_bounds_are_named_at_their_field(as_role, cast, field, value):
    proposal = make_proposal(cast)
    data = {**TEXTS, "base_number": 1, field: value}
    answer = as_role("member").post(address("proposal-edit", proposal), data)
    assert answer.status_code == 422
    assert f'href="#id_{field}"' in answer.content.decode()


def test_an_earlier_revision_stays_readable_with_what_changed(client, as_role, cast):
    proposal = make_deliberated_proposal(cast)
    as_role("member").post(
        address("proposal-edit", proposal),
        {**TEXTS, "text": "The helpdesk needs better answers at night.", "base_number": 1},
    )
    client.logout()
    first = client.get(address("proposal-revision", proposal, 1)).content.decode()
    assert "Earlier revision" in first
    second = client.get(address("proposal-revision", proposal, 2)).content.decode()
    assert put_in("better ") in second
    assert client.get(address("proposal-revision", proposal, 3)).status_code == 404


def test_a_criterion_goes_on_the_record(as_role, cast):
    proposal = make_deliberated_proposal(cast, **authorisation(cast))
    suite = make_suite(cast.evaluator)
    data = {
        "measure": f"{suite.pk}|facts|acc",
        "comparison": "at_least",
        "threshold": "0.65",
        "must_pass": "on",
    }
    path = address("proposal-criterion", proposal)
    assert as_role("second_member").post(path, data).status_code == 302
    assert Criterion.objects.get().asked == "at least 0.65"
    again = as_role("second_member").post(path, data)
    assert again.status_code == 409
    assert "on the record already" in again.content.decode()
    assert as_role("outsider").post(path, data).status_code == 403
    assert Criterion.objects.count() == 1


def test_a_criterion_beside_another_version_goes_on_the_record_and_is_evaluated(
    as_role, cast, monkeypatch
):
    monkeypatch.setattr("evals.services.runs.nudge_workers", lambda queue: None)
    proposal = make_deliberated_proposal(cast, **authorisation(cast))
    suite, other = make_suite(cast.evaluator), make_model_version(cast.evaluator)
    data = {
        "measure": f"{suite.pk}|facts|acc",
        "comparison": "not_worse",
        "threshold": "0.02",
        "beside": str(other.pk),
    }
    path = address("proposal-criterion", proposal)
    own = as_role("member").post(path, data | {"beside": str(proposal.version_id)})
    assert own.status_code == 422
    assert "compare it with another one" in own.content.decode()
    assert as_role("member").post(path, data | {"beside": ""}).status_code == 422
    assert as_role("member").post(path, data).status_code == 302
    page = as_role("member").get(proposal.get_absolute_url()).content.decode()
    assert f"not worse than {other} by over 0.02" in page
    as_role("member").post(address("proposal-evaluate", proposal))
    wanted = set(Run.objects.values_list("suite_version", "model_version"))
    assert wanted == {(suite.pk, proposal.version_id), (suite.pk, other.pk)}
    machine = cast.machine
    while (task_run := machine.claim()) is not None:
        machine.finish(task_run, 75 if task_run.run.model_version == other else 78)
    page = as_role("member").get(proposal.get_absolute_url()).content.decode()
    assert ">difference<" in page
    assert f"?against={Run.objects.get(model_version=other).ref}" in page


@pytest.mark.parametrize(
    "change", [{"threshold": "NaN"}, {"threshold": ""}, {"measure": "1|x|y"}, {"comparison": "is"}]
)
def test_a_criterion_that_cannot_be_judged_is_refused(as_role, cast, change):
    proposal = make_deliberated_proposal(cast, **authorisation(cast))
    suite = make_suite(cast.evaluator)
    data = {"measure": f"{suite.pk}|facts|acc", "comparison": "at_least", "threshold": "0.65"}
    answer = as_role("member").post(address("proposal-criterion", proposal), data | change)
    assert answer.status_code == 422
    assert not Criterion.objects.exists()


def test_evaluating_starts_one_run_for_every_suite_that_is_asked(as_role, cast, monkeypatch):
    monkeypatch.setattr("evals.services.runs.nudge_workers", lambda queue: None)
    proposal = make_deliberated_proposal(cast, **authorisation(cast))
    path = address("proposal-evaluate", proposal)
    assert as_role("member").post(path).status_code == 422
    suite = make_suite(cast.evaluator)
    make_criterion(cast, proposal, suite)
    make_criterion(cast, proposal, suite, "refusals")
    assert as_role("outsider").post(path).status_code == 403
    assert as_role("anonymous").post(path).status_code == 302
    assert not Run.objects.exists()
    assert as_role("clerk").post(path).status_code == 302
    assert Run.objects.get().purpose == proposal.subject


def test_a_vote_opened_with_an_impossible_close_keeps_what_was_typed(as_role, cast):
    proposal = make_final_proposal(cast)
    data = {"act": "open-vote", "closes_at": "2020-01-01T12:00"}
    answer = as_role("clerk").post(address("proposal-move", proposal), data)
    assert answer.status_code == 422
    page = answer.content.decode()
    said = re.search(r"The vote must close after (.*?) and within 90 days\.", page)
    assert re.fullmatch(r"\d+ \w+ \d{4}, \d\d:\d\d [A-Z]+", said[1]), said
    assert "2020-01-01T12:00" in page
    nonsense = data | {"closes_at": "soon"}
    assert as_role("clerk").post(address("proposal-move", proposal), nonsense).status_code == 422
    proposal.refresh_from_db()
    assert proposal.status == Status.FINAL_TEXT


def test_a_text_is_offered_only_the_evidence_that_its_type_can_have(as_role, cast):
    member = as_role("member")
    about_a_model = make_deliberated_proposal(cast, **authorisation(cast))
    motion = make_deliberated_proposal(cast)
    for path, has_criteria in (
        (address("proposal-edit", about_a_model), True),
        (address("proposal-amend", about_a_model), True),
        (address("proposal-edit", motion), False),
        (address("proposal-amend", motion), False),
        (f"{reverse('proposal-create')}?type=authorise_deployment&body={cast.body.slug}", True),
        (f"{reverse('proposal-create')}?type=general_motion&body={cast.body.slug}", False),
    ):
        page = member.get(path).text
        assert ("[[evidence]]" in page) is has_criteria, path
        assert ("[[criterion task]]" in page) is has_criteria, path
        assert "[[run run-…]]" in page, path


def test_the_close_is_clock_time_where_the_body_sits(client):
    cast = make_cast(body={"time_zone": "Pacific/Auckland"})
    proposal = make_final_proposal(cast)
    client.force_login(cast.clerk)
    day = timezone.now().date() + timedelta(days=20)
    data = {"act": "open-vote", "closes_at": f"{day.isoformat()}T18:00"}
    assert client.post(address("proposal-move", proposal), data).status_code == 302
    proposal = Proposal.objects.get(pk=proposal.pk)
    there = proposal.contract.closes_at.astimezone(ZoneInfo("Pacific/Auckland"))
    assert (there.date(), there.hour, there.minute) == (day, 18, 0)
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert f"{day.year}, 18:00\u00a0NZ" in page


def test_the_clerk_closes_once_all_have_voted_and_nobody_else_does(as_role, cast):
    proposal = make_open_vote(cast)
    path = address("proposal-move", proposal)
    assert as_role("clerk").post(path, {"act": "close"}).status_code == 409
    for person in cast.members:
        make_ballot(person, proposal)
    assert as_role("member").post(path, {"act": "close"}).status_code == 403
    answer = as_role("clerk").post(path, {"act": "close"})
    assert answer.status_code == 302
    assert answer["Location"] == f"/decisions/{proposal.ref}/"


def test_an_open_vote_shows_who_has_voted_and_never_how(client, cast):
    proposal = make_open_vote(cast)
    make_ballot(cast.chair, proposal, "no")
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "1 of 3 members has voted." in page
    assert "more than half of the votes for and against" in page
    assert "half of the roll must vote; not reached yet" in page
    assert re.findall(r"</svg>\s*(voted|not yet)<", page) == ["not yet", "not yet", "voted"]
    assert "voted no" not in page.lower()
    for language, needed in (
        ("fr", "plus de la moitié des voix pour et contre"),
        ("de", "mehr als die Hälfte der Stimmen dafür und dagegen"),
    ):
        page = client.get(f"/{language}{proposal.get_absolute_url()}").content.decode()
        assert needed in page
        assert "more than" not in page


@pytest.mark.parametrize(
    ("prepare", "role", "word"),
    [(make_deliberated_proposal, "member", "withdrew"), (make_open_vote, "clerk", "annulled")],
)
def test_an_ending_needs_a_public_reason(as_role, cast, prepare, role, word):
    proposal = prepare(cast)
    path = address("proposal-end", proposal)
    assert as_role("outsider").post(path, {"reason": "No."}).status_code == 403
    assert as_role(role).post(path, {"reason": "  "}).status_code == 422
    assert as_role(role).post(path, {"reason": "The text was wrong."}).status_code == 302
    page = as_role("anonymous").get(proposal.get_absolute_url()).content.decode()
    assert word in page
    assert "The text was wrong." in page


def test_ending_what_has_ended_is_a_conflict_that_keeps_the_reason(as_role, cast):
    proposal = make_deliberated_proposal(cast)
    stages.withdraw(by=cast.member, proposal=proposal, reason="First.")
    answer = as_role("member").post(address("proposal-end", proposal), {"reason": "Second."})
    assert answer.status_code == 409
    assert "Second." in answer.content.decode()


def test_a_decided_proposal_leads_to_its_decision(client, cast):
    decision = make_decision(cast)
    page = client.get(decision.proposal.get_absolute_url()).content.decode()
    assert "It is decided: carried." in page
    assert decision.get_absolute_url() in page


def test_a_page_asks_the_database_the_same_number_of_times_however_long_it_is(
    client, cast, django_assert_max_num_queries
):
    proposal = make_open_vote(cast)
    for number in range(1, 6):
        drafted = make_deliberated_proposal(cast)
        assert drafted.text.number == 1, number
    with django_assert_max_num_queries(24):
        client.get(proposal.get_absolute_url())


@pytest.mark.parametrize(
    "name", ["proposal-comment", "proposal-evaluate", "proposal-move", "proposal-ballot"]
)
def test_a_form_without_its_token_changes_nothing(cast, name):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    proposal = make_deliberated_proposal(cast)
    strict.force_login(cast.member)
    answer = strict.post(address(name, proposal), {"text": "x", "act": "fix-text"})
    assert answer.status_code == 403
    assert "security token" in answer.content.decode()


@pytest.mark.parametrize("name", ["proposal-comment", "proposal-evaluate", "proposal-move"])
def test_what_changes_something_answers_only_to_post(as_role, cast, name):
    path = address(name, make_deliberated_proposal(cast))
    member = as_role("member")
    assert member.get(path).status_code == 405
    shown = member.get(path, headers={"accept": "text/html"})
    assert (shown.status_code, shown["Allow"]) == (405, "POST")
    assert "A form is sent from its own page" in shown.content.decode()


def test_an_election_says_that_it_needs_its_options(as_role, cast):
    chosen = reverse("proposal-create") + "?type=election"
    shown = as_role("member").get(chosen).content.decode()
    assert re.search(r'<label for="id_options">Options</label>', shown), "not optional"
    answer = as_role("member").post(chosen, {"type": "election", "options": " \n "})
    assert answer.status_code == 422
    assert "Say what can be chosen" in answer.content.decode()


def test_a_criterion_is_set_for_a_suite_that_has_to_be_searched_for(as_role, cast, monkeypatch):
    monkeypatch.setattr("proposals.forms.texts.SUITES_OFFERED", 1)
    proposal = make_deliberated_proposal(cast, **authorisation(cast))
    suites = [make_suite(cast.evaluator, slug) for slug in ("first-suite", "second-suite")]
    path, client = address("proposal-criterion", proposal), as_role("member")
    listed = client.get(path).content.decode()
    assert f"{suites[0].pk}|facts" in listed
    assert f"{suites[1].pk}|facts" not in listed
    assert "search for the others" in listed
    found = client.get(path, {"suite": "second"}).content.decode()
    assert f"{suites[1].pk}|facts" in found
    data = {"measure": f"{suites[1].pk}|facts|acc", "comparison": "at_least", "threshold": "0.6"}
    assert client.post(f"{path}?suite=second", data).status_code == 302
    assert Criterion.objects.get().suite_version == suites[1]
    assert "No suite is called so." in client.get(path, {"suite": "third"}).content.decode()


def test_times_in_the_way_are_those_of_the_body(client):
    cast = make_cast(
        charter=quick_charter(deliberation_hours=48), body={"time_zone": "America/Lima"}
    )
    proposal = make_deliberated_proposal(cast)
    page = client.get(proposal.get_absolute_url()).content.decode()
    ends = proposal.deliberation_opened_at + timedelta(hours=48)
    local = ends.astimezone(ZoneInfo("America/Lima"))
    assert f"{local:%A} {local.day} {local:%B %Y, %H:%M} UTC-05" in page
