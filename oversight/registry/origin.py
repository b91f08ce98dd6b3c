"""Where weights come from: the note that lies beside them when they were converted.

`origin.json` is one of the files that a version is registered by, so its digest is in the manifest:
what a page says of it can be checked against the files.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NOTE = "origin.json"
LIMIT_BYTES = 10_000
LONGEST = 200


def card_of(directory: Path) -> dict[str, Any]:
    """Return the card of weights in a directory: their origin, where a note says it."""
    try:
        with (directory / NOTE).open("rb") as file:
            note = json.loads(file.read(LIMIT_BYTES))
    except (OSError, ValueError):
        return {}
    return {"origin": note} if words(note) else {}


def words(origin: object) -> str:
    """Return an origin in words, such as “x.gguf of llm-x 1.0, converted by gguf/1”.

    Empty where it is not of this form: anybody may write a card.
    """
    if not isinstance(origin, Mapping) or not isinstance(origin.get("gguf"), Mapping):
        return ""
    names = ("package", "version", "conversion")
    parts = [origin["gguf"].get("name"), *(origin.get(name) for name in names)]
    if not all(isinstance(part, str) and 0 < len(part) <= LONGEST for part in parts):
        return ""
    file, package, version, conversion = parts
    return f"{file} of the package {package} {version}, converted by the recipe {conversion}"


def sha256(origin: Mapping[str, Any]) -> str:
    """Return the digest of the file that was converted; empty where none is told."""
    found = origin.get("gguf", {}).get("sha256")
    is_hex = isinstance(found, str) and len(found) == 64 and set(found) <= set("0123456789abcdef")
    return f"sha256:{found}" if is_hex else ""
