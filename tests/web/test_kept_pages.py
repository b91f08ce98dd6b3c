"""Pages that are kept before Django: who gets them, who never does, and for how long."""

import threading

import pytest
from django.test import RequestFactory

from oversight.web import drawing, kept_pages
from oversight.web.drawing import background
from oversight.web.kept_pages import FRESH_SECONDS, USABLE_SECONDS, kept, with_kept_pages

PUBLIC = [("Content-Type", "text/html; charset=utf-8"), ("Vary", "Cookie, Accept-Encoding")]


class Site:
    """An application that counts how often it draws, behind the kept pages."""

    def __init__(self, headers=PUBLIC, status="200 OK"):
        self.drawn, self.headers, self.status = 0, list(headers), status
        self.asked, self.may_draw = [], threading.Event()
        self.may_draw.set()
        self.application = with_kept_pages(self._draw)

    def _draw(self, environ, start_response):
        self.drawn += 1
        drawing = self.drawn
        self.asked.append(environ)
        assert self.may_draw.wait(10)
        start_response(self.status, self.headers)
        return [f"drawing {drawing} of {environ['PATH_INFO']}".encode()]

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


def wait_for_drawing():
    """Wait until the thread that draws has done all that it was asked."""
    done = threading.Event()
    assert background.do(done.set)
    assert done.wait(10)


def test_a_page_is_drawn_once_in_two_seconds_whoever_asks(moment):
    site = Site()
    for _ in range(5):
        assert site.get() == ("200 OK", "drawing 1 of /")
    moment[0] += FRESH_SECONDS + 0.01
    for _ in range(5):
        site.get()
    wait_for_drawing()
    for _ in range(5):
        assert site.get() == ("200 OK", "drawing 2 of /")
    assert site.drawn == 2


def test_nobody_waits_while_a_page_is_drawn_anew(moment):
    site = Site()
    site.get()
    moment[0] += FRESH_SECONDS + 0.01
    site.may_draw.clear()
    for _ in range(5):
        assert site.get() == ("200 OK", "drawing 1 of /")
    site.may_draw.set()
    wait_for_drawing()
    assert site.get() == ("200 OK", "drawing 2 of /")


def test_a_page_that_nobody_read_for_ten_seconds_is_drawn_while_its_reader_waits(moment):
    site = Site()
    site.get()
    moment[0] += USABLE_SECONDS + 0.01
    assert site.get() == ("200 OK", "drawing 2 of /")


def test_a_page_is_as_old_as_the_moment_when_its_drawing_began(moment):
    site = Site()
    draw = site._draw

    def draws_slowly(environ, start_response):
        moment[0] += USABLE_SECONDS + 0.01
        return draw(environ, start_response)

    answer = with_kept_pages(draws_slowly)
    for number in (1, 2):
        body = answer(RequestFactory().get("/", HTTP_HOST="testserver").environ, lambda *_: None)
        assert b"".join(body) == f"drawing {number} of /".encode()


def test_what_was_drawn_from_older_data_does_not_replace_a_newer_page():
    newer = kept_pages.Page([], b"newer", 1002.0, "")
    kept.keep(("h", "/", "", False), newer)
    kept.keep(("h", "/", "", False), kept_pages.Page([], b"older", 1001.0, ""))
    assert list(kept.pages.values()) == [newer]
    assert kept.size == len(b"newer")


def test_a_failure_is_shown_to_nobody_until_the_kept_page_is_too_old(moment):
    site = Site()
    site.get()
    site.status = "500 Internal Server Error"
    for _ in range(2):
        moment[0] += FRESH_SECONDS + 0.01
        assert site.get() == ("200 OK", "drawing 1 of /")
        wait_for_drawing()
    assert site.get() == ("200 OK", "drawing 1 of /")
    assert site.drawn == 3
    moment[0] += USABLE_SECONDS
    assert site.get()[0].startswith("500")
    site.status = "200 OK"
    assert site.get() == ("200 OK", "drawing 5 of /")


def test_what_breaks_while_drawing_is_logged_and_the_next_page_is_drawn(moment, caplog):
    site = Site()
    site.get("/")
    site.get("/broken")
    draw = site._draw

    def breaks(environ, start_response):
        if environ["PATH_INFO"] == "/broken":
            raise ValueError("a template that is none")
        return draw(environ, start_response)

    moment[0] += FRESH_SECONDS + 0.01
    site.application = with_kept_pages(breaks)
    assert site.get("/broken")[1] == "drawing 2 of /broken"
    assert site.get("/")[1] == "drawing 1 of /"
    wait_for_drawing()
    assert site.get("/")[1] == "drawing 3 of /"
    assert "a template that is none" in caplog.text


@pytest.mark.parametrize("status", ["404 Not Found", "302 Found", "410 Gone"])
def test_a_page_that_is_no_longer_there_is_let_go_of(moment, status):
    site = Site()
    site.get()
    site.status = status
    moment[0] += FRESH_SECONDS + 0.01
    assert site.get()[0] == "200 OK"
    wait_for_drawing()
    assert site.get()[0] == status
    assert kept.size == 0


def test_a_page_is_drawn_anew_in_nobody_s_name(moment):
    site = Site()
    asks = {
        "HTTP_USER_AGENT": "Somebody's",
        "HTTP_REFERER": "https://elsewhere.example/",
        "HTTP_IF_NONE_MATCH": '"old"',
        "HTTP_ACCEPT_ENCODING": "br, gzip;q=0.5",
        "REMOTE_ADDR": "192.0.2.7",
        "QUERY_STRING": "page=2",
    }
    site.get("/models/", **asks)
    moment[0] += FRESH_SECONDS + 0.01
    site.get("/models/", **asks)
    wait_for_drawing()
    anew = site.asked[1]
    assert anew["PATH_INFO"] == "/models/"
    assert anew["QUERY_STRING"] == "page=2"
    assert anew["HTTP_HOST"] == "testserver"
    assert anew["HTTP_ACCEPT_ENCODING"] == "gzip"
    unwanted = {"HTTP_USER_AGENT", "HTTP_REFERER", "HTTP_IF_NONE_MATCH", "REMOTE_ADDR"}
    assert not unwanted & set(anew)


def test_where_too_many_wait_to_be_drawn_the_kept_page_is_sent_and_asked_for_again(
    moment, monkeypatch
):
    monkeypatch.setattr(kept_pages, "background", crowded := drawing.Background())
    monkeypatch.setattr(crowded, "do", lambda _job: False)
    site = Site()
    site.get()
    moment[0] += FRESH_SECONDS + 0.01
    assert site.get() == ("200 OK", "drawing 1 of /")
    monkeypatch.setattr(kept_pages, "background", background)
    moment[0] += FRESH_SECONDS + 0.01
    site.get()
    wait_for_drawing()
    assert site.get() == ("200 OK", "drawing 2 of /")


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


@pytest.mark.django_db(transaction=True)
def test_a_page_of_this_site_is_drawn_anew_from_its_address_alone(monkeypatch, moment):
    """Through the server's own application, which ends each request with its connection."""
    from oversight.wsgi import _django

    jobs = []
    monkeypatch.setattr(background, "do", jobs.append)
    application = with_kept_pages(_django)
    for path in ("/", "/models/"):
        environ = RequestFactory().get(path, HTTP_HOST="testserver").environ
        application(environ, lambda *_: None)
        (old,) = kept.pages.values()
        moment[0] += FRESH_SECONDS + 0.01
        application(environ, lambda *_: None)
        jobs.pop()()
        (new,) = kept.pages.values()
        assert new.begun_at == moment[0] > old.begun_at
        assert new.headers == old.headers
        kept.clear()
