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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.parts import environment_of
from bench.result import PROJECT, Figure, Result

MEMBERS = 10_000
SECONDS = 60
TWICE_EVERY = 20
"""One of so many members sends the same ballot twice at the same moment."""
SEED = 20_261_123
PORT = 8973
WIRES = 96
"""Connections held open at once; more requests wait for one, and the wait counts."""
STEADY_SECONDS = 15
WEB_PROCESSES = 2
"""As many as there are cores: what a host that expects a rush sets."""
CHOICES = ("yes", "no", "abstain")


def measure() -> Result:
    """Hold the rush, then cast as fast as answers come back; check every acknowledgement."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-ballots-") as folder,
        _system(Path(folder)) as up,
    ):
        site = f"http://127.0.0.1:{PORT}"
        electorate = _inside(Path(folder), "electorate", str(MEMBERS))
        rush = asyncio.run(_rush(electorate, up))
        _settle(up)
        before = _processor_seconds(up, Path(folder))
        steady = asyncio.run(_steady(electorate))
        spent = _processor_seconds(up, Path(folder))
        acks = rush.acks + steady.acks
        receipts = _receipts(Path(folder), acks)
        bad = _bad_receipts(site, acks, receipts)
        found = _inside(Path(folder), "counted", electorate["ref"])
        lost, double = _compare(acks, found)
    spans = sorted(rush.spans)
    p99 = spans[int(len(spans) * 0.99)]
    return Result(
        "ballots",
        f"{MEMBERS:,} members cast through HTTP in {SECONDS} s, half change once, web killed once",
        [
            Figure("acknowledged ballots lost", lost, "count", at_most=0),
            Figure("ballots counted twice", double, "count", at_most=0),
            Figure("acknowledged receipts that do not verify", bad, "count", at_most=0),
            Figure("members without an acknowledged ballot", rush.silent, "count", at_most=0),
            Figure("rush: answered after, median", spans[len(spans) // 2], "s"),
            Figure("rush: answered after, p99", p99, "s", at_most=1),
            Figure("rush: from first request to last answer", rush.lasted, "s"),
            Figure("answered with the receipt at once (201)", rush.share_of(201), "%"),
            Figure("sustained casting", steady.written / steady.lasted, "/s", at_least=200),
        ],
        {
            "requests_in_the_rush": len(rush.acks),
            "sent_again_without_an_answer": rush.retries,
            "receipts_checked": len(acks),
            "processor_ms_a_ballot": {
                part: round(1000 * (spent[part] - before[part]) / steady.written, 2)
                for part in spent
            },
            "connections": WIRES,
            "web_processes": WEB_PROCESSES,
            "seed": SEED,
        },
    )


@dataclass
class Crowd:
    """What a crowd of voters got back."""

    acks: list[dict[str, Any]] = field(default_factory=list)
    spans: list[float] = field(default_factory=list)
    """Seconds from the moment a member wanted to vote to the answer."""

    retries: int = 0
    silent: int = 0
    lasted: float = 0.0

    @property
    def written(self) -> int:
        """How many ballots were put on the record: the same one sent again is not another."""
        return len({ack["leaf"] for ack in self.acks})

    def share_of(self, status: int) -> float:
        """Return the percentage of answers with a status."""
        return 100 * sum(ack["status"] == status for ack in self.acks) / len(self.acks)


class Wire:
    """Posts over connections that stay open, with as little work as possible between."""

    def __init__(self, ref: str) -> None:
        self._path = f"/api/v1/proposals/{ref}/ballot/"
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._turn = asyncio.Semaphore(WIRES)

    async def cast(self, key: str, choice: str) -> tuple[int, dict[str, Any]]:
        """Send one ballot; raises OSError or an EOF error when no whole answer comes back."""
        body = json.dumps({"choice": choice}).encode()
        head = (
            f"POST {self._path} HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nAuthorization: Bearer {key}"
            f"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        async with self._turn:
            wire = (
                self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", PORT)
            )
            try:
                wire[1].write(head.encode() + body)
                status, answer = await asyncio.wait_for(_answer(wire[0]), 30)
            except BaseException:
                wire[1].close()
                raise
            self._free.append(wire)
            return status, answer


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
    content = await reader.readexactly(int(fields["content-length"]))
    return int(head[0].split()[1]), json.loads(content)


async def _rush(electorate: dict[str, Any], up: psutil.Process) -> Crowd:
    """Let everybody vote at a moment of the minute of their own."""
    # Not for secrecy: the seed is fixed so that every run sends the same ballots at the same time.
    draw = random.Random(SEED)
    crowd, wire = Crowd(), Wire(electorate["ref"])
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
    await asyncio.gather(*(_until_answered(crowd, wire, key, choice) for _ in range(times)))
    for moment in moments[1:]:
        await asyncio.sleep(max(0.0, began + moment - time.monotonic()))
        await _until_answered(crowd, wire, key, CHOICES[(number + 1) % 3])


async def _until_answered(crowd: Crowd, wire: Wire, key: str, choice: str) -> None:
    """Send until an answer comes; an answer that is no acknowledgement ends the benchmark."""
    wanted = time.monotonic()
    while True:
        try:
            status, answer = await wire.cast(key, choice)
        except (OSError, EOFError, TimeoutError):
            crowd.retries += 1
            await asyncio.sleep(0.1)
            continue
        if status not in (201, 202):
            raise RuntimeError(f"A ballot was answered with {status}: {answer}")
        crowd.spans.append(time.monotonic() - wanted)
        crowd.acks.append({"key": key, "choice": choice, "status": status, **answer})
        return


async def _kill_web(up: psutil.Process, moment: float) -> None:
    """Kill a process that answers, without warning."""
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
    _web_processes(up)[0].send_signal(signal.SIGKILL)


def _web_processes(up: psutil.Process) -> list[psutil.Process]:
    """Return the processes that answer requests; their parent only keeps them."""
    found = [each for each in up.children(recursive=True) if "granian" in _command(each)]
    return [each for each in found if each.ppid() in {other.pid for other in found}]


def _command(process: psutil.Process) -> str:
    """Return a process's command line; nothing of one that has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _settle(up: psutil.Process) -> None:
    """Wait until the process that replaced the killed one has loaded and all are at rest."""
    while True:
        before = {each: sum(each.cpu_times()[:2]) for each in _web_processes(up)}
        time.sleep(1)
        spent = [sum(each.cpu_times()[:2]) - taken for each, taken in before.items()]
        if len(spent) == WEB_PROCESSES and max(spent) < 0.05:
            return


def _processor_seconds(up: psutil.Process, folder: Path) -> dict[str, float]:
    """Return the processor time that each part has taken so far, and the crowd itself."""
    found = {"web": 0.0, "sequencer": 0.0, "tasks": 0.0, "database": 0.0, "crowd": 0.0}
    found["crowd"] = time.process_time()
    server = [each for each in psutil.process_iter() if str(folder) in _command(each)]
    everything = {*up.children(recursive=True), *server}
    for each in server:
        with contextlib.suppress(psutil.NoSuchProcess):
            everything |= {*each.children(recursive=True)}
    for process in everything:
        command = _command(process)
        part = next((name for word, name in _PARTS if word in command), "tasks")
        with contextlib.suppress(psutil.NoSuchProcess):
            # With what its ended children took: connections to the database come and go.
            found[part] += sum(process.cpu_times()[:4])
    return found


_PARTS = (("postgres", "database"), ("granian", "web"), ("sequencer", "sequencer"))
"""Words of a command line, and whose it is."""


async def _steady(electorate: dict[str, Any]) -> Crowd:
    """Cast changes one after the other on every connection for a while."""
    crowd, wire = Crowd(), Wire(electorate["ref"])
    began = time.monotonic()

    async def voter(keys: Sequence[str]) -> None:
        turn = 0
        while time.monotonic() - began < STEADY_SECONDS:
            key = keys[turn % len(keys)]
            # A choice that differs each round: the same one again would write nothing.
            choice = CHOICES[(turn // len(keys) + turn) % 3]
            await _until_answered(crowd, wire, key, choice)
            turn += 1

    keys: list[str] = electorate["keys"]
    await asyncio.gather(*(voter(keys[n::WIRES]) for n in range(WIRES)))
    crowd.lasted = time.monotonic() - began
    return crowd


# -- What came of it -----------------------------------------------------------------------------


def _receipts(folder: Path, acks: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return the receipt of every acknowledged leaf: as answered, or fetched where it was late."""
    found = {ack["leaf"]: ack["receipt"] for ack in acks if ack["receipt"]}
    late = sorted({ack["leaf"] for ack in acks} - set(found))
    file = folder / "late.json"
    file.write_text(json.dumps(late))
    return found | _inside(folder, "receipts", str(file))


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
def _system(folder: Path) -> Iterator[psutil.Process]:
    """Run the whole embedded system but the evaluation worker; yield its first process."""
    environment = os.environ | environment_of(folder / "var") | {"PORT": str(PORT)}
    environment["WEB_PROCESSES"] = str(WEB_PROCESSES)
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
        yield psutil.Process(started.pid)
    finally:
        started.terminate()
        started.wait(60)
        log.close()


def _inside(folder: Path, step: str, argument: str) -> dict[str, Any]:
    """Run a step of this module that needs the system's own database; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.ballots", step, argument],
        cwd=PROJECT,
        env=os.environ | environment_of(folder / "var") | {"PORT": str(PORT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"bench.ballots {step}:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _electorate(number: str) -> dict[str, Any]:
    """Make a body of so many members with a key each, and open a vote of theirs."""
    import secrets
    import uuid

    from oversight.accounts import services as accounts
    from oversight.accounts.choices import BodyRole, Scope
    from oversight.accounts.models import ApiKey, Membership, Person
    from proposals.charter import usual
    from proposals.choices import ProposalType
    from proposals.services import charters, drafting, stages, voting

    shell = accounts.shell_person()
    body = accounts.found_body(by=shell, slug="assembly", name="Assembly")
    rules = {kind: found | {"deliberation_hours": 0} for kind, found in usual().items()}
    charters.adopt_charter(by=shell, body=body, document=rules)
    # Accounts and seats are not what is measured: they are written in one go.
    people = Person.objects.bulk_create(
        Person(email=f"member{n}@example.org", display_name=f"Member {n}", password="!")
        for n in range(int(number))
    )
    Membership.objects.bulk_create(
        Membership(body=body, person=person, leaf_id=uuid.uuid4()) for person in people
    )
    secret = [accounts.KEY_PREFIX + secrets.token_urlsafe(32) for _ in people]
    ApiKey.objects.bulk_create(
        ApiKey(
            person=person,
            name="bench",
            prefix=key[:12],
            digest=accounts.digest_of_secret(key),
            scopes=[Scope.VOTES_CAST],
        )
        for person, key in zip(people, secret, strict=True)
    )
    clerk = accounts.register_person(email="clerk@example.org", display_name="Clerk")
    accounts.appoint(by=shell, body=body, person=clerk, role=BodyRole.CLERK)
    proposal = drafting.draft_proposal(
        by=people[0],
        body=body,
        type=ProposalType.MOTION,
        title="Keep the minutes",
        summary="The assembly keeps its minutes.",
        text="As it says.",
    )
    stages.open_deliberation(by=people[0], proposal=proposal)
    stages.fix_text(by=clerk, proposal=proposal)
    voting.open_vote(by=clerk, proposal=proposal)
    return {"ref": proposal.ref, "keys": secret}


def _late_receipts(file: str) -> dict[str, Any]:
    """Return the receipts of these leaves, once the log has caught up."""
    from uuid import UUID

    from oversight.ledger.services import wait_for_receipt

    found = {leaf: wait_for_receipt(UUID(leaf), 60) for leaf in json.loads(Path(file).read_text())}
    return {leaf: receipt.text for leaf, receipt in found.items() if receipt}


def _counted(ref: str) -> dict[str, Any]:
    """Return every ballot kept, by key, member's number and choice, and which would be counted."""
    from oversight.accounts.models import ApiKey
    from proposals.models import Ballot, Contract
    from proposals.services.closing import last_ballots, tally

    keys = dict(ApiKey.objects.values_list("person", "prefix"))
    contract = Contract.objects.get(proposal__ref=ref)
    rows = Ballot.objects.filter(entry__contract=contract)
    values = rows.values_list("entry__membership__person", "number", "choice")
    last = last_ballots(contract)
    sheet = tally(contract, last).sheet
    return {
        "ballots": [(keys[person], number, choice) for person, number, choice in values],
        "counted": [(keys[each.entry.membership.person_id], each.number) for each in last],
        "cast": int(sheet["votes"]["cast"]),  # type: ignore[index, call-overload, arg-type]
    }


def _main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "oversight.settings"
    import django

    django.setup()
    from oversight.web.commands import prepare_database

    prepare_database()
    step, argument = sys.argv[1:]
    steps = {"electorate": _electorate, "receipts": _late_receipts, "counted": _counted}
    print(json.dumps(steps[step](argument)))


if __name__ == "__main__":
    _main()
