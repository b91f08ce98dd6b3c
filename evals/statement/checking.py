"""The check that a statement has every field, of its type, and no float."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from evals.statement.fields import (
    StatementError,
    as_mapping,
    decimal_in,
    entries_in,
    object_in,
    pattern_in,
    refuse_floats,
    text_in,
    whole_in,
)
from evals.statement.form import SAMPLES_MEDIA_TYPE, STATEMENT_TYPE, SUBJECT_NAME, Statement

_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MOST_DIGITS = 60
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def check_statement(value: object) -> Statement:
    """Return the value as a statement if it has every field, of its type, and no float.

    Raises:
        StatementError: the message names the first field at fault.
    """
    refuse_floats(value, "statement")
    statement = as_mapping(value, "statement")
    if statement.get("_type") != STATEMENT_TYPE:
        raise StatementError(f"_type: has to be {STATEMENT_TYPE}")
    text_in(statement, "predicateType", "statement")
    predicate = object_in(statement, "predicate", "predicate")
    _check_predicate(predicate)
    subject = {"name": SUBJECT_NAME, "digest": {"sha256": predicate["model"]["digest"][7:]}}
    if statement.get("subject") != [subject]:
        raise StatementError("subject: has to be the model's manifest, named once")
    return cast("Statement", statement)


def _check_predicate(predicate: Mapping[str, Any]) -> None:
    for name in ("run", "taskRun"):
        text_in(predicate, name, "predicate")
    whole_in(predicate, "attempt", "predicate")
    pattern_in(
        predicate, "evaluatedAt", "predicate", _INSTANT, "a time such as 2026-11-23T10:00:00Z"
    )
    _check_references(predicate)
    for name in ("settings", "environment"):
        object_in(predicate, name, f"predicate.{name}")
    _check_aggregates(predicate)
    _check_usage(object_in(predicate, "usage", "predicate.usage"))


def _check_references(predicate: Mapping[str, Any]) -> None:
    """Check who, with what, on what: the parts that name things by digest."""
    texts = {
        "evaluator": ("worker", "organisation"),
        "suite": ("slug", "digest"),
        "task": ("name", "digest"),
        "model": ("label", "digest"),
        "harness": ("name", "version", "digest"),
    }
    for part, names in texts.items():
        where = f"predicate.{part}"
        found = object_in(predicate, part, where)
        for name in names:
            if name == "digest":
                pattern_in(found, name, where, _DIGEST, "sha256: and 64 hexadecimal digits")
            else:
                text_in(found, name, where)
    whole_in(predicate["suite"], "version", "predicate.suite")
    for where, entry in entries_in(predicate, "dataset"):
        text_in(entry, "name", where)
        pattern_in(entry, "sha256", where, _SHA256, "64 hexadecimal digits")


def _check_aggregates(predicate: Mapping[str, Any]) -> None:
    where = "predicate.samples"
    samples = object_in(predicate, "samples", where)
    pattern_in(samples, "sha256", where, _SHA256, "64 hexadecimal digits")
    for name in ("size", "rows"):
        whole_in(samples, name, where)
    if samples.get("mediaType") != SAMPLES_MEDIA_TYPE:
        raise StatementError(f"{where}.mediaType: has to be {SAMPLES_MEDIA_TYPE}")
    metrics: list[str] = []
    for place, entry in entries_in(predicate, "aggregates"):
        metrics.append(text_in(entry, "metric", place))
        whole_in(entry, "n", place)
        decimal_in(entry, "mean", place)
        for name in ("stderr", "low", "high"):
            if entry.get(name) is not None:
                decimal_in(entry, name, place)
    if not metrics or len(set(metrics)) < len(metrics):
        raise StatementError("predicate.aggregates: needs each metric once, and at least one")


def _check_usage(usage: Mapping[str, Any]) -> None:
    where = "predicate.usage"
    for name in ("tokens", "requests"):
        whole_in(usage, name, where)
    if "fromJournal" in usage:
        whole_in(usage, "fromJournal", where)
    for name in ("wallSeconds", "energyJoules"):
        decimal_in(usage, name, where)
    if usage.get("energyMethod") not in {"measured", "estimated"}:
        raise StatementError(f"{where}.energyMethod: has to be measured or estimated")
    if "money" in usage or "currency" in usage:
        decimal_in(usage, "money", where)
        pattern_in(usage, "currency", where, _CURRENCY, "a code of three letters such as EUR")
    for name in ("wallSeconds", "energyJoules", "money"):
        # They are added up; what has no end has no sum.
        if len(str(usage.get(name, ""))) > _MOST_DIGITS:
            raise StatementError(f"{where}.{name}: has more than {_MOST_DIGITS} characters")
