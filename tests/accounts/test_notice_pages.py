"""A person's notices on pages and in the API: read, chosen how to come, and stopped for good."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from oversight.accounts import notices
from oversight.accounts import services as accounts
from oversight.accounts.choices import NoticeKind, Scope
from oversight.accounts.models import ImmediateKind, Notice, NoticeSettings
from oversight.accounts.unsubscribing import unsubscribe_address
from tests.api.conftest import assert_is_problem, bearer, send
from tests.factories import make_cast, make_person

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def person(cast, client):
    client.force_login(cast.member)
    return cast.member


def tell(person, subject="A thing", **fields):
    accounts.notify(
        people=[person], subject=subject, text="It happened.", path="/record/", **fields
    )
    return person.notices.newest_first().first()


def text(answer):
    return answer.content.decode()


# -- The list --------------------------------------------------------------------------------


def test_everybody_sees_their_own_list_only(client, cast, person):
    tell(person, "For the member")
    tell(cast.outsider, "For the outsider")
    assert "For the member" in text(client.get("/my/notices/"))
    assert "For the outsider" not in text(client.get("/my/notices/"))


def test_a_notice_is_marked_as_read_on_the_page_and_by_htmx(client, person):
    first, second = tell(person, "First"), tell(person, "Second")
    answer = client.post(f"/my/notices/{first.pk}/read/?only=unread")
    assert (answer.status_code, answer["Location"]) == (302, "/my/notices/?only=unread")
    answer = client.post(f"/my/notices/{second.pk}/read/?only=unread", headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in text(answer)
    assert "You have read everything." in text(answer)
    assert not person.notices.unread().exists()


def test_a_notice_of_somebody_else_is_not_there(client, cast, person):
    other = tell(cast.outsider)
    assert client.post(f"/my/notices/{other.pk}/read/").status_code == 404
    assert client.post("/my/notices/999999999999/read/").status_code == 404
    assert cast.outsider.notices.unread().exists()


def test_all_are_marked_at_once_and_of_oneself_only(client, cast, person):
    tell(person), tell(person), tell(cast.outsider)
    assert client.post("/my/notices/read/").status_code == 302
    assert Notice.objects.unread().get().person == cast.outsider


def test_opening_the_list_marks_nothing(client, person):
    tell(person)
    client.get("/my/notices/")
    assert person.notices.unread().count() == 1


def test_a_long_list_comes_in_pages_at_the_same_cost(client, person):
    tell(person)

    def cost():
        with CaptureQueriesContext(connection) as queries:
            answer = client.get("/my/notices/")
        return len(queries), text(answer).count("Mark as read<span")

    few, _ = cost()
    for number in range(40):
        tell(person, f"Number {number}")
    assert cost() == (few, 25)
    assert "Number 3" in text(client.get("/my/notices/?page=2"))


@pytest.mark.parametrize("query", ["page=999999999999999999999", "page=-1", "page=x", "only=%3Cb"])
def test_a_strange_query_shows_a_list_all_the_same(client, person, query):
    tell(person)
    assert client.get(f"/my/notices/?{query}").status_code == 200


# -- How one is told -------------------------------------------------------------------------


def test_what_is_chosen_on_the_page_is_kept_and_shown_again(client, cast, person):
    page = "/my/notices/settings/"
    data = {
        "gets_mail": "on",
        "language": "fr",
        "digest_hour": "18",
        "time_zone": "Asia/Tokyo",
        "at_once_everywhere": ["decision"],
        f"at_once_{cast.body.slug}": ["comment", "answer"],
    }
    assert client.post(page, data).status_code == 302
    row = NoticeSettings.objects.get(person=person)
    assert (row.gets_mail, row.digest_hour, row.time_zone) == (True, 18, "Asia/Tokyo")
    assert row.language == "fr"
    chosen = ImmediateKind.objects.filter(person=person)
    assert set(chosen.values_list("kind", "body__slug")) == {
        ("decision", None),
        ("comment", cast.body.slug),
        ("answer", cast.body.slug),
    }
    assert len(re.findall(r"<input[^>]* checked", text(client.get(page)))) == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"digest_hour": "24"}, "digest_hour"),
        ({"language": "tlh"}, "not one of the available choices"),
        ({"digest_hour": ""}, "digest_hour"),
        ({"time_zone": "Mars/Olympus"}, "is no time zone"),
        ({"time_zone": "../../etc/passwd"}, "is no time zone"),
        ({"time_zone": "x" * 61}, "at most 60"),
        ({"at_once_everywhere": ["everything"]}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_chosen_is_refused_and_changes_nothing(client, person, change, words):
    data = {"gets_mail": "on", "language": "en", "digest_hour": "7", "time_zone": ""} | change
    answer = client.post("/my/notices/settings/", data)
    assert answer.status_code == 422
    assert words in text(answer)
    assert not NoticeSettings.objects.exists()


# -- The way out -----------------------------------------------------------------------------


def path_of(person):
    return "/" + unsubscribe_address(person).partition("://")[2].partition("/")[2]


def test_opening_the_way_out_changes_nothing_and_posting_there_stops_the_mail(person):
    visitor = Client(enforce_csrf_checks=True)
    tell(person)
    for ask in (visitor.get, visitor.head):
        assert ask(path_of(person)).status_code == 200
    assert not NoticeSettings.objects.exists()
    for _ in range(2):
        answer = visitor.post(
            path_of(person),
            "List-Unsubscribe=One-Click",
            content_type="application/x-www-form-urlencoded",
        )
        assert answer.status_code == 200
        assert "You get no more mail" in text(answer)
        assert not NoticeSettings.objects.get(person=person).gets_mail
    assert person.notices.get().mail_at is None


def test_the_other_choices_survive_the_way_out(client, person):
    notices.choose_notices(
        person=person, gets_mail=True, digest_hour=18, at_once=[(NoticeKind.COMMENT, None)]
    )
    client.post(path_of(person))
    row = NoticeSettings.objects.get(person=person)
    assert (row.gets_mail, row.digest_hour) == (False, 18)
    assert person.immediate_kinds.count() == 1


@pytest.mark.parametrize("change", [lambda p: p[:-2] + "/", lambda p: p.replace("stop/", "stop/a")])
def test_an_address_that_was_not_signed_here_stops_nothing(client, person, change):
    assert client.get(change(path_of(person))).status_code == 404
    assert client.post(change(path_of(person))).status_code == 404
    assert not NoticeSettings.objects.exists()


def test_the_way_out_of_one_person_is_not_that_of_another(client, cast, person):
    client.post(path_of(cast.outsider))
    assert [row.person for row in NoticeSettings.objects.all()] == [cast.outsider]


# -- The same by API -------------------------------------------------------------------------


@pytest.fixture
def program(cast):
    _, secret = accounts.create_api_key(person=cast.member, name="P", scopes=[Scope.NOTICES])
    return bearer(secret)


def test_a_program_reads_and_marks_ones_notices(cast, program):
    first, second = tell(cast.member, "First", body=cast.body), tell(cast.member, "Second")
    other = tell(cast.outsider)
    listed = program.get(reverse("api-notices")).json()["results"]
    assert [(row["subject"], row["body"]) for row in listed] == [
        ("Second", None),
        ("First", cast.body.slug),
    ]
    answer = send(program, "POST", reverse("api-notices-read"), {"ids": [first.pk, other.pk]})
    assert answer.json() == {"read": 1}
    unread = program.get(reverse("api-notices") + "?unread=true").json()["results"]
    assert [row["id"] for row in unread] == [second.pk]
    assert send(program, "POST", reverse("api-notices-read"), {"ids": None}).json() == {"read": 1}
    assert cast.outsider.notices.unread().exists()


def test_a_program_chooses_how_one_is_told(cast, program):
    path = reverse("api-notice-settings")
    assert program.get(path).json() == {
        "gets_mail": True,
        "digest_hour": 7,
        "time_zone": "",
        "language": "en",
        "at_once": [],
    }
    chosen = {
        "gets_mail": True,
        "digest_hour": 18,
        "time_zone": "Asia/Tokyo",
        "language": "de",
        "at_once": [
            {"kind": "comment", "body": cast.body.slug},
            {"kind": "decision", "body": None},
        ],
    }
    assert send(program, "PUT", path, chosen).json() == chosen
    assert program.get(path).json() == chosen


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"digest_hour": 24}, "digest_hour"),
        ({"digest_hour": "noon"}, "digest_hour"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"language": "tlh"}, "language"),
        ({"at_once": [{"kind": "everything", "body": None}]}, "at_once"),
        ({"at_once": [{"kind": "comment", "body": "no-such-body"}]}, "body"),
        ({"at_once": "comment"}, "at_once"),
        ({"mail": True}, "mail"),
    ],
)
def test_a_program_is_told_what_cannot_be_chosen(program, change, field):
    data = {"gets_mail": True, "digest_hour": 7} | change
    assert_is_problem(send(program, "PUT", reverse("api-notice-settings"), data), 422, field)
    assert not NoticeSettings.objects.exists()


@pytest.mark.parametrize("ids", ["all", ["x"], [0], [2**63], list(range(1, 1002))])
def test_a_program_is_told_which_ids_cannot_be(program, ids):
    assert_is_problem(send(program, "POST", reverse("api-notices-read"), {"ids": ids}), 422, "ids")


def test_erasing_a_person_erases_what_they_were_told_and_chose(cast, person):
    from proposals.services.erasure import erase_person

    tell(person)
    notices.choose_notices(
        person=person, gets_mail=True, digest_hour=18, at_once=[(NoticeKind.COMMENT, None)]
    )
    erase_person(person=person)
    for model in (Notice, NoticeSettings, ImmediateKind):
        assert not model.objects.filter(person=person).exists()


def test_my_keys_may_be_given_the_scope(client, person):
    assert make_person() != person
    assert "read your notices" in text(client.get("/my/keys/"))


# -- The first language ------------------------------------------------------------------------


def signed_in(person, prefix):
    person.set_password("a long phrase nobody guesses")
    person.save()
    client = Client()
    sent = {"login": person.email, "password": "a long phrase nobody guesses"}
    answer = client.post(f"{prefix}/accounts/login/", sent)
    assert answer.status_code == 302
    return client


@pytest.mark.parametrize(("prefix", "language"), [("", "en"), ("/fr", "fr"), ("/de", "de")])
def test_who_chose_nothing_is_told_in_the_language_of_their_first_sign_in(cast, prefix, language):
    signed_in(cast.member, prefix)
    signed_in(cast.member, "/de")
    assert NoticeSettings.objects.get(person=cast.member).language == language


def test_a_chosen_language_outlives_a_sign_in_in_another(cast):
    notices.choose_notices(person=cast.member, gets_mail=False, digest_hour=5, language="fr")
    signed_in(cast.member, "/de")
    kept = NoticeSettings.objects.get(person=cast.member)
    assert (kept.language, kept.gets_mail, kept.digest_hour) == ("fr", False, 5)


def test_reading_pages_in_a_language_chooses_none(client, person):
    client.get("/fr/accounts/login/")
    client.get("/fr/notices/")
    assert not NoticeSettings.objects.exists()
