"""Who sees which page: everybody all that is public, and nobody another person's work."""

import pytest

from oversight.ledger.sequencer import sequence_once
from tests import factories
from tests.dashboards.conftest import EMPTY
from tests.incidents.made import make_report

UNKNOWN = (
    "/models/nothing/",
    "/models/nothing/card.md",
    "/versions/sha256:0/card.md",
    "/deployments/nothing/",
    "/endpoints/nothing/",
    "/versions/sha256:0/changes/sha256:1/",
    "/versions/sha256:0/changes/sha256:1.json",
    "/suites/nothing/",
    "/suites/nothing/1/",
    "/suites/nothing/tasks/facts/",
    "/suites/nothing/tasks/facts.json",
    "/suites/nothing/tasks/facts.csv",
    "/runs/run-00000000/",
    "/runs/run-00000000/samples/facts/",
    "/decisions/1999-001/",
    "/decisions/1999-001/record.json",
    "/decisions/1999-001/contract.json",
    "/decisions/1999-001/report/",
    "/decisions/1999-001/report.json",
    "/decisions/1999-001/report.pdf",
    "/deployments/nothing/registers/",
    "/deployments/nothing/registers/atrs.json",
    "/registers/nothing.json",
    "/feeds/nothing.atom",
    "/deployments/nothing/report/",
    "/deployments/nothing/report.json",
    "/deployments/nothing/report.pdf",
    "/bodies/nothing/",
    "/bodies/nothing/moderation/",
    "/bodies/nothing/participation/",
    "/bodies/nothing/participation.json",
    "/bodies/nothing/participation.csv",
    "/bodies/nothing/members.csv",
    "/bodies/nothing/members/abcd/",
    "/proposals/1999-001/arguments/",
    "/proposals/1999-001/moderation/",
    "/proposals/1999-001/opinions/",
    "/proposals/1999-001/opinions/input.json",
    "/proposals/1999-001/opinions/map.json",
    "/proposals/1999-001/statements/",
    "/proposals/1999-001/revisions/1/passages/1/",
    "/incidents/INC-1999-001/",
    "/incidents/INC-1999-001/oecd.json",
    "/incidents/nothing/",
    "/compute/by-host.csv",
    "/compute/by-host.parquet",
    "/bodies/nothing/participation.parquet",
    "/bodies/nothing/members.parquet",
    "/data/nothing.csv",
    "/data/models.xml",
    "/record/999999/",
    "/record/99999999999999999999999/",
    "/record/999999/leaf.json",
    "/receipts/00000000-0000-4000-8000-000000000000/",
)


@pytest.mark.parametrize("path", ["decisions", "proposals", "bodies", "suites", "runs"])
def test_a_shortened_address_leads_to_a_list(client, db, path):
    answer = client.get(f"/{path}/", follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain in ([("/deciding/", 302)], [("/findings/", 302)])


def test_every_public_page_opens_for_somebody_without_an_account(client, addresses):
    answers = {address: client.get(address).status_code for address in addresses}
    assert set(answers.values()) == {200}, answers


def test_every_public_page_answers_head_as_get_without_a_body(client, addresses):
    for address in addresses:
        answer = client.head(address)
        assert (answer.status_code, b"".join(answer)) == (200, b""), address


@pytest.mark.django_db
@pytest.mark.parametrize("address", EMPTY)
def test_every_page_opens_on_an_empty_record(client, address):
    assert client.get(address).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("address", UNKNOWN)
def test_what_is_not_there_is_not_found(client, address):
    assert client.get(address).status_code == 404


def test_a_page_is_not_changed_by_posting_to_it(client, addresses):
    for address in addresses:
        if address not in {"/record/check/", "/count/", "/api/schema/"}:
            assert client.post(address).status_code == 405, address


@pytest.mark.django_db
def test_my_work_asks_a_visitor_to_sign_in(client):
    answer = client.get("/my/")
    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]


def test_my_work_shows_each_person_only_their_own(client, world, words):
    factories.make_proposal(world.cast, title="Only in the drafts of the member")
    client.force_login(world.cast.member)
    assert "Only in the drafts of the member" in words(client.get("/my/"))
    client.force_login(world.cast.outsider)
    answer = words(client.get("/my/"))
    assert "Only in the drafts of the member" not in answer
    assert "You have no role yet." in answer


def test_my_work_says_what_waits_for_a_clerk_and_where_an_administrator_works(client, world, words):
    incident, _ = make_report(deployment=world.deployment)
    client.force_login(world.cast.clerk)
    answer = words(client.get("/my/"))
    assert incident.ref in answer
    assert "One incident waits for you." in answer
    assert "You are on no open roll." not in answer
    client.force_login(world.cast.administrator)
    answer = words(client.get("/my/"))
    assert "You have no role yet." not in answer
    assert "Administration Bodies, Organisations" in answer


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        ("anonymous", False),
        ("outsider", False),
        ("operator", False),
        ("evaluator", False),
        ("member", True),
        ("clerk", True),
        ("auditor", True),
        ("administrator", True),
    ],
)
def test_a_draft_is_listed_only_for_who_may_read_it(client, world, words, role, sees):
    factories.make_proposal(
        world.cast,
        title="Not public yet",
        version=world.version,
        deployment=world.deployment,
    )
    person = world.cast.named(role)
    if person:
        client.force_login(person)
    for address in (
        "/deciding/",
        f"/bodies/{world.cast.body.slug}/",
        world.deployment.get_absolute_url(),
        world.version.model.get_absolute_url(),
    ):
        assert ("Not public yet" in words(client.get(address))) is sees, address


def test_where_workers_find_the_weights_stands_on_no_page(client, addresses):
    for address in addresses:
        assert b"/nowhere" not in b"".join(client.get(address)), address


def test_the_choices_of_an_open_vote_stand_on_no_page(client, world, words):
    proposal = factories.make_open_vote(world.cast, title="An open question")
    ballot = factories.make_ballot(world.cast.member, proposal, "no")
    sequence_once()
    assert "1 of 3 on the roll have voted" in words(client.get("/deciding/"))
    before = client.get(f"/decisions/{proposal.ref}/")
    assert (before.status_code, before["Location"]) == (302, proposal.get_absolute_url())
    assert client.get("/decisions/2026-999/").status_code == 404
    entry = client.get(f"/receipts/{ballot.leaf_id}/", follow=True)
    facts = entry.context["content"]["facts"]
    assert facts == {"number": 1}
    assert '"choice": "no"' not in entry.content.decode()


def test_robots_are_led_past_what_is_of_use_to_people_alone(client, db):
    answer = client.get("/robots.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode().startswith("User-agent: *\nDisallow: /accounts/\n")
    assert "Disallow: /\n" not in answer.content.decode()


def test_the_old_name_of_the_mark_leads_to_it(client, db):
    answer = client.get("/favicon.ico")
    assert answer.status_code == 301
    assert answer["Location"].startswith("/static/img/mark.")
