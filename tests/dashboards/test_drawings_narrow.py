"""Charts on a phone and in a narrow frame: a drawing made for that width, and no other one."""

import json
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from functools import partial
from html import unescape

import pytest

from oversight.dashboards.drawings import press
from oversight.dashboards.drawings.chart import Datum
from oversight.dashboards.drawings.drawing import PRESS, drawn
from oversight.dashboards.drawings.frame import FROM, code_of
from oversight.dashboards.drawings.sizes import NARROW, WIDE, beginning, fitted, room, wrapped
from tests.dashboards.test_drawings import SVG, a_chart, own_drawings, plots_of, subjects
from tests.dashboards.test_in_a_browser import opened

__all__ = ["own_drawings", "subjects"]

LONG = "An institutional model, trained further on what the municipality has answered since 2019"
ROOM = 286
"""In which a drawing stands on a screen of 320 pixels, between the margins of the page."""


@pytest.fixture
def drawn_here(monkeypatch):
    """Draw without a process for each of the many drawings."""
    monkeypatch.setattr(PRESS, "run", lambda order, form: press.svg_of(json.loads(order)))


def texts_of(svg):
    """Return each text of a drawing with the size of its letters."""
    root = ET.fromstring(svg)
    for text in root.iter(f"{SVG}text"):
        yield "".join(text.itertext()), float(text.get("font-size", "0").removesuffix("px"))


@pytest.mark.parametrize("kind", ["intervals", "points", "bars"])
def test_letters_of_a_narrow_drawing_can_be_read_on_the_smallest_screen(kind):
    chart = a_chart(kind=kind, line=0.5, line_label="even-handed")
    sizes = {text: size for text, size in texts_of(drawn(chart, "svg", size=NARROW)) if text}
    assert "even-handed" in sizes
    assert min(sizes.values()) * ROOM / NARROW.width >= 12


def test_names_stand_above_their_marks_in_two_lines_and_leave_the_plot_the_whole_width():
    chart = a_chart(data=(Datum("Kurz", 0.5, 0.4, 0.6), Datum(LONG, 0.6, 0.5, 0.7)))
    short, long = chart.names(NARROW)
    assert short == "\nKurz"  # next to its mark, where the other's second line is
    first, second = long.split("\n")
    assert LONG.startswith(f"{first} {second[:-1]}")
    assert second.endswith("…")
    assert not [layer for layer in chart.spec(size=NARROW)["layer"]
                if layer["encoding"].get("y", {}).get("axis")]  # fmt: skip
    words = [text for text, _ in texts_of(drawn(chart, "svg", size=NARROW))]
    assert {"Kurz", first + second} <= set(words)
    assert max(plots_of(drawn(chart, "svg", size=NARROW))) > 0.9 * NARROW.inner


@pytest.mark.parametrize("name", ["W" * 90, "市議会" * 40, "é" * 90, "x " * 90, "נ" * 90, ""])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_name_is_fitted_into_the_lines_that_it_has(name, size):
    lines = fitted(name, size.name_characters, size.name_lines, " (12)").split("\n")
    assert len(lines) <= size.name_lines
    assert max(map(room, lines)) <= size.name_characters
    assert lines[-1].endswith(" (12)") or not name
    assert beginning(name, 0) == ""
    assert "".join(wrapped(name, 7)).replace(" ", "") == name.replace(" ", "")


def test_the_same_names_stay_rows_of_their_own():
    names = a_chart(data=tuple(Datum(LONG, 0.5) for _ in range(3))).names(NARROW)
    assert len(set(names)) == 3
    assert names[2].endswith("… (3)")


def test_many_series_have_a_legend_with_all_of_them_in_signs_of_their_own():
    data = tuple(Datum("v", 0.5, 0.4, 0.6, 8, None, f"model {n}") for n in range(33))
    chart = a_chart(kind="points", data=data)
    key = chart.spec(size=NARROW)["layer"][1]["encoding"]
    signs = zip(key["color"]["scale"]["range"], key["shape"]["scale"]["range"], strict=True)
    assert len(set(signs)) == 33
    words = {text for text, _ in texts_of(drawn(chart, "svg", size=NARROW))}
    assert {f"model {n}" for n in range(33)} <= words


def test_time_is_named_by_its_days_first_and_last_and_once_each(drawn_here):
    start = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)

    def days(*minutes):
        moments = [start + timedelta(minutes=each) for each in minutes]
        data = tuple(Datum("v", 0.5, at=at, series="model") for at in moments)
        for size in (WIDE, NARROW):
            words = (text for text, _ in texts_of(drawn(a_chart(kind="points", data=data), "svg",
                                                        size=size)))  # fmt: skip
            yield [text for text in words if text.startswith("2026-")]

    assert list(days(0)) == [["2026-03-01"]] * 2
    assert list(days(-60, 0, -1)) == [["2026-03-01"]] * 2
    assert list(days(0, 2)) == [["2026-03-01", "2026-03-02"]] * 2
    wide, narrow = days(0, 60 * 24 * 40)
    assert narrow == ["2026-03-01", "2026-04-10"]
    assert wide == ["2026-03-01", "2026-03-11", "2026-03-21", "2026-03-31", "2026-04-10"]


def test_the_line_that_figures_are_held_against_is_named_once_however_many_they_are():
    svg = drawn(a_chart(line=0.5, line_label="even-handed"), "svg", size=NARROW)
    assert [text for text, _ in texts_of(svg)].count("even-handed") == 1


def test_long_names_of_series_are_cut_in_the_legend_and_told_apart(drawn_here):
    data = tuple(Datum("v", 0.5, series=f"{LONG} {n}") for n in range(2))
    for size in (WIDE, NARROW):
        drawn_names = [text for text, _ in texts_of(
            drawn(a_chart(kind="points", data=data), "svg", size=size)) if "…" in text]  # fmt: skip
        assert len(set(drawn_names)) == 2
        assert max(map(len, drawn_names)) <= size.series_characters


def test_long_charts_are_drawn_narrow_with_their_scale_where_one_begins():
    name = "Ein überaus langer Name " * 12
    data = tuple(Datum(f"{name}{n}", n / 60, n / 70, 1.0, n, line=0.5) for n in range(60))
    chart = a_chart(data=data)
    root = ET.fromstring(drawn(chart, "svg", size=NARROW))
    assert (int(root.get("width")), int(root.get("height"))) == chart.sizes["narrow"]
    assert chart.spec(size=NARROW)["layer"][0]["encoding"]["x"]["axis"]["orient"] == "top"


def test_the_code_of_a_frame_holds_whatever_a_title_has():
    code = code_of(a_chart(), "https://example.org/?a=1&b=2", "Oversight")
    frame = ET.fromstring(code).find("iframe")
    assert frame.get("title") == a_chart().title
    assert frame.get("src") == "https://example.org/?a=1&b=2"


def test_files_of_a_chart_are_wide_unless_the_narrow_ones_are_asked_for(client, subjects):
    address = f"/charts/run/{subjects['run']}"
    for asked, width in (("", 820), ("?width=narrow", 320), ("?width=huge", 820)):
        assert ET.fromstring(client.get(f"{address}.svg{asked}").content).get("width") == str(width)
        assert client.get(f"{address}.json{asked}").json()["width"] == width
    png = client.get(f"{address}.png?width=narrow&theme=dark&download")
    assert int.from_bytes(png.content[16:20], "big") == 640
    assert f'"run-{subjects["run"]}-narrow.png"' in png["Content-Disposition"]


def answered(body, route):
    route.fulfill(body=body, content_type="text/html")


SAID = """image => {
    const chosen = [...image.parentElement.querySelectorAll("source")]
        .find(each => matchMedia(each.media).matches) || image;
    return [...["width", "height"].map(each => Number(chosen.getAttribute(each))), image.alt];
}"""
"""What the page says of a drawing before it is there."""


def shown(page):
    """Return what is said of the one drawing that is shown, and what it is once it is there."""
    image = page.locator(".drawn-chart-frame img:visible")
    image.scroll_into_view_if_needed()
    image.evaluate("image => image.decode()")
    now = "image => [image.naturalWidth, image.naturalHeight, image.currentSrc, image.width]"
    return image.evaluate(SAID), image.evaluate(now)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_every_chart_is_shown_at_the_width_of_its_page_and_none_scrolls_sideways(
    live_server, subjects, drawn_here, chromium, width, scheme
):
    size = WIDE if width > FROM else NARROW
    suite, _, name = subjects["task"].partition(".")
    pages = [f"/charts/{kind}/{subject}/" for kind, subject in subjects.items()]
    pages += [f"{address}embed/" for address in pages]
    pages += [f"/models/{subjects['model']}/", f"/suites/{suite}/tasks/{name}/"]
    with opened(chromium, width, scheme, scripts=False) as page:
        for address in pages:
            page.goto(live_server.url + address)
            (*said, alt), (*drawn_size, source, box) = shown(page)
            assert ("width=narrow" in source) == (size is NARROW), address
            assert ("theme=dark" in source) == (scheme == "dark"), address
            assert drawn_size[0] == size.width, address
            assert said == drawn_size, "so that no page jumps"
            assert box > 0.87 * min(width, size.width), address
            assert alt, address
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
            assert not page.evaluate(
                "[...document.querySelectorAll('.drawn-chart-frame')]"
                ".some(each => each.scrollWidth > each.clientWidth)"
            ), address


SHOWN = """() => {
    const images = [...document.querySelectorAll(".drawn-chart-frame img")];
    const address = each => {
        const chosen = [...each.parentElement.querySelectorAll("source")]
            .find(source => matchMedia(source.media).matches);
        return new URL(chosen ? chosen.srcset : each.getAttribute("src"), location).href;
    };
    return images.filter(each => each.offsetWidth).map(each => [address(each), each.width]);
}"""
"""Which drawings a page shows, and how wide, before they are there."""


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_letters_can_be_read_on_every_chart_at_every_width(
    live_server, subjects, drawn_here, chromium
):
    suite, _, name = subjects["task"].partition(".")
    pages = [f"/charts/{kind}/{subject}/" for kind, subject in subjects.items()]
    pages += [f"/charts/{kind}/{subjects[kind]}/embed/" for kind in ("run", "over-time")]
    pages += [f"/models/{subjects['model']}/", f"/suites/{suite}/tasks/{name}/"]
    letters = {}
    with opened(chromium, 320, scripts=False) as page:
        for address in pages:
            page.goto(live_server.url + address)
            # The ends of all, and of what each of the two drawings is shown at.
            for width in (320, 703, 704, 820, 1440):
                page.set_viewport_size({"width": width, "height": 900})
                for source, box in page.evaluate(SHOWN):
                    if source not in letters:
                        svg = page.request.get(source).text()
                        least = min(size for text, size in texts_of(svg) if text)
                        letters[source] = least / int(ET.fromstring(svg).get("width"))
                    assert letters[source] * box >= 11, (address, width)
    assert len(letters) == 2 * len(subjects)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_chart_is_explored_at_the_width_of_a_phone_and_follows_it_when_turned(
    live_server, subjects, chromium
):
    with opened(chromium, 360, scripts=True) as page:
        page.goto(f"{live_server.url}/charts/decision/{subjects['decision']}/")
        page.click("text=Explore the chart")
        canvas = page.locator(".explored-chart canvas")
        canvas.wait_for()
        asked = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
        assert [each for each in asked if ".json" in each and "width=narrow" in each]
        assert canvas.evaluate("each => each.clientWidth") <= 328
        page.set_viewport_size({"width": 800, "height": 360})
        page.wait_for_selector(".explored-chart canvas[width='734']")
        assert page.evaluate("document.documentElement.scrollWidth") <= 800


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_frame_for_other_sites_holds_the_chart_and_leaves_no_blank_at_any_width(
    live_server, subjects, drawn_here, chromium, settings
):
    settings.PUBLIC_URL = live_server.url
    page_of_another = f"{live_server.url}/a-page-of-another/"
    with opened(chromium) as page:
        for kind in ("over-time", "decision"):
            page.goto(f"{live_server.url}/charts/{kind}/{subjects[kind]}/")
            code = page.locator("code[data-copy]").inner_text()
            columns = "".join(f'<div style="width: {w}px">{code}</div>' for w in (320, 360, 720))
            body = f"<!doctype html><body>{columns}</body>"
            page.route(page_of_another, partial(answered, body))
            page.goto(page_of_another)
            for frame, width in zip(page.frames[1:], (320, 360, 720), strict=True):
                frame.locator("img").evaluate("image => image.decode()")
                holds, needs, across = frame.evaluate(
                    "[innerHeight, document.querySelector('main').getBoundingClientRect().bottom,"
                    " document.documentElement.scrollWidth]"
                )
                assert across == width, kind
                assert needs <= holds, (kind, width)
                assert holds - needs < 45, (kind, width)  # a line of the note, and the margin
                most = int(re.search(r'height="(\d+)"', unescape(code))[1])
                assert holds <= most, "for who takes no style from others"
            page.unroute(page_of_another)
