"""The pages of typed proposals and of what is done about decisions: who gets in, what they send."""

from datetime import timedelta

import pytest
from django.urls import reverse

from oversight.registry.models import Authorisation
from proposals.choices import ProposalType, StatementKind, Status
from proposals.forms.charters import CharterForm
from proposals.models import Charter, Decision, Proposal, Statement
from proposals.services import annulment
from tests.factories import (
    make_cast,
    make_decision,
    make_deployment,
    make_final_proposal,
    make_model_version,
    make_open_vote,
    make_proposal,
    make_suite,
    quick_charter,
)
from tests.marked import put_in, taken_out

pytestmark = pytest.mark.django_db

OFFERED = [kind for kind in ProposalType if kind != ProposalType.AMENDMENT]
"""An amendment of a text is put to its vote from its own page."""

EVERYBODY = ("outsider", "member", "chair", "clerk", "administrator", "auditor", "operator")
TEXTS = {"title": "A title", "summary": "A summary.", "text": "Some text."}


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def decision(cast):
    return make_decision(cast, deployment=make_deployment(), version=make_model_version())


def create(client, cast, kind, query="", **data):
    path = f"{reverse('proposal-create')}?type={kind}{query}"
    return client.post(path, {"body": cast.body.pk, "type": str(kind), **TEXTS, **data})


def statuses(client, cast, path, data=None):
    found = {}
    for role in EVERYBODY:
        client.force_login(cast.named(role))
        found[role] = (client.get(path) if data is None else client.post(path, data)).status_code
    client.logout()
    found["anonymous"] = client.get(path).status_code
    return found


# -- Drafting --------------------------------------------------------------------------------


def test_what_can_be_proposed_is_asked_first_with_what_it_is_for(client, cast):
    client.force_login(cast.member)
    page = client.get(reverse("proposal-create")).content.decode()
    for kind in OFFERED:
        assert f"type={kind}" in page
    assert "What was authorised ends for good." in page
    assert client.get(f"{reverse('proposal-create')}?type=coup").status_code == 404


@pytest.mark.parametrize("kind", OFFERED)
def test_every_type_has_its_form(client, cast, decision, kind):
    suite = make_suite(cast.evaluator)
    client.force_login(cast.member)
    query = f"&about={decision.ref}&suite={suite.digest}"
    page = client.get(f"{reverse('proposal-create')}?type={kind}{query}")
    assert page.status_code == 200
    assert "Keep the draft" in page.content.decode()
    answer = client.post(f"{reverse('proposal-create')}?type={kind}{query}", {"type": str(kind)})
    assert answer.status_code == 422


def test_conditions_are_entered_as_words_and_kept_as_data(client, cast):
    client.force_login(cast.member)
    answer = create(
        client,
        cast,
        ProposalType.AUTHORISE,
        deployment=make_deployment().pk,
        version=make_model_version().pk,
        languages="de, fr",
        maximum_temperature="0.70",
        days="30",
    )
    assert answer.status_code == 302
    assert Proposal.objects.get().text.terms == {
        "conditions": {"languages": ["de", "fr"], "maximum_temperature": "0.7"},
        "days": 30,
    }
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Under these conditions" in page
    assert "de, fr" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [("languages", "German"), ("regions", "ch"), ("system_prompt", "abc"), ("days", "121")],
)
def test_a_condition_that_cannot_be_used_is_refused_at_its_field(client, cast, field, value):
    client.force_login(cast.member)
    subject = {"deployment": make_deployment().pk, "version": make_model_version().pk}
    answer = create(client, cast, ProposalType.AUTHORISE, **subject, **{field: value})
    assert answer.status_code == 422
    assert f'href="#id_{field}"' in answer.content.decode()
    assert not Proposal.objects.exists()


@pytest.mark.parametrize(
    "kind", [ProposalType.RENEW, ProposalType.SUSPEND, ProposalType.RETIRE, ProposalType.ANNUL]
)
def test_what_acts_on_a_decision_names_it(client, cast, decision, kind):
    client.force_login(cast.member)
    assert create(client, cast, kind).status_code == 422
    assert create(client, cast, kind, target="2026-999").status_code == 422
    assert create(client, cast, kind, target=decision.ref).status_code == 302
    assert Proposal.objects.get(type=kind).target_ref == decision.ref


def test_a_renewal_begins_with_the_conditions_that_stand(client, cast):
    terms = {"conditions": {"regions": ["CH"]}}
    first = make_decision(
        cast, deployment=make_deployment(), version=make_model_version(), terms=terms
    )
    client.force_login(cast.member)
    page = client.get(f"{reverse('proposal-create')}?type=renew_authorisation&about={first.ref}")
    assert 'value="CH"' in page.content.decode()


def test_a_suite_is_chosen_then_its_measures(client, cast):
    suite = make_suite(cast.evaluator)
    client.force_login(cast.member)
    path = f"{reverse('proposal-create')}?type=adopt_suite"
    assert suite.digest[7:20] in client.get(path).content.decode()
    query = f"&suite={suite.digest}"
    asked = {"comparison-0": "at_least", "threshold-0": "0.650", "must-0": "on"}
    missing = create(client, cast, ProposalType.ADOPT_SUITE, query, **{"comparison-1": "at_least"})
    assert missing.status_code == 422
    assert create(client, cast, ProposalType.ADOPT_SUITE, query, **asked).status_code == 302
    assert Proposal.objects.get().text.terms["criteria"] == [
        {
            "task": "facts",
            "metric": "acc",
            "comparison": "at_least",
            "threshold": "0.65",
            "must_pass": True,
        }
    ]


def test_a_suite_may_ask_for_a_comparison_with_a_version(client, cast):
    suite, kept = make_suite(cast.evaluator), make_model_version()
    client.force_login(cast.member)
    query = f"&suite={suite.digest}"
    asked = {"comparison-0": "not_worse", "threshold-0": "0.05", "must-0": "on"}
    alone = create(client, cast, ProposalType.ADOPT_SUITE, query, **asked)
    assert alone.status_code == 422
    assert "Choose the version that it must not be worse than." in alone.content.decode()
    beside = {"beside": str(kept.pk)}
    assert create(client, cast, ProposalType.ADOPT_SUITE, query, **asked, **beside).status_code == (
        302
    )
    (row,) = Proposal.objects.get().text.terms["criteria"]
    assert (row["comparison"], row["beside"]) == ("not_worse", kept.digest)
    edit = client.get(f"{Proposal.objects.get().get_absolute_url()}edit/").content.decode()
    assert f'<option value="{kept.pk}" selected>' in edit


def filled(document, **changes):
    """Return what the page sends for a charter, but for `changes`."""
    form = CharterForm(None, document=document)
    sent = {
        field.html_name: field.value()
        for each in form.all
        for field in each
        if field.value() not in (None, False)
    }
    return sent | changes


def test_an_amendment_is_written_rule_by_rule_and_shows_what_it_changes(client, cast):
    client.force_login(cast.member)
    document = Charter.objects.get(body=cast.body).document
    same = create(client, cast, ProposalType.AMEND_CHARTER, base=1, **filled(document))
    assert same.status_code == 422
    assert "It says the same as the charter in force" in same.content.decode()
    changed = filled(document, **{"general_motion-voting_hours": "1 day"})
    answer = create(client, cast, ProposalType.AMEND_CHARTER, base=1, **changed)
    assert answer.status_code == 302
    page = client.get(answer.headers["Location"]).content.decode()
    assert (
        put_in("A vote is open for 1 day; a clerk may close it earlier once all have voted.")
        in page
    )
    assert (
        taken_out("A vote is open for 3 days; a clerk may close it earlier once all have voted.")
        in page
    )


def test_a_rule_of_an_amendment_that_can_never_be_met_is_refused(client, cast):
    client.force_login(cast.member)
    document = Charter.objects.get(body=cast.body).document
    changed = filled(document, **{"authorise_deployment-emergency_hours": "1 hour"})
    answer = create(client, cast, ProposalType.AMEND_CHARTER, base=1, **changed)
    assert answer.status_code == 422
    assert "Must be at least 3 days" in answer.content.decode()


def test_the_terms_are_edited_with_the_text(client, cast):
    proposal = make_proposal(
        cast, deployment=make_deployment(), version=make_model_version(), terms={"days": 30}
    )
    client.force_login(cast.member)
    path = reverse("proposal-edit", args=[proposal.ref])
    assert 'value="30"' in client.get(path).content.decode()
    sent = {**TEXTS, "base_number": 1, "days": "20", "regions": "CH"}
    assert client.post(path, sent).status_code == 302
    assert proposal.text.terms == {"conditions": {"regions": ["CH"]}, "days": 20}


def test_a_preview_keeps_nothing_and_what_was_typed(client, cast):
    client.force_login(cast.member)
    answer = create(client, cast, ProposalType.MOTION, preview="1")
    assert answer.status_code == 200
    assert "A summary." in answer.content.decode()
    assert not Proposal.objects.exists()


def test_a_charter_that_lets_anyone_propose_opens_the_page_to_anyone(client):
    cast = make_cast(charter=quick_charter(proposers="anyone"))
    client.force_login(cast.outsider)
    assert client.get(reverse("proposal-create")).status_code == 200
    assert create(client, cast, ProposalType.MOTION).status_code == 302


# -- Setting the time of a vote --------------------------------------------------------------


def test_a_clerk_sets_the_time_where_the_body_sits(client):
    cast = make_cast(body={"time_zone": "Asia/Tokyo"})
    proposal = make_final_proposal(cast)
    client.force_login(cast.clerk)
    path = reverse("proposal-move", args=[proposal.ref])
    past = client.post(path, {"act": "open-vote", "opens_at": "2020-01-01T09:00"})
    assert past.status_code == 422
    day = (proposal.drafted_at + timedelta(days=3)).date()
    sent = {"act": "open-vote", "opens_at": f"{day}T09:00"}
    assert client.post(path, sent).status_code == 302
    proposal.refresh_from_db()
    assert (proposal.status, proposal.vote_opens_at.hour) == (Status.FINAL_TEXT, 0)
    assert "The clock opens the vote" in client.get(proposal.get_absolute_url()).content.decode()


# -- What is done about a decision -----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parts", "allowed", "data"),
    [
        ("decision-suspend", (), {"clerk"}, {"reason": "It gave out addresses."}),
        ("decision-annul", (), {"clerk"}, {"authority": "Court", "reason": "No hearing."}),
        ("decision-statement", ("reasons",), {"clerk"}, {"text": "So it is."}),
        ("decision-statement", ("explanation",), {"member", "chair"}, {"text": "So it is."}),
        ("decision-statement", ("dissent",), {"chair"}, {"text": "So it is not."}),
    ],
)
def test_who_gets_in(client, cast, decision, name, parts, allowed, data):
    path = reverse(name, args=[decision.ref, *parts])
    for role, code in statuses(client, cast, path).items():
        assert code == (302 if role == "anonymous" else 200 if role in allowed else 403), role
    for role in EVERYBODY:
        if role not in allowed:
            client.force_login(cast.named(role))
            assert client.post(path, data).status_code == 403, role
    client.force_login(cast.named(min(allowed)))
    assert client.post(path, {}).status_code == 422
    assert client.post(path, data).status_code == 302
    assert client.post(path, data).status_code in {403, 409}


def test_what_does_not_exist_is_404(client, cast, decision):
    client.force_login(cast.clerk)
    for name in ("decision-suspend", "decision-annul"):
        assert client.get(reverse(name, args=["1999-001"])).status_code == 404
    motion = make_decision(cast)
    assert client.get(reverse("decision-suspend", args=[motion.ref])).status_code == 404
    odd = reverse("decision-statement", args=[decision.ref, "opinion"])
    assert client.get(odd).status_code == 404


def test_a_statement_stands_on_the_decisions_page_without_its_scripts(client, cast, decision):
    client.force_login(cast.chair)
    path = reverse("decision-statement", args=[decision.ref, "dissent"])
    client.post(path, {"text": "It was **hasty**. <script>alert(1)</script>"})
    client.logout()
    page = client.get(decision.get_absolute_url()).content.decode()
    assert "Dissent by The chair" in page
    assert "<strong>hasty</strong>" in page
    assert "<script>alert" not in page
    assert Statement.objects.get().kind == StatementKind.DISSENT
    told = client.get(reverse("api-decision", args=[decision.ref])).json()
    assert told["statements"][0]["kind"] == "dissent"


def test_an_annulled_decision_says_so_on_page_list_and_api(client, cast, decision):
    annulment.record_ruling(
        by=cast.clerk, decision=decision, authority="Court, 1/26", reason="No hearing."
    )
    page = client.get(decision.get_absolute_url()).content.decode()
    assert "Annulled: it counts as never made." in page
    assert "Court, 1/26" in page
    assert "Annulled" in client.get(reverse("deciding")).content.decode()
    told = client.get(reverse("api-decision", args=[decision.ref])).json()
    assert told["annulled"]["by"] == "Court, 1/26"


def test_an_effect_that_became_impossible_says_so_on_the_page(client, cast, decision):
    Decision.objects.filter(pk=decision.pk).update(impossible="expired")
    page = client.get(decision.get_absolute_url()).content.decode()
    assert "Carried, but it could not take effect any more." in page
    assert "The authorisation had expired by then." in page


def test_a_suspension_shows_on_the_deployment_until_it_lapses(client, cast, decision):
    client.force_login(cast.clerk)
    path = reverse("decision-suspend", args=[decision.ref])
    answer = client.post(path, {"reason": "It gave out addresses."})
    ratification = client.get(answer.headers["Location"]).content.decode()
    assert "It gave out addresses." in ratification
    assert "Not carried, the authorisation is in force again at once." in ratification
    row = Authorisation.objects.get()
    page = client.get(row.deployment.get_absolute_url()).content.decode()
    assert "unless ratified" in page


def test_each_charter_has_its_page_with_what_it_changed(client, cast):
    document = quick_charter(voting_hours=24)
    make_decision(cast, type=ProposalType.AMEND_CHARTER, terms={"base": 1, "charter": document})
    first = client.get(reverse("charter", args=[cast.body.slug, 1])).content.decode()
    second = client.get(reverse("charter", args=[cast.body.slug, 2])).content.decode()
    assert "It was replaced" in first
    assert (
        put_in("A vote is open for 1 day; a clerk may close it earlier once all have voted.")
        in second
    )
    assert client.get(reverse("charter", args=[cast.body.slug, 3])).status_code == 404
    told = client.get(reverse("api-charters", args=[cast.body.slug])).json()
    assert [row["number"] for row in told["results"]] == [2, 1]


def test_a_vote_opened_by_a_member_is_refused_with_a_time_too(client, cast):
    proposal = make_final_proposal(cast)
    client.force_login(cast.member)
    path = reverse("proposal-move", args=[proposal.ref])
    sent = {"act": "open-vote", "opens_at": "2099-01-01T09:00"}
    assert client.post(path, sent).status_code == 403
    assert make_open_vote(cast).status == Status.VOTING
