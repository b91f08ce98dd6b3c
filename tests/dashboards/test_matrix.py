"""Models by tasks, and one task across models: what stands side by side, and what does not."""

import csv
import io
import re

import pytest

from evals.models import SuiteVersion
from evals.services.suites import publish_suite
from oversight.dashboards import matrix
from oversight.registry.services.describing import describe
from tests import factories

OVERVIEW = "/findings/overview/"


def scores(client, query=""):
    """Return model, task and mean of every result, in order."""
    found = client.get(f"/findings/overview.json{query}").json()["results"]
    return [(row["model"], row["task"], row["mean"]) for row in found]


def evaluated(world, right, **fields):
    version = factories.make_model_version(world.cast.evaluator, **fields)
    run = factories.make_run(world.cast.evaluator, world.suite, version)
    factories.finish_run(run, world.worker, right=right)
    return version


@pytest.fixture
def others(world):
    """Return two more versions: a better one, and a worse one under another licence."""
    return (
        evaluated(world, 75, model_slug="better", model_name="Better"),
        evaluated(world, 40, model_slug="worse", model_name="Worse", licence="MIT"),
    )


def revised(world, **changed):
    """Publish the suite's next version, its first task changed."""
    document = factories.suite_document(world.suite.suite.slug)
    document["tasks"][0] |= changed
    version, _ = publish_suite(
        by=world.cast.evaluator, document=document, files={"facts.jsonl": factories.ROWS}
    )
    return version


def test_every_cell_has_value_interval_and_number_of_items(client, world, words):
    text = words(client.get(OVERVIEW))
    row = client.get("/findings/overview.json").json()["results"][0]
    assert f"{row['mean']:.3f} {row['low']:.3f} to {row['high']:.3f} n = {row['n']}" in text
    assert "One model on two tasks." in text


def test_what_was_not_measured_is_empty_and_says_so(client, world, words):
    factories.make_model_version(model_slug="unmeasured", model_name="Unmeasured")
    assert words(client.get(OVERVIEW)).count("not measured") == 2


def test_a_heading_sorts_by_its_task_best_first_and_then_worst_first(client, world, others):
    key = f"{world.suite.suite.slug}.facts"
    models = [m for m, task, _ in scores(client, f"?sort={key}") if task == "facts"]
    assert models == ["better", world.version.model.slug, "worse"]
    models = [m for m, task, _ in scores(client, f"?sort={key}&order=worst") if task == "facts"]
    assert models == ["worse", world.version.model.slug, "better"]
    page = client.get(f"{OVERVIEW}?sort={key}").content.decode()
    assert 'aria-sort="descending"' in page
    assert "best first" in page


def test_a_task_where_less_is_better_is_best_with_the_least(client, world):
    suite = revised(world, higher_is_better=False)
    for right, name in ((40, "low"), (75, "high")):
        version = factories.make_model_version(model_slug=name, model_name=name)
        run = factories.make_run(world.cast.evaluator, suite, version)
        factories.finish_run(run, world.worker, right=right)
    found = scores(client, f"?sort={suite.suite.slug}.facts")
    own = world.version.model.slug
    assert [m for m, task, _ in found if task == "facts"] == ["low", own, "high"]
    page = client.get(f"/findings/overview.json?sort={suite.suite.slug}.facts").json()["results"]
    behind = {row["model"]: row["behind_baseline"] for row in page if row["task"] == "facts"}
    assert behind["low"] == 0
    assert behind["high"] > 0.4


@pytest.mark.parametrize(
    ("query", "models"),
    [
        ("licence=MIT", {"worse"}),
        ("licence=Apache-2.0", {"better", "own"}),
        ("suite=nothing", set()),
        ("category=safety", {"better", "worse", "own"}),
        ("category=bias", set()),
        ("operator=nobody", set()),
        ("language=de", {"better"}),
        ("language=fr", set()),
    ],
)
def test_what_does_not_fit_is_left_out(client, world, others, query, models):
    describe(by=world.cast.evaluator, what=others[0], document={"languages": ["de", "en"]})
    own = world.version.model.slug
    found = {model.replace(own, "own") for model, _, _ in scores(client, f"?{query}")}
    assert found == models


def test_an_operators_models_are_those_it_is_authorised_to_serve(client, world, others):
    operator = world.deployment.endpoint.operator.slug
    assert {model for model, _, _ in scores(client, f"?operator={operator}")} == {
        world.version.model.slug
    }


def test_a_model_stands_by_its_newest_measured_version_unless_all_are_asked_for(client, world):
    evaluated(world, 75, model_slug=world.version.model.slug, label="v2")
    factories.make_model_version(model_slug=world.version.model.slug, label="v3")
    found = client.get("/findings/overview.json").json()["results"]
    assert {row["version"] for row in found} == {"v2"}
    found = client.get("/findings/overview.json?versions=all").json()
    assert {row["version"] for row in found["results"]} == {"v2", world.version.label}
    assert found["versions"] == 3


def test_a_task_asked_otherwise_in_a_newer_version_of_the_suite_does_not_mix(client, world, words):
    before = scores(client)
    revised(world, num_fewshot=3)
    after = scores(client)
    assert [row for row in before if row[1] == "refusals"] == after
    text = words(client.get(OVERVIEW))
    assert "3-shot" in text
    assert "asked alike in version 1" in text


def test_scores_are_held_against_the_best_or_against_a_named_version(client, world, others):
    rows = client.get("/findings/overview.json").json()["results"]
    behind = {row["model"]: row["behind_baseline"] for row in rows if row["task"] == "facts"}
    assert behind["better"] == 0
    assert behind["worse"] == pytest.approx(35 / 80)
    page = client.get(f"{OVERVIEW}?show=map").content.decode()
    assert "0.438 behind" in page
    assert "heat-5" in page
    assert ">the best<" in page
    assert "at the baseline" not in page
    beside = f"?beside={others[1].digest}"
    rows = client.get(f"/findings/overview.json{beside}").json()["results"]
    behind = {row["model"]: row["behind_baseline"] for row in rows if row["task"] == "facts"}
    assert behind["worse"] == 0
    assert behind["better"] == pytest.approx(-35 / 80)
    page = client.get(f"{OVERVIEW}{beside}&show=map").content.decode()
    assert "0.438 ahead" in page
    assert "at the baseline" in page
    assert ">the best<" not in page
    assert "the baseline" in page


def cells(client, query="?show=map"):
    """Return what each measured cell of the heat map says, and the steps that have a colour."""
    page = client.get(f"{OVERVIEW}{query}").content.decode()
    body = page.partition('<table class="table matrix')[2].partition("</tbody>")[0]
    said = [re.sub(r"<[^>]+>", " ", each) for each in re.findall(r"(?s)<td.*?</td>", body)]
    return page, said, re.findall(r"heat-([1-5])", body)


@pytest.mark.parametrize("beside", [False, True])
def test_a_score_that_nothing_is_beside_has_no_colour_and_says_so(client, world, beside):
    query = f"?show=map&beside={world.version.digest}" if beside else "?show=map"
    page, said, coloured = cells(client, query)
    assert coloured == []
    assert len(said) == 2
    assert not any("baseline" in each or "the best" in each for each in said)
    # What is so of every cell is said once, above them.
    assert "There is nothing to compare" in page
    assert "no cell has a colour" in page
    assert "nothing to compare with" not in " ".join(said)
    assert 'class="scale"' not in page
    assert "hold others against it" not in page
    found = client.get("/findings/overview.json").json()["results"]
    assert [row["behind_baseline"] for row in found] == [None, None]


def test_a_score_that_nothing_is_beside_is_held_against_guessing_where_that_is_known(client, world):
    _, said, _ = cells(client)
    found = client.get("/findings/overview.json").json()
    assert [task["guessing"] for task in found["tasks"]] == [0.5, 0.5]
    means = [row["mean"] for row in found["results"]]
    for mean, each in zip(means, said, strict=True):
        assert f"{mean - 0.5:.3f} above guessing" in each
    for guessing, words in (("0.990000", "below guessing"), (str(means[0]), "as good as guessing")):
        SuiteVersion.objects.update(guessing={"facts": guessing})
        assert words in cells(client)[1][0]
    SuiteVersion.objects.update(guessing={})
    page, said, _ = cells(client)
    assert len(said) == 2
    assert "guessing" not in " ".join(said)
    assert "guessing scores" not in page


def test_tasks_that_one_version_alone_was_measured_on_stand_beside_others(client, world):
    evaluated(world, 40, model_slug="other", model_name="Other")
    page, said, coloured = cells(client)
    assert len(coloured) == len(said) == 4
    assert "nothing to compare with" not in page
    assert "guessing scores 0.500" in page
    revised(world, num_fewshot=3)  # and so nobody was measured on the first task as it is now
    version = factories.make_model_version(model_slug="third", model_name="Third")
    run = factories.make_run(world.cast.evaluator, world.suite.suite.current, version)
    factories.finish_run(run, world.worker, right=50)
    page, said, coloured = cells(client)
    assert 'class="scale"' in page
    assert (len(coloured), sum("nothing to compare with" in each for each in said)) == (3, 1)
    assert "no colour: nothing to compare with" in page


def test_a_score_is_held_against_even_handed_where_that_is_its_line(client, world):
    suite = revised(world, neutral="0.5")
    run = factories.make_run(world.cast.evaluator, suite, world.version)
    factories.finish_run(run, world.worker, right=60)
    page, said, _ = cells(client)
    assert "0.5 is even-handed" in page
    assert ["guessing" in each for each in said] == [False, True]


def test_the_csv_says_what_the_json_says(client, world, others):
    answer = client.get("/findings/overview.csv")
    data = client.get("/findings/overview.json").json()["results"]
    assert [(row["model"], row["task"], float(row["mean"])) for row in in_csv(answer)] == [
        (row["model"], row["task"], row["mean"]) for row in data
    ]
    assert answer["List-Complete"] == "true"


@pytest.mark.parametrize(
    "query",
    ["", "&versions=all", "&licence=MIT", "&sort={suite}.facts&order=worst", "&beside={best}"],
)
def test_the_csv_has_all_pages_whichever_is_shown(client, world, others, monkeypatch, query):
    query = query.format(suite=world.suite.suite.slug, best=others[0].digest)
    wanted = client.get(f"/findings/overview.json?{query}").json()["results"]
    monkeypatch.setattr(matrix, "ROWS", 1)
    monkeypatch.setattr(matrix, "COLUMNS", 1)
    monkeypatch.setattr(matrix, "ROWS_AT_ONCE", 1)
    shown = client.get(f"/findings/overview.json?page=1{query}").json()
    assert len(shown["results"]) == 1 == shown["page"]
    rows = in_csv(client.get(f"/findings/overview.csv?page=1&tasks=2{query}"))
    assert [(row["run"], row["task"], row["behind_baseline"]) for row in rows] == [
        (row["run"], row["task"], repr(row["behind_baseline"])) for row in wanted
    ]


def in_csv(answer):
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "sort=';--",
        "page=0",
        "tasks=99999999",
        "beside=sha256:1",
        "order=up",
        "show=3d",
        "licence=é",
    ],
)
def test_nonsense_is_named_on_the_page_and_refused_by_the_api(client, query):
    name = query.partition("=")[0]
    page = client.get(f"{OVERVIEW}?{query}")
    assert page.status_code == 200
    assert f"“{name}” was left out." in page.content.decode()
    answer = client.get(f"/api/v1/overview/?{query}")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {name}
    assert client.get("/api/v1/overview/?colour=blue").status_code == 400


def test_the_api_gives_what_the_page_shows(client, world, others):
    by_task = f"sort={world.suite.suite.slug}.facts"
    seen = set()
    for order in ("sort=name", by_task, f"{by_task}&order=worst"):
        data = client.get(f"/findings/overview.json?{order}").json()
        assert client.get(f"/api/v1/overview/?{order}").json() == data
        seen.add(tuple(row["model"] for row in data["results"]))
    assert len(seen) == 3


# -- One task --------------------------------------------------------------------------------


def address(world, name="facts"):
    return f"/suites/{world.suite.suite.slug}/tasks/{name}"


def test_a_task_shows_every_version_best_first_with_its_interval(client, world, others, words):
    text = words(client.get(f"{address(world)}/"))
    assert "Facts on public services: three model versions measured." in text
    assert text.index("Better v1.5") < text.index("Worse v1.5")
    data = client.get(f"{address(world)}.json").json()
    assert [row["model"] for row in data["results"]] == [
        "better", world.version.model.slug, "worse",
    ]  # fmt: skip
    assert client.get(f"/api/v1{address(world)}/").json() == data
    first = data["results"][0]
    assert f"{first['mean']:.3f} {first['low']:.3f} to {first['high']:.3f}" in text


def test_a_task_page_keeps_results_of_other_questions_apart(client, world, words):
    revised(world, num_fewshot=3)
    page = words(client.get(f"{address(world)}/"))
    assert "no model was measured yet" in page
    assert "Asked in another way, and not shown here: version 1" in page
    assert client.get(f"{address(world)}.json").json()["comparable_suite_versions"] == [2]
    page = words(client.get(f"{address(world, 'refusals')}/"))
    assert "one model version measured" in page
    data = client.get(f"{address(world, 'refusals')}.json").json()
    assert data["comparable_suite_versions"] == [2, 1]
    assert [row["suite_version"] for row in data["results"]] == [1]


def test_an_unknown_task_is_not_found(client, world):
    for form in ("/", ".json", ".csv"):
        assert client.get(f"{address(world, 'nothing')}{form}").status_code == 404
    assert client.get(f"/api/v1{address(world, 'nothing')}/").status_code == 404
