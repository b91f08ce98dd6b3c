"""The public pages in a real Chromium: readable by everyone, narrow and wide."""

from contextlib import contextmanager
from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from django.test import Client
from django.utils import timezone
from playwright.sync_api import sync_playwright

from evals.models import TaskRun
from proposals.models import Proposal
from tests import factories
from tests.dashboards.test_hostile_data import hostile_world
from tests.machine import Machine

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
VIEWS = [(360, "dark"), (1280, "light")]
"""Width and colour scheme."""


def apart(work):
    """Run work on the database beside the browser, whose loop holds this thread."""
    found = []

    def run():
        found.append(work())
        connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


@contextmanager
def opened(chromium, width=1280, scheme="light", *, scripts=True):
    """Give a page of a fresh browser; no database may be touched while it is open."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=scripts,
        )
        yield context.new_page()
        browser.close()


def pages_of(addresses):
    """Keep what is a page for people."""
    return [
        address
        for address in addresses
        if not address.endswith(
            (".json", ".csv", ".parquet", ".md", ".jsonld", ".pdf", ".atom", ".atom", "/schema/")
        )
    ]


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_no_page_breaks_a_rule_of_axe_or_scrolls_sideways(
    live_server, addresses, chromium, width, scheme
):
    with opened(chromium, width, scheme) as page:
        for address in pages_of(addresses):
            page.goto(live_server.url + address)
            found = Axe().run(page).response["violations"]
            assert [rule["id"] for rule in found] == [], address
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_endless_words_give_way_and_no_page_scrolls_sideways(
    live_server, world, addresses, chromium
):
    decision = hostile_world(world)
    member = Client()
    member.force_login(world.cast.member)
    cookie = {"name": "sessionid", "value": member.cookies["sessionid"].value}
    vote = Proposal.objects.get(status="voting")
    shown = [
        *(each for each in pages_of(addresses) if not each.startswith(("/api/", "/data/"))),
        decision.get_absolute_url(),
        f"{decision.get_absolute_url()}report/",
        vote.get_absolute_url(),
        f"{vote.get_absolute_url()}ballot/",
        "/my/",
        "/my/notices/",
    ]
    with opened(chromium, 820) as page:
        page.context.add_cookies([cookie | {"url": live_server.url}])
        for address in shown:
            page.goto(live_server.url + address)
            for width in (820, 360):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_tables_keep_their_place_in_every_language_where_their_columns_are_narrowest(
    live_server, world, chromium
):
    pages = (f"/bodies/{world.cast.body.slug}/participation/", "/compute/")
    beyond = """[...document.querySelectorAll("main .table")]
        .filter(each => each.offsetWidth > each.parentElement.clientWidth).length"""
    with opened(chromium, 768) as page:
        for address in (language + each for language in ("", "/de", "/fr") for each in pages):
            page.goto(live_server.url + address)
            assert page.locator("main .table").count(), address
            assert page.evaluate(beyond) == 0, address


def test_the_page_of_a_run_follows_it_by_itself_to_its_end(live_server, world, chromium):
    run = factories.make_run(world.cast.evaluator, world.suite, world.version)
    leased = Machine(world.worker, "", factories.KEY).claim()
    TaskRun.objects.filter(pk=leased.pk).update(stage="running", done=20, total=80)

    def finish():
        def work():
            TaskRun.objects.filter(run=run).update(
                finished_at=timezone.now(),
                state="failed",
                lease_until=None,
                reason="The test ended it.",
            )
            type(run).objects.filter(pk=run.pk).update(
                state="failed", reason="The test ended it.", finished_at=run.requested_at
            )

        apart(work)

    client = Client()
    client.force_login(world.cast.evaluator)
    session = client.cookies["sessionid"].value
    with opened(chromium) as page:
        cookie = {"name": "sessionid", "value": session, "url": live_server.url}
        page.context.add_cookies([cookie])
        page.goto(live_server.url + run.get_absolute_url())
        assert "is being evaluated" in page.inner_text("h1")
        assert "20 of 80 samples" in page.inner_text("main")
        page.click("summary:has-text('Cancel the run')")
        apart(lambda: TaskRun.objects.filter(run=run).update(done=30))
        page.wait_for_selector("main:has-text('30 of 80 samples')", timeout=10_000)
        # What was unfolded stays so while the page follows.
        assert page.locator("button:has-text('Yes, cancel it')").is_visible()
        finish()
        page.wait_for_selector("h1:has-text('failed')", timeout=10_000)
        # It is said a moment after it is shown, so that a screen reader notices the change.
        page.wait_for_selector(
            "#status:text-is('The evaluation has ended: failed.')", state="attached", timeout=10_000
        )
        assert page.locator("[hx-trigger]").count() == 0


def test_a_receipt_is_checked_on_its_acts_page(live_server, world, chromium):
    with opened(chromium) as page:
        page.goto(f"{live_server.url}/record/4/")
        page.click("text=Check it here")
        page.wait_for_selector("text=All 5 steps hold")
        assert page.url.endswith("/record/4/")
        assert page.evaluate("document.activeElement.textContent") == "All 5 steps hold"


def test_a_receipt_is_checked_without_scripts_too(live_server, world, chromium):
    with opened(chromium, scripts=False) as page:
        page.goto(f"{live_server.url}/record/4/")
        page.click("text=Check it here")
        assert page.url.endswith("/record/check/")
        assert page.locator("h1").inner_text() == "This receipt holds."


def test_the_record_is_searched_in_place_and_the_address_follows(live_server, world, chromium):
    with opened(chromium) as page:
        page.goto(f"{live_server.url}/record/")
        page.fill("#q", "body:")
        page.press("#q", "Enter")
        page.wait_for_selector("#entries >> text=found for")
        assert page.url.endswith("/record/?q=body%3A")
        page.go_back()
        # The page comes from the server again; until it has come the old one stands.
        page.wait_for_selector("#entries >> text=found for", state="detached")
