"""Alarms about endpoints and what follows: bodies are told, one suspends, one proposes."""

import pytest
from django.urls import reverse

from oversight.accounts.models import Notice
from oversight.web.refusals import Conflict
from proposals.choices import ProposalType
from proposals.models import Proposal
from proposals.services.alarms import propose_because_of_alarm
from proposals.services.emergency import suspend_at_once
from proposals.tasks import tell_of_alarms
from tests.evals.test_checks import Scene, make_use

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    return Scene()


def alarm(scene):
    scene.plan()
    return scene.round(north=70, south=20)


def test_bodies_whose_decision_an_alarm_touches_are_told_once(scene):
    use = make_use(scene)
    told = Notice.objects.filter(kind="alarm", body=scene.cast.body)
    alarm(scene)
    assert tell_of_alarms() == 1
    assert {each.person for each in told} == {scene.cast.clerk, scene.cast.chair}
    assert {each.path for each in told} == {f"{scene.south.get_absolute_url()}#alarm"}
    assert str(use) in told[0].subject
    assert all(each.mail_at for each in told)
    assert tell_of_alarms() == 0
    scene.round(north=70, south=20)
    assert tell_of_alarms() == 0
    assert told.count() == 2


@pytest.mark.parametrize("is_alarming", [True, False])
def test_no_body_is_told_where_nothing_stands_authorised_or_no_alarm_is_raised(scene, is_alarming):
    if not is_alarming:
        make_use(scene)
    scene.plan()
    scene.round(north=70, south=20 if is_alarming else 70)
    assert tell_of_alarms() == 0
    assert not Notice.objects.filter(kind="alarm", body=scene.cast.body).exists()


def test_an_alarm_leads_to_the_emergency_suspension_with_its_clock(scene, client):
    use = make_use(scene)
    alarm(scene)
    row = use.authorisations.get()
    page = client.get(scene.south.get_absolute_url()).content.decode()
    assert "Its answers differ from those of north" in page
    assert "Suspend it in an emergency" not in page
    client.force_login(scene.cast.clerk)
    address = f"/decisions/{row.decision_ref}/suspend/?alarm"
    assert address in client.get(scene.south.get_absolute_url()).content.decode()
    reason = client.get(address).context["form"].initial["reason"]
    assert "raised an alarm" in reason
    assert client.get(address.removesuffix("?alarm")).context["form"].initial == {}
    assert client.post(address, {"reason": reason}).status_code == 302
    row.refresh_from_db()
    assert row.state_now == "suspended"
    assert row.suspended_until is not None


def test_an_alarm_suspends_nothing_by_itself(scene):
    use = make_use(scene)
    alarm(scene)
    tell_of_alarms()
    assert use.authorisations.get().is_in_force()


def test_a_member_drafts_what_the_alarm_asks_for_in_one_click(scene, client):
    use = make_use(scene)
    found = alarm(scene)
    ref = use.authorisations.get().decision_ref
    client.force_login(scene.cast.member)
    address = reverse("alarm-review", args=["south", ref])
    assert address in client.get(scene.south.get_absolute_url()).content.decode()
    answer = client.post(address)
    draft = Proposal.objects.get(status="draft")
    assert answer.headers["Location"] == f"/proposals/{draft.ref}/edit/"
    assert (draft.type, draft.target_ref, draft.proposer) == (
        ProposalType.SUSPEND,
        ref,
        scene.cast.member,
    )
    assert found.digest in draft.text.body_markdown
    assert "Its answers differ from those of north" in draft.text.body_markdown


def test_what_is_suspended_already_is_proposed_to_be_ended(scene):
    use = make_use(scene)
    alarm(scene)
    row = use.authorisations.get()
    suspend_at_once(by=scene.cast.clerk, authorisation=row, reason="It answers otherwise.")
    draft = propose_because_of_alarm(by=scene.cast.member, endpoint=scene.south, authorisation=row)
    assert draft.type == ProposalType.RETIRE


def test_who_may_not_propose_drafts_nothing_because_of_an_alarm(scene, client):
    use = make_use(scene)
    alarm(scene)
    ref = use.authorisations.get().decision_ref
    for who, status in ((scene.cast.outsider, 403), (scene.cast.clerk, 403)):
        client.force_login(who)
        assert client.post(reverse("alarm-review", args=["south", ref])).status_code == status
    client.force_login(scene.cast.member)
    assert client.post(reverse("alarm-review", args=["south", "1999-001"])).status_code == 404
    assert client.post(reverse("alarm-review", args=["nowhere", ref])).status_code == 404
    assert client.get(reverse("alarm-review", args=["south", ref])).status_code == 405
    assert client.post(reverse("alarm-review", args=["north", ref])).status_code == 409
    assert not Proposal.objects.filter(status="draft").exists()


def test_without_a_standing_alarm_there_is_nothing_to_draft_because_of_it(scene):
    use = make_use(scene)
    scene.plan()
    scene.round(north=70, south=70)
    row = use.authorisations.get()
    with pytest.raises(Conflict, match="raised no alarm"):
        propose_because_of_alarm(by=scene.cast.member, endpoint=scene.south, authorisation=row)
