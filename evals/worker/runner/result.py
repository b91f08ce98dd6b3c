"""What a task's result says, from the harness's samples to the JSON file that the worker signs.

| field | meaning |
|---|---|
| `rows` | samples written |
| `aggregates` | of each metric n, mean, stderr, low, high and method, numbers as numbers |
| `settings` | what was in force: backend, dtype, batch size, device, limit, seeds, journal |
| `harness`, `environment` | names, versions and the digest of the harness's installed files |
| `usage` | wall seconds, requests and how many the journal answered, tokens, memory, energy |
"""

import hashlib
import math
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from evals.samples import Sample, SamplesError, write_samples
from evals.statistics import summarise
from evals.worker.failures import Code, WorkError
from evals.worker.runner.protocol import Run

AGREEMENT = 1e-9
"""How far the harness's own mean may be from ours: both are means of the same scores."""


def write_rows(command: Run, samples: list[dict[str, Any]]) -> None:
    """Write the samples as Parquet, in the order of the task's data.

    Raises:
        WorkError: they cannot be used, or not be written.
    """
    samples.sort(key=lambda sample: int(sample["doc_id"]))
    try:
        rows = (_sample(raw, command) for raw in samples)
        write_samples(Path(command.samples), command.metrics, rows)
    except (KeyError, SamplesError) as error:
        raise WorkError(Code.BAD_RESULT, f"The samples cannot be used: {error}") from error
    except OSError as error:
        raise WorkError(Code.DISK_FULL, f"The samples cannot be written: {error}") from error


def aggregates(
    command: Run, samples: list[dict[str, Any]], theirs: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the task's aggregates, by our own statistics.

    Raises:
        WorkError: the harness states another mean than its samples give.
    """
    scores = {m: [float(sample[m]) for sample in samples] for m in command.metrics}
    _require_agreement(command, theirs, scores)
    groups = [_group(sample, command) for sample in samples] if command.clustered else None
    return [_aggregate(metric, values, groups) for metric, values in scores.items()]


def harness() -> dict[str, str]:
    """Name the harness by its version and the digest of the list of its installed files."""
    distribution = metadata.distribution("lm_eval")
    record = distribution.read_text("RECORD") or ""
    # What was compiled or written at installation differs from host to host.
    lines = sorted(_hashed_lines(record))
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return {"name": "lm-eval", "version": distribution.version, "digest": f"sha256:{digest}"}


def _sample(raw: Mapping[str, Any], command: Run) -> Sample:
    return Sample(
        doc_id=int(raw["doc_id"]),
        item_id=str(_row(raw).get("id", raw["doc_id"])),
        group=_group(raw, command),
        target=str(raw["target"]),
        prompts=[list(arguments) for arguments in raw["arguments"]],
        responses=[_response(answers) for answers in raw["resps"]],
        scores={metric: float(raw[metric]) for metric in command.metrics},
    )


def _row(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    return raw["doc"] if isinstance(raw["doc"], Mapping) else {}


def _group(raw: Mapping[str, Any], command: Run) -> str | None:
    group = _row(raw).get(command.group_field) if command.group_field else None
    return None if group is None else str(group)


def _response(answers: Any) -> Any:
    """Return the first answer to a request: a log-likelihood with its greedy flag, or a text."""
    first = answers[0]
    if isinstance(first, tuple | list) and len(first) == 2:
        return {"loglikelihood": float(first[0]), "is_greedy": bool(first[1])}
    return first if isinstance(first, str) else float(first)


def _require_agreement(
    command: Run, theirs: Mapping[str, Any], scores: Mapping[str, list[float]]
) -> None:
    """Refuse a result whose samples do not give the mean that the harness states."""
    for metric, values in scores.items():
        stated = [v for k, v in theirs.items() if k.split(",")[0] == metric]
        ours = math.fsum(values) / len(values)
        if len(stated) != 1 or abs(float(stated[0]) - ours) > AGREEMENT:
            raise WorkError(
                Code.BAD_RESULT,
                f"lm-eval states {metric} of {command.task} as {stated}; the samples say {ours!r}.",
            )


def _aggregate(metric: str, values: list[float], groups: list[str | None] | None) -> dict[str, Any]:
    found = summarise(values, groups)
    return {
        "metric": metric,
        "n": found.n,
        "mean": found.mean,
        "stderr": found.stderr,
        "low": found.low,
        "high": found.high,
        "method": found.method,
    }


def _hashed_lines(record: str) -> Iterator[str]:
    for line in record.splitlines():
        if "sha256=" in line and ".dist-info/" not in line and not line.startswith(".."):
            yield line
