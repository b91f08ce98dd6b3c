"""Anonymous readers on home, model and decision page, warm: how many a second, and how long each.

The whole system runs on this machine with the worked example in it, its web server with as many
processes as there are cores; the load comes from one more process beside it, over connections that
stay open: first as fast as answers come, then at a steady rate, where the time counts from the
moment when a page was to be asked for. Each page is read to its end as a browser asks for it,
packed. Then nginx sends the same bytes from a file to the same load, for comparison.
"""

import asyncio
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.example import free_port, worked_example
from bench.result import Figure, Result

WIRES = 16
SECONDS = 8
"""How long pages are asked for as fast as they come, and then again at the steady rate."""
RATE = 3000
WARM_SECONDS = 3
WEB_PROCESSES = 2
WANTED = {"home": r"/", "model": r"/models/[^/]+/", "decision": r"/decisions/[^/]+/"}
NGINX = """\
worker_processes {processes};
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 256; }}
http {{
  access_log off;
  keepalive_requests 10000000;
  server {{
    listen 127.0.0.1:{port};
    default_type text/html;
    root {folder}/files;
  }}
}}
"""


def measure() -> Result:
    """Read the three pages for a while, then the same bytes from nginx."""
    with tempfile.TemporaryDirectory(prefix="bench-pages-") as folder:
        with worked_example(Path(folder) / "var", WEB_PROCESSES=str(WEB_PROCESSES)) as example:
            paths = {name: example.path(pattern) for name, pattern in WANTED.items()}
            ours = asyncio.run(_load(example.port, paths))
        files = {f"/{name}.html": ours.bodies[path] for name, path in paths.items()}
        with _nginx(Path(folder), files) as beside:
            theirs = asyncio.run(_load(beside, {name[1:]: name for name in files}))
    return Result(
        "pages",
        f"Home, model and decision page in turn over {WIRES} connections, load on the same cores",
        [
            Figure("pages, warm", ours.rate, "/s", at_least=3000),
            Figure("as fast as they come: p99", 1000 * ours.at(0.99, ours.spans), "ms"),
            Figure(f"at {RATE:,} a second: median", 1000 * ours.at(0.5, ours.steady), "ms"),
            Figure(
                f"at {RATE:,} a second: p99", 1000 * ours.at(0.99, ours.steady), "ms", at_most=25
            ),
            Figure("answered of those asked for at that rate", ours.kept_up, "ratio"),
            Figure("nginx, the same bytes from files", theirs.rate, "/s"),
            Figure("ours as a part of nginx", ours.rate / theirs.rate, "ratio"),
        ],
        {"bytes": {name: len(ours.bodies[path]) for name, path in paths.items()}},
    )


@contextmanager
def _nginx(folder: Path, files: dict[str, bytes]) -> Iterator[int]:
    """Serve some files by nginx with as many processes as the site has."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    port = free_port()
    for name, content in files.items():
        path = folder / "files" / name[1:]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(processes=WEB_PROCESSES, folder=folder, port=port))
    # Started by root it reads the files as another user, who may not enter this folder else.
    folder.chmod(0o755)
    running = subprocess.Popen([program, "-c", configuration, "-g", "daemon off;"])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        running.terminate()
        running.wait(10)


@dataclass
class _Crowd:
    """What came back between two moments."""

    begins: float
    spans: list[float] = field(default_factory=list)
    """Seconds from sending to the last byte, as fast as pages come."""
    steady: list[float] = field(default_factory=list)
    """Seconds from the moment when a page was to be asked for."""
    bodies: dict[str, bytes] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return len(self.spans) / SECONDS

    @property
    def kept_up(self) -> float:
        return len(self.steady) / (RATE * SECONDS)

    @staticmethod
    def at(fraction: float, spans: list[float]) -> float:
        ordered = sorted(spans)
        return ordered[int(len(ordered) * fraction)]


async def _load(port: int, paths: dict[str, str]) -> _Crowd:
    crowd = _Crowd(time.monotonic() + WARM_SECONDS)
    await asyncio.gather(*(_read(crowd, port, list(paths.values()), n) for n in range(WIRES)))
    return crowd


async def _read(crowd: _Crowd, port: int, paths: list[str], number: int) -> None:
    """Ask for one page after the other over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked, ends = number, crowd.begins + 2 * SECONDS
    turn = crowd.begins + SECONDS + number / RATE
    while (began := time.monotonic()) < ends:
        if is_steady := began >= crowd.begins + SECONDS:
            await asyncio.sleep(max(0.0, turn - began))
            began, turn = turn, turn + WIRES / RATE
        path = paths[asked % len(paths)]
        asked += 1
        line = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n"
        writer.write(line.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit((head + body)[:2000].decode(errors="replace"))
        crowd.bodies[path] = body
        if crowd.begins <= began < ends:
            (crowd.steady if is_steady else crowd.spans).append(time.monotonic() - began)
    writer.close()
