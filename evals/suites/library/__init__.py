"""The suites that come with the project: a directory each, with `suite.json` and data files.

`suite.json` is a suite document whose tasks leave out `data`; the data of task `facts` is the file
`facts.jsonl` beside it. To add a suite, add such a directory, with a LICENSE and a README.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evals.suites.checking import Problem, SuiteError
from evals.suites.document import data_file, require_valid
from evals.suites.importers import ImportedSuite
from evals.suites.rows import require_files

_HERE = Path(__file__).parent


def library_slugs() -> list[str]:
    """Name the suites of the library, in alphabetical order."""
    return sorted(path.parent.name for path in _HERE.glob("*/suite.json"))


def load_library(slug: str) -> ImportedSuite:
    """Read a suite of the library: its valid document and its data files.

    Raises:
        SuiteError: when the library has no such suite, or a file of it is damaged.
    """
    if slug not in library_slugs():
        known = ", ".join(library_slugs())
        raise SuiteError([Problem("slug", f"{slug!r} is not in the library.", f"Use {known}.")])
    directory = _HERE / slug
    draft: dict[str, Any] = json.loads((directory / "suite.json").read_text(encoding="utf-8"))
    files: dict[str, bytes] = {}
    for task in draft["tasks"]:
        if "stock" not in task:
            name = f"{task['name']}.jsonl"
            files[name] = (directory / name).read_bytes()
            task["data"] = data_file(name, files[name])
    document = require_valid(draft)
    require_files(document, files)
    return ImportedSuite(document, files)
