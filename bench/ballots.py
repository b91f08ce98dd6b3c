"""Everybody votes in the last minute: nothing lost, nothing counted twice, every receipt holds.

Ten thousand members with a key each cast through HTTP within a minute, at times drawn by a fixed
seed. Half of them change their ballot once, some send it twice at once, and in the middle one of
the two processes that answer is killed without warning; whoever got no answer sends again.
Afterwards every answer is held against the log's own files, and what was acknowledged against
what would be counted.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.crowd import WIRES, Crowd, Wire, until_answered
from bench.parts import environment_of
from bench.processors import processor_seconds, settle, web_processes
from bench.result import PROJECT, Figure, Result
from oversight.embedded.addresses import free_port

MEMBERS = 10_000
SECONDS = 60
TWICE_EVERY = 20
"""One of so many members sends the same ballot twice at the same moment."""
SEED = 20_261_123
STEADY_SECONDS = 15
WEB_PROCESSES = 2
"""As many as there are cores: what a host that expects a rush sets."""
WEB_THREADS = 16
"""Each waits for its ballot's receipt, and one process must do while the other starts anew."""
CHOICES = ("yes", "no", "abstain")


def measure() -> Result:
    """Hold the rush, then cast as fast as answers come back; check every acknowledgement."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-ballots-") as name,
        _system(folder := Path(name)) as (up, port),
    ):
        electorate = inside(folder, port, "electorate", str(MEMBERS))
        at = [processor_seconds(up, folder)]
        rush = asyncio.run(_rush(electorate, up, port))
        settle(up, WEB_PROCESSES)
        at.append(processor_seconds(up, folder))
        steady = asyncio.run(steadily(electorate, port, rush))
        at.append(processor_seconds(up, folder))
        acks = rush.acks + steady.acks
        receipts = _receipts(folder, port, acks)
        bad = _bad_receipts(f"http://127.0.0.1:{port}", acks, receipts)
        found = inside(folder, port, "counted", electorate["ref"])
        lost, double = _compare(acks, found)
    written = len(steady.leaves - rush.leaves)
    spans = sorted(rush.spans)
    return Result(
        "ballots",
        f"{MEMBERS:,} members cast through HTTP in {SECONDS} s, half change once, web killed once",
        [
            Figure("acknowledged ballots lost", lost, "count", at_most=0),
            Figure("ballots counted twice", double, "count", at_most=0),
            Figure("acknowledged receipts that do not verify", bad, "count", at_most=0),
            Figure("members without an acknowledged ballot", rush.silent, "count", at_most=0),
            Figure("rush: answered after, median", spans[len(spans) // 2], "s"),
            Figure("rush: answered after, p99", spans[int(len(spans) * 0.99)], "s", at_most=1),
            Figure("rush: answered after, longest", spans[-1], "s"),
            Figure("rush: from first request to last answer", rush.lasted, "s"),
            Figure("answered with the receipt at once (201)", rush.share_of(201), "%"),
            Figure("sustained casting", written / steady.lasted, "/s", at_least=200),
        ],
        {
            "requests_in_the_rush": len(rush.acks),
            "sent_again_without_an_answer": rush.retries,
            "receipts_checked": len(acks),
            # With what the process took that replaced the killed one, and the first use of keys.
            "processor_ms_a_request_in_the_rush": _each(at[0], at[1], len(rush.acks)),
            "processor_ms_a_ballot": _each(at[1], at[2], written),
            "connections": WIRES,
            "web_processes": WEB_PROCESSES,
            "web_threads": WEB_THREADS,
            "seed": SEED,
        },
    )


def _each(before: Mapping[str, float], after: Mapping[str, float], number: int) -> dict[str, float]:
    """Return the processor milliseconds that each part took for one of so many."""
    return {part: round(1000 * (after[part] - before[part]) / number, 2) for part in after}


async def _rush(electorate: dict[str, Any], up: psutil.Process, port: int) -> Crowd:
    """Let everybody vote at a moment of the minute of their own."""
    # Not for secrecy: the seed is fixed so that every run sends the same ballots at the same time.
    draw = random.Random(SEED)
    crowd, wire = Crowd(), Wire(port, electorate["ref"])
    began = time.monotonic()
    people = [
        _member(crowd, wire, key, number=number, moments=_moments(draw, number), began=began)
        for number, key in enumerate(electorate["keys"])
    ]
    tasks = [asyncio.create_task(each) for each in people]
    tasks.append(asyncio.create_task(_kill_web(up, began + SECONDS / 2)))
    await asyncio.gather(*tasks)
    crowd.lasted = time.monotonic() - began
    crowd.silent = len(electorate["keys"]) - len({ack["key"] for ack in crowd.acks})
    return crowd


def _moments(draw: random.Random, number: int) -> list[float]:
    """Return when a member casts and, for every second one, changes: seconds into the minute."""
    return sorted(draw.random() * SECONDS for _ in range(2 if number % 2 == 0 else 1))


async def _member(
    crowd: Crowd, wire: Wire, key: str, *, number: int, moments: Sequence[float], began: float
) -> None:
    """Cast once; every second member changes the ballot later, some send it twice at once."""
    await asyncio.sleep(max(0.0, began + moments[0] - time.monotonic()))
    times = 2 if number % TWICE_EVERY == 0 else 1
    choice = CHOICES[number % 3]
    await asyncio.gather(*(until_answered(crowd, wire, key, choice) for _ in range(times)))
    for moment in moments[1:]:
        await asyncio.sleep(max(0.0, began + moment - time.monotonic()))
        await until_answered(crowd, wire, key, CHOICES[(number + 1) % 3])


async def _kill_web(up: psutil.Process, moment: float) -> None:
    """Kill a process that answers, without warning."""
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
    web_processes(up)[0].send_signal(signal.SIGKILL)


async def steadily(electorate: dict[str, Any], port: int, before: Crowd) -> Crowd:
    """Cast changes one after the other on every connection for a while.

    Each differs from the member's last ballot: the same one again would write nothing.
    """
    crowd, wire = Crowd(), Wire(port, electorate["ref"])
    last = {ack["key"]: ack["choice"] for ack in sorted(before.acks, key=lambda ack: ack["number"])}
    began = time.monotonic()

    async def voter(keys: Sequence[str]) -> None:
        turn = 0
        while time.monotonic() - began < STEADY_SECONDS:
            key = keys[turn % len(keys)]
            said = last.get(key, CHOICES[0])
            last[key] = CHOICES[(CHOICES.index(said) + 1) % len(CHOICES)]
            await until_answered(crowd, wire, key, last[key])
            turn += 1

    keys: list[str] = electorate["keys"]
    await asyncio.gather(*(voter(keys[n::WIRES]) for n in range(WIRES)))
    crowd.lasted = time.monotonic() - began
    return crowd


# -- What came of it -----------------------------------------------------------------------------


def _receipts(folder: Path, port: int, acks: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return the receipt of every acknowledged leaf: as answered, or fetched where it was late."""
    found = {ack["leaf"]: ack["receipt"] for ack in acks if ack["receipt"]}
    late = sorted({ack["leaf"] for ack in acks} - set(found))
    file = folder / "late.json"
    file.write_text(json.dumps(late))
    return found | inside(folder, port, "receipts", str(file))


def _bad_receipts(site: str, acks: Sequence[dict[str, Any]], receipts: dict[str, str]) -> int:
    """Count acknowledgements whose receipt does not prove, offline, this ballot on this log."""
    from oversight.ledger import note, proof

    with httpx.Client(base_url=site, timeout=60) as client:
        keys = [note.VerifierKey.parse(client.get("/log/vkey").text.strip())]
        entries = _entries(client)
    bad = 0
    for ack in acks:
        try:
            receipt = proof.parse(receipts[ack["leaf"]])
            entry = entries[receipt.index]
            receipt.verify(entry, keys)
            leaf = json.loads(entry)
            right = (leaf["type"], leaf["facts"]["number"]) == (
                "proposals.ballot.cast",
                ack["number"],
            )
        except (KeyError, IndexError, ValueError):
            right = False
        bad += not right
    return bad


def _entries(client: httpx.Client) -> list[bytes]:
    """Return all entries of the log from its published tiles."""
    size = int(client.get("/log/checkpoint").text.split("\n")[1])
    found: list[bytes] = []
    for tile in range((size + 255) // 256):
        width = min(256, size - tile * 256)
        digits = f"{tile:03d}" if tile < 1000 else f"x{tile // 1000:03d}/{tile % 1000:03d}"
        part = f".p/{width}" if width < 256 else ""
        answer = client.get(f"/log/tile/entries/{digits}{part}")
        answer.raise_for_status()
        data = answer.content
        while data:
            length = int.from_bytes(data[:2], "big")
            found.append(data[2 : 2 + length])
            data = data[2 + length :]
    return found


def _compare(acks: Sequence[dict[str, Any]], found: dict[str, Any]) -> tuple[int, int]:
    """Return how many acknowledged ballots are not kept, and how many members count twice."""
    kept = {(row[0], row[1]): row[2] for row in found["ballots"]}
    lost = sum(kept.get((ack["key"][:12], ack["number"])) != ack["choice"] for ack in acks)
    newest: dict[str, int] = {}
    for ack in acks:
        prefix = ack["key"][:12]
        newest[prefix] = max(newest.get(prefix, 0), ack["number"])
    counted = dict(found["counted"])
    # A ballot committed just before the kill was never acknowledged; its number may be higher.
    lost += sum(counted.get(prefix, 0) < number for prefix, number in newest.items())
    return lost, len(found["counted"]) - len(counted) + abs(found["cast"] - len(counted))


# -- The system ----------------------------------------------------------------------------------


@contextlib.contextmanager
def _system(folder: Path) -> Iterator[tuple[psutil.Process, int]]:
    """Run the embedded system without a worker; yield its first process and the site's port."""
    port = free_port()
    environment = os.environ | environment_of(folder / "var") | {"PORT": str(port)}
    environment |= {"WEB_PROCESSES": str(WEB_PROCESSES), "WEB_THREADS": str(WEB_THREADS)}
    ready, log = folder / "ready", (folder / "up.log").open("w")
    command = [sys.executable, "manage.py", "up", "--without-worker", "--ready-file", str(ready)]
    started = subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        while not ready.exists():
            if started.poll() is not None:
                raise SystemExit((folder / "up.log").read_text()[-3000:])
            time.sleep(0.2)
        yield psutil.Process(started.pid), port
    finally:
        started.terminate()
        started.wait(60)
        log.close()


def inside(folder: Path, port: int, step: str, argument: str) -> dict[str, Any]:
    """Do a step of `bench.votes` in the system; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.votes", step, argument],
        cwd=PROJECT,
        env=os.environ | environment_of(folder / "var") | {"PORT": str(port)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"bench.votes {step}:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))
