"""`oversight-gate` on a LiteLLM file with 200 models, offline: how long, and how much memory.

Each run is a process of its own, as a hook or a pipeline starts it: it reads the bundle, derives
the tree, checks the signature, reads the file and judges every entry, fallback and alias. The
bundle is a log of a few thousand acts, most of them ballots.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.result import PROJECT, Figure, Result

MODELS = 200
BALLOTS = 3_000
RUNS = 9


def measure() -> Result:
    """Write bundle, policy and file, and check the file a few times."""
    with tempfile.TemporaryDirectory(prefix="bench-litellm-") as folder:
        place = Path(folder)
        entries, size = _bundle(place)
        _config(place / "config.yaml")
        _run(place)
        found = [_run(place) for _ in range(RUNS)]
    spans = sorted(each["seconds"] for each in found)
    return Result(
        "litellm",
        f"A LiteLLM file of {MODELS} models checked offline by a bundle of {entries:,} entries",
        [
            Figure("checked, median of processes", statistics.median(spans), "s", at_most=1),
            Figure("checked, slowest", spans[-1], "s"),
            Figure("processor time", statistics.median(e["cpu"] for e in found), "s"),
            Figure("memory at its peak", max(e["rss_mb"] for e in found), "MB", at_most=80),
            Figure("models not judged", sum(e["missing"] for e in found), "count", at_most=0),
        ],
        {"runs": RUNS, "entries": entries, "bundle_bytes": size, "load": os.getloadavg()[0]},
    )


def _digest(number: int) -> str:
    return f"sha256:{number:064x}"


def _bundle(place: Path) -> tuple[int, int]:
    """Write a bundle in which every model is authorised, and the policy that believes it."""
    from datetime import UTC, datetime

    from tests.audit.forge import LOG_KEY, Forge, stamp

    forge = Forge()
    forge.now = datetime.now(UTC)
    for number in range(BALLOTS):
        facts = {"number": number}
        forge.act("proposals.ballot.cast", "member:000000", "proposal:2026-001", facts=facts)
    for number in range(MODELS):
        version, slug, ref = _digest(number), f"use-{number}", f"2026-{number:03}"
        facts = {"model": "m", "label": str(number), "licence": ""}
        named = {"manifest": version}
        forge.act(
            "registry.version.registered",
            "person:x",
            f"version:{version}",
            digests=named,
            facts=facts,
        )
        forge.act(
            "registry.deployment.registered",
            "person:x",
            f"deployment:{slug}",
            facts={"endpoint": "one"},
        )
        term = {"deployment": slug, "starts_at": stamp(forge.now), "ends_at": None}
        forge.act(
            "registry.authorisation.granted",
            f"decision:{ref}",
            f"authorisation:{ref}",
            digests={"version": version},
            facts=term,
        )
    (place / "bundle.zip").write_bytes(forge.pack())
    (place / "policy").write_text(f"log {LOG_KEY.verifier.format()}\nquorum none\n")
    return len(forge.entries), (place / "bundle.zip").stat().st_size


def _config(path: Path) -> None:
    """Write a file as utilities have them: comments, parameters, aliases."""
    lines = ["model_list:"]
    for number in range(MODELS):
        lines += [
            f"  # Model {number}, at the first operator",
            f"  - model_name: model-{number}",
            "    litellm_params:",
            f"      model: openai/model-{number}",
            "      api_base: https://one.example/v1",
            "      api_key: os.environ/ONE_KEY",
            "      rpm: 600",
            "      timeout: 300",
            "    model_info:",
            "      mode: chat",
            "      oversight:",
            f"        subject: {_digest(number)}",
            f"        deployment: use-{number}",
        ]
    aliases = ", ".join(f"alias-{number}: model-{number}" for number in range(MODELS))
    lines += ["router_settings:", f"  model_group_alias: {{{aliases}}}", "  num_retries: 2"]
    path.write_text("\n".join(lines) + "\n")


_PROGRAM = """\
import resource, sys
from oversight_gate.__main__ import main
status = main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_maxrss, used.ru_utime + used.ru_stime, file=sys.stderr)
sys.exit(status)
"""


def _run(place: Path) -> dict[str, Any]:
    """Check the file in a process of its own."""
    command = [sys.executable, "-c", _PROGRAM, "litellm", place / "config.yaml"]
    command += ["--bundle", place / "bundle.zip", "--policy", place / "policy", "--format", "json"]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    kilobytes, cpu = done.stderr.split()
    report = json.loads(done.stdout)
    allowed = sum(each["result"] == "allowed" for each in report["items"])
    return {
        "seconds": seconds,
        "rss_mb": int(kilobytes) / 1000,
        "cpu": float(cpu),
        "missing": MODELS - allowed,
    }
