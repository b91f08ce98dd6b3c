"""Public tables: three forms of the same rows, and a dictionary that knows every column."""

import csv
import io
import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from threading import BoundedSemaphore

import pyarrow.parquet as pq
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from evals.exports import results
from evals.samples import tables as samples
from evals.samples import typed_tables
from oversight.dashboards.tables import of_deciding, of_evaluations, of_pages, of_registry
from oversight.dashboards.tables.columns import Kind, Table, plain
from oversight.dashboards.tables.dictionary import BESIDE_PAGES, LISTS, TABLES
from oversight.dashboards.tables.writing import UnknownColumn, put_csv, write_lines
from oversight.dashboards.urls import urlpatterns
from oversight.dashboards.views import tables as views
from oversight.ledger.queries import published_size
from oversight.ledger.sequencer import sequence_once
from oversight.web.languages import spoken
from tests import factories
from tests.incidents.made import make_incident

NAMES = [table.name for table in LISTS]


def parquet_of(answer):
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return pq.read_table(io.BytesIO(content))


def rows_of_csv(answer):
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return list(csv.DictReader(io.StringIO(content.decode())))


def of_csv(text: str, kind: Kind, null: object):
    """Read a cell back as what the dictionary says it is."""
    if text == "" and kind != Kind.TEXTS:
        return null
    readers = {
        Kind.INTEGER: int,
        Kind.DECIMAL: Decimal,
        Kind.NUMBER: float,
        Kind.BOOLEAN: {"true": True, "false": False}.__getitem__,
        Kind.MOMENT: lambda value: datetime.fromisoformat(value).astimezone(UTC),
        Kind.DAY: date.fromisoformat,
        Kind.TEXTS: str.split,
    }
    return readers.get(kind, lambda value: value.removeprefix("'") if value[:1] == "'" else value)(
        text
    )


def of_json(value, kind: Kind):
    readers = {
        Kind.DECIMAL: Decimal,
        Kind.MOMENT: lambda text: datetime.fromisoformat(text).astimezone(UTC),
        Kind.DAY: date.fromisoformat,
    }
    return value if value is None else readers.get(kind, lambda same: same)(value)


@pytest.fixture
def rich(world):
    """Return the world with one of what it lacks, and names that no spreadsheet may run."""
    make_incident(world.cast.clerk, deployments=[world.deployment])
    factories.make_organisation(name="=HYPERLINK(1)", website="https://example.org/")
    factories.make_proposal(world.cast, title="Nobody may read this draft")
    while sequence_once():
        pass
    return world


def test_every_list_has_the_same_rows_in_every_form(client, rich):
    for name in NAMES:
        table = TABLES[name]
        as_json = json.loads(b"".join(client.get(f"/data/{name}.json").streaming_content))
        as_csv = rows_of_csv(client.get(f"/data/{name}.csv"))
        as_parquet = parquet_of(client.get(f"/data/{name}.parquet"))
        assert as_json["rows"], f"{name} is tried without rows"
        assert as_json["complete"] is True
        assert as_parquet.schema.names == list(table.names) == list(as_csv[0]), name
        for column in table.columns:
            read = [of_json(row[column.name], column.kind) for row in as_json["rows"]]
            assert as_parquet[column.name].to_pylist() == read, (name, column.name)
            cells = [
                of_csv(row[column.name], column.kind, None if value is None else "")
                for row, value in zip(as_csv, read, strict=True)
            ]
            assert cells == read, (name, column.name)


def test_runs_and_results_say_what_was_cut_and_what_was_recalled(client, rich):
    short = factories.make_run(
        rich.cast.evaluator, rich.suite, rich.version, settings={"limit": 8, "dtype": "bfloat16"}
    )
    factories.finish_run(short, rich.worker, right=4, is_recalled=True)
    for name in ("runs", "results"):
        rows = {row["run"]: row for row in rows_of_csv(client.get(f"/data/{name}.csv"))}
        said = [
            [rows[run.ref][key] for key in ("limit", "backend", "dtype", "answers", "recalled")]
            for run in (rich.run, short)
        ]
        assert said == [["", "hf", "float32", "320", "0"], ["8", "hf", "bfloat16", "32", "32"]]


def test_only_a_column_that_says_what_no_value_means_lacks_values(client, rich):
    for name in NAMES:
        answer = client.get(f"/data/{name}.json")
        for row in json.loads(b"".join(answer.streaming_content))["rows"]:
            for column in TABLES[name].columns:
                assert row[column.name] is not None or column.null, (name, column.name)


def test_a_key_names_one_row_of_its_list(client, rich):
    for name in NAMES:
        key = TABLES[name].key
        answer = client.get(f"/data/{name}.json")
        found = [
            tuple(row[part] for part in key)
            for row in json.loads(b"".join(answer.streaming_content))["rows"]
        ]
        assert key, name
        assert len(found) == len(set(found)), name


def test_no_list_names_a_draft(client, rich):
    for name in NAMES:
        assert b"Nobody may read" not in b"".join(client.get(f"/data/{name}.csv").streaming_content)


def test_a_file_says_where_it_is_from_and_how_large_the_log_was(client, rich, settings):
    found = parquet_of(client.get("/data/decisions.parquet"))
    metadata = {name.decode(): value.decode() for name, value in found.schema.metadata.items()}
    assert metadata["oversight.source"] == f"{settings.PUBLIC_URL}/data/decisions.parquet"
    assert metadata["oversight.tree_size"] == str(published_size())
    assert metadata["oversight.licence"] == "CC0-1.0"
    field = found.schema.field("decided_at")
    assert str(field.type) == "timestamp[us, tz=UTC]"
    assert field.metadata[b"description"] == b"When the votes were counted."
    content = json.loads(b"".join(client.get("/data/decisions.json").streaming_content))
    assert content["source"] == f"{settings.PUBLIC_URL}/data/decisions.json"
    assert content["tree_size"] == published_size()


def test_a_list_that_is_too_long_is_cut_off_and_says_so(client, rich, monkeypatch):
    monkeypatch.setattr(views, "MOST_ROWS", 3)
    content = json.loads(b"".join(client.get("/data/acts.json").streaming_content))
    assert [row["index"] for row in content["rows"]] == [0, 1, 2]
    assert content["complete"] is False
    for form in ("json", "csv", "parquet"):
        answer = client.get(f"/data/acts.{form}")
        assert answer["List-Complete"] == "false"
        assert f'filename="acts-first-3.{form}"' in answer["Content-Disposition"]
    whole = client.get("/data/bodies.csv")
    assert whole["List-Complete"] == "true"
    assert 'filename="bodies.csv"' in whole["Content-Disposition"]


def test_a_list_takes_no_more_queries_for_more_rows(client, rich):
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/data/proposals.csv")
    for _ in range(3):
        factories.make_deliberated_proposal(rich.cast)
    with CaptureQueriesContext(connection) as many:
        client.get("/data/proposals.csv")
    assert len(many) == len(few)


def test_a_list_that_has_not_changed_is_not_sent_again(client, rich):
    for form in ("json", "csv", "parquet"):
        first = client.get(f"/data/models.{form}")
        assert "public" in first["Cache-Control"]
        again = client.get(f"/data/models.{form}", headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, b"".join(again)) == (304, b"")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    ["/data/nothing.json", "/data/models.xml", "/data/compute.csv", "/data/models.csv/"],
)
def test_what_is_no_list_is_not_found(client, address):
    assert client.get(address).status_code == 404


def test_every_table_beside_a_page_has_both_forms_with_the_columns_of_the_dictionary(client, rich):
    body, run = f"/bodies/{rich.cast.body.slug}", rich.run
    other = factories.finish_run(
        factories.make_run(rich.cast.member, rich.suite, rich.version), rich.worker, right=60
    )
    addresses = {
        "compute": "/compute",
        "compute-by-model": "/compute/by-model",
        "compute-by-body": "/compute/by-body",
        "compute-by-run": "/compute/by-run",
        "budgets": "/compute/budgets",
        "incident-statistics": "/incidents/statistics",
        "incidents": "/incidents",
        "votes": f"{body}/participation",
        "members": f"{body}/members",
        "suite-history": f"{rich.suite.suite.get_absolute_url()}history",
        "overview": "/findings/overview",
        "chart": f"/charts/run/{run.ref}",
        "task-results": f"{rich.suite.suite.get_absolute_url()}tasks/facts",
        "run-results": f"{run.get_absolute_url()}results",
        "comparison": f"/compare?run={run.ref}&run={other.ref}",
    }
    in_json = {
        "compute": ("/compute.json", "hosts"),
        **{f"compute-by-{by}": ("/compute.json", f"by_{by}") for by in ("model", "body", "run")},
        "budgets": ("/compute.json", "budgets"),
        "incident-statistics": ("/incidents/statistics.json", "lines"),
        "votes": (f"{body}/participation.json", "votes"),
        "members": (f"{body}/participation.json", "members"),
        "suite-history": (f"{rich.suite.suite.get_absolute_url()}history.json", "results"),
        "comparison": (f"/compare.json?run={run.ref}&run={other.ref}", "comparisons"),
    }
    # The samples of a run are the API's, with tests of their own.
    assert set(addresses) == {table.name for table in BESIDE_PAGES} - {"samples"} | {"incidents"}
    for name, address in addresses.items():
        table = TABLES[name]
        path, mark, query = address.partition("?")
        as_csv = rows_of_csv(client.get(f"{path}.csv{mark}{query}"))
        as_parquet = parquet_of(client.get(f"{path}.parquet{mark}{query}"))
        assert as_parquet.schema.names == list(table.names), name
        if name != "budgets":
            assert as_csv, f"{name} is tried without rows"
        for column in table.columns:
            read = as_parquet[column.name].to_pylist()
            cells = [
                of_csv(row[column.name], column.kind, None if value is None else "")
                for row, value in zip(as_csv, read, strict=True)
            ]
            assert cells == read, (name, column.name)
            assert None not in read or column.null, (name, column.name)
        if name in in_json:
            place, key = in_json[name]
            records = client.get(place).json()[key]
            for column in table.columns:
                read = [of_json(record[column.name], column.kind) for record in records]
                assert as_parquet[column.name].to_pylist() == read, (name, column.name)


# -- The dictionary --------------------------------------------------------------------------


def test_the_dictionary_is_a_data_package_of_every_table(client, rich, settings):
    package = client.get("/data/dictionary.json").json()
    assert {each["name"] for each in package["resources"]} == set(TABLES)
    for each in package["resources"]:
        table = TABLES[each["name"]]
        assert each["type"] == "table"
        fields = each["schema"]["fields"]
        assert [field["name"] for field in fields] == list(table.names)
        assert all(field["description"].endswith((".", "…")) for field in fields), table.name
        if table.rows:
            path = each["path"].removeprefix(settings.PUBLIC_URL)
            assert client.get(path).status_code == 200


def test_what_a_run_exports_has_the_columns_of_the_dictionary():
    assert TABLES["results"].names == tuple(results.COLUMNS)
    assert TABLES["samples"].names == tuple(samples.COLUMNS)


def test_every_table_in_the_code_stands_in_the_dictionary():
    modules = [of_deciding, of_evaluations, of_pages, of_registry]
    found = [each for module in modules for each in vars(module).values() if type(each) is Table]
    assert {table.name for table in found} == set(TABLES)
    assert len(TABLES) == len(LISTS) + len(BESIDE_PAGES), "each name is one table's"


def test_every_csv_of_a_page_has_a_parquet_beside_it():
    routes = {str(each.pattern) for each in urlpatterns}
    tables = {route for route in routes if route.endswith(".csv")}
    assert len(tables) >= 10
    assert {route.removesuffix("csv") + "parquet" for route in tables} <= routes


def test_too_many_lists_at_once_are_put_off(client, db, monkeypatch):
    monkeypatch.setattr(views, "_few_at_a_time", BoundedSemaphore(1))
    monkeypatch.setattr(views, "PATIENCE_SECONDS", 0)
    with views._few_at_a_time:
        answer = client.get("/data/models.csv")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert client.get("/data/models.csv").status_code == 200


def test_a_column_that_the_dictionary_does_not_know_stops_a_table(tmp_path):
    table = TABLES["votes"]
    row = dict.fromkeys(table.names)
    for wrong in (row | {"colour": 1}, dict.fromkeys(table.names[1:])):
        with pytest.raises(UnknownColumn, match=r"votes differs in (colour|decision)"):
            write_lines(table, [wrong], tmp_path / "lines")
        with pytest.raises(UnknownColumn):
            put_csv(table, [wrong], io.StringIO())


def test_the_page_of_the_dictionary_names_every_column(client, db, words):
    page = words(client.get("/data/dictionary/"))
    for table in TABLES.values():
        for column in table.columns:
            assert column.name in page, (table.name, column.name)


def test_the_page_says_in_its_language_where_each_table_is_from(client, db, words):
    page = words(client.get("/de/data/dictionary/"))
    assert "Quelle: die Einträge accounts.body.founded." in page
    assert "Quelle: die Einträge incidents.incident.* und die öffentlichen Texte" in page
    with override("ar-xb"):
        assert all(spoken(table.source).startswith("[") for table in TABLES.values())


def test_the_reference_is_what_the_code_says():
    project = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, project / ".ci" / "document-tables", "-"], capture_output=True, check=True
    )
    assert (project / "docs/reference/tables.md").read_text() == ran.stdout.decode()


def test_values_are_written_so_that_nothing_is_lost(tmp_path):
    lines, target = tmp_path / "lines", tmp_path / "table"
    moment = datetime(2026, 11, 27, 10, 0, 0, 123456, tzinfo=UTC)
    row = {
        "t": "a\nb",
        "i": 2**53 + 1,
        "d": Decimal("-0.000000000001"),
        "n": 0.1 + 0.2,
        "b": False,
        "m": moment,
        "y": date(2026, 2, 28),
        "s": ["x", "y"],
    }
    lines.write_text(json.dumps({name: plain(value) for name, value in row.items()}) + "\n{}\n")
    kinds = dict(zip(row, Kind, strict=True))
    typed_tables.write_typed_table(lines, target, kinds=kinds, described={}, metadata={})
    assert pq.read_table(target).to_pylist() == [row, dict.fromkeys(row)]


def test_a_long_table_is_written_in_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(typed_tables, "GROUP_ROWS", 10)
    lines, target = tmp_path / "lines", tmp_path / "table"
    lines.write_text("".join(f'{{"i": {n}}}\n' for n in range(25)))
    kinds = {"i": "integer"}
    typed_tables.write_typed_table(lines, target, kinds=kinds, described={}, metadata={})
    assert pq.ParquetFile(target).metadata.num_row_groups == 3
    assert pq.read_table(target)["i"].to_pylist() == list(range(25))


@pytest.mark.django_db
def test_the_page_of_the_dictionary_says_in_its_language_what_each_column_means(client):
    page = client.get("/ar-xb/data/dictionary/").content.decode()
    cells = re.findall(r'<td data-label="[^"]*">(?!<code>)([^<]*)</td>', page)
    assert len(cells) > 400
    assert [each for each in cells if each != "–" and "[" not in each] == []
    assert "As people call it." in client.get("/data/dictionary.json").content.decode()
