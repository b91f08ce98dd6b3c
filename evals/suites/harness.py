"""The part of the harness's task configuration that a suite may use: declarations, no code.

Names and meanings are those of lm-eval 0.4.13 (its `TaskConfig`). Only what cannot run code, reach
a file or the network, or make a score that is not a mean over samples is let through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from evals.suites.checking import Checker
from evals.suites.patterns import PatternRefused, check_pattern
from evals.suites.templates import TemplateRefused, check_template

METRICS: Mapping[str, frozenset[str]] = {
    "acc": frozenset({"multiple_choice", "loglikelihood"}),
    "acc_norm": frozenset({"multiple_choice"}),
    "acc_bytes": frozenset({"multiple_choice"}),
    "acc_mutual_info": frozenset({"multiple_choice"}),
    "exact_match": frozenset({"multiple_choice", "generate_until"}),
}
"""Metrics that are a mean over samples, with the output types that have them."""

OUTPUT_TYPES = ("multiple_choice", "loglikelihood", "generate_until")
GENERATION_LIMIT_TOKENS = 2_048

_REFUSED = {
    "process_docs": "it runs code on the data. Put the finished rows into the data file",
    "process_results": "it runs code on the answers. Use filter_list and metric_list",
    "custom_dataset": "it runs code. Put the rows into the data file",
    "unsafe_code": "a suite may not run code that a model wrote. Remove it",
    "class": "it runs code. Describe the task with the declarative keys",
    "include": "it reads another file. Write all keys here",
    "use_prompt": "it loads prompts from elsewhere. Write the prompt in doc_to_text",
    "dataset_path": "the data is the task's own JSON Lines file. Remove it",
    "dataset_name": "the data is the task's own JSON Lines file. Remove it",
    "dataset_kwargs": "the data is the task's own JSON Lines file. Remove it",
    "doc_to_image": "only text is evaluated. Remove it",
    "doc_to_audio": "only text is evaluated. Remove it",
    "task": "the name is made from the slug and the task's name. Remove it",
    "num_fewshot": "this is a field of the task, outside config. Move it there",
    "repeats": "each sample is asked once. Remove it",
}
"""Keys of the harness that people try, why a suite may not have them, and the way out."""


def check_config(config: object, metrics: list[str], where: str, check: Checker) -> None:
    """Check the `config` of a task, whose `metric_list` must name the task's own metrics."""
    found = check.mapping(config, where)
    if found is None:
        return
    known = {key: value for key, value in found.items() if key in CONFIG_KEYS}
    for key in found.keys() - known.keys():
        reason = _REFUSED.get(key)
        fix = f"{reason}." if reason else f"Remove it; allowed are {', '.join(CONFIG_KEYS)}."
        check.add(f"{where}.{key}", "this key may not be used:" if reason else "not known.", fix)
    for key in ("output_type", "doc_to_text", "doc_to_target", "metric_list"):
        if key not in known:
            check.add(f"{where}.{key}", "this field is missing.", "Add it.")
    for key, value in known.items():
        if _is_hook(value):
            check.add(f"{where}.{key}", "!function runs code.", "Write a Jinja template instead.")
        else:
            CONFIG_KEYS[key](value, f"{where}.{key}", check)
    _check_together(known, metrics, where, check)


def _is_hook(value: object) -> bool:
    return isinstance(value, str) and value.lstrip().startswith("!function")


def _template(value: object, where: str, check: Checker) -> None:
    """Check the name of a column or a template."""
    text = check.text(value, where, limit=8_000, may_be_empty=True)
    if text is None:
        return
    try:
        check_template(text)
    except TemplateRefused as refusal:
        check.add(where, str(refusal))


def _template_or_number(value: object, where: str, check: Checker) -> None:
    if isinstance(value, int):
        check.integer(value, where, least=0, most=100)
    else:
        _template(value, where, check)


def _choices(value: object, where: str, check: Checker) -> None:
    """Check answer choices: a template or column, or a list that is the same for all rows."""
    if not isinstance(value, list):
        _template(value, where, check)
        return
    for number, choice in enumerate(check.items(value, where, most=26)):
        check.text(choice, f"{where}[{number}]", limit=1_000)


def _output_type(value: object, where: str, check: Checker) -> None:
    check.one_of(value, where, OUTPUT_TYPES)


def _plain(value: object, where: str, check: Checker) -> None:
    check.text(value, where, limit=100, may_be_empty=True)


def _generation(value: object, where: str, check: Checker) -> None:
    settings = check.mapping(value, where)
    if settings is None:
        return
    check.keys(settings, where, required=("until", "max_gen_toks"), optional=_SAMPLING)
    _stops(settings.get("until"), f"{where}.until", check)
    if "do_sample" in settings:
        check.boolean(settings["do_sample"], f"{where}.do_sample")
    for key, most in (("max_gen_toks", GENERATION_LIMIT_TOKENS), ("top_k", 1_000)):
        if key in settings:
            check.integer(settings[key], f"{where}.{key}", least=1, most=most)
    for key, bound in (("temperature", 2.0), ("top_p", 1.0)):
        if key in settings:
            _fraction(settings[key], f"{where}.{key}", bound, check)


def _stops(value: object, where: str, check: Checker) -> None:
    for number, stop in enumerate(check.items(value, where, most=16, may_be_empty=True)):
        if not isinstance(stop, str) or not 0 < len(stop) <= 100:
            check.add(f"{where}[{number}]", "this is not a stop text.", "Use 1 to 100 characters.")


_SAMPLING = ("do_sample", "temperature", "top_p", "top_k")


def _fraction(value: object, where: str, most: float, check: Checker) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= cast("float", value) <= most:
        check.add(where, "this is not a number in range.", f"Use 0 to {most}.")


def _filters(value: object, where: str, check: Checker) -> None:
    """Check the one pipeline that turns a generated text into the value that is scored."""
    for pipeline in check.items(value, where, most=1):
        place = f"{where}[0]"
        found = check.mapping(pipeline, place)
        if found is None:
            return
        check.keys(found, place, required=("name", "filter"))
        pattern = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
        if "name" in found:
            hint = "Use lower-case letters, digits and hyphens."
            check.text(found["name"], f"{place}.name", limit=60, pattern=pattern, hint=hint)
        steps = check.items(found.get("filter"), f"{place}.filter", most=16)
        for number, step in enumerate(steps):
            _filter_step(step, f"{place}.filter[{number}]", check)
        if steps and (not isinstance(steps[-1], dict) or steps[-1].get("function") != "take_first"):
            check.add(f"{place}.filter", "the last step must be take_first.", "Add it at the end.")


def _filter_step(value: object, where: str, check: Checker) -> None:
    step = check.mapping(value, where)
    if step is None:
        return
    name = check.one_of(step.get("function"), f"{where}.function", tuple(_FILTER_FIELDS))
    if name is None:
        return
    required, optional = _FILTER_FIELDS[name]
    check.keys(step, where, required=("function", *required), optional=optional)
    if "regex_pattern" in step:
        _pattern(step["regex_pattern"], f"{where}.regex_pattern", check)
    if "group_select" in step:
        check.integer(step["group_select"], f"{where}.group_select", least=-100, most=100)
    for key in ("fallback", "default_value"):
        if key in step:
            check.text(step[key], f"{where}.{key}", limit=200, may_be_empty=True)
    if "mapping_dict" in step:
        _mapping(step["mapping_dict"], f"{where}.mapping_dict", check)


def _mapping(value: object, where: str, check: Checker) -> None:
    mapping = check.mapping(value, where) or {}
    if len(mapping) > 500:
        check.add(where, "it has over 500 entries.", "Remove some.")
    for key, text in mapping.items():
        check.text(text, f"{where}[{key!r}]", limit=200, may_be_empty=True)


_FILTER_FIELDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "lowercase": ((), ()),
    "uppercase": ((), ()),
    "remove_whitespace": ((), ()),
    "regex": (("regex_pattern",), ("group_select", "fallback")),
    "map": (("mapping_dict", "default_value"), ()),
    "take_first": ((), ()),
}
"""The filters of the harness that a suite may use, with their required and optional fields."""


def _pattern(value: object, where: str, check: Checker) -> None:
    text = check.text(value, where, limit=4_000)
    if text is None:
        return
    try:
        check_pattern(text)
    except PatternRefused as refusal:
        check.add(where, str(refusal))


def _metric_list(value: object, where: str, check: Checker) -> None:
    for number, entry in enumerate(check.items(value, where, most=8)):
        place = f"{where}[{number}]"
        metric = check.mapping(entry, place)
        if metric is None:
            continue
        flags = ("ignore_case", "ignore_punctuation", "ignore_numbers")
        optional = (*flags, "regexes_to_ignore") if metric.get("metric") == "exact_match" else ()
        required = ("metric", "aggregation", "higher_is_better")
        check.keys(metric, place, required=required, optional=optional)
        check.one_of(metric.get("metric"), f"{place}.metric", tuple(METRICS))
        check.one_of(metric.get("aggregation"), f"{place}.aggregation", ("mean",))
        for key in ("higher_is_better", *flags):
            if key in metric:
                check.boolean(metric[key], f"{place}.{key}")
        patterns = metric.get("regexes_to_ignore", [])
        for at, pattern in enumerate(
            check.items(patterns, f"{place}.regexes_to_ignore", most=16, may_be_empty=True)
        ):
            _pattern(pattern, f"{place}.regexes_to_ignore[{at}]", check)


def _check_together(
    config: Mapping[str, Any], metrics: list[str], where: str, check: Checker
) -> None:
    """Check what only makes sense side by side: output type, choices, metrics, generation."""
    output_type = config.get("output_type")
    if not isinstance(output_type, str) or output_type not in OUTPUT_TYPES:
        return
    is_generation = output_type == "generate_until"
    for key in ("generation_kwargs", "filter_list"):
        if key in config and not is_generation:
            check.add(f"{where}.{key}", f"{output_type} generates nothing.", "Remove it.")
    if is_generation and "generation_kwargs" not in config:
        fix = "Add it with until and max_gen_toks."
        check.add(f"{where}.generation_kwargs", "this field is missing.", fix)
    is_choice = output_type == "multiple_choice"
    if is_choice and "doc_to_choice" not in config:
        check.add(f"{where}.doc_to_choice", "this field is missing.", "Add the answer choices.")
    if "doc_to_choice" in config and not is_choice:
        check.add(f"{where}.doc_to_choice", f"{output_type} has no choices.", "Remove it.")
    if not is_choice and isinstance(config.get("doc_to_target"), int):
        check.add(f"{where}.doc_to_target", "a number needs choices.", "Name the target's column.")
    _check_metric_names(config, output_type, metrics, where, check)


def _check_metric_names(
    config: Mapping[str, Any], output_type: str, metrics: list[str], where: str, check: Checker
) -> None:
    entries = config.get("metric_list")
    if not isinstance(entries, list):
        return
    names = [entry.get("metric") for entry in entries if isinstance(entry, dict)]
    if names != metrics:
        check.add(
            f"{where}.metric_list",
            f"it lists {names}, but the task's metrics are {metrics}.",
            "List the same names in the same order.",
        )
    for name in metrics:
        if name in METRICS and output_type not in METRICS[name]:
            check.add(f"{where}.metric_list", f"{output_type} has no {name}.", "Remove the metric.")


CONFIG_KEYS: Mapping[str, Callable[[object, str, Checker], None]] = {
    "output_type": _output_type,
    "description": _template,
    "doc_to_text": _template,
    "doc_to_choice": _choices,
    "doc_to_target": _template_or_number,
    "gen_prefix": _template,
    "target_delimiter": _plain,
    "fewshot_delimiter": _plain,
    "generation_kwargs": _generation,
    "filter_list": _filters,
    "metric_list": _metric_list,
}
"""Every key that `config` may have, with its check."""
