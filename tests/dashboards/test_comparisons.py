"""Versions beside each other: what is compared, what is called better, and what chance may do."""

import csv
import io
import random
import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from evals.models import Run, SampleScore, SuiteVersion, TaskRun
from evals.services.suites import publish_suite
from evals.statistics import compare, holm
from oversight.dashboards import history
from oversight.dashboards.comparisons import compare_runs
from oversight.dashboards.progress import outlook, pace
from oversight.dashboards.run_names import differences
from oversight.registry.models import ModelVersion, RegisteredModel
from tests.factories import ROWS, finish_run, make_model_version, make_run, suite_document


def another(world, right, suite=None, **fields):
    run = make_run(
        world.cast.evaluator,
        suite or world.suite,
        make_model_version(world.cast.evaluator),
        **fields,
    )
    return finish_run(run, world.worker, right=right)


@pytest.fixture
def better(world):
    """Return a run that has ten more right in one task and as many in the other."""
    return another(world, {"facts": 80, "refusals": 70})


def test_the_difference_is_paired_and_corrected(world, better):
    found = compare_runs([world.run, better])
    facts, refusals = found.rows
    assert (facts.difference.gained, facts.difference.lost) == (10, 0)
    assert facts.difference == compare([0.0] * 10 + [1.0] * 70, [1.0] * 80)
    assert [row.adjusted for row in found.rows] == holm([facts.difference.p_value, 1.0])
    assert (facts.verdict, refusals.verdict) == ("better", "unclear")
    assert "does better on “Facts on public services”" in found.headline


def test_a_small_difference_is_not_called_better(world):
    found = compare_runs([world.run, another(world, 72)])
    assert {row.verdict for row in found.rows} == {"unclear"}
    assert "cannot be told from" in found.headline


def test_holm_counts_every_comparison_of_the_page(world):
    # Six of eighty: p = 0.03 alone, and no longer below 0.05 among several.
    others = [another(world, {"facts": 76, "refusals": 70}) for _ in range(2)]
    alone = compare_runs([world.run, others[0]]).rows[0]
    among = compare_runs([world.run, *others]).rows[0]
    assert alone.difference.p_value == among.difference.p_value < 0.05
    assert among.adjusted == pytest.approx(4 * among.difference.p_value)
    assert among.verdict == "unclear"


def test_the_direction_of_the_metric_decides_what_better_is(world):
    document = suite_document("lower")
    for task, neutral in zip(document["tasks"], (None, "0.5"), strict=True):
        task["higher_is_better"] = False
        for metric in task["config"]["metric_list"]:
            metric["higher_is_better"] = False
        if neutral:
            task["neutral"] = neutral
    suite, _ = publish_suite(
        by=world.cast.evaluator, document=document, files={"facts.jsonl": ROWS}
    )
    runs = [another(world, right, suite) for right in (60, 80)]
    assert [row.verdict for row in compare_runs(runs).rows] == ["worse", "different"]


def test_only_tasks_asked_in_the_same_way_are_compared(world):
    document = suite_document(world.suite.suite.slug)
    document["tasks"][0]["config"]["doc_to_text"] = "Q: {{question}}"
    document["tasks"][1]["title"] = "Another title"
    suite, _ = publish_suite(
        by=world.cast.evaluator, document=document, files={"facts.jsonl": ROWS}
    )
    found = compare_runs([world.run, another(world, 80, suite)])
    assert [row.task["name"] for row in found.rows] == ["refusals"]
    assert found.left_out == ("Facts on public services",)


def test_scores_of_any_kind_are_paired_by_sample(world, better, monkeypatch):
    monkeypatch.setattr("evals.pairs._CELLS", 8)
    stream = random.Random(1)
    pairs = []
    runs = (world.run, better)
    for doc_id in range(80):
        values = [stream.random(), stream.random()]
        pairs.append(values)
        for run, value in zip(runs, values, strict=True):
            SampleScore.objects.filter(
                task_run__run=run, task_run__task_name="facts", metric="acc", doc_id=doc_id
            ).update(score=value)
    found = compare_runs(runs).rows[0].difference
    assert found == compare(*[list(values) for values in zip(*pairs, strict=True)])


def test_the_page_says_it_in_words_drawing_table_and_data(client, world, better, words):
    query = {"run": [world.run.ref, better.ref]}
    page = client.get("/compare/", query)
    text = words(page)
    assert "does better on “Facts on public services”" in text
    assert "no difference" in text
    assert "10, 0" in text
    body = page.content.decode()
    assert body.count('class="strip-value"') == 2
    assert f"samples/facts/?against={world.run.ref}&amp;only=changed" in body
    data = client.get("/compare.json", query).json()["comparisons"]
    table = list(csv.DictReader(io.StringIO(client.get("/compare.csv", query).content.decode())))
    assert [row["verdict"] for row in data] == ["better", "unclear"]
    assert [float(row["difference"]) for row in table] == [row["difference"] for row in data]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("run=", 200),
        ("run={0}&run={0}", 200),
        ("run={0}&run=run-00000000", 400),
        ("run=%00", 400),
        ("&".join(f"run={n}" for n in range(9)), 400),
    ],
)
def test_addresses_that_name_no_two_runs(client, world, query, status):
    query = query.format(world.run.ref)
    assert client.get(f"/compare/?{query}").status_code == status
    assert client.get(f"/compare.json?{query}").status_code == 400


def cut(world, items, right):
    run = make_run(world.cast.evaluator, world.suite, world.version, settings={"limit": items})
    return finish_run(run, world.worker, right=right)


def test_both_scores_of_a_row_are_over_the_samples_that_both_runs_have(client, world, words):
    # The run in full is right on its first 70 of 80 items: 0.875, and on all of the first eight.
    short = cut(world, 8, right=4)
    row = compare_runs([world.run, short]).rows[0]
    assert (row.pairing.first_mean, row.pairing.mean, row.difference.mean) == (1.0, 0.5, -0.5)
    assert (row.difference.n, row.sizes, row.is_of_some) == (8, (80, 8), True)
    text = words(client.get("/compare/", {"run": [world.run.ref, short.ref]}))
    assert "n = 8, shared by runs of 80 and 8" in text
    assert "0.875" not in text
    query = {"run": [world.run.ref, short.ref]}
    for record in client.get("/compare.json", query).json()["comparisons"]:
        assert record["difference"] == record["mean"] - record["first_mean"]
        assert (record["n"], record["first_n"], record["run_n"]) == (8, 80, 8)


def test_runs_of_one_version_are_called_by_what_sets_them_apart(client, world, words):
    short = cut(world, 8, right=8)
    page = client.get("/compare/", {"run": [world.run.ref, short.ref]})
    assert page.context["comparison"].headline == (
        f"{world.version} ({short.ref}, first 8 items) cannot be told from "
        f"{world.version} ({world.run.ref}, all items) on these samples."
    )
    body = page.content.decode()
    for run, items in ((world.run, "all items"), (short, "first 8 items")):
        assert f'{run.ref}<span class="cell-note">{items}</span></th>' in body
    assert world.version.label not in re.findall(r"<thead>.*?</thead>", body, re.DOTALL)[0]
    again = finish_run(
        make_run(world.cast.evaluator, world.suite, world.version), world.worker, right=70
    )
    half = make_run(
        world.cast.evaluator, world.suite, world.version, settings={"dtype": "bfloat16"}
    )
    half = finish_run(half, world.worker, right=70)
    assert differences([world.run, again, half])[half.pk] == "bfloat16"
    called = compare_runs([world.run, again]).names
    assert called == {run.pk: f"{world.version} ({run.ref})" for run in (world.run, again)}


def test_a_comparison_with_a_run_that_measured_nothing_anew_says_so(client, world, better, words):
    address = f"/compare/?run={world.run.ref}&run={better.ref}"
    assert "measured nothing anew" not in words(client.get(address))
    Run.objects.filter(pk=better.pk).update(recalled=F("answers"))
    page = words(client.get(address))
    assert page.count("One run measured nothing anew.") == 1
    assert f"The answers of {better.ref} were all recalled from earlier runs" in page


def test_runs_of_two_models_whose_versions_are_labelled_alike_have_two_headings(world, better):
    ModelVersion.objects.filter(pk=better.model_version_id).update(label=world.version.label)
    RegisteredModel.objects.filter(pk=better.model_version.model_id).update(name="Rigi 8B")
    found = compare_runs([world.run, Run.objects.with_parts().get(pk=better.pk)])
    assert [found.head(run) for run in found.runs] == [
        (str(run.model_version), "") for run in found.runs
    ]


def test_samples_are_offered_only_where_some_differ(client, world, better, words):
    page = client.get("/compare/", {"run": [world.run.ref, better.ref]})
    assert page.content.decode().count("only=changed") == 1
    assert "no sample differs" in words(page)


def test_what_is_missing_for_a_comparison_is_said(client, world, better, words):
    assert "You chose" not in words(client.get("/compare/"))
    one = words(client.get("/compare/", {"run": world.run.ref}))
    assert f"You chose {world.run.ref}. Choose another run" in one
    twice = words(client.get("/compare/", {"run": [world.run.ref, world.run.ref]}))
    assert f"You chose {world.run.ref} alone, twice." in twice


def test_a_run_cut_short_is_marked_in_both_lists_to_choose_from(client, world, better):
    short = cut(world, 8, right=4)
    body = client.get("/compare/").content.decode()
    assert body.count("first 8 items") == 2
    assert f"{short.ref}, first 8 items</option>" in body


def test_a_comparison_takes_few_queries(client, world, better, django_assert_max_num_queries):
    client.get("/compare/", {"run": [world.run.ref, better.ref]})
    with django_assert_max_num_queries(9):
        client.get("/compare/", {"run": [world.run.ref, better.ref]})


# -- History, compute, changes, progress -----------------------------------------------------


def test_the_history_holds_every_full_run_of_every_version(client, world, better, words):
    document = suite_document(world.suite.suite.slug)
    document["title"] = "Public service, again"
    second, _ = publish_suite(
        by=world.cast.evaluator, document=document, files={"facts.jsonl": ROWS}
    )
    newest = another(world, 75, second)
    short = make_run(world.cast.evaluator, second, make_model_version(), settings={"limit": 80})
    finish_run(short, world.worker)
    address = f"{world.suite.suite.get_absolute_url()}history.json"
    found = client.get(address).json()["results"]
    assert {row["run"] for row in found} == {world.run.ref, better.ref, newest.ref}
    assert {row["suite_version"] for row in found} == {1, 2}
    assert {row["metric"] for row in found} == {"acc"}
    assert [row["task"] for row in found if row["run"] == newest.ref] == ["facts", "refusals"]
    text = words(client.get(world.suite.suite.get_absolute_url()))
    assert better.ref in text
    changes = words(client.get(f"/suites/{world.suite.suite.slug}/2/changes/1/"))
    assert "again" in changes
    assert client.get(f"/suites/{world.suite.suite.slug}/2/changes/9/").status_code == 404


def test_a_history_that_is_too_long_has_the_newest_and_says_so(client, world, better, monkeypatch):
    address = f"{world.suite.suite.get_absolute_url()}history"
    assert client.get(f"{address}.json").json()["complete"] is True
    assert client.get(f"{address}.csv")["List-Complete"] == "true"
    monkeypatch.setattr(history, "MOST_RUNS", 1)
    found = client.get(f"{address}.json").json()
    assert {row["run"] for row in found["results"]} == {better.ref}
    assert found["complete"] is False
    assert client.get(f"{address}.csv")["List-Complete"] == "false"


def test_compute_adds_up_what_the_statements_say(client, world, better):
    found = client.get("/compute.json").json()["hosts"]
    assert [row["task_runs"] for row in found] == [4]
    stated = [factories_usage(each) for each in TaskRun.objects.filter(state="succeeded")]
    hours = sum(float(usage["wallSeconds"]) for usage in stated) / 3600
    assert float(found[0]["hours"]) == pytest.approx(hours, abs=1e-4)
    assert found[0]["tokens"] == sum(usage["tokens"] for usage in stated)
    assert found[0]["energy_is"] in {"measured", "estimated"}
    page = client.get("/compute/")
    assert page.context["headline"] == "One organisation has computed what stands here."


def factories_usage(task_run):
    from evals.services.results import statement_of

    return statement_of(task_run)["predicate"]["usage"]


def test_no_cell_of_a_table_is_a_formula(client, world):
    worker = world.worker
    worker.name = "=HYPERLINK(1)"
    worker.save(update_fields=["name"])
    assert "'=HYPERLINK(1)" in client.get("/compute.csv").content.decode()


def test_every_metric_of_a_run_is_a_line_of_its_table(client, world):
    answer = client.get(f"{world.run.get_absolute_url()}results.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert {(row["task"], row["metric"]) for row in rows} == {
        (task, metric) for task in ("facts", "refusals") for metric in ("acc", "acc_norm")
    }


def test_the_pace_and_the_end_follow_from_what_was_reported(world):
    now = timezone.now()
    run = Run(suite_version=world.suite, settings={"limit": None}, state="running")
    # Claimed a while ago, it began to answer ten seconds ago with eight from the journal.
    running = TaskRun(run=run, task_name="facts", state="running", done=28, total=80)
    running.started_at = now - timedelta(seconds=100)
    running.answering_since, running.answered_then = now - timedelta(seconds=10), 8
    waiting = TaskRun(run=run, task_name="refusals", state="queued")
    paces = [pace(each, now) for each in (running, waiting)]
    assert (paces[0].per_second, paces[0].left) == (2.0, timedelta(seconds=26))
    assert paces[0].words == "2.0 samples a second"
    assert paces[1].per_second is None
    found = outlook(run, paces, now)
    assert (found.done, found.total) == (28, 160)
    assert found.ends_at == now + timedelta(seconds=66)
    assert found.pace == ("2.0", "samples a second")
    running.done = 9
    assert pace(running, now).words == ""
    assert outlook(run, [pace(running, now)], now).pace == ("", "")


def test_a_page_of_a_run_under_way_shows_pace_and_end(client, world, words):
    run = make_run(world.cast.evaluator, world.suite, make_model_version(world.cast.evaluator))
    task_run = run.task_runs.get(task_name="facts")
    TaskRun.objects.filter(pk=task_run.pk).update(
        state="running",
        worker=world.worker,
        attempt=1,
        lease_token=1,
        lease_until=timezone.now() + timedelta(minutes=1),
        started_at=timezone.now() - timedelta(seconds=90),
        answering_since=timezone.now() - timedelta(seconds=40),
        stage="asking",
        done=20,
        total=80,
    )
    Run.objects.filter(pk=run.pk).update(state="running", started_at=timezone.now())
    text = words(client.get(run.get_absolute_url()))
    assert "of 160 samples answered" in text
    assert "probable end" in text
    assert "samples a minute" in text
    TaskRun.objects.filter(pk=task_run.pk).update(done=2)
    text = words(client.get(run.get_absolute_url()))
    assert "of 160 samples answered" in text
    for unknown in ("probable end", "samples a minute", "samples a second"):
        assert unknown not in text
    assert SuiteVersion.objects.count() == 1
