"""Pages of the accounts floor: keys of one's own, and what only administrators find."""

import pytest
from django.test import Client
from django.urls import reverse

from oversight.accounts import services
from oversight.accounts.models import Affiliation, ApiKey, Body, Membership, Organisation, Person
from oversight.ledger.models import PendingLeaf
from tests.factories import make_administrator, make_cast, make_organisation, make_person

pytestmark = pytest.mark.django_db

NOT_ADMINISTRATORS = ("outsider", "member", "chair", "clerk", "evaluator", "auditor")
GOOD = {
    "display_name": "The first",
    "email": "First@example.org",
    "password": "a long phrase nobody guesses",
}


@pytest.fixture
def cast():
    return make_cast()


def administration_requests(cast):
    """Every address of administration, as method, path and what is sent."""
    seat = cast.member.memberships.get()
    role = cast.evaluator.affiliations.get()
    body = reverse("administration-body", args=[cast.body.slug])
    organisation = reverse("administration-organisation", args=[cast.organisation.slug])
    appointment = {"email": cast.outsider.email, "role": "member", "weight": 1}
    return [
        ("get", reverse("administration"), {}),
        ("post", reverse("body-found"), {"name": "B", "slug": "b", "time_zone": "Europe/Zurich"}),
        ("post", reverse("body-found"), {}),
        ("post", reverse("organisation-admit"), {"name": "O", "slug": "o"}),
        ("get", body, {}),
        ("post", body, appointment),
        ("post", reverse("body-language", args=[cast.body.slug]), {"language": "de"}),
        ("get", organisation, {}),
        ("post", organisation, {"email": cast.outsider.email, "role": "evaluator"}),
        ("post", reverse("membership-end", args=[seat.public_id]), {}),
        ("post", reverse("affiliation-end", args=[role.pk]), {}),
    ]


@pytest.mark.parametrize("role", [*NOT_ADMINISTRATORS, "anonymous"])
def test_administration_does_not_exist_for_others(client, cast, role):
    if person := cast.named(role):
        client.force_login(person)
    before = PendingLeaf.objects.count()
    expected = 302 if role == "anonymous" else 404
    for method, path, data in administration_requests(cast):
        assert getattr(client, method)(path, data).status_code == expected, path
    assert PendingLeaf.objects.count() == before


def test_the_administrator_gets_through_every_address(client, cast):
    client.force_login(cast.administrator)
    for method, path, data in administration_requests(cast):
        expected = {200} if method == "get" else {302} if data or "/end/" in path else {422}
        assert getattr(client, method)(path, data).status_code in expected, path


def test_the_first_look_says_where_to_begin(client):
    client.force_login(make_administrator())
    page = client.get(reverse("administration")).content.decode()
    assert "Begin with a body that decides." in page
    assert page.count("<details open>") == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"slug": "with space"}, "slug"),
        ({"time_zone": "Moon/Base"}, "time_zone"),
        ({"summary": "x" * 401}, "summary"),
    ],
)
def test_a_body_that_cannot_be_founded_keeps_what_was_typed(client, change, field):
    client.force_login(make_administrator())
    data = {"name": "City council", "slug": "city", "time_zone": "Europe/Zurich", **change}
    answer = client.post(reverse("body-found"), data)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert f'href="#body_{field}"' in page
    assert "City council" in page or field == "name"
    assert not Body.objects.exists()


def test_a_taken_address_name_is_a_conflict_that_keeps_what_was_typed(client, cast):
    client.force_login(cast.administrator)
    data = {"name": "Twin", "slug": cast.body.slug, "time_zone": "Europe/Zurich"}
    answer = client.post(reverse("body-found"), data)
    assert answer.status_code == 409
    assert 'value="Twin"' in answer.content.decode()
    data = {"name": "Twin office", "slug": cast.organisation.slug}
    answer = client.post(reverse("organisation-admit"), data)
    assert answer.status_code == 409
    assert 'value="Twin office"' in answer.content.decode()
    assert (Body.objects.count(), Organisation.objects.count()) == (1, 1)


def test_an_appointment_is_on_the_record_and_listed(client, cast):
    client.force_login(cast.administrator)
    path = reverse("administration-body", args=[cast.body.slug])
    data = {"email": cast.outsider.email.upper(), "role": "member", "weight": 3}
    assert client.post(path, data).status_code == 302
    seat = Membership.objects.get(person=cast.outsider)
    assert seat.weight == 3
    assert PendingLeaf.objects.get(pk=seat.leaf_id).content["facts"]["weight"] == 3
    assert "An outsider" in client.get(path).content.decode()


@pytest.mark.parametrize(
    ("language", "option", "helps"),
    [
        ("", "Chair: votes, and can be asked to decide a tie", "where the charter says so"),
        ("/de", "Vorsitz: stimmt ab und kann bei Gleichstand", "wo die Geschäftsordnung das sagt"),
        ("/fr", "Présidence : vote et peut être appelée", "là où la charte le dit"),
    ],
)
def test_who_appoints_reads_what_each_role_does(client, cast, language, option, helps):
    client.force_login(cast.administrator)
    path = reverse("administration-body", args=[cast.body.slug])
    page = client.get(f"{language}{path}").content.decode()
    assert option in page
    assert helps in page


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"email": "nobody@example.org"}, 422, "Nobody with this e-mail"),
        ({"weight": "0"}, 422, "id_weight"),
        ({"role": "king"}, 422, "id_role"),
        ({"ends_at": "2001-01-01"}, 422, "id_ends_at"),
    ],
)
def test_an_appointment_that_cannot_be_made_says_why(client, cast, change, status, words):
    client.force_login(cast.administrator)
    path = reverse("administration-body", args=[cast.body.slug])
    data = {"email": cast.outsider.email, "role": "member", "weight": 1, **change}
    answer = client.post(path, data)
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert not cast.outsider.memberships.exists()


def test_a_second_seat_is_a_conflict_that_keeps_what_was_typed(client, cast):
    client.force_login(cast.administrator)
    path = reverse("administration-body", args=[cast.body.slug])
    data = {"email": cast.member.email, "role": "member", "weight": 7}
    answer = client.post(path, data)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "already has a term" in page
    assert 'value="7"' in page


def test_an_ended_term_moves_to_the_past_and_ends_once(client, cast):
    client.force_login(cast.administrator)
    seat = cast.member.memberships.get()
    path = reverse("membership-end", args=[seat.public_id])
    assert client.post(path).status_code == 302
    assert client.post(path).status_code == 409
    page = client.get(reverse("administration-body", args=[cast.body.slug])).content.decode()
    assert "Past terms" in page
    assert "3 people sit in" in page


def test_a_role_is_given_once_and_ended(client, cast):
    client.force_login(cast.administrator)
    path = reverse("administration-organisation", args=[cast.organisation.slug])
    data = {"email": cast.outsider.email, "role": "evaluator"}
    assert client.post(path, data).status_code == 302
    assert client.post(path, data).status_code == 409
    assert (
        client.post(path, {"email": "nobody@example.org", "role": "evaluator"}).status_code == 422
    )
    row = Affiliation.objects.get(person=cast.outsider)
    end = reverse("affiliation-end", args=[row.pk])
    assert client.post(end).status_code == 302
    assert client.post(end).status_code == 409


def test_a_persons_keys_are_theirs_alone(client, cast):
    services.create_api_key(person=cast.member, name="The nightly script", scopes=[])
    assert client.get(reverse("api-keys")).status_code == 302
    client.force_login(cast.outsider)
    page = client.get(reverse("api-keys")).content.decode()
    assert "The nightly script" not in page
    assert "You have no key yet." in page
    client.force_login(cast.member)
    assert "The nightly script" in client.get(reverse("api-keys")).content.decode()


def test_a_new_key_is_shown_this_once_and_stored_hashed(client, cast):
    client.force_login(cast.member)
    data = {"name": "Script", "scopes": ["runs:write"], "days": 30}
    answer = client.post(reverse("api-keys"), data)
    secret = answer.context["secret"]
    assert secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    key = ApiKey.objects.get()
    assert secret not in {key.digest, key.prefix, key.name}
    page = client.get(reverse("api-keys")).content.decode()
    assert secret not in page
    assert "start and cancel evaluation runs" in page


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"days": "0"}, {"days": "x"}, {"scopes": ["all"]}]
)
def test_a_key_that_cannot_be_made_is_refused(client, cast, change):
    client.force_login(cast.member)
    data = {"name": "Script", "days": 30, **change}
    assert client.post(reverse("api-keys"), data).status_code == 422
    assert not ApiKey.objects.exists()


def test_only_its_owner_revokes_a_key(client, cast):
    key, _ = services.create_api_key(person=cast.member, name="Script", scopes=[])
    path = reverse("api-key-revoke", args=[key.prefix])
    client.force_login(cast.outsider)
    assert client.post(path).status_code == 404
    client.force_login(cast.administrator)
    assert client.post(path).status_code == 404
    client.force_login(cast.member)
    assert client.get(path).status_code == 405
    assert client.post(path).status_code == 302
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert "Revoked" in client.get(reverse("api-keys")).content.decode()


def first_link():
    return reverse("first-administrator", args=[services.issue_first_administrator_link()])


def test_the_link_makes_the_first_administrator_and_signs_them_in(client):
    path = first_link()
    assert client.get(path).status_code == 200
    answer = client.post(path, GOOD)
    assert answer.status_code == 302
    person = Person.objects.get()
    assert person.is_superuser
    assert person.email == "first@example.org"
    assert client.get(reverse("administration")).status_code == 200


def test_the_link_works_once(client):
    path = first_link()
    client.post(path, GOOD)
    again = Client().post(path, GOOD | {"email": "second@example.org"})
    assert again.status_code == 409
    assert "has been used or is too old" in again.content.decode()
    assert Person.objects.count() == 1


def test_an_unknown_link_makes_nobody_and_tells_nothing_of_accounts(client):
    known = make_person(email="known@example.org")
    path = reverse("first-administrator", args=["guessed"])
    answers = [
        client.post(path, GOOD | {"email": email}) for email in (known.email, "new@example.org")
    ]
    assert [answer.status_code for answer in answers] == [409, 409]
    assert "already an account" not in answers[0].content.decode()
    assert Person.objects.count() == 1


def test_an_email_that_is_taken_leaves_the_link_as_it_was(client):
    make_person(email="first@example.org")
    path = first_link()
    answer = client.post(path, GOOD)
    assert answer.status_code == 422
    assert "already an account" in answer.content.decode()
    assert client.post(path, GOOD | {"email": "other@example.org"}).status_code == 302


@pytest.mark.parametrize("change", [{"password": "12345678"}, {"email": "x"}, {"display_name": ""}])
def test_a_first_account_that_cannot_be_made_is_refused(client, change):
    answer = client.post(first_link(), GOOD | change)
    assert answer.status_code == 422
    assert "a long phrase nobody guesses" not in answer.content.decode()
    assert not Person.objects.exists()


def test_the_list_of_bodies_takes_no_more_queries(client, django_assert_max_num_queries):
    administrator = make_administrator()
    for _ in range(5):
        make_organisation(administrator)
    client.force_login(administrator)
    with django_assert_max_num_queries(8):
        client.get(reverse("administration"))


# -- What cannot be taken back ----------------------------------------------------------------


def test_ending_a_term_and_revoking_a_key_take_two_steps(client, cast):
    client.force_login(cast.administrator)
    client.post(reverse("api-keys"), {"name": "Mine", "scopes": ["runs:write"], "days": 30})
    body = client.get(reverse("administration-body", args=[cast.body.slug])).content.decode()
    keys = client.get(reverse("api-keys")).content.decode()
    for page, action in ((body, "/end/"), (keys, "/revoke/")):
        form = page[: page.index(f'{action}"')].rpartition("<details")[2]
        assert form.startswith(' class="confirm"><summary>')
        assert "</details>" not in form


# -- A system that is tried out --------------------------------------------------------------


@pytest.mark.parametrize("way", ["file", "smtp"])
@pytest.mark.parametrize("page", ["account_email_verification_sent", "account_reset_password_done"])
def test_who_waits_for_a_letter_is_told_where_no_mail_is_sent(client, settings, way, page):
    kind = "filebased" if way == "file" else way
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{kind}.EmailBackend"
    said = b"This system sends no mail" in client.get(reverse(page)).content
    assert said is (way == "file")
