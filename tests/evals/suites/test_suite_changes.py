"""What changed between two versions of a suite."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from evals.suites.changes import compare_documents, row_changes, word_changes
from evals.suites.library import load_library
from evals.suites.rows import read_rows

SUITE = load_library("public-service")


def rows_of(task):
    return read_rows(SUITE.files[task["data"]["name"]], task["name"])


def test_the_same_document_has_no_changes():
    assert compare_documents(SUITE.document, SUITE.document, rows_of).is_empty


def test_tasks_settings_and_templates_are_told_apart():
    after = copy.deepcopy(SUITE.document)
    removed = after["tasks"].pop()
    after["title"] = "Another title"
    after["tasks"][0]["num_fewshot"] = 2
    after["tasks"][0]["config"]["doc_to_text"] = "Q: {{question}}"
    after["tasks"].append({**after["tasks"][1], "name": "new"})
    found = compare_documents(SUITE.document, after, rows_of)
    assert [field.name for field in found.fields] == ["title"]
    assert [(task.name, task.kind) for task in found.changed_tasks] == [
        (after["tasks"][0]["name"], "changed"),
        ("new", "added"),
        (removed["name"], "removed"),
    ]
    assert [(f.name, f.after) for f in found.changed_tasks[0].fields] == [
        ("num_fewshot", "2"),
        ("doc_to_text", "Q: {{question}}"),
    ]


def test_true_and_one_are_different_settings():
    after = copy.deepcopy(SUITE.document)
    after["tasks"][0]["num_fewshot"] = False
    assert not compare_documents(SUITE.document, after, rows_of).is_empty


def test_rows_are_told_apart_by_id():
    before = [{"id": "a", "x": 1}, {"id": "b", "x": 1}, {"id": "c", "x": 1}]
    after = [{"id": "d", "x": 1}, {"id": "b", "x": 2}, {"id": "a", "x": 1}]
    found = row_changes(before, after)
    assert (found.added, found.removed, found.changed) == (("d",), ("c",), ("b",))
    assert (found.same, found.order_changed) == (1, True)


def test_rows_that_may_not_be_read_give_digests_only():
    after = copy.deepcopy(SUITE.document)
    after["tasks"][0]["data"]["sha256"] = "0" * 64
    [task] = compare_documents(SUITE.document, after, lambda task: None).changed_tasks
    assert task.rows is None
    assert task.data.after == "0" * 64


@given(st.text(max_size=60), st.text(max_size=60))
def test_word_changes_hold_both_texts_whole(before, after):
    found = word_changes(before, after)
    assert "".join(text for kind, text in found if kind != "ins") == before
    assert "".join(text for kind, text in found if kind != "del") == after
