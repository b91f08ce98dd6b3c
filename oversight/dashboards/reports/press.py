"""Sets one report as PDF: reads its values as JSON, writes the PDF. A process of its own.

    python -m oversight.dashboards.reports.press < report.json > report.pdf

The typesetter is large and its input comes from strangers, so it runs apart from the web process,
for one document, and ends. It knows nothing of Django, the database or any secret.
"""

import json
import re
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unicodedata import category

import typst

HERE = Path(__file__).parent
STANDARDS: list[Any] = ["a-2a", "ua-1"]
"""PDF/A-2 for archives, with the tags of PDF/UA for screen readers."""

MEMORY_BYTES = 2 << 30
SECONDS = 30
ROUNDS = 6
STAND_IN = "\N{WHITE SQUARE}"
UNPRINTABLE = frozenset({"Cc", "Cn", "Co", "Cs"})
"""Categories that the archive standard forbids: controls, unassigned, private use, surrogates."""

_COMPLAINT = re.compile(r'(?:text|codepoint) `"((?:[^"\\]|\\.)*)"`')
_ESCAPE = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)")


def main() -> int:
    """Set what stands on standard input; return the exit status."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    values = json.load(sys.stdin.buffer)
    try:
        sys.stdout.buffer.write(set_values(values))
    except typst.TypstError as error:
        sys.stderr.write(f"{error.message} {error.diagnostic}"[:4000])
        return 1
    return 0


def set_values(values: dict[str, Any]) -> bytes:
    """Return the PDF. Letters that no font of this machine has become squares, and it says so.

    Raises:
        typst.TypstError: for anything else that cannot be set.
    """
    missing = {letter for letter in _letters_of(values) if category(letter) in UNPRINTABLE}
    for _ in range(ROUNDS):
        try:
            return _compile(values, missing)
        except typst.TypstError as error:
            found = _complained_of(error.diagnostic) - missing
            if not found:
                raise
            missing |= found
    return _compile(values, missing | {each for each in _letters_of(values) if ord(each) > 0x24F})


def _compile(values: dict[str, Any], missing: set[str]) -> bytes:
    table = dict.fromkeys(map(ord, missing), STAND_IN)
    inputs = {
        "report": json.dumps(_replaced(values, table), ensure_ascii=False),
        "missing": str(len(missing)),
    }
    return typst.compile(
        str(HERE / "report.typ"),
        root=str(HERE),
        font_paths=[str(HERE / "fonts")],
        sys_inputs=inputs,
        pdf_standards=STANDARDS,
        timestamp=values["made"],
    )


def _replaced(value: Any, table: dict[int, str]) -> Any:
    """Return a value with letters replaced in each text of it."""
    if isinstance(value, str):
        return value.translate(table)
    if isinstance(value, list):
        return [_replaced(each, table) for each in value]
    if isinstance(value, dict):
        return {name: _replaced(each, table) for name, each in value.items()}
    return value


def _letters_of(value: Any) -> set[str]:
    """Return every letter of a value but the end of a line."""
    found: set[str] = set()
    for text in _texts(value):
        found.update(text)
    return found - {"\n", STAND_IN}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _complained_of(diagnostic: str) -> set[str]:
    """Return the letters that the typesetter says it cannot print."""
    found: set[str] = set()
    for quoted in _COMPLAINT.findall(diagnostic):
        found.update(_ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else m[2], quoted))
    return found


if __name__ == "__main__":
    sys.exit(main())
