"""What the samples of a result say: read, checked, and summed, block by block."""

import json
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from evals.reckoner.refusals import Refused
from evals.samples import Block, SamplesError, SamplesReader
from evals.scores import cluster_numbers
from evals.scores import digest as scores_digest
from evals.statistics import Aggregate, summarise

MAX_SAMPLES = 2_000_000
MAX_GROUPS = 2_000
GROUP_LIMIT = 80
COPY_ROWS = 5_000


@dataclass(frozen=True)
class Expected:
    """What the samples have to be, to be a result of the task."""

    metrics: list[str]
    clustered: bool
    rows: int | None = None
    """How many there must be; None where only the worker knows."""
    data: str | None = None
    """Path of the task's data file, whose rows the samples must be about; None without one."""
    group_field: str | None = None
    """The column of the data that names each sample's group."""


@dataclass
class Recomputed:
    """What is found in the samples, held compactly: a million take some 40 MB."""

    doc_ids: "array[int]" = field(default_factory=lambda: array("q"))
    groups: "array[int]" = field(default_factory=lambda: array("i"))
    """Of each sample, a place in `group_names`."""
    group_names: dict[str, int] = field(default_factory=lambda: {"": 0})
    scores: "dict[str, array[float]]" = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many samples there are."""
        return len(self.doc_ids)

    def add(self, block: Block) -> None:
        """Take some samples' scores in."""
        names = self.group_names
        self.doc_ids.frombytes(block.doc_ids.tobytes())
        self.groups.extend(names.setdefault(group or "", len(names)) for group in block.groups)
        for metric, scores in block.scores.items():
            self.scores.setdefault(metric, array("d")).frombytes(scores.tobytes())

    def digest(self, *, clustered: bool) -> str:
        """Return the digest of the scores alone, which anyone can recount without a library."""
        metrics = sorted(self.scores)
        scores = zip(*(self.scores[metric] for metric in metrics), strict=True)
        clusters = cluster_numbers(self.groups) if clustered else None
        return scores_digest(metrics, zip(self.doc_ids, scores, strict=True), clusters)

    @property
    def labels(self) -> list[str]:
        """The name of each sample's group; empty where it has none."""
        names = list(self.group_names)
        return [names[place] for place in self.groups]

    def by_group(self, metric: str) -> "Iterator[tuple[str, array[float]]]":
        """Yield the scores of all samples under the empty name, then those of each group."""
        scores = self.scores[metric]
        yield "", scores
        named = {place: name for name, place in self.group_names.items() if name}
        if not named:
            return
        found = {place: array("d") for place in self.group_names.values()}
        for group, score in zip(self.groups, scores, strict=True):
            found[group].append(score)
        for place, name in named.items():
            yield name, found[place]

    def lines(self, task_run: str) -> Iterator[bytes]:
        """Yield all scores as rows of PostgreSQL's COPY in text form, many at a time."""
        names = [_copy_text(name) for name in self.group_names]
        for metric, scores in self.scores.items():
            head, middle = f"{task_run}\t{_copy_text(metric)}\t", "\t"
            rows = zip(self.doc_ids, self.groups, scores, strict=True)
            while block := list(islice(rows, COPY_ROWS)):
                yield "".join(
                    f"{head}{doc_id}{middle}{names[group]}{middle}{score!r}\n"
                    for doc_id, group, score in block
                ).encode()


def recompute(path: Path, expected: Expected) -> Recomputed:
    """Read the samples, and refuse what is not a result of this task.

    Raises:
        Refused: naming the row and the column, or what is missing.
    """
    found = Recomputed()
    try:
        with SamplesReader(path) as reader:
            if reader.rows > MAX_SAMPLES:
                raise Refused(f"A task may have at most {MAX_SAMPLES} samples.")
            for block in reader.blocks():
                found.add(block)
    except SamplesError as error:
        raise Refused(f"The samples cannot be read: {error}") from None
    if set(found.scores) != set(expected.metrics) or not found.rows:
        names = ", ".join(sorted(expected.metrics))
        raise Refused(f"The samples must score {names} and nothing else.")
    if len(found.group_names) > MAX_GROUPS or any(len(g) > GROUP_LIMIT for g in found.group_names):
        raise Refused(
            f"A task has at most {MAX_GROUPS} groups, with names of up to {GROUP_LIMIT} characters."
        )
    if expected.rows is not None and found.rows != expected.rows:
        raise Refused(f"The samples hold {found.rows} of {expected.rows} items.")
    if expected.data is not None:
        _require_rows_of_the_data(found, Path(expected.data), expected.group_field)
    return found


def _require_rows_of_the_data(found: Recomputed, data: Path, group_field: str | None) -> None:
    """Refuse samples that are not the first rows of the data, each in the group it has there.

    Groups are what intervals rest on where samples come in clusters: they are the data's word.
    """
    labels = found.labels
    with data.open(encoding="utf-8") as lines:
        rows = map(json.loads, lines)
        for place, (doc_id, label, row) in enumerate(
            zip(found.doc_ids, labels, rows, strict=False)
        ):
            if doc_id != place:
                raise Refused(f"Sample {place} is said to be item {doc_id} of the task's data.")
            own = str(row[group_field]) if group_field else ""
            if label != own:
                raise Refused(
                    f"Item {doc_id} is in the group “{own}” by the task's data; the samples say "
                    f"“{label}”."
                )


def aggregated(found: Recomputed, *, clustered: bool) -> list[tuple[str, str, Aggregate]]:
    """Return what the samples say by metric and group; the empty group holds all of them.

    Groups that are clusters are units of the whole's interval and say nothing by themselves.
    """
    said = []
    for metric, scores in found.scores.items():
        try:
            if clustered:
                said.append((metric, "", summarise(scores, found.labels)))
                continue
            for group, its_own in found.by_group(metric):
                said.append((metric, group, summarise(its_own)))
        except ValueError as error:
            raise Refused(f"The scores of {metric} cannot be used: {error}.") from None
    return said


def as_answer(found: Recomputed, *, clustered: bool) -> Mapping[str, Any]:
    """Return everything but the scores themselves as JSON."""
    return {
        "rows": found.rows,
        "scores": found.digest(clustered=clustered),
        "aggregates": [
            [metric, group, asdict(aggregate)]
            for metric, group, aggregate in aggregated(found, clustered=clustered)
        ],
    }


def _copy_text(text: str) -> str:
    """Return a text as PostgreSQL's COPY reads it."""
    for sign, written in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(sign, written)
    return text
