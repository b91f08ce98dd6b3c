"""Data files are checked against their document, row by row, as the harness will read them."""

import copy

import pytest

from evals.suites.document import data_file, require_valid
from evals.suites.rows import Item, check_files, encode_rows, render_item

ROW = {"id": "a", "group": "g", "question": "Why?", "choices": ["x", "y"], "answer": 1}
TASK = {
    "name": "facts",
    "title": "Facts",
    "description": "Questions.",
    "category": "capability",
    "sensitive": False,
    "visibility": "public",
    "metric": "acc",
    "metric_label": "accuracy",
    "higher_is_better": True,
    "metrics": ["acc"],
    "num_fewshot": 0,
    "apply_chat_template": False,
    "seed": 1234,
    "group_field": "group",
    "config": {
        "output_type": "multiple_choice",
        "doc_to_text": "{{question}}\nAnswer:",
        "doc_to_choice": "choices",
        "doc_to_target": "answer",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    },
}


def suite_of(content, **config):
    task = copy.deepcopy(TASK)
    task["config"] |= config
    return require_valid(
        {
            "v": 1,
            "slug": "s",
            "title": "S",
            "summary": "S.",
            "licence": "CC0-1.0",
            "source": "Ours.",
            "tasks": [{**task, "data": data_file("facts.jsonl", content)}],
        }
    )


def problems(*rows, **config):
    content = encode_rows(list(rows))
    return [
        str(found) for found in check_files(suite_of(content, **config), {"facts.jsonl": content})
    ]


def test_rows_that_fit_have_no_problems():
    assert problems(ROW, {**ROW, "id": "b"}) == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**ROW, "id": "a"}, "line 2: The id 'a' is used in line 1, too"),
        ({**ROW, "id": 2}, "line 2: The column id is integer here and text in line 1"),
        ({**ROW, "id": ""}, "line 2: The id must be a text"),
        ({**ROW, "id": "b", "extra": 1}, "line 2: The column extra is not in every row"),
        ({"id": "b"}, "line 2: The column answer, choices, group, question is not in every row"),
        ({**ROW, "id": "b", "answer": 2}, "line 2: The answer must be an index from 0 to 1"),
        ({**ROW, "id": "b", "choices": ["x"]}, "line 2: doc_to_choice must give 2 to 26"),
        ({**ROW, "id": "b", "choices": ["x", "x"]}, "line 2: Two choices are the same"),
        ({**ROW, "id": "b", "choices": ["x", " "]}, "line 2: Every choice must be a text"),
        ({**ROW, "id": "b", "choices": ["x", 3]}, "line 2: The column choices holds neither"),
        ({**ROW, "id": "b", "question": "a\x00"}, "line 2: The column question holds the control"),
        ({**ROW, "id": "b", "group": " "}, "line 2: The column group must name a group"),
        ({**ROW, "id": "b", "group": {"a": 1}}, "line 2: The column group holds neither"),
    ],
)
def test_a_bad_row_is_named_by_its_line(row, message):
    assert any(message in found for found in problems(ROW, row)), problems(ROW, row)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"doc_to_text": "{{missing}}"}, "the column missing is missing"),
        ({"doc_to_choice": "{{options}}"}, "the column options is missing"),
        ({"doc_to_text": "answer"}, "doc_to_text gives no text"),
        ({"doc_to_text": "{{answer}}"}, "takes a bare number for an index"),
        ({"doc_to_choice": "question"}, "doc_to_choice gives no list"),
        ({"doc_to_target": 5}, "The answer must be an index"),
        ({"doc_to_target": "question"}, "The answer must be an index"),
    ],
)
def test_a_template_that_does_not_fit_the_data_is_named(config, message):
    assert any(message in found for found in problems(ROW, **config)), problems(ROW, **config)


def test_a_damaged_file_is_refused():
    content = encode_rows([ROW])
    document = suite_of(content)
    assert "its SHA-256 is" in str(check_files(document, {"facts.jsonl": content + b" "})[0])
    assert "needs this file" in str(check_files(document, {})[0])
    extra = {"facts.jsonl": content, "other.jsonl": b""}
    assert "no task of the suite uses this file" in str(check_files(document, extra)[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{}\nnot json\n", "line 2: this is not JSON"),
        (b"[1]\n", "line 1: this is no JSON object"),
        (b'{"id": NaN}\n', "line 1: this is not JSON"),
        (b'{"id": "' + b"x" * 70_000 + b'"}\n', "line 1: this row is too long"),
        (encode_rows([ROW])[:-1] + b"\n" + encode_rows([{**ROW, "id": "b"}])[:-1], "it has 2 rows"),
    ],
)
def test_lines_that_are_no_rows_are_refused(content, message):
    found = check_files(suite_of(content), {"facts.jsonl": content})
    assert message in str(found[0])


def test_only_a_screenful_of_problems_is_reported():
    assert len(problems(ROW, *({**ROW, "answer": 9, "id": f"b{n}"} for n in range(500)))) == 21


def test_columns_of_dates_are_refused_because_the_harness_would_change_them():
    dates = ["2024-05-01", "2024-05-02T10:00:00Z"]
    assert "every choices is an ISO date" in problems({**ROW, "choices": dates})[0]
    assert problems({**ROW, "choices": ["2024-05-01", "no day"]}) == []


def test_an_item_shows_what_the_model_sees():
    task = suite_of(encode_rows([ROW]))["tasks"][0]
    assert render_item(task, ROW) == Item("Why?\nAnswer:", ("x", "y"), 1)
