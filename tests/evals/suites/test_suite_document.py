"""The suite document: what it must hold, what it may not hold, and its digest."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.suites.checking import SuiteError
from evals.suites.document import (
    digest,
    harness_group,
    harness_task,
    require_valid,
    stock_task,
    validate,
)

CHOICE = {
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
    "data": {"name": "facts.jsonl", "sha256": "0" * 64, "size": 10, "rows": 1},
    "config": {
        "output_type": "multiple_choice",
        "doc_to_text": "{{question}}",
        "doc_to_choice": "choices",
        "doc_to_target": "answer",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    },
}
GENERATION = {
    "output_type": "generate_until",
    "doc_to_text": "prompt",
    "doc_to_target": "target",
    "generation_kwargs": {"until": ["\n"], "max_gen_toks": 32, "do_sample": False},
    "filter_list": [{"name": "plain", "filter": [{"function": "take_first"}]}],
    "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
}
SUITE = {
    "v": 1,
    "slug": "my-suite",
    "title": "My suite",
    "summary": "What it is.",
    "licence": "CC0-1.0",
    "source": "Ours.",
    "tasks": [CHOICE],
}
GONE = object()


def changed(path, value, *, generation=False):
    """Return the suite with one field changed; `path` is dotted, numbers index lists."""
    suite = copy.deepcopy(SUITE)
    if generation:
        suite["tasks"][0] |= {"config": copy.deepcopy(GENERATION)}
        suite["tasks"][0] |= {"metric": "exact_match", "metrics": ["exact_match"]}
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = suite
    for part in parents:
        place = place[part]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return suite


def problems(document):
    return [str(problem) for problem in validate(document)]


CONFIG = "tasks.0.config"
BAD = [
    ("v", 2, "v: "),
    ("slug", "My Suite", "slug: 'My Suite' is not allowed"),
    ("slug", "a--b", "slug: "),
    ("slug", GONE, "slug: this field is missing"),
    ("title", "", "title: this must not be empty"),
    ("title", "x" * 300, "title: this has 300 characters"),
    ("title", "a\0b", "title: this holds the control character U+0000"),
    ("title", "a\ud800b", "title: this holds the control character U+D800"),
    ("extra", 1, "extra: this field is not known"),
    ("tasks", [], "tasks: this list is empty"),
    ("tasks", "facts", "tasks: this must be a list"),
    ("tasks", [CHOICE] * 65, "tasks: this list has 65 items"),
    ("tasks", [CHOICE, CHOICE], "tasks[1].name: tasks[0] is facts, too"),
    ("tasks.0", 7, "tasks[0]: this must be an object"),
    ("tasks.0.category", "fun", "tasks[0].category: 'fun' is not allowed"),
    ("tasks.0.category", ["bias"], "tasks[0].category: ['bias'] is not allowed"),
    ("tasks.0.visibility", "secret", "tasks[0].visibility"),
    ("tasks.0.sensitive", "no", "tasks[0].sensitive: this must be true or false"),
    ("tasks.0.seed", True, "tasks[0].seed: this is not a whole number"),
    ("tasks.0.num_fewshot", None, "tasks[0].num_fewshot"),
    ("tasks.0.num_fewshot", 1000, "tasks[0].num_fewshot"),
    ("tasks.0.metric", "f1", "tasks[0].metric: 'f1' is not one of metrics"),
    ("tasks.0.metrics", ["acc", "acc"], "tasks[0].metrics[1]: acc is listed twice"),
    ("tasks.0.metrics", [{}], "tasks[0].metrics[0]: this must be text"),
    ("tasks.0.metrics", ["acc", "acc_norm"], "tasks[0].config.metric_list: it lists ['acc']"),
    ("tasks.0.group_field", "a b", "tasks[0].group_field"),
    ("tasks.0.clustered", 1, "tasks[0].clustered"),
    ("tasks.0.neutral", "half", "tasks[0].neutral"),
    ("tasks.0.data", GONE, "tasks[0].data: this field is missing"),
    ("tasks.0.data.name", "../facts.jsonl", "tasks[0].data.name"),
    ("tasks.0.data.name", "/etc/passwd", "tasks[0].data.name"),
    ("tasks.0.data.sha256", "sha256:00", "tasks[0].data.sha256"),
    ("tasks.0.data.size", 0, "tasks[0].data.size"),
    ("tasks.0.data.rows", 10**9, "tasks[0].data.rows"),
    (
        f"{CONFIG}.process_docs",
        "!function utils.f",
        "config.process_docs: this key may not be used",
    ),
    (f"{CONFIG}.dataset_path", "hub/set", "config.dataset_path: this key may not be used"),
    (f"{CONFIG}.dataset_path", "json", "config.dataset_path: this key may not be used"),
    (f"{CONFIG}.dataset_kwargs", {}, "config.dataset_kwargs: this key may not be used"),
    (f"{CONFIG}.custom_dataset", "x", "config.custom_dataset: this key may not be used"),
    (f"{CONFIG}.process_results", "x", "config.process_results: this key may not be used"),
    (f"{CONFIG}.unsafe_code", False, "config.unsafe_code: this key may not be used"),
    (f"{CONFIG}.include", "other.yaml", "config.include: this key may not be used"),
    (f"{CONFIG}.class", "x", "config.class: this key may not be used"),
    (f"{CONFIG}.repeats", 5, "config.repeats: this key may not be used"),
    (f"{CONFIG}.fewshot_config", {}, "config.fewshot_config: not known"),
    (f"{CONFIG}.doc_to_text", "!function utils.f", "config.doc_to_text: !function runs code"),
    (f"{CONFIG}.doc_to_text", ["a"], "config.doc_to_text: this must be text"),
    (f"{CONFIG}.doc_to_text", "{{ x.__class__ }}", "config.doc_to_text: The attribute .__class__"),
    (f"{CONFIG}.doc_to_text", GONE, "config.doc_to_text: this field is missing"),
    (f"{CONFIG}.doc_to_target", 1.5, "config.doc_to_target: this must be text"),
    (f"{CONFIG}.doc_to_target", -1, "config.doc_to_target: this is not a whole number"),
    (f"{CONFIG}.doc_to_choice", GONE, "config.doc_to_choice: this field is missing"),
    (f"{CONFIG}.doc_to_choice", {"a": "b"}, "config.doc_to_choice: this must be text"),
    (f"{CONFIG}.output_type", "loglikelihood_rolling", "config.output_type"),
    (f"{CONFIG}.output_type", ["x"], "config.output_type"),
    (f"{CONFIG}.generation_kwargs", {}, "multiple_choice generates nothing"),
    (f"{CONFIG}.metric_list.0.metric", "bleu", "metric_list[0].metric: 'bleu' is not allowed"),
    (f"{CONFIG}.metric_list.0.aggregation", "!function x.y", "metric_list[0].aggregation"),
    (f"{CONFIG}.metric_list.0.hf_evaluate", True, "metric_list[0].hf_evaluate: this field is not"),
    (f"{CONFIG}.description", "{% include 'x' %}", "config.description: Line 1 uses include"),
]
BAD_GENERATION = [
    (f"{CONFIG}.doc_to_choice", "choices", "generate_until has no choices"),
    (f"{CONFIG}.doc_to_target", 0, "config.doc_to_target: a number needs choices"),
    (f"{CONFIG}.generation_kwargs", GONE, "config.generation_kwargs: this field is missing"),
    (f"{CONFIG}.generation_kwargs.max_gen_toks", 10**6, "generation_kwargs.max_gen_toks"),
    (f"{CONFIG}.generation_kwargs.until", [""], "generation_kwargs.until[0]"),
    (f"{CONFIG}.generation_kwargs.temperature", float("nan"), "generation_kwargs.temperature"),
    (f"{CONFIG}.generation_kwargs.logits_processor", "x", "logits_processor: this field is not"),
    (f"{CONFIG}.filter_list.0.filter", [{"function": "lowercase"}], "the last step must be take"),
    (f"{CONFIG}.filter_list.0.filter", [{"function": "custom"}], "filter[0].function: 'custom'"),
    (f"{CONFIG}.filter_list.0.filter.0.filter_fn", "x", "filter[0].filter_fn: this field is not"),
    (f"{CONFIG}.filter_list", [{"name": "a", "filter": []}] * 2, "filter_list: this list has 2"),
    (
        f"{CONFIG}.filter_list.0.filter",
        [{"function": "regex", "regex_pattern": "(a+)+$"}, {"function": "take_first"}],
        "filter[0].regex_pattern: A repeat inside an endless repeat",
    ),
    (
        f"{CONFIG}.filter_list.0.filter",
        [{"function": "map", "mapping_dict": {"a": 1}, "default_value": "b"}],
        "mapping_dict['a']: this must be text",
    ),
    (f"{CONFIG}.metric_list.0.regexes_to_ignore", ["("], "regexes_to_ignore[0]"),
]


def test_a_sound_document_has_no_problems():
    assert problems(SUITE) == []
    assert problems(changed(CONFIG, GENERATION, generation=True)) == []


@pytest.mark.parametrize(("path", "value", "message"), BAD)
def test_a_bad_field_is_named_with_the_way_to_mend_it(path, value, message):
    found = problems(changed(path, value))
    assert any(message in problem for problem in found), found


@pytest.mark.parametrize(("path", "value", "message"), BAD_GENERATION)
def test_a_bad_field_of_a_generation_task_is_named(path, value, message):
    found = problems(changed(path, value, generation=True))
    assert any(message in problem for problem in found), found


@pytest.mark.parametrize("document", [None, [], "suite", 3, {1: 2}, {}])
def test_what_is_no_document_at_all_is_refused(document):
    assert problems(document)


def test_all_problems_are_reported_at_once():
    suite = changed("tasks.0.category", "fun")
    suite["slug"] = "Bad Slug"
    with pytest.raises(SuiteError) as caught:
        require_valid(suite)
    assert [problem.where for problem in caught.value.problems] == ["slug", "tasks[0].category"]


def test_a_number_without_a_canonical_form_is_refused():
    suite = changed(f"{CONFIG}.generation_kwargs.top_p", 1.0, generation=True)
    assert problems(suite) == []
    suite["tasks"][0]["config"]["generation_kwargs"]["top_k"] = 2**60
    assert problems(suite)


def test_the_digest_does_not_depend_on_the_order_of_fields():
    suite = require_valid(copy.deepcopy(SUITE))
    turned = require_valid(dict(reversed(SUITE.items())))
    assert digest(suite) == digest(turned)
    assert digest(suite).startswith("sha256:")
    assert digest(suite) != digest(require_valid(changed("title", "Another")))


def test_the_harness_knows_tasks_by_slug_and_name():
    assert harness_group("my-suite") == "my_suite"
    assert harness_task("my-suite", {**CHOICE, "name": "over-refusal"}) == "my_suite_over_refusal"


def test_a_stock_task_keeps_its_name_and_needs_no_data():
    task = stock_task(
        "arc_easy",
        title="ARC",
        description="Questions of science.",
        category="capability",
        metric="acc_norm",
        metric_label="accuracy",
    )
    assert problems(changed("tasks", [CHOICE, task])) == []
    assert harness_task("my-suite", task) == "arc_easy"


def test_a_stock_task_may_not_bring_a_configuration():
    task = {**CHOICE, "name": "arc", "stock": "arc_easy"}
    found = problems(changed("tasks", [task]))
    assert any("tasks[0].config: this field is not known" in problem for problem in found)


def test_two_tasks_may_not_put_different_data_into_one_file():
    other = {**copy.deepcopy(CHOICE), "name": "more"}
    assert problems(changed("tasks", [CHOICE, other])) == []
    other["data"]["rows"] = 2
    assert "another task has other data" in problems(changed("tasks", [CHOICE, other]))[0]


def paths(value, at=""):
    """List the dotted paths of all fields below a value."""
    found = []
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        path = f"{at}.{key}".lstrip(".")
        found.append(path)
        if isinstance(inner, dict | list):
            found += paths(inner, path)
    return found


PATHS = paths(SUITE) + paths(GENERATION, CONFIG)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(PATHS), JSON)
def test_no_value_anywhere_makes_the_check_itself_fail(path, value):
    is_generation = path.startswith(CONFIG) and path not in paths(SUITE)
    suite = changed(path, value, generation=is_generation)
    if validate(suite) == []:
        assert digest(suite)


@given(st.text(max_size=60))
def test_no_template_makes_the_check_itself_fail(text):
    assert isinstance(validate(changed(f"{CONFIG}.doc_to_text", "{{" + text + "}}")), list)
