"""Every byte of a small log's bundle changed, one at a time, and `verify.py` run on each.

Once as it is, where the manifest tells, and once with a manifest made anew, as a careful forger
would, where only the log itself can. The log is a council's, with one motion from draft to the end.
"""

import contextlib
import importlib.util
import io
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.result import PROJECT, Figure, Result
from tests.audit.forge import Forge, files_of, repacked

UNREAD = {"README.txt", "verify.py", "manifest.json"}
"""Files that only the manifest vouches for; a manifest made anew vouches for itself."""


_spec = importlib.util.spec_from_file_location("verify_program", PROJECT / "verify.py")
assert _spec is not None
assert _spec.loader is not None
program = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(program)


def measure() -> Result:
    """Change all bytes of all files; count the changes that the verifier calls proven."""
    forge = Forge(3)
    forge.motion()
    data = forge.pack()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        path = Path(scratch) / "bundle.zip"
        if _verify(path, data)[0] != 0:
            raise RuntimeError("the honest bundle is not proven")
        plain, unnamed = _in_place(path, data)
        careful = _with_a_new_manifest(path, files_of(data))
    accepted = plain["accepted"] + careful["accepted"]
    return Result(
        "bytes",
        "Each byte of a small bundle changed, alone and with a manifest made anew",
        [
            Figure("changed bytes that were called proven", len(accepted), "count", at_most=0),
            Figure("refusals that do not name the file", len(unnamed), "count", at_most=0),
            Figure("bytes changed as they are", plain["tried"], "count"),
            Figure("bytes changed under a new manifest", careful["tried"], "count"),
            Figure("all of it", time.perf_counter() - began, "s"),
        ],
        {"accepted": accepted[:50], "unnamed": unnamed[:50]},
    )


def _in_place(path: Path, data: bytes) -> tuple[dict[str, Any], list[str]]:
    accepted, unnamed, tried = [], [], 0
    for name, content in files_of(data).items():
        start = data.index(name.encode()) + len(name)
        if data[start : start + len(content)] != content:
            raise RuntimeError(f"{name} does not stand where it should")
        for place in range(len(content)):
            tried += 1
            status, says = _verify(path, _changed(data, start + place))
            if status != 1:
                accepted.append(f"{name} byte {place}")
            elif name not in says:
                unnamed.append(f"{name} byte {place}")
    return {"accepted": accepted, "tried": tried}, unnamed


def _with_a_new_manifest(path: Path, files: dict[str, bytes]) -> dict[str, Any]:
    accepted, tried = [], 0
    for name in sorted(set(files) - UNREAD):
        for place in range(len(files[name])):
            tried += 1
            forged = files | {name: _changed(files[name], place)}
            if _verify(path, repacked(forged.items()))[0] != 1:
                accepted.append(f"{name} byte {place}, new manifest")
    return {"accepted": accepted, "tried": tried}


def _changed(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _verify(path: Path, data: bytes) -> tuple[int, str]:
    path.write_bytes(data)
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(out):
        status = program.main([str(path), "--json"])
    out.seek(0)
    against = [c["says"] for c in json.load(out)["checks"] if c["verdict"] == "contradicts"]
    return status, " / ".join(against)
