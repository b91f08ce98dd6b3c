"""What is wrong with a folder of weights, as far as its files tell without computing on them.

Asked when a model could not be loaded: libraries seldom name the file. Imports no torch.
"""

import json
import struct
from pathlib import Path
from typing import Any

_HEADER_LIMIT_BYTES = 100_000_000
"""The format's own limit on the length of a header."""


def fault_of(folder: Path) -> str:
    """Return the first fault with its file's name, or nothing where the files look right."""
    if fault := _config_fault(folder / "config.json"):
        return fault
    if fault := _index_fault(folder):
        return fault
    for path in sorted(folder.glob("*.safetensors")):
        if fault := _safetensors_fault(path):
            return fault
    if not any(folder.glob("*.safetensors")) and not any(folder.glob("*.bin")):
        return "the folder holds neither *.safetensors nor *.bin."
    return ""


def _config_fault(path: Path) -> str:
    if not path.exists():
        return f"{path.name} is missing."
    try:
        config = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        return f"{path.name} is not JSON: {error}."
    if not isinstance(config, dict) or "model_type" not in config:
        return f"{path.name} does not name a model_type."
    return ""


def _index_fault(folder: Path) -> str:
    """Say which part of weights in several files is missing."""
    for index in sorted(folder.glob("*.index.json")):
        try:
            parts = set(json.loads(index.read_bytes())["weight_map"].values())
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            return f"{index.name} cannot be read: {error}."
        missing = sorted(name for name in parts if not (folder / name).exists())
        if missing:
            return f"{missing[0]} is missing; {index.name} names it."
    return ""


def _safetensors_fault(path: Path) -> str:
    """Compare a file's length with what its header says (format: huggingface/safetensors)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(8)
        if len(prefix) < 8:
            return f"{path.name} is cut off: it has {size} bytes and no header."
        (length,) = struct.unpack("<Q", prefix)
        if length > min(_HEADER_LIMIT_BYTES, size - 8):
            return f"{path.name} is cut off in its header, or is not safetensors."
        try:
            header = json.loads(file.read(length))
            expected = 8 + length + _data_bytes(header)
        except (ValueError, KeyError, TypeError, AttributeError):
            return f"{path.name} has a header that cannot be read."
    if size != expected:
        return f"{path.name} is cut off or damaged: {size} of {expected} bytes are there."
    return ""


def _data_bytes(header: dict[str, Any]) -> int:
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    return int(max(ends, default=0))
