"""Pages as readers set them: less motion, text twice as large, the keyboard, parts swapped in."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.dashboards.test_in_a_browser import VIEWS, opened

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOVING = """[...document.querySelectorAll("*")].filter((element) =>
  [null, "::before", "::after"].some((pseudo) => {
    const style = getComputedStyle(element, pseudo);
    const lasts = (times) => times.split(",").some((time) => parseFloat(time) > 0);
    return lasts(style.transitionDuration)
      || (style.animationName !== "none" && lasts(style.animationDuration))
      || style.scrollBehavior === "smooth";
  })).map((element) => element.outerHTML.slice(0, 80))"""

# The arrow of the menu turns; only who has signed in has the menu.
MENU = """document.body.insertAdjacentHTML(
  "beforeend", "<details class=menu><summary><svg></svg></summary></details>")"""

CLIPPED = """[...document.querySelectorAll("main *, header *, footer *")].filter((element) => {
    const style = getComputedStyle(element);
    const hides = ["hidden", "clip"];
    const seen = element.getClientRects().length && element.clientWidth > 1 && style.clip === "auto"
      && style.clipPath === "none" && !element.closest("svg");
    return seen && element.textContent.trim() && (
      (hides.includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1) ||
      (hides.includes(style.overflowY) && element.scrollHeight > element.clientHeight + 1));
  }).map((element) => element.outerHTML.slice(0, 100))"""

FOCUSED = """() => {
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    // The first line of it: between the lines of a link that breaks stands nothing of it.
    const box = element.getClientRects()[0] || element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const [x, y] = [box.left + box.width / 2, box.top + Math.min(box.height / 2, 10)];
    const top = document.elementFromPoint(x, y);
    const order = [...document.querySelectorAll("*")].indexOf(element);
    return {
      order,
      name: element.outerHTML.slice(0, 100),
      seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
      covered: !(top && (element.contains(top) || top.contains(element))),
      // The browser draws the focus of the parts inside a date.
      marked: element.type === "date" || style.boxShadow !== "none"
        || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0),
    };
  }"""


NAMELESS = """[...document.querySelectorAll("table")].filter((table) => {
    const named = table.getAttribute("aria-label")
      || document.getElementById(table.getAttribute("aria-labelledby"))?.textContent
      || table.caption?.textContent
      // One that stands in a region of its own, or in a figure, is named by that.
      || table.closest("[role=region][aria-label], figure");
    return !named;
  }).map((table) => table.outerHTML.slice(0, 120))"""


def important(world):
    """Return the pages that people meet first, and the longest ones."""
    return [
        "/",
        "/in-service/",
        world.decision.get_absolute_url(),
        world.version.model.get_absolute_url(),
        world.run.get_absolute_url(),
        f"/bodies/{world.cast.body.slug}/",
        "/findings/overview/",
        "/compute/",
        "/record/",
        "/record/4/",
        "/data/",
        "/api/docs/",
        "/incidents/report/",
    ]


def test_nothing_moves_for_who_wants_less_motion(live_server, world, chromium):
    addresses = important(world)
    with opened(chromium) as page:
        page.goto(live_server.url)
        page.evaluate(MENU)
        assert page.evaluate(MOVING) != []  # so the search finds what moves
        page.emulate_media(reduced_motion="reduce")
        assert page.evaluate(MOVING) == []
        for address in addresses:
            page.goto(live_server.url + address)
            assert page.evaluate(MOVING) == [], address


def test_every_table_has_a_name_for_who_goes_from_table_to_table(live_server, world, chromium):
    more = ["/deciding/", "/findings/", "/data/dictionary/", "/how-to-verify/", "/models/"]
    with opened(chromium) as page:
        for address in [*important(world), *more]:
            page.goto(live_server.url + address)
            assert page.evaluate(NAMELESS) == [], address


@pytest.mark.parametrize("width", [640, 1280])
def test_text_twice_as_large_fits_and_is_whole(live_server, world, chromium, width):
    """640 is 1280 at 200 %; 1280 stands for a reader who enlarges the text alone."""
    addresses = important(world)
    with opened(chromium, width) as page:
        for address in addresses:
            page.goto(live_server.url + address)
            if width == 1280:
                page.evaluate("document.documentElement.style.fontSize = '200%'")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
            assert page.evaluate(CLIPPED) == [], address


@pytest.mark.parametrize("width", [360, 1280])
def test_the_focus_goes_through_a_page_in_order_and_is_always_seen(
    live_server, world, chromium, width
):
    decision, run = world.decision.get_absolute_url(), world.run.get_absolute_url()
    addresses = ["/", decision, run, "/record/4/", "/incidents/report/"]
    with opened(chromium, width) as page:
        for address in addresses:
            page.goto(live_server.url + address)
            before, first, wrong = -1, None, []
            for _ in range(40):
                page.keyboard.press("Tab")
                at = page.evaluate(FOCUSED)
                if at is None or at["order"] == first:
                    break  # past the last stop the round begins anew
                first = at["order"] if first is None else first
                if not (at["order"] >= before and at["seen"] and at["marked"]) or at["covered"]:
                    wrong.append(at)
                before = at["order"]  # a date has several stops in one element
            assert wrong == [], address
            assert before > 0, address


def test_the_first_stop_leads_past_the_head_of_the_page(live_server, world, chromium):
    with opened(chromium) as page:
        page.goto(f"{live_server.url}/record/")
        page.keyboard.press("Tab")
        assert "Skip to the content" in page.evaluate("document.activeElement.textContent")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("Boolean(document.activeElement.closest('main'))")


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_a_part_that_was_swapped_in_breaks_no_rule_of_axe(
    live_server, world, chromium, width, scheme
):
    def found():
        return [rule["id"] for rule in Axe().run(page).response["violations"]]

    with opened(chromium, width, scheme) as page:
        page.goto(f"{live_server.url}/record/")
        page.fill("#q", "body:")
        page.press("#q", "Enter")
        page.wait_for_selector("#entries >> text=found for")
        assert found() == []

        page.goto(f"{live_server.url}/record/4/")
        page.click("text=Check it here")
        page.wait_for_selector("text=All 5 steps hold")
        assert found() == []

        page.goto(f"{live_server.url}/findings/overview/")
        page.get_by_role("link", name="Heat map").click()
        page.wait_for_url("**show=map**")
        assert found() == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
