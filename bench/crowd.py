"""A crowd of voters: ballots sent over connections that stay open, and what came back."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

WIRES = 96
"""Connections held open at once; more requests wait for one, and the wait counts."""


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
    def leaves(self) -> set[str]:
        """The ballots on the record: the same one sent again is not another."""
        return {ack["leaf"] for ack in self.acks}

    def share_of(self, status: int) -> float:
        """Return the percentage of answers with a status."""
        return 100 * sum(ack["status"] == status for ack in self.acks) / len(self.acks)


class Wire:
    """Posts over connections that stay open, with as little work as possible between."""

    def __init__(self, port: int, ref: str) -> None:
        self._port = port
        self._path = f"/api/v1/proposals/{ref}/ballot/"
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._turn = asyncio.Semaphore(WIRES)

    async def cast(self, key: str, choice: str) -> tuple[int, dict[str, Any]]:
        """Send one ballot; raises OSError or an EOF error when no whole answer comes back."""
        body = json.dumps({"choice": choice}).encode()
        head = (
            f"POST {self._path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Authorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        async with self._turn:
            wire = (
                self._free.pop()
                if self._free
                else await asyncio.open_connection("127.0.0.1", self._port)
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


async def until_answered(crowd: Crowd, wire: Wire, key: str, choice: str) -> None:
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
