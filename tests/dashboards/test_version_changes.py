"""Two versions beside each other: files, what is said of them, results."""

import pytest

from oversight.registry.services import describe
from tests import factories

FILES = {"config.json": (3, "a"), "model.safetensors": (90, "b"), "old.txt": (7, "c")}


def manifest(**files):
    return [
        {"name": name, "size": size, "sha256": sign * 64}
        for name, (size, sign) in sorted(files.items())
    ]


@pytest.fixture
def pair(db):
    cast = factories.make_cast()
    before = factories.make_model_version(
        cast.evaluator, label="1.0", model_slug="alpina", manifest=manifest(**FILES)
    )
    changed = {**FILES, "model.safetensors": (91, "d"), "new.txt": (7, "c")}
    del changed["old.txt"]
    after = factories.make_model_version(
        cast.evaluator,
        label="1.1",
        model_slug="alpina",
        manifest=manifest(**changed),
        licence="MIT",
    )
    describe(by=cast.evaluator, what=before, document={"risks": "Few.", "contact": "Office"})
    describe(by=cast.evaluator, what=after, document={"risks": "More.", "contact": "Office"})
    return cast, before, after


def test_files_fields_and_licence_that_differ_are_listed(client, pair):
    _, before, after = pair
    found = client.get(f"/versions/{after.digest}/changes/{before.digest}.json").json()
    assert found["files_equal"] == 1
    assert [
        (each["name"], each["change"], each["same_contents_as"]) for each in found["files"]
    ] == [
        ("model.safetensors", "changed", None),
        ("new.txt", "added", "old.txt"),
        ("old.txt", "missing", "new.txt"),
    ]
    assert found["fields"] == [
        {"field": "licence", "before": "Apache-2.0", "after": "MIT"},
        {"field": "risks", "before": "Few.", "after": "More."},
    ]


def test_results_on_both_lead_to_the_comparison_sample_by_sample(client, pair):
    cast, before, after = pair
    suite = factories.make_suite(cast.evaluator)
    worker = factories.make_worker(cast.administrator, cast.organisation)
    old = factories.finish_run(factories.make_run(cast.evaluator, suite, before), worker, right=60)
    new = factories.finish_run(factories.make_run(cast.evaluator, suite, after), worker, right=70)
    address = f"/versions/{after.digest}/changes/{before.digest}"
    rows = client.get(f"{address}.json").json()["results"]
    assert [(row["before"]["run"], row["after"]["run"]) for row in rows] == [(old.ref, new.ref)] * 2
    assert rows[0]["before"]["mean"] < rows[0]["after"]["mean"]
    page = client.get(f"{address}/").content.decode()
    assert f"run={old.ref}&amp;run={new.ref}" in page


def test_the_models_page_leads_to_what_changed(client, pair):
    _, before, after = pair
    page = client.get(after.model.get_absolute_url()).content.decode()
    assert f"/versions/{after.digest}/changes/{before.digest}/" in page
    assert f"/versions/{before.digest}/changes/" not in page
