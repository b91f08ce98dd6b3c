"""The messages between worker and runner: one JSON object a line, over two pipes of their own.

The worker sends `Load`, `Run` and `Shutdown`; the runner answers each of the first two with any
number of `Progress` and then one `Loaded`, `Finished` or `Failed`. When the worker's end of the
pipe closes, for whatever reason, the runner ends at once. Imports neither torch nor the harness.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Load:
    """Load a model, unless exactly this one is loaded."""

    model: str
    """Folder of the weights."""
    digest: str
    """Digest of the folder's manifest: the same folder with other weights is another model."""
    backend: str
    dtype: str
    device: str
    """`auto`, `cpu` or `cuda`."""
    batch_size: int | str
    """Samples at a time, or `auto`."""
    devices: int = 1
    """GPUs that the model is spread over."""
    endpoint: dict[str, Any] | None = None
    """For the back-ends `completions` and `chat`; see `endpoint/caller.py` for its fields."""


@dataclass(frozen=True)
class Run:
    """Run one task on the loaded model."""

    task: str
    """The harness's name of the task."""
    folder: str | None
    """Folder with the task's YAML; None for a task that the harness brings along."""
    metrics: list[str]
    group_field: str | None
    num_fewshot: int | None
    """Only for a task that the harness brings along, and None for what it says itself."""
    apply_chat_template: bool
    seeds: list[int]
    """For Python, numpy, torch and the choice of examples."""
    limit: int | None
    scratch: str
    """Folder for what is needed during this task only; the worker removes it."""
    samples: str
    """Path of the Parquet file to write."""
    result: str
    """Path of the JSON file to write; see `result.py` for its fields."""
    journals: str | None = None
    """Folder of the journals; None to compute every answer anew."""
    journals_bytes: int = 2_000_000_000
    """What they may take together."""
    clustered: bool = False
    """Whether the rows of a group are one unit of every interval."""
    budget: dict[str, Any] | None = None
    """What an endpoint may cost: `requests`, `tokens`, `money`; each may be missing or None."""
    spent: str = ""
    """Path of the file with what was spent on the run before, on this host."""


@dataclass(frozen=True)
class Shutdown:
    """End the runner."""


@dataclass(frozen=True)
class Ready:
    """The imports are done; commands are heard from now on."""


@dataclass(frozen=True)
class Loaded:
    """The model is loaded."""

    device: str
    seconds: float
    was_loaded: bool
    """It was there already."""


@dataclass(frozen=True)
class Progress:
    """Some samples are answered: every request that they take."""

    done: int
    total: int


@dataclass(frozen=True)
class Finished:
    """The task has run; samples and result are written."""


@dataclass(frozen=True)
class Failed:
    """The command could not be carried out; the runner is ready for the next one."""

    code: str
    """One of `failures.Code`."""
    message: str


Command = Load | Run | Shutdown
Event = Ready | Loaded | Progress | Finished | Failed
Message = Command | Event

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Load, Run, Shutdown, Ready, Loaded, Progress, Finished, Failed)
}


def encode(message: Message) -> bytes:
    """Return a message as one line."""
    value = {"kind": type(message).__name__} | asdict(message)
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """Return the message of a line.

    Raises:
        ValueError: the line is none, or was cut off by the end of its writer.
    """
    try:
        value = json.loads(line)
        message: Message = _KINDS[value.pop("kind")](**value)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a message: {line[:200]!r}") from error
    return message
