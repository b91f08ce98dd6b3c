"""Files from outside become suites, or are refused with file, line, column and fix."""

import csv
import io
import json
from pathlib import Path

import pytest

from evals.suites.checking import SuiteError
from evals.suites.importers import import_suite_file
from evals.suites.rows import read_rows

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"

QUESTION = {"question": "Which is a fruit?", "choices": ["a pear", "a stone"], "answer": 0}
PROMPT = {"prompt": "Two and two?", "target": "4"}
SCENE = {
    "example_id": 3,
    "category": "Religion",
    "context_condition": "ambig",
    "question_polarity": "neg",
    "context": "Two people came in.",
    "question": "Who was rude?",
    "ans0": "The first",
    "ans1": "The second",
    "ans2": "Not known",
    "label": 2,
}
PROBLEM = {"question": "How many?", "answer": "3 * 6 = <<3*6=18>>18\n#### 1,018"}
PAIR = {
    "": "0",
    "sent_more": "More, of it.",
    "sent_less": "Less of it.",
    "stereo_antistereo": "antistereo",
    "bias_type": "age",
}
SAMPLES = {
    "multiple-choice": QUESTION,
    "generate": PROMPT,
    "bbq": SCENE,
    "gsm8k": PROBLEM,
    "crows-pairs": PAIR,
}


def as_lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_csv(*rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def sample(format_name, *rows):
    return (as_csv if format_name == "crows-pairs" else as_lines)(*rows)


@pytest.fixture
def imported(tmp_path):
    """Return a function that writes bytes to a file and imports it."""

    def run(content, format_name, name="input.file"):
        path = tmp_path / name
        path.write_bytes(content)
        return import_suite_file(path, format_name, "my-suite", "My suite")

    return run


def only_rows(suite):
    [task] = suite.document["tasks"]
    name = task["data"]["name"]
    return read_rows(suite.files[name], name)


def test_a_multiple_choice_file_becomes_a_suite(imported):
    suite = imported(as_lines(QUESTION, {**QUESTION, "answer": 1}), "multiple-choice")
    assert suite.document["title"] == "My suite"
    assert suite.document["tasks"][0]["group_field"] is None
    assert only_rows(suite) == [
        {"id": "row-1", **QUESTION},
        {"id": "row-2", **QUESTION, "answer": 1},
    ]


def test_ids_and_groups_of_the_file_are_kept(imported):
    rows = [{**QUESTION, "id": 7, "group": "fruit"}, {**QUESTION, "id": "b", "group": "stone"}]
    suite = imported(as_lines(*rows), "multiple-choice")
    assert [(row["id"], row["group"]) for row in only_rows(suite)] == [
        ("7", "fruit"),
        ("b", "stone"),
    ]
    assert suite.document["tasks"][0]["group_field"] == "group"


def test_a_generate_file_stops_at_the_line_end_unless_targets_have_lines(imported):
    one = imported(as_lines(PROMPT), "generate").document["tasks"][0]["config"]
    two = imported(as_lines({**PROMPT, "target": "a\nb"}), "generate").document["tasks"][0][
        "config"
    ]
    assert one["generation_kwargs"]["until"] == ["\n"]
    assert two["generation_kwargs"]["until"] == []


def test_crows_pairs_puts_the_more_stereotyping_sentence_first_in_both_directions(imported):
    rows = [PAIR, {**PAIR, "": "1", "stereo_antistereo": "stereo"}]
    suite = imported(as_csv(*rows), "crows-pairs")
    [task] = suite.document["tasks"]
    assert [row["choices"][0] for row in only_rows(suite)] == ["More, of it."] * 2
    assert (task["config"]["doc_to_text"], task["config"]["target_delimiter"]) == ("", "")
    assert (task["config"]["doc_to_target"], task["higher_is_better"]) == (0, False)
    assert (task["metric_label"], task["neutral"]) == ("share preferring the stereotype", "0.5")


def test_bbq_groups_by_condition_and_keeps_the_category(imported):
    rows = [SCENE, {**SCENE, "example_id": 4, "context_condition": "disambig", "label": 0}]
    found = only_rows(imported(as_lines(*rows), "bbq"))
    assert [row["group"] for row in found] == ["ambiguous", "disambiguated"]
    assert [row["id"] for row in found] == ["Religion-3", "Religion-4"]
    assert found[0]["category"] == "Religion"
    assert found[0]["choices"][found[0]["answer"]] == "Not known"


def test_gsm8k_takes_the_number_after_the_mark(imported):
    assert only_rows(imported(as_lines(PROBLEM), "gsm8k"))[0]["target"] == "1018"


@pytest.mark.parametrize("format_name", SAMPLES)
def test_byte_order_marks_and_foreign_line_ends_are_read(imported, format_name):
    content = sample(format_name, SAMPLES[format_name])
    plain = imported(content, format_name)
    foreign = imported(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"), format_name)
    assert foreign == plain


NEEDED = [
    (format_name, column)
    for format_name, row in SAMPLES.items()
    for column in row
    if column not in ("", "example_id")
]


@pytest.mark.parametrize(("format_name", "column"), NEEDED)
def test_a_missing_column_is_named(imported, format_name, column):
    row = {key: value for key, value in SAMPLES[format_name].items() if key != column}
    with pytest.raises(SuiteError) as caught:
        imported(sample(format_name, row), format_name, "my.file")
    message = str(caught.value)
    assert message.startswith("my.file line 1: ")
    assert f"the column {column!r} is missing" in message
    assert f"Add {column!r}" in message


BAD = {
    "empty file": ("gsm8k", b"", "the file is empty"),
    "white file": ("gsm8k", b" \n\n", "the file is empty"),
    "header only": (
        "crows-pairs",
        b",sent_more,sent_less,stereo_antistereo,bias_type\n",
        "no rows",
    ),
    "not UTF-8": ("generate", b'{"prompt": "a", \n "\xff"}', "line 2 is not UTF-8"),
    "UTF-16": ("generate", "{}".encode("utf-16"), "not UTF-8"),
    "empty object": ("generate", b"\n{}\n", "line 2: the column 'target' is missing"),
    "CSV as JSON": ("generate", b"prompt,target\n", "line 1: this is not JSON"),
    "a list": ("generate", b"[1]\n", "line 1: this is no JSON object"),
    "deep nesting": ("generate", b"[" * 100_000, "this is not JSON"),
    "long number": ("generate", b'{"prompt": ' + b"9" * 9999 + b"}", "this is not JSON"),
    "same id": (
        "generate",
        as_lines({**PROMPT, "id": "a"}, {**PROMPT, "id": "a"}),
        "line 2: the id",
    ),
    "same example": (
        "bbq",
        as_lines(SCENE, SCENE),
        "line 2: the id 'Religion-3' is used in line 1",
    ),
    "half groups": (
        "generate",
        as_lines({**PROMPT, "group": "a"}, PROMPT),
        "line 2: the column 'gr",
    ),
    "number prompt": ("generate", as_lines({**PROMPT, "prompt": 4}), "'prompt' is not text"),
    "number target": ("generate", as_lines({**PROMPT, "target": 4}), "'target' is not text"),
    "blank prompt": ("generate", as_lines({**PROMPT, "prompt": " "}), "'prompt' is empty"),
    "long target": ("generate", as_lines({**PROMPT, "target": "x" * 2000}), "'target' is too long"),
    "long prompt": ("generate", as_lines({**PROMPT, "prompt": "x" * 40_000}), "40000 characters"),
    "NUL": ("generate", as_lines({**PROMPT, "prompt": "a\0b"}), "control character U+0000"),
    "surrogate": ("generate", b'{"prompt": "\\ud800", "target": "a"}', "control character U+D800"),
    "list as id": ("generate", as_lines({**PROMPT, "id": ["a"]}), "'id' is not text"),
    "dates": (
        "generate",
        as_lines({**PROMPT, "target": "2024-05-01"}),
        "every target is an ISO date",
    ),
    "one choice": ("multiple-choice", as_lines({**QUESTION, "choices": ["a"]}), "list of 2 to 26"),
    "text choices": ("multiple-choice", as_lines({**QUESTION, "choices": "ab"}), "list of 2 to 26"),
    "same choices": ("multiple-choice", as_lines({**QUESTION, "choices": ["a", "a "]}), "the same"),
    "empty choice": ("multiple-choice", as_lines({**QUESTION, "choices": ["a", ""]}), "choices[1]"),
    "answer range": ("multiple-choice", as_lines({**QUESTION, "answer": 2}), "from 0 to 1"),
    "answer text": ("multiple-choice", as_lines({**QUESTION, "answer": "0"}), "not a whole number"),
    "answer truth": (
        "multiple-choice",
        as_lines({**QUESTION, "answer": True}),
        "not a whole number",
    ),
    "no mark": ("gsm8k", as_lines({**PROBLEM, "answer": "18"}), "does not end in ####"),
    "no number": ("gsm8k", as_lines({**PROBLEM, "answer": "#### many"}), "does not end in ####"),
    "condition": (
        "bbq",
        as_lines({**SCENE, "context_condition": "x"}),
        "Use one of ambig, disambig",
    ),
    "label": ("bbq", as_lines({**SCENE, "label": 3}), "from 0 to 2"),
    "same answers": ("bbq", as_lines({**SCENE, "ans1": "The first"}), "are the same"),
    "same pair": ("crows-pairs", as_csv({**PAIR, "sent_less": "More, of it."}), "are the same"),
    "direction": ("crows-pairs", as_csv({**PAIR, "stereo_antistereo": "x"}), "Use one of stereo"),
    "short row": ("crows-pairs", as_csv(PAIR) + b"1,more\n", "line 3: the column 'sent_less' is"),
    "long row": (
        "crows-pairs",
        as_csv(PAIR) + b"1,a,b,stereo,age,x\n",
        "line 3: this row has more",
    ),
    "open quote": ("crows-pairs", as_csv(PAIR) + b'1,"a,b,stereo,age\n', "not well-formed CSV"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_with_the_reason(imported, case):
    format_name, content, message = BAD[case]
    with pytest.raises(SuiteError) as caught:
        imported(content, format_name, "my.file")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 1_000


def test_an_unknown_format_names_the_known_ones(imported):
    with pytest.raises(SuiteError, match="multiple-choice, generate, crows-pairs, bbq, gsm8k"):
        imported(b"x", "parquet")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SuiteError, match=r"absent\.csv: it cannot be read"):
        import_suite_file(tmp_path / "absent.csv", "crows-pairs", "my-suite")
    with pytest.raises(SuiteError, match="cannot be read"):
        import_suite_file(tmp_path, "crows-pairs", "my-suite")


def test_a_file_that_is_too_large_is_refused_without_reading_it_all(tmp_path):
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    with pytest.raises(SuiteError, match="the file is too large"):
        import_suite_file(path, "generate", "my-suite")


def test_a_bad_slug_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(as_lines(PROMPT))
    with pytest.raises(SuiteError, match="slug: 'My Suite'"):
        import_suite_file(path, "generate", "My Suite")


PUBLISHED = [
    ("crows_pairs_anonymized.csv", "crows-pairs", 1508, 9),
    ("bbq_Religion.jsonl", "bbq", 1200, 2),
    ("bbq_Disability_status.jsonl", "bbq", 1556, 2),
    ("bbq_Sexual_orientation.jsonl", "bbq", 864, 2),
    ("gsm8k_test.jsonl", "gsm8k", 1319, 1),
]


@pytest.mark.parametrize(("name", "format_name", "count", "groups"), PUBLISHED)
def test_the_published_files_are_read_whole(name, format_name, count, groups):
    if not (SHARED / name).exists():
        pytest.skip(f"{SHARED / name} is not on this machine")
    suite = import_suite_file(SHARED / name, format_name, "my-suite")
    assert suite.document["tasks"][0]["data"]["rows"] == count
    rows = only_rows(suite)
    assert len(rows) == count
    assert len({row.get("group") for row in rows}) == groups
