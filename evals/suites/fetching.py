"""Fetching the file of a ready-made definition into the folder of sources, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from evals.suites.checking import Problem, SuiteError
from evals.suites.ready import Part

FETCH_LIMIT_BYTES = 256 * 1024 * 1024
TIMEOUT_SECONDS = 60


def fetch(part: Part, folder: Path) -> Path:
    """Fetch a part's file into the folder and return its place.

    Raises:
        SuiteError: it cannot be fetched; the message says where to put it by hand.
    """
    place = folder / f"{part.file}.{part.endings[0]}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as incoming:
            try:
                for url in part.urls:
                    _append(url, incoming)
                incoming.flush()
                Path(incoming.name).rename(place)
            except BaseException:
                Path(incoming.name).unlink(missing_ok=True)
                raise
    except (OSError, ValueError) as error:
        fix = f"Fetch it elsewhere and put it at {place}."
        message = f"{part.urls[0]} cannot be fetched ({error})."
        raise SuiteError([Problem(part.file, message, fix)]) from None
    return place


def _append(url: str, into: Any) -> None:
    """Write what an address answers to the end of a file."""
    if not url.startswith("https://"):
        raise ValueError(f"{url} is not encrypted")
    request = Request(url, headers={"User-Agent": "oversight"})  # noqa: S310 - https, see above
    with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
        if not answer.url.startswith("https://"):
            raise ValueError(f"it was redirected to {answer.url}, which is not encrypted")
        size = int(answer.headers.get("Content-Length") or 0)
        if size > FETCH_LIMIT_BYTES:
            raise ValueError(f"it has {size:,} bytes, more than {FETCH_LIMIT_BYTES:,}")
        shutil.copyfileobj(_Bounded(answer), into)


class _Bounded:
    """Reads a stream and refuses to read more than the limit."""

    def __init__(self, stream: object) -> None:
        self._stream = stream
        self._left = FETCH_LIMIT_BYTES

    def read(self, size: int = -1) -> bytes:
        chunk: bytes = self._stream.read(size)  # type: ignore[attr-defined]
        self._left -= len(chunk)
        if self._left < 0:
            raise ValueError(f"it has more than {FETCH_LIMIT_BYTES:,} bytes")
        return chunk
