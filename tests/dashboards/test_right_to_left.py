"""Ten pages in the pseudo-language, written from right to left, on the narrowest screen."""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.dashboards.test_in_a_browser import opened

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LANGUAGE = "ar-xb"
WIDTH = 320


def pages(world):
    return [
        "/",
        "/in-service/",
        "/deciding/",
        "/findings/",
        "/record/",
        "/incidents/",
        "/how-to-verify/",
        world.decision.get_absolute_url(),
        world.version.model.get_absolute_url(),
        world.run.get_absolute_url(),
    ]


def test_pages_written_from_right_to_left_fit_and_break_no_rule(live_server, world, chromium):
    addresses = pages(world)
    with opened(chromium, WIDTH) as page:
        for address in addresses:
            page.goto(f"{live_server.url}/{LANGUAGE}{address}")
            assert page.evaluate("document.documentElement.dir") == "rtl", address
            assert "[" in page.locator("footer").inner_text(), address
            assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH, address
            found = Axe().run(page).response["violations"]
            assert [rule["id"] for rule in found] == [], address
            if folder := os.environ.get("SCREENSHOTS"):
                name = address.strip("/").replace("/", "-") or "home"
                page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_the_way_on_points_to_the_left_where_one_reads_from_the_right(live_server, world, chromium):
    with opened(chromium) as page:
        page.goto(f"{live_server.url}/{LANGUAGE}/how-to-verify/")
        side = "getComputedStyle(document.querySelector('.bullets, .prose ul, main ul')).direction"
        assert page.evaluate(side) == "rtl"
        code = "getComputedStyle(document.querySelector('main code')).direction"
        assert page.evaluate(code) == "ltr"
