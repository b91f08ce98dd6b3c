"""Exports of a run: the same numbers in every form, and nothing of restricted items."""

import csv
import io
import json

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evals.models import Aggregate, SuiteVersion
from evals.reckoner import asking
from evals.samples import Sample
from tests.evals.every_eval_ever import SCHEMA
from tests.scenes import make_finished_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    return make_finished_run(right=15)


def get(client, run, name):
    answer = client.get(f"/api/v1/runs/{run.ref}/{name}")
    assert answer.status_code == 200, answer.content[:300]
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_the_results_are_the_same_in_every_form(client, run):
    told = json.loads(get(client, run, "results.json"))
    stored = Aggregate.objects.filter(task_run__run=run)
    assert {(row["metric"], row["group"]): row["mean"] for row in told} == {
        (row.metric, row.group): row.mean for row in stored
    }
    assert told[0]["group"] == ""
    lines = list(csv.DictReader(io.StringIO(get(client, run, "results.csv").decode())))
    table = pq.read_table(pa.BufferReader(get(client, run, "results.parquet"))).to_pylist()
    assert table == told
    for line, row in zip(lines, told, strict=True):
        assert line["task"] == row["task"]
        assert float(line["mean"]) == row["mean"]
        assert (float(line["low"]), float(line["high"])) == (row["low"], row["high"])


def test_the_samples_are_the_same_in_every_form(client, run):
    told = [json.loads(line) for line in get(client, run, "samples.jsonl").splitlines()]
    table = pq.read_table(pa.BufferReader(get(client, run, "samples.parquet"))).to_pylist()
    lines = list(csv.DictReader(io.StringIO(get(client, run, "samples.csv").decode())))
    assert len(told) == len(table) == len(lines) == 20
    for whole, row, line in zip(told, table, lines, strict=True):
        assert json.loads(row["scores"]) == json.loads(line["scores"]) == whole["scores"]
        assert json.loads(row["prompts"]) == whole["prompts"]
        assert (row["doc_id"], int(line["doc_id"])) == (whole["doc_id"], whole["doc_id"])


def test_a_text_that_a_spreadsheet_would_run_is_sent_as_text(client, run, monkeypatch):
    sample = Sample(0, "a", "=1+1", "@cmd", [], [], {"acc": 1.0})
    monkeypatch.setattr(asking, "blocks_of_samples", lambda path: iter([[sample]]))
    (line,) = csv.DictReader(io.StringIO(get(client, run, "samples.csv").decode()))
    assert (line["group"], line["target"]) == ("'=1+1", "'@cmd")


@pytest.mark.parametrize("visibility", ["restricted", "sealed"])
def test_items_that_are_not_public_are_in_no_export(client, run, visibility):
    version = SuiteVersion.objects.get(pk=run.suite_version_id)
    version.document["tasks"][0]["visibility"] = visibility
    version.save()
    assert pq.read_table(pa.BufferReader(get(client, run, "samples.parquet"))).num_rows == 0
    assert get(client, run, "samples.csv").count(b"\n") == 1
    assert json.loads(get(client, run, "results.json"))
    told = get(client, run, "every-eval-ever.json").decode()
    assert "What is 1 plus one" not in told
    assert "lm-eval.zip" not in told


def test_the_record_of_every_eval_ever_is_valid_and_says_what_was_found(client, run):
    record = json.loads(get(client, run, "every-eval-ever.json"))
    jsonschema.validate(record, SCHEMA, cls=jsonschema.Draft7Validator)
    assert record["schema_version"] == "0.2.1"
    found = {
        r["metric_config"]["additional_details"]["metric"]: r for r in record["evaluation_results"]
    }
    score = found["acc"]["score_details"]
    assert score["score"] == 0.75
    assert score["uncertainty"]["num_samples"] == 20
    assert score["uncertainty"]["confidence_interval"]["method"] == "wilson"
    assert record["detailed_evaluation_results"]["total_rows"] == 20


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record.pop("model_info"),
        lambda record: record.update(more="x"),
        lambda record: record["evaluation_results"][0]["score_details"].pop("score"),
        lambda record: record["evaluation_results"][0]["source_data"].update(source_type="web"),
        lambda record: record["evaluation_results"][0]["metric_config"].pop("min_score"),
    ],
)
def test_the_restated_schema_refuses_what_the_real_one_would(client, run, spoil):
    record = json.loads(get(client, run, "every-eval-ever.json"))
    spoil(record)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, SCHEMA, cls=jsonschema.Draft7Validator)


def test_the_statements_are_those_that_were_signed(client, run):
    (envelope,) = json.loads(get(client, run, "statements.json"))
    assert envelope == run.task_runs.get().envelope
