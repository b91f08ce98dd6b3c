"""Webhooks of organisations: all its operators manage them, by page and by API, and nobody else."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from oversight.accounts import services as accounts
from oversight.accounts.choices import OrganisationRole, Scope
from oversight.accounts.models import Notice
from oversight.web.refusals import Conflict, NotAllowed
from oversight.webhooks import services
from oversight.webhooks.choices import Status
from oversight.webhooks.models import Subscription
from tests import factories
from tests.api.conftest import assert_is_problem, bearer, send
from tests.webhooks.conftest import put_on_record

pytestmark = pytest.mark.django_db
LIST, API = "/my/webhooks/", "/api/v1/webhooks/"
ACTS = ("", "secret/", "challenge/", "ping/", "again/", "delete/")


@pytest.fixture
def cast():
    return factories.make_cast()


@pytest.fixture
def colleague(cast):
    """Return one more operator of the organisation."""
    person = factories.make_person("A second operator")
    accounts.affiliate(
        by=cast.administrator,
        person=person,
        organisation=cast.organisation,
        role=OrganisationRole.OPERATOR,
    )
    return person


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def keyed(person) -> Client:
    _, secret = accounts.create_api_key(person=person, name="Test", scopes=[Scope.WEBHOOKS])
    return bearer(secret)


def test_an_operator_makes_one_by_page_and_all_operators_manage_it(cast, colleague, receiver):
    page = signed_in(cast.operator)
    assert cast.organisation.name in page.get(LIST).content.decode()
    sent = {"url": receiver.url, "organisation": cast.organisation.slug}
    assert page.post(LIST, sent).status_code == 201
    made = Subscription.objects.get()
    assert (made.owner, made.organisation) == (None, cast.organisation)
    assert f"of {cast.organisation}" in signed_in(colleague).get(LIST).content.decode()
    shown = signed_in(colleague).get(made.get_absolute_url()).content.decode()
    assert f"{cast.organisation}: all its operators manage it" in shown
    gone = signed_in(colleague).post(f"{made.get_absolute_url()}delete/")
    assert gone.status_code == 302
    assert not Subscription.objects.exists()


def test_the_same_goes_by_api(cast, colleague, receiver):
    body = {"url": receiver.url, "organisation": cast.organisation.slug}
    made = send(keyed(cast.operator), "POST", API, body)
    assert made.status_code == 201, made.content
    assert made.json()["organisation"] == cast.organisation.slug
    listed = keyed(colleague).get(API).json()["results"]
    assert [each["id"] for each in listed] == [made.json()["id"]]
    at = f"{API}{made.json()['id']}/"
    assert keyed(colleague).post(f"{at}secret/").json()["secret"].startswith("whsec_")
    assert keyed(colleague).delete(at).status_code == 204


@pytest.mark.parametrize("who", ["evaluator", "member", "outsider", "administrator", "auditor"])
def test_who_is_no_operator_neither_makes_one_nor_learns_of_it(cast, subscribe, receiver, who):
    row = subscribe(cast.operator, organisation=cast.organisation).row
    person = cast.named(who)
    body = {"url": receiver.url, "organisation": cast.organisation.slug}
    assert_is_problem(send(keyed(person), "POST", API, body), 403)
    assert signed_in(person).post(LIST, body).status_code in {201, 422}
    assert Subscription.objects.filter(organisation=cast.organisation).count() == 1
    for act in ACTS:
        page = signed_in(person)
        ask = page.post if act else page.get
        assert ask(row.get_absolute_url() + act).status_code == 404, act
    for method, act in (
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "attempts/"),
        *(("POST", f"{each}/") for each in ("secret", "challenge", "ping")),
    ):
        assert_is_problem(send(keyed(person), method, f"{API}{row.public_id}/{act}"), 404)
    assert row.public_id not in keyed(person).get(API).content.decode()


def test_who_operates_for_it_no_more_is_out_at_once_and_it_goes_on(cast, subscribe, receiver):
    made = subscribe(cast.operator, organisation=cast.organisation)
    client = keyed(cast.operator)
    at = f"{API}{made.row.public_id}/"
    assert client.get(at).status_code == 200
    affiliation = cast.organisation.affiliations.get(role=OrganisationRole.OPERATOR)
    accounts.end_affiliation(by=cast.administrator, affiliation=affiliation)
    assert_is_problem(client.get(at), 404)
    with pytest.raises(NotAllowed, match="Only its operators"):
        services.subscribe(owner=cast.operator, url=receiver.url, organisation=cast.organisation)
    cast.operator.is_active = False
    cast.operator.save()
    put_on_record("proposal:2026-001")
    assert made.serve()
    assert receiver.events[-1].content["data"]["subject"] == "proposal:2026-001"


def test_where_it_is_switched_off_its_operators_are_told(cast, colleague, subscribe, receiver):
    made = subscribe(cast.operator, organisation=cast.organisation)
    receiver.status = 410
    put_on_record("proposal:2026-001")
    made.serve()
    assert made.row.status == Status.OFF
    told = set(Notice.objects.filter(about=made.row.public_id).values_list("person", flat=True))
    assert told == {cast.operator.pk, colleague.pk}


def test_what_one_has_and_what_the_organisation_has_are_counted_apart(cast, receiver, monkeypatch):
    monkeypatch.setattr(services, "MOST_OF_A_PERSON", 1)
    whose = {"owner": cast.operator, "url": receiver.url}
    services.subscribe(**whose)
    services.subscribe(**whose, organisation=cast.organisation)
    with pytest.raises(Conflict, match="You have 1"):
        services.subscribe(**whose)
    with pytest.raises(Conflict, match="It has 1"):
        services.subscribe(**whose, organisation=cast.organisation)


def test_a_subscription_belongs_to_one_of_both(cast, subscribe):
    row = subscribe(cast.operator).row
    for owner, organisation in ((None, None), (cast.operator, cast.organisation)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Subscription.objects.filter(pk=row.pk).update(owner=owner, organisation=organisation)


def test_who_operates_for_nobody_is_not_asked_whose_it_is(cast):
    assert "Whose it is" not in signed_in(cast.member).get(LIST).content.decode()
    assert "Whose it is" in signed_in(cast.operator).get(LIST).content.decode()
