"""A run as a record of Every Eval Ever, schema 0.2.1: the shared format of evaluation results.

Source: https://github.com/evaleval/every_eval_ever, `eval.schema.json`. What has no field of its
own there stands in `additional_details`, whose values are texts.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from evals.models import Aggregate, Run, TaskRun

SCHEMA_VERSION = "0.2.1"
UNIT_METRICS = frozenset({"acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match"})
"""Metrics that lie between 0 and 1."""


def record(run: Run, *, at: datetime) -> dict[str, Any]:
    """Return the record of a finished run, retrieved at this moment."""
    parts = list(
        run.task_runs.filter(samples__isnull=False)
        .select_related("worker__organisation")
        .prefetch_related("aggregates")
        .order_by("position")
    )
    predicates = {part.pk: predicate_of(part) for part in parts}
    first: Mapping[str, Any] = next(iter(predicates.values()), {})
    retrieved = f"{at.timestamp():.0f}"
    address = f"{settings.PUBLIC_URL}/api/v1/runs/{run.ref}"
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": f"{run.suite_version.suite.slug}/{_model_id(run)}/{retrieved}",
        "evaluation_timestamp": _epoch(run.finished_at),
        "retrieved_timestamp": retrieved,
        "source_metadata": _source(run, parts),
        "eval_library": {
            "name": "lm_eval",
            "version": _at(first, "harness", "version") or "unknown",
            "additional_details": {"digest": _at(first, "harness", "digest") or "unknown"},
        },
        "model_info": _model(run, first),
        "evaluation_results": [
            _result(run, part, row, predicates[part.pk])
            for part in parts
            for row in part.aggregates.all()
            if not row.group
        ],
        "detailed_evaluation_results": {
            "format": "jsonl",
            "file_path": f"{address}/samples.jsonl",
            "total_rows": sum(part.total for part in parts),
        },
    }


def predicate_of(part: TaskRun) -> dict[str, Any]:
    """Return what a task run's signed statement says."""
    if part.envelope is None:
        return {}
    return dict(json.loads(base64.b64decode(part.envelope["payload"]))["predicate"])


def _source(run: Run, parts: list[TaskRun]) -> dict[str, Any]:
    names = sorted({part.worker.organisation.name for part in parts if part.worker})
    developer = run.model_version.model.developer
    return {
        "source_name": settings.SITE_NAME,
        "source_type": "evaluation_run",
        "source_organization_name": ", ".join(names) or settings.SITE_NAME,
        "source_organization_url": settings.PUBLIC_URL,
        "evaluator_relationship": "first_party" if developer in names else "third_party",
        "additional_details": {
            "run": run.ref,
            "page": settings.PUBLIC_URL + run.get_absolute_url(),
        },
    }


def _model(run: Run, predicate: Mapping[str, Any]) -> dict[str, Any]:
    version = run.model_version
    backend = str(run.settings["backend"])
    engine = "transformers" if backend == "hf" else backend
    return {
        "name": str(version),
        "id": _model_id(run),
        **({"developer": version.model.developer} if version.model.developer else {}),
        "inference_engine": {
            "name": engine,
            "version": str(_at(predicate, "environment", engine) or "unknown"),
        },
        "additional_details": {"manifest_digest": version.digest, "licence": version.licence},
    }


def _result(
    run: Run, part: TaskRun, row: Aggregate, predicate: Mapping[str, Any]
) -> dict[str, Any]:
    task = part.task
    return {
        "evaluation_name": f"{run.suite_version.suite.slug}/{part.task_name}",
        "source_data": _data(run, task),
        "evaluation_timestamp": _epoch(part.finished_at),
        "metric_config": _metric(task, row.metric),
        "score_details": {
            "score": row.mean,
            "details": {"statement": part.statement_digest, "worker": str(part.worker)},
            "uncertainty": _uncertainty(row),
        },
        "generation_config": _generation(run, task, predicate),
    }


def _data(run: Run, task: Mapping[str, Any]) -> dict[str, Any]:
    name = f"{run.suite_version.suite.slug}/{task['name']}"
    details = {"suite_digest": run.suite_version.digest, "visibility": task["visibility"]}
    if "stock" in task:
        return {
            "dataset_name": str(task["stock"]),
            "source_type": "other",
            "additional_details": details | {"lm_eval_task": str(task["stock"])},
        }
    details["sha256"] = task["data"]["sha256"]
    if task["visibility"] != "public":
        return {"dataset_name": name, "source_type": "other", "additional_details": details}
    slug = run.suite_version.suite.slug
    return {
        "dataset_name": name,
        "source_type": "url",
        "url": [f"{settings.PUBLIC_URL}/api/v1/suites/{slug}/lm-eval.zip"],
        "additional_details": details,
    }


def _metric(task: Mapping[str, Any], metric: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "evaluation_description": task["description"],
        "lower_is_better": not task["higher_is_better"],
        "additional_details": {"metric": metric},
    }
    if metric in UNIT_METRICS:
        found |= {"score_type": "continuous", "min_score": 0, "max_score": 1}
    return found


def _uncertainty(row: Aggregate) -> dict[str, Any]:
    found: dict[str, Any] = {"num_samples": row.n}
    if row.stderr is not None:
        found["standard_error"] = {"value": row.stderr, "method": "analytic"}
    if row.low is not None and row.high is not None:
        found["confidence_interval"] = {
            "lower": row.low,
            "upper": row.high,
            "confidence_level": 0.95,
            "method": row.method,
        }
    return found


def _generation(run: Run, task: Mapping[str, Any], predicate: Mapping[str, Any]) -> dict[str, Any]:
    given = (task.get("config") or {}).get("generation_kwargs") or {}
    names = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k"}
    arguments = {theirs: given[ours] for ours, theirs in names.items() if ours in given}
    if "max_gen_toks" in given:
        arguments["max_tokens"] = given["max_gen_toks"]
    asked = {"num_fewshot": task["num_fewshot"], "seed": task["seed"]} | dict(
        predicate.get("settings") or run.settings
    )
    return {
        "generation_args": arguments,
        "additional_details": {name: _text(value) for name, value in asked.items()},
    }


def _model_id(run: Run) -> str:
    model = run.model_version.model
    developer = model.developer.lower().replace(" ", "-") or "unknown"
    return f"{developer}/{model.slug}"


def _at(predicate: Mapping[str, Any], outer: str, inner: str) -> str | None:
    part = predicate.get(outer)
    value = part.get(inner) if isinstance(part, Mapping) else None
    return None if value is None else str(value)


def _epoch(moment: datetime | None) -> str:
    return f"{moment.timestamp():.0f}" if moment else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
