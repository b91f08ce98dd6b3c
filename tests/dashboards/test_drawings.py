"""Charts: a specification from data, drawn by a process of its own, for any page and any frame."""

import csv
import html
import re
import xml.etree.ElementTree as ET
from itertools import product

import pytest
from django.utils import translation

from evals.models import SuiteVersion
from oversight.dashboards.drawings import deciding, press
from oversight.dashboards.drawings.chart import Chart, Datum
from oversight.dashboards.drawings.drawing import PRESS, drawn
from oversight.dashboards.drawings.layers import PALETTE
from oversight.dashboards.drawings.sizes import NARROW, WIDE, room, wrapped
from oversight.dashboards.drawings.subjects import KINDS
from oversight.dashboards.orientation import orientation_of
from proposals.services import moderation
from tests import factories
from tests.dashboards.test_in_a_browser import opened

SVG = "{http://www.w3.org/2000/svg}"


def a_chart(**changed):
    values = {
        "kind": "intervals",
        "title": "Facts <&> “names”",
        "finding": "One comes first.",
        "source": "Made up.",
        "page": "/",
        "page_name": "Start",
        "value_title": "accuracy",
        "data": (Datum("One", 0.7, 0.6, 0.8, 80), Datum("Two", 0.5, None, None, 80)),
    }
    return Chart(**values | changed)


def plots_of(svg):
    """Return how wide each plot of a drawing is."""
    for path in ET.fromstring(svg).iter(f"{SVG}path"):
        found = re.fullmatch(r"M0,0h([\d.]+)v[\d.]+h-[\d.]+Z", path.get("d", ""))
        if found:
            yield float(found[1])


@pytest.fixture(autouse=True)
def own_drawings(settings, tmp_path):
    """Keep each test's drawings apart."""
    caches = {name: dict(value) for name, value in settings.CACHES.items()}
    caches["charts"]["LOCATION"] = str(tmp_path / "charts")
    settings.CACHES = caches


def asked_about(cast, *, times=4):
    """Make a proposal whose opinion map is drawn."""
    proposal = factories.make_deliberated_proposal(cast)
    for text in ("Nobody is cut off.", "It may be slow.", "One.", "Two.", "Three."):
        factories.make_statement(cast.member, proposal, text)
    factories.make_opinions(proposal, ["+-+-0"] * 2 * times + ["++-0+"] * times + ["0-0+-"] * times)
    factories.draw_map(proposal)
    return proposal


def held_against_another(world):
    """Decide about a version by a score, and by its difference to another version."""
    cast, suite, version = world.cast, world.suite, world.version
    other = factories.make_model_version(cast.evaluator)
    factories.finish_run(factories.make_run(cast.evaluator, suite, other), world.worker, right=60)
    proposal = factories.make_deliberated_proposal(
        cast,
        version=version,
        deployment=world.deployment,
        terms={"override_reason": "Staff check every answer."},
    )
    factories.make_criterion(cast, proposal, suite)
    beside = {"comparison": "not_worse", "threshold": "0.1", "beside": other}
    factories.make_criterion(cast, proposal, suite, **beside)
    run = factories.make_run(cast.member, suite, version, purpose=proposal.subject)
    factories.finish_run(run, world.worker, right=70)
    return factories.decide(cast, proposal, ("yes", "yes", "yes"))


@pytest.fixture
def subjects(world):
    """Return a subject of every kind of chart; a second run makes trends of two points."""
    run = factories.make_run(world.cast.evaluator, world.suite, world.version)
    factories.finish_run(run, world.worker, right=60)
    task = f"{world.suite.suite.slug}.facts"
    found = {
        "task": task,
        "over-time": task,
        "model": world.version.model.slug,
        "run": run.ref,
        "turnout": world.cast.body.slug,
        "decision": world.decision.ref,
        "differences": held_against_another(world).ref,
        "opinions": asked_about(world.cast).ref,
        "compute": "organisations",
    }
    assert set(found) == set(KINDS)
    return found


def test_the_table_of_a_chart_has_no_column_of_which_nothing_is_known(client, world):
    subject = world.cast.body.slug
    turnout = client.get(f"/charts/turnout/{subject}/").content.decode()
    table = turnout.partition("<table")[2].partition("</table>")[0]
    assert "95 % interval" not in table
    assert "<td" in table
    assert all(re.search(r"\d", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", table))
    task = client.get(f"/charts/task/{world.suite.suite.slug}.facts/").content.decode()
    assert "95 % interval" in task


@pytest.mark.parametrize("kind", ["intervals", "points", "bars"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_every_kind_is_drawn_as_svg_of_the_size_it_was_said_to_have(kind, theme, size):
    chart = a_chart(kind=kind, line=0.5, line_label="even-handed")
    root = ET.fromstring(drawn(chart, "svg", theme, size))
    assert (int(root.get("width")), int(root.get("height"))) == chart.sizes[size.name]
    assert root.find(f"{SVG}title").text == chart.title
    assert root.find(f"{SVG}desc").text == chart.alt
    assert root.get("role") == "img"
    words = " ".join(root.itertext())
    assert "even-handed" in words
    assert chart.finding in words
    assert ("Two" in words) == (kind != "points")


@pytest.mark.parametrize("word", ["Donaudampfschifffahrtsgesellschaft" * 5, "W" * 160])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_endless_words_in_the_title_leave_the_figures_their_room(word, size):
    chart = a_chart(title=word, finding=f"“{word}” comes first.")
    root = ET.fromstring(drawn(chart, "svg", size=size))
    assert (int(root.get("width")), int(root.get("height"))) == chart.sizes[size.name]
    lines = chart.spec(size=size)["title"]["text"]
    assert max(map(room, lines)) <= size.title_characters
    assert "".join(lines) == word
    assert max(plots_of(drawn(chart, "svg", size=size))) > size.width / 2


def test_a_png_is_one_and_twice_the_size():
    chart = a_chart()
    content = drawn(chart, "png")
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(content[16:20], "big") == 2 * WIDE.width


def test_what_was_drawn_once_is_kept(monkeypatch):
    first = drawn(a_chart(), "svg")
    monkeypatch.setattr(PRESS, "run", lambda *_: b"another")
    assert drawn(a_chart(), "svg") == first
    assert drawn(a_chart(finding="Two comes first."), "svg") == b"another"
    assert drawn(a_chart(), "svg", "dark") == b"another"
    assert drawn(a_chart(), "svg", size=NARROW) == b"another"


def test_a_specification_asks_nobody_for_data_and_tells_series_apart_twice():
    data = tuple(Datum(f"v{n}", 0.5, 0.4, 0.6, 8, None, f"model {n}") for n in range(6))
    spec = a_chart(kind="points", data=data).spec()
    assert len(spec["data"]["values"]) == 6
    assert "url" not in str(spec["data"])
    encoding = spec["layer"][1]["encoding"]
    assert tuple(encoding["color"]["scale"]["range"]) == PALETTE
    assert len(set(encoding["shape"]["scale"]["range"])) == 6
    assert not any(layer["mark"]["type"] == "line" for layer in spec["layer"])


def test_every_chart_has_its_page_files_and_frame(client, subjects):
    for kind, subject in subjects.items():
        address = f"/charts/{kind}/{subject}"
        spec = client.get(f"{address}.json").json()
        assert spec["data"]["values"], kind
        page = client.get(f"{address}/").content.decode()
        assert " ".join(spec["title"]["text"]) in page, kind
        assert f"{address}/embed/" in page
        assert client.get(f"{address}.csv").content.decode().count("\n") == 1 + len(
            spec["data"]["values"]
        )


def test_a_chart_names_the_page_that_it_leads_back_to(client, world):
    page = client.get(f"/fr/charts/decision/{world.decision.ref}/").content.decode()
    address = f"/fr{world.decision.get_absolute_url()}"
    assert f'<a href="{address}">Décision {world.decision.ref}</a>' in page
    page = client.get(f"/charts/model/{world.version.model.slug}/").content.decode()
    assert f">{world.version.model}</a></li>" in page


def test_every_chart_names_the_page_that_it_leads_back_to_as_that_page_does(client, subjects):
    for language, (kind, subject) in product(("", "/de"), subjects.items()):
        page = client.get(f"{language}/charts/{kind}/{subject}/").content.decode()
        way = page.partition('<nav class="breadcrumb"')[2].partition("</li>")[0]
        address, name = re.search(r'<a href="([^"]+)">([^<]+)</a>', way).groups()
        there = client.get(address).content.decode()
        assert name in re.sub(r"<[^>]*>", "", there.partition("</h1>")[0]), kind


def test_a_line_is_not_broken_before_a_french_colon():
    assert wrapped("Un résultat\u202f: oui", 11) == ["Un", "résultat\u202f:", "oui"]


def test_files_of_a_chart_are_drawn_kept_and_downloaded(client, subjects):
    address = f"/charts/run/{subjects['run']}"
    answer = client.get(f"{address}.svg?theme=dark")
    assert answer["Content-Type"] == "image/svg+xml"
    assert "max-age" in answer["Cache-Control"]
    assert "Content-Disposition" not in answer
    answer = client.get(f"{address}.png?download")
    assert answer["Content-Disposition"] == f'attachment; filename="run-{subjects["run"]}.png"'


@pytest.mark.parametrize("language", ["fr", "de"])
def test_a_chart_on_a_page_is_in_the_language_of_the_page(client, subjects, language):
    address = f"/charts/run/{subjects['run']}"
    for form in ("/", "/embed/"):
        page = client.get(f"/{language}{address}{form}").content.decode()
        drawings = re.findall(rf'="({address}\.(?:svg|png|json)[^"]*)"', page)
        assert len(drawings) >= 4
        assert [each for each in drawings if f"language={language}" not in each] == []
    assert f"/{language}{address}/embed/" in client.get(f"/{language}{address}/").content.decode()
    spec = client.get(f"{address}.json?language={language}&width=narrow").json()
    english = client.get(f"{address}.json?width=narrow").json()
    assert spec["title"]["subtitle"] != english["title"]["subtitle"]
    assert spec["config"]["locale"]["number"]["decimal"] == ","
    assert "locale" not in english["config"]
    drawing = client.get(f"{address}.svg?language={language}").content.decode()
    assert spec["description"] in html.unescape(drawing)
    assert ">0,7" in drawing
    assert ">0.7" not in drawing
    assert client.get(f"{address}.svg?language=xx").status_code == 400


def test_what_was_asked_is_never_cut_from_the_name_of_a_criterion():
    ending = " (at least 0.75)"
    title = "met: Stereotypes about the people whom public services serve every day"
    chart = a_chart(data=(Datum(title + ending, 0.8, 0.7, 0.9, 80, ending=ending),) * 2)
    for size in (WIDE, NARROW):
        first, second = (name.replace("\n", " ") for name in chart.names(size))
        assert first.endswith("…" + ending)
        assert second.endswith(f"…{ending} (2)")
    endless = " (not worse than " + "a model with a long name " * 3 + "by 0.02)"
    chart = a_chart(data=(Datum(title + endless, 0.8, ending=endless),))
    assert chart.names(WIDE)[0].startswith("met: Stereotypes about")


def test_a_mark_at_the_end_of_the_scale_is_drawn_whole():
    chart = a_chart(data=(Datum("One", 0.4, 0.3, 0.5, 80, line=0.75),))
    drawing = press.svg_of(chart.spec()).decode()
    [width] = set(plots_of(drawing))
    [tick] = re.findall(r'aria-label="[^"]*: 0\.75; [^"]*"[^>]* d="M([\d.]+),[\d.]+h3', drawing)
    assert float(tick) + 3 < width - 4


@pytest.mark.parametrize("kind", ["intervals", "points"])
@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize(
    ("language", "said", "first"),
    [
        ("en", "The scale begins at 0.55, not at\N{NO-BREAK SPACE}0.", ">0.55<"),
        ("fr", "L’échelle commence à 0,55 et non à\N{NO-BREAK SPACE}0.", ">0,55<"),
        ("de", "Die Skala beginnt bei 0,55 und nicht bei\N{NO-BREAK SPACE}0.", ">0,55<"),
    ],
)
def test_a_scale_that_leaves_zero_out_says_so_in_the_drawing(kind, size, language, said, first):
    chart = a_chart(kind=kind, data=(Datum("One", 0.7, 0.6, 0.8, 80), Datum("Two", 0.55)))
    with translation.override(language):
        drawing = press.svg_of(chart.spec(size=size)).decode()
        assert said in chart.alt
    root = ET.fromstring(drawing)
    assert said in root.find(f"{SVG}desc").text
    assert said in " ".join(root.itertext()).replace(root.find(f"{SVG}desc").text, "")
    assert first in drawing


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"data": (Datum("One", 0.1, 0.02, 0.3),)}, ""),
        ({"data": (Datum("One", -0.1, -0.3, 0.2),)}, ""),
        ({"line": 0.0, "line_label": "none"}, ""),
        ({"kind": "bars"}, ""),
        ({"data": ()}, ""),
        (
            {"data": (Datum("One", -0.1, -0.3, -0.06),)},
            "The scale ends at −0.05, before\N{NO-BREAK SPACE}0.",
        ),
        (
            {"data": (Datum("One", 0.7, 0.65, 0.75, line=0.6),)},
            "The scale begins at 0.60, not at\N{NO-BREAK SPACE}0.",
        ),
    ],
)
def test_a_scale_says_that_it_is_cut_only_where_it_is(changed, said):
    chart = a_chart(**changed)
    assert chart.cut == said
    assert chart.spec()["title"]["subtitle"] == list(filter(None, ("One comes first.", said)))


def test_the_page_and_the_frame_of_a_chart_say_where_its_scale_begins(client, subjects):
    address = f"/charts/run/{subjects['run']}"
    for form in ("/", "/embed/"):
        for shown, said in (("", "The scale begins at"), ("/de", "Die Skala beginnt bei")):
            page = client.get(f"{shown}{address}{form}").content.decode()
            assert said in re.search(r'alt="([^"]*)"', page)[1]


GUESSING = {"": "guessing", "fr": "réponses au hasard", "de": "Raten"}


@pytest.mark.parametrize("kind", ["task", "over-time", "model"])
def test_a_chart_of_one_task_shows_what_guessing_scores_where_that_is_known(client, subjects, kind):
    address = f"/charts/{kind}/{subjects[kind]}"
    for language, words in GUESSING.items():
        page = client.get(f"{language and '/'}{language}{address}/").content.decode()
        query = f"?language={language}" if language else "?"
        figure = "0,50" if language else "0.50"
        for width in ("wide", "narrow"):
            drawing = client.get(f"{address}.svg{query}&width={width}").content.decode()
            assert f">{words}<" in drawing
            assert re.search(rf"{figure}[\s\u202f]*: {words}\.", drawing)
        assert re.search(rf'alt="[^"]*{figure}[\s\u202f]*: {words}\.', page)
    SuiteVersion.objects.update(guessing={})
    assert "guessing" not in client.get(f"{address}.json").content.decode()
    assert "guessing" not in client.get(f"{address}/").content.decode()


def test_charts_of_several_tasks_show_no_line_of_one_of_them(client, subjects):
    assert "guessing" not in client.get(f"/charts/run/{subjects['run']}.json").content.decode()


def test_pages_say_what_guessing_scores_beside_their_charts_of_one_task(client, world, words):
    suite = world.suite.suite.get_absolute_url()
    for address in ("/", suite, f"{suite}tasks/facts/"):
        assert "The line at 0.50: guessing." in words(client.get(address)), address
    assert client.get(f"/api/v1{suite}tasks/facts/").json()["guessing"] == 0.5
    SuiteVersion.objects.update(guessing=None)
    for address in ("/", suite, f"{suite}tasks/facts/"):
        assert "guessing" not in words(client.get(address)), address
    assert client.get(f"/api/v1{suite}tasks/facts/").json()["guessing"] is None


def test_a_task_that_may_be_even_handed_has_that_line_and_no_other(world):
    task = world.suite.tasks[0]
    assert orientation_of(world.suite, task) == (0.5, "guessing")
    assert orientation_of(world.suite, task | {"neutral": "0.4"}) == (0.4, "even-handed")


def test_parts_of_a_whole_are_drawn_in_percent(client, subjects):
    address = f"/charts/turnout/{subjects['turnout']}"
    drawing = client.get(f"{address}.svg").content.decode()
    assert ">100%<" in drawing
    assert ">1.0<" not in drawing
    assert "100.0\N{NO-BREAK SPACE}%" in client.get(f"{address}/").content.decode()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("", r"^One result on \d+ [A-Z][a-z]+ \d{4}, 0\.\d{3}\.$"),
        ("/fr", r"^1 résultat le \d+ \w+ \d{4}\u202f: 0,\d{3}\.$"),
    ],
)
def test_one_result_is_told_with_its_day_and_without_a_range(client, world, language, said):
    page = client.get(f"{language}/charts/model/{world.version.model.slug}/").content.decode()
    [lede] = re.findall(r'<p class="lede">([^<]*)</p>', page)
    assert re.search(said, lede)


def test_large_figures_are_set_apart_as_the_language_does_it():
    data = tuple(Datum(f"No. {number}", 2500.0 * number) for number in range(1, 4))
    with translation.override("de"):
        spec = a_chart(kind="bars", data=data).spec()
    assert ">6.000<" in press.svg_of(spec).decode()
    with translation.override("en"):
        spec = a_chart(kind="bars", data=data).spec()
    assert ">6,000<" in press.svg_of(spec).decode()


def test_only_the_frame_of_a_chart_may_be_framed_and_it_sets_no_cookie(client, subjects):
    address = f"/charts/run/{subjects['run']}"
    frame = client.get(f"{address}/embed/")
    assert "frame-ancestors *" in frame["Content-Security-Policy"]
    assert "X-Frame-Options" not in frame
    assert not frame.cookies
    assert "public" in frame["Cache-Control"]
    page = client.get(f"{address}/")
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    ["nothing/a", "task/a", "task/a.b", "over-time/a.b", "model/a", "run/a", "turnout/a"],
)
def test_a_chart_of_nothing_is_not_found(client, address):
    for form in ("/", "/embed/", ".json", ".csv", ".svg", ".png"):
        assert client.get(f"/charts/{address}{form}").status_code == 404


def test_a_chart_that_cannot_be_drawn_now_says_when_to_come_again(client, subjects, monkeypatch):
    monkeypatch.setattr(PRESS, "seconds", 0.001)
    answer = client.get(f"/charts/run/{subjects['run']}.svg")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_chart_is_explored_under_the_strict_policy(live_server, subjects, chromium, scheme):
    said = []
    with opened(chromium, scheme=scheme) as page:
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{live_server.url}/charts/over-time/{subjects['over-time']}/")
        asked = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
        assert not [address for address in asked if "vega" in address]
        page.click("text=Explore the chart")
        page.wait_for_selector(".explored-chart canvas")
        assert page.locator(".drawn-chart-frame img").count() == 0
    assert said == []


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_chart_is_drawn_without_scripts_in_the_colours_of_the_page(
    live_server, subjects, chromium
):
    for scheme, shown in (("light", "chart-light"), ("dark", "chart-dark")):
        with opened(chromium, scheme=scheme, scripts=False) as page:
            page.goto(f"{live_server.url}/charts/run/{subjects['run']}/")
            image = page.locator(".drawn-chart-frame img:visible")
            assert image.get_attribute("class") == shown
            assert image.get_attribute("alt")


def test_each_criterion_of_a_decision_is_held_against_its_own_line(client, world):
    spec = client.get(f"/charts/decision/{world.decision.ref}.json").json()
    (row,) = spec["data"]["values"]
    assert row["line"] == 0.65
    assert row["low"] < row["value"] < row["high"]
    assert row["label"].startswith("met: ")
    assert row["label"].endswith("(at least 0.65)")
    said = ["1 criterion: 1 met.", "The scale begins at 0.6, not at\N{NO-BREAK SPACE}0."]
    assert spec["title"]["subtitle"] == said
    marks = [layer["mark"]["type"] for layer in spec["layer"]]
    assert "tick" in marks
    ET.fromstring(client.get(f"/charts/decision/{world.decision.ref}.svg").content)
    assert "verdict" not in row
    table = client.get(f"/charts/decision/{world.decision.ref}.csv").text
    (line,) = csv.DictReader(table.splitlines())
    asked = [line[name] for name in ("verdict", "task", "comparison", "threshold")]
    assert asked == ["met", "facts", "at_least", "0.65"]
    assert line["label"] == row["label"]


def test_differences_have_a_scale_of_their_own_and_what_is_left_out_is_said(client, world):
    ref = held_against_another(world).ref
    scores = client.get(f"/charts/decision/{ref}.json").json()
    (score,) = scores["data"]["values"]
    assert (score["line"], 0 < score["value"] < 1) == (0.65, True)
    differences = client.get(f"/charts/differences/{ref}.json").json()
    (difference,) = differences["data"]["values"]
    assert (difference["line"], round(difference["value"], 3)) == (-0.1, 0.125)
    for kind in ("decision", "differences"):
        page = client.get(f"/charts/{kind}/{ref}/").text
        assert "1 criterion is not drawn here: it has no result, or another scale." in page
        assert f"/charts/{kind}/{ref}/" in client.get(f"/decisions/{ref}/").text
    assert client.get(f"/charts/differences/{world.decision.ref}.json").status_code == 404
    assert "/charts/differences/" not in client.get(world.decision.get_absolute_url()).text


def test_three_hundred_criteria_and_endless_names_are_drawn():
    name = "Ein überaus langer Name " * 12
    data = tuple(Datum(f"{name}{n}", n / 300, n / 310, 1.0, n, line=0.5) for n in range(300))
    chart = a_chart(data=data)
    names = {row["name"] for row in chart.spec()["data"]["values"]}
    assert len(names) == 300  # each has a row of its own
    assert max(map(len, names)) < 60
    root = ET.fromstring(drawn(chart, "svg"))
    assert root.get("height") == str(chart.height(WIDE))


def test_a_map_whose_answered_statements_are_all_hidden_has_no_chart(client, world):
    proposal = asked_about(world.cast)
    for statement in proposal.statements.all():
        moderation.hide(by=world.cast.clerk, said=statement, reason="Off topic.")
    assert client.get(f"/charts/opinions/{proposal.ref}.json").status_code == 404


def test_opinions_are_drawn_by_who_agrees_and_never_of_a_draft(client, world):
    proposal = asked_about(world.cast)
    spec = client.get(f"/charts/opinions/{proposal.ref}.json").json()
    rows = [(row["label"], row["value"], row["n"]) for row in spec["data"]["values"]]
    assert rows[0] == ("Nobody is cut off.", 0.75, 16)
    assert ("It may be slow.", 0.25, 16) in rows
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)
    few = asked_about(world.cast, times=2)  # eight people, of twelve that it takes
    assert client.get(f"/charts/opinions/{few.ref}.json").status_code == 404
    assert "/charts/opinions/" not in client.get(f"{few.get_absolute_url()}opinions/").text
    draft = factories.make_proposal(world.cast)
    assert client.get(f"/charts/opinions/{draft.ref}.json").status_code == 404


@pytest.mark.parametrize("subject", ["organisations", "bodies", "models"])
def test_compute_is_drawn_by_whom_it_was_for(client, world, subject):
    spec = client.get(f"/charts/compute/{subject}.json").json()
    (row,) = spec["data"]["values"]
    assert row["n"] == 2
    assert row["value"] > 0
    assert client.get("/charts/compute/nobody.json").status_code == 404


def test_a_chart_of_compute_says_how_many_it_has_no_room_for(client, world, monkeypatch):
    held_against_another(world)
    monkeypatch.setattr(deciding, "GIVERS", 1)
    page = client.get("/charts/compute/models/").text
    assert "The 1 with the most hours are drawn, of 2." in page


def test_pages_lead_to_their_charts(client, world):
    decision = client.get(world.decision.get_absolute_url()).content.decode()
    assert f"/charts/decision/{world.decision.ref}/" in decision
    assert "/charts/compute/organisations/" in client.get("/compute/").content.decode()
    proposal = asked_about(world.cast)
    page = client.get(f"{proposal.get_absolute_url()}opinions/").content.decode()
    assert f"/charts/opinions/{proposal.ref}/" in page
