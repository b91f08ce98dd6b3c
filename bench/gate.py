"""Signed answers of the gate, warm: how many a second, and how long each takes.

The whole system runs on this machine, its web server with as many processes as there are cores; the
load comes from one more process beside it, over connections that stay open: first as fast as
answers come, then at a steady rate. Every answer is read to its end; a sample of them is verified,
signature and receipts, as a client would. In the end one authorisation is suspended: after a second
no new yes may come for it.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench.own_system import open_system
from bench.parts import environment_of
from bench.result import PROJECT, Figure, Result
from oversight.embedded.session import running_system

PAIRS = 50
"""Deployments that are asked about in turn."""
WIRES = 16
SECONDS = 10
"""How long it is asked as fast as answers come back, and then again at the steady rate."""
RATE = 2000
WATCH_SECONDS = 6
"""How long it is watched after a suspension, whose own process takes a core while it starts."""
WARM_SECONDS = 5
WEB_PROCESSES = 2
SEEN_SECONDS = 2.0
"""By when a suspension must be seen: the second between two readings, and one for the way."""


def measure() -> Result:
    """Ask for a while, suspend one, ask on; verify what came back."""
    with tempfile.TemporaryDirectory(prefix="bench-gate-") as folder:
        var = Path(folder) / "var"
        environment = environment_of(var) | {"WEB_PROCESSES": str(WEB_PROCESSES)}
        with running_system(var=var, worker=False, environment=environment) as url:
            world = _inside(var, "world")
            crowd = asyncio.run(_load(url, var, world))
            bad = _bad_answers(url, world["vkey"], crowd.sample)
    spans, steady = sorted(crowd.spans), sorted(crowd.steady)
    return Result(
        "gate",
        f"{PAIRS} pairs asked over {WIRES} connections, load on the same cores",
        [
            Figure("signed answers, warm", len(spans) / SECONDS, "/s", at_least=2000),
            Figure("as fast as they come: median", 1000 * spans[len(spans) // 2], "ms"),
            Figure("as fast as they come: p99", 1000 * spans[int(len(spans) * 0.99)], "ms"),
            Figure(f"at {RATE:,} a second: median", 1000 * steady[len(steady) // 2], "ms"),
            Figure(
                f"at {RATE:,} a second: p99",
                1000 * steady[int(len(steady) * 0.99)],
                "ms",
                at_most=20,
            ),
            Figure("answered of those asked for at that rate", crowd.kept_up, "ratio"),
            Figure("answers that do not verify", bad, "count", at_most=0),
            Figure("last yes after a suspension", crowd.last_yes, "s", at_most=SEEN_SECONDS),
            Figure("processor time for each answer: web", crowd.cost("web"), "ms"),
            Figure("processor time for each answer: database", crowd.cost("database"), "ms"),
        ],
        {
            "bytes_an_answer": crowd.size,
            "verified": len(crowd.sample),
            "processor_ms_of_the_load": round(crowd.cost("load"), 3),
            "web_processes": WEB_PROCESSES,
        },
    )


@dataclass
class Crowd:
    """What came back between two moments, and what became of the one that is suspended."""

    begins: float
    ends: float
    suspended: str
    spans: list[float] = field(default_factory=list)
    """Seconds from sending to the last byte, as fast as answers come."""
    steady: list[float] = field(default_factory=list)
    """Seconds from the moment when it was to be sent, at the steady rate: a queue counts."""
    sample: dict[str, bytes] = field(default_factory=dict)
    size: int = 0
    spent: dict[str, float] = field(default_factory=dict)
    """Processor seconds of web, database and the load itself."""
    suspended_at: float = 0.0
    latest_yes: float = 0.0
    """When the last yes about the suspended one was asked for."""

    @property
    def last_yes(self) -> float:
        """Seconds from the suspension to the last yes about it."""
        return max(0.0, self.latest_yes - self.suspended_at)

    def cost(self, part: str) -> float:
        """Return the processor time that a part has taken for each answer, in milliseconds."""
        return 1000 * self.spent[part] / (len(self.spans) + len(self.steady))

    @property
    def kept_up(self) -> float:
        """Return how many of the steady questions were answered in their time."""
        return len(self.steady) / (RATE * SECONDS)

    def note(self, slug: str, asked_at: float, body: bytes) -> None:
        """Keep the last yes of each deployment, and watch the one that is suspended."""
        if not body.startswith(b'{"allowed":true'):
            return
        self.sample[slug], self.size = body, len(body)
        if slug == self.suspended:
            self.latest_yes = max(self.latest_yes, asked_at)


async def _load(url: str, var: Path, world: dict[str, Any]) -> Crowd:
    host, port = url.removeprefix("http://").split(":")
    begins = time.monotonic() + WARM_SECONDS
    crowd = Crowd(begins, begins + 2 * SECONDS + WATCH_SECONDS, world["pairs"][0][1])
    asked = [_ask(crowd, [host, port], world, number) for number in range(WIRES)]
    tasks = [asyncio.create_task(each) for each in asked]
    await asyncio.sleep(WARM_SECONDS)
    before = _processor_seconds(var)
    await asyncio.sleep(2 * SECONDS)
    crowd.spent = {part: took - before[part] for part, took in _processor_seconds(var).items()}
    found = await asyncio.to_thread(_inside, var, "suspend", world["first"])
    crowd.suspended_at = found["at"]
    await asyncio.gather(*tasks)
    return crowd


async def _ask(crowd: Crowd, place: list[str], world: dict[str, Any], number: int) -> None:
    """Ask about one pair after the other over one connection."""
    reader, writer = await asyncio.open_connection(*place)
    asked, turn = number, crowd.begins + SECONDS + number / RATE
    while (began := time.monotonic()) < crowd.ends:
        if is_steady := began >= crowd.begins + SECONDS:
            await asyncio.sleep(max(0.0, turn - began))
            began, turn = turn, turn + WIRES / RATE
        subject, slug = world["pairs"][asked % PAIRS]
        path = f"/api/v1/gate/?subject={subject}&deployment={slug}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wall = time.time()
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        if crowd.begins <= began < crowd.begins + 2 * SECONDS:
            (crowd.steady if is_steady else crowd.spans).append(time.monotonic() - began)
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit((head + body)[:2000].decode())
        crowd.note(slug, wall, body)
        asked += 1
    writer.close()


def _processor_seconds(var: Path) -> dict[str, float]:
    """Return the processor time that web, database and this program have taken so far."""
    found = {"web": 0.0, "database": 0.0, "load": time.process_time()}
    for each in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            command = " ".join(each.cmdline())
            if str(var / "postgres") in command and "keeper" not in command:
                family = [each, *each.children(recursive=True)]
                found["database"] += sum(sum(one.cpu_times()[:4]) for one in family)
            elif "granian" in command and each.environ().get("OVERSIGHT_VAR") == str(var):
                found["web"] += sum(each.cpu_times()[:2])
    return found


def _bad_answers(url: str, vkey: str, sample: dict[str, bytes]) -> int:
    """Count the answers that a client with the log's key alone would not believe."""
    from oversight_gate.judging import CannotTell
    from oversight_gate.notes import parse_policy
    from oversight_gate.site import SiteJudge

    judge, bad = SiteJudge(url, parse_policy(f"log {vkey}\nquorum none\n")), 0
    for slug, body in sample.items():
        content = json.loads(body)
        try:
            bad += not judge._verified(content, content["subject"], slug).allowed
        except CannotTell:
            bad += 1
    return bad


def _inside(var: Path, *step: str) -> dict[str, Any]:
    """Run a step of this module that needs the system's own database; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.gate", *step],
        cwd=PROJECT,
        env=os.environ | environment_of(var),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _world() -> dict[str, Any]:
    """Register versions and deployments and authorise each, as decisions would."""
    from datetime import timedelta

    from django.db import transaction
    from django.utils import timezone

    from oversight.accounts import services as accounts
    from oversight.accounts.choices import OrganisationRole
    from oversight.ledger import queries
    from oversight.ledger import services as ledger
    from oversight.registry import effects
    from oversight.registry import services as registry

    shell, pairs = accounts.shell_person(), []
    operator = accounts.admit_organisation(by=shell, slug="operator", name="Operator")
    accounts.affiliate(
        by=shell, person=shell, organisation=operator, role=OrganisationRole.OPERATOR
    )
    endpoint = registry.register_endpoint(by=shell, slug="one", name="One", operator=operator)
    for number in range(PAIRS):
        files = [{"name": "model.gguf", "size": 1, "sha256": f"{number:064x}"}]
        version = registry.register_version(
            by=shell, model_slug=f"model-{number}", label="1", manifest=files
        )
        deployment = registry.register_deployment(
            by=shell,
            slug=f"use-{number}",
            name=f"Use {number}",
            endpoint=endpoint,
            purpose="For benchmarks.",
            audience="nobody",
        )
        with transaction.atomic():
            row = effects.grant_authorisation(
                actor=f"decision:2026-{number:03}",
                decision_ref=f"2026-{number:03}",
                deployment=deployment,
                version=version,
                starts_at=timezone.now(),
                ends_at=timezone.now() + timedelta(days=1),
                conditions={"languages": ["de", "fr"]},
            )
        pairs.append([version.digest, deployment.slug])
    ledger.wait_for_receipt(row.leaf_id, 30)
    return {
        "pairs": pairs,
        "first": "2026-000",
        "vkey": queries.keys_of_log()[0].format(),
    }


def _suspended(ref: str) -> dict[str, Any]:
    from django.db import transaction

    from oversight.registry import effects
    from oversight.registry.choices import AuthorisationState
    from oversight.registry.models import Authorisation

    with transaction.atomic():
        effects.change_authorisation(
            actor="system:bench",
            authorisation=Authorisation.objects.get(decision_ref=ref),
            to=AuthorisationState.SUSPENDED,
            decision_ref="2026-999",
        )
    return {"at": time.time()}


def main() -> None:
    """Do one step inside and print what it found."""
    open_system()
    step, *rest = sys.argv[1:]
    steps = {"world": _world, "suspend": _suspended}
    print(json.dumps(steps[step](*rest)))


if __name__ == "__main__":
    main()
