"""An act verified by the reader's browser: it holds, and each kind of lie is named."""

import os
import re
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.utils.translation import override
from playwright.sync_api import sync_playwright

from oversight.dashboards.check_words import WORDS, check_words

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

STEPS = [
    "The leaf's bytes were read and hashed here",
    "The log's key",
    "The signature of the checkpoint",
    "The way from the leaf to the signed root",
    "Nothing before it was changed since",
]


@contextmanager
def opened(chromium, width=1280, scheme="light"):
    """Give a page of a fresh browser, which fails the test on any refused script or style."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        refused = []
        page.on(
            "console",
            lambda message: "Security Policy" in message.text and refused.append(message.text),
        )
        yield page
        browser.close()
        assert refused == []


def verify(page, address):
    """Press the button and return what each step said, and the verdict."""
    page.goto(address)
    page.get_by_role("button", name="Check in this browser").click()
    page.locator("[data-verify] [role=status]", has_text=re.compile("erified")).wait_for()
    box = page.locator("[data-verify]")
    steps = [
        (each.locator("strong").inner_text(), each.locator(".chip").inner_text().strip().lower())
        for each in box.locator("li").all()
    ]
    return steps, box.locator("[role=status]").inner_text()


def test_an_act_is_verified_and_the_page_says_what_was_checked(
    live_server, make_record, chromium, tmp_path
):
    make_record(1, 255, 257, 700)
    with opened(chromium) as page:
        for index in (0, 255, 256, 699):
            steps, verdict = verify(page, f"{live_server.url}/record/{index}/")
            assert steps == [(title, "holds") for title in STEPS]
            assert verdict.startswith("Verified in your browser")
        # It remembers the key and the tree from before.
        said = page.locator("[data-verify] ol").inner_text()
        assert "The same as when this browser first saw it." in said
        assert "and the 700 that this browser saw last" in said
        assert Axe().run(page).response["violations"] == []
    pictures = Path(os.environ.get("OVERSIGHT_PICTURES", tmp_path))
    for width, scheme in ((360, "dark"), (1280, "light")):
        with opened(chromium, width, scheme) as page:
            verify(page, f"{live_server.url}/record/256/")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.screenshot(path=pictures / f"verify-{width}.png", full_page=True)
            page.goto(f"{live_server.url}/record/status/")
            assert Axe().run(page).response["violations"] == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.screenshot(path=pictures / f"status-{width}.png", full_page=True)


def test_every_word_of_the_check_is_handed_over_by_pages_in_other_languages():
    scripts = Path(settings.BASE_DIR, "static", "js")
    written = re.findall(
        r'"([A-Z{][^"\\]*[ ][^"\\]*)"', (scripts / "verify-inclusion.js").read_text()
    )
    written += re.findall(r'say\("([^"]+)"', (scripts / "verify-page.js").read_text())
    assert len(written) > 30
    assert sorted(set(written)) == sorted(WORDS)
    with override("de"):
        assert {english for english, said in check_words().items() if said == english} == set()


def test_the_check_speaks_the_language_of_the_page(live_server, make_record, chromium):
    make_record(3)
    with opened(chromium) as page:
        page.goto(f"{live_server.url}/de/record/1/")
        page.get_by_role("button", name="In diesem Browser").click()
        page.locator("[data-verify] [role=status]", has_text=re.compile("erifiziert")).wait_for()
        said = page.locator("[data-verify]").inner_text()
    assert "Der Weg vom Blatt zur signierten Wurzel" in said
    assert "Die 3 Einträge von heute beginnen mit den 3 dieser Quittung." in said
    assert "hashes" not in said


def changed(page, pattern, change):
    """Let whatever the pattern matches arrive changed, as a lying server would send it."""

    def lie(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=change(answer.body()))

    page.route(pattern, lie)


def flipped(data):
    return bytes([data[0] ^ 1]) + data[1:]


LIES = [
    ("**/leaf.json", lambda leaf: leaf + b" ", 3),
    ("**/log/vkeys", lambda keys: keys.replace(b"localhost", b"elsewhere"), 1),
    ("**/log/checkpoint", lambda note: note.replace(b"\n700\n", b"\n699\n"), 4),
    ("**/log/tile/0/002.p/188", flipped, 4),
    ("**/log/tile/1/000.p/2", flipped, 4),
]


@pytest.mark.parametrize(("pattern", "change", "step"), LIES)
def test_a_lie_is_found_at_its_step(pattern, change, step, live_server, make_record, chromium):
    make_record(300, 700)
    with opened(chromium) as page:
        changed(page, pattern, change)
        steps, verdict = verify(page, f"{live_server.url}/record/256/")
    assert steps == [*((title, "holds") for title in STEPS[:step]), (STEPS[step], "fails")]
    assert verdict.startswith("Not verified")


def test_a_changed_receipt_and_another_key_later_are_found(live_server, make_record, chromium):
    make_record(5)
    with opened(chromium) as page:
        address = f"{live_server.url}/record/3/"
        verify(page, address)
        page.evaluate(
            "Object.keys(localStorage).forEach(k => k.startsWith('log-key') &&"
            " localStorage.setItem(k, 'another+00000000+AA=='))"
        )
        steps, _ = verify(page, address)
        assert steps[1] == (STEPS[1], "fails")
        page.evaluate("localStorage.clear()")
        changed(page, "**/record/3/", lambda html: html.replace(b"index 3\n", b"index 2\n"))
        steps, _ = verify(page, address)
        assert steps[3] == (STEPS[3], "fails")


def test_the_program_is_short_and_needs_no_other():
    folder = Path(__file__).resolve().parents[2] / "static" / "js"
    program = (folder / "verify-inclusion.js").read_text()
    assert program.count("\n") < 300
    assert "import" not in program.replace("importKey", "")
