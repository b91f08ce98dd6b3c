"""Choices that stay as they were first made, whatever the environment says later.

The public log's name is one: a log that is started on another port is still the same log, and its
checkpoints must go on under the same name.
"""

import os
from contextlib import suppress
from pathlib import Path


def remembered(path: Path, default: str) -> str:
    """Return what the file at `path` holds; the first caller writes `default` into it."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(default + "\n")
    # A link fails if another process was first, and never shows a half-written file.
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    return path.read_text().strip()
