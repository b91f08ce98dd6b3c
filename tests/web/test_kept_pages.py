"""Pages that are kept before Django: who gets them, who never does, and for how long."""

import threading

import pytest
from django.test import RequestFactory

from oversight.web import kept_pages
from oversight.web.kept_pages import FRESH_SECONDS, USABLE_SECONDS, kept, with_kept_pages

PUBLIC = [("Content-Type", "text/html; charset=utf-8"), ("Vary", "Cookie, Accept-Encoding")]


class Site:
    """An application that counts how often it draws, behind the kept pages."""

    def __init__(self, headers=PUBLIC, status="200 OK"):
        self.drawn, self.headers, self.status = 0, list(headers), status
        self.application = with_kept_pages(self._draw)

    def _draw(self, environ, start_response):
        self.drawn += 1
        start_response(self.status, self.headers)
        return [f"drawing {self.drawn} of {environ['PATH_INFO']}".encode()]

    def get(self, path="/", method="GET", **sent):
        environ = RequestFactory().generic(method, path, **{"HTTP_HOST": "testserver"} | sent)
        said = []
        body = self.application(environ.environ, lambda status, lines: said.extend((status, lines)))
        return said[0], b"".join(body).decode()


@pytest.fixture(autouse=True)
def moment(monkeypatch):
    """Keep nothing from before, and let the test move the clock."""
    kept.clear()
    now = [1000.0]
    monkeypatch.setattr(kept_pages.time, "monotonic", lambda: now[0])
    yield now
    kept.clear()


def test_a_page_is_drawn_once_in_two_seconds_whoever_asks(moment):
    site = Site()
    for _ in range(5):
        assert site.get() == ("200 OK", "drawing 1 of /")
    moment[0] += FRESH_SECONDS + 0.01
    assert site.get() == ("200 OK", "drawing 2 of /")


def test_while_one_draws_it_anew_the_others_get_the_kept_one(moment):
    site, seen = Site(), []
    site.get()
    moment[0] += FRESH_SECONDS + 0.01
    draw = site._draw

    def draws_slowly(environ, start_response):
        seen.append(site.get()[1])
        return draw(environ, start_response)

    answer = with_kept_pages(draws_slowly)
    body = answer(RequestFactory().get("/", HTTP_HOST="testserver").environ, lambda *_: None)
    assert seen == ["drawing 1 of /"]
    assert b"".join(body) == b"drawing 2 of /"


def test_after_five_seconds_nobody_gets_what_could_not_be_drawn_anew(moment):
    site = Site()
    site.get()
    site.status = "500 Internal Server Error"
    moment[0] += FRESH_SECONDS + 0.01
    assert site.get()[0].startswith("500")
    assert site.get() == ("200 OK", "drawing 1 of /")
    moment[0] += USABLE_SECONDS
    assert site.get()[0].startswith("500")
    assert site.get()[0].startswith("500")


@pytest.mark.parametrize(
    "sent",
    [
        {"HTTP_COOKIE": "sessionid=abc"},
        {"HTTP_COOKIE": "anything=else"},
        {"HTTP_AUTHORIZATION": "Bearer key"},
        {"HTTP_HX_REQUEST": "true"},
        {"HTTP_RANGE": "bytes=0-1"},
        {"HTTP_HOST": "elsewhere.example"},
        {"QUERY_STRING": "q=" + "x" * 300},
        {"method": "POST"},
    ],
    ids=lambda sent: next(iter(sent)),
)
def test_who_is_answered_by_django_always(sent):
    site = Site()
    site.get()
    site.get(**sent)
    site.get(**sent)
    assert site.drawn == 3
    assert site.get()[1] == "drawing 1 of /"


@pytest.mark.parametrize(
    ("status", "more"),
    [
        ("200 OK", ("Set-Cookie", "csrftoken=abc")),
        ("200 OK", ("Cache-Control", "max-age=0, no-cache, no-store, private")),
        ("200 OK", ("Vary", "Accept-Language")),
        ("404 Not Found", ("X-Any", "1")),
        ("302 Found", ("Location", "/elsewhere/")),
    ],
)
def test_what_is_never_kept(status, more):
    site = Site([*PUBLIC, more], status)
    site.get()
    site.get()
    assert site.drawn == 2


def test_a_program_s_answer_is_not_kept():
    site = Site([("Content-Type", "application/json")])
    site.get()
    site.get()
    assert site.drawn == 2


def test_each_query_and_each_packing_is_a_page_of_its_own():
    site = Site()
    asked = [("/", ""), ("/?page=2", ""), ("/", "gzip"), ("/b", "")]
    for path, packing in asked * 2:
        site.get(path, HTTP_ACCEPT_ENCODING=packing)
    assert site.drawn == 4


def test_a_head_gets_the_headers_of_the_kept_page():
    site = Site()
    site.get()
    assert site.get(method="HEAD") == ("200 OK", "")
    assert site.drawn == 1


def test_who_has_these_very_bytes_is_told_so():
    site = Site([*PUBLIC, ("ETag", '"one"')])
    site.get()
    assert site.get(HTTP_IF_NONE_MATCH='"one"') == ("304 Not Modified", "")
    assert site.get(HTTP_IF_NONE_MATCH='"two"')[0] == "200 OK"
    assert site.drawn == 1


def test_a_flood_of_addresses_pushes_out_the_longest_unused(monkeypatch):
    monkeypatch.setattr(kept_pages, "MOST_BYTES", 200)
    site = Site()
    for n in range(50):
        site.get(f"/{n}")
        site.get("/0")
    assert kept.size <= 200
    assert site.drawn == 50
    assert site.get("/49")[1] == "drawing 50 of /49"


def test_many_at_once_get_whole_pages():
    site, got = Site(), []
    threads = [
        threading.Thread(target=lambda: got.extend(site.get()[1] for _ in range(200)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 800
    assert all(each.endswith(" of /") for each in got)


@pytest.mark.django_db
def test_the_public_pages_of_this_site_are_kept_and_the_private_ones_are_not(client):
    """Through real views: what they say of themselves is what decides."""

    def ask_django(environ, start_response):
        answer = client.get(environ["PATH_INFO"])
        cookies = [("Set-Cookie", each.OutputString()) for each in answer.cookies.values()]
        start_response(f"{answer.status_code} {answer.reason_phrase}", [*answer.items(), *cookies])
        return [answer.content]

    application = with_kept_pages(ask_django)

    def get(path):
        environ = RequestFactory().get(path, HTTP_HOST="testserver").environ
        return b"".join(application(environ, lambda *_: None))

    for path in ("/", "/in-service/", "/deciding/", "/findings/", "/models/"):
        get(path)
    assert {key[1] for key in kept.pages} == {
        "/",
        "/in-service/",
        "/deciding/",
        "/findings/",
        "/models/",
    }
    kept.clear()
    for path in ("/accounts/login/", "/incidents/report/", "/my/work/", "/healthz", "/nowhere/"):
        get(path)
    assert not kept.pages
