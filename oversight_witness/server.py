"""The witness over HTTP, on Python's own server: put a TLS proxy before it."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from oversight_witness.witness import Answer, Witness

MAX_REQUEST_BYTES = 65_536
SECONDS = 10


def make_server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """Return a server that answers for the witness; `serve_forever` runs it."""

    class Handler(_Handler):
        answers_for = witness

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    answers_for: Witness
    timeout = SECONDS
    server_version = "oversight-witness"
    sys_version = ""

    def do_POST(self) -> None:
        if self.path.rstrip("/") != "/add-checkpoint":
            self._send(Answer(404, "POST to /add-checkpoint\n"))
            return
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_REQUEST_BYTES:
            self.close_connection = True
            self._send(Answer(400, f"at most {MAX_REQUEST_BYTES} bytes, with Content-Length\n"))
            return
        self._send(self.answers_for.add_checkpoint(self.rfile.read(int(length))))

    def do_GET(self) -> None:
        pages = {"/": self._about, "/vkey": self._vkey, "/forks": self._forks}
        page = pages.get(self.path)
        self._send(page() if page else Answer(404, "there is /, /vkey and /forks\n"))

    def _about(self) -> Answer:
        store = self.answers_for.store
        lines = [f"{self.answers_for.key.name}: a witness of transparency logs\n"]
        lines += [f"{origin}: {seen.size} entries\n" for origin, seen in store.all_seen()]
        forks = len(store.forks())
        lines.append(f"forks kept as evidence: {forks}{' (see /forks)' if forks else ''}\n")
        return Answer(200, "".join(lines))

    def _vkey(self) -> Answer:
        return Answer(200, f"{self.answers_for.key.vkey()}\n")

    def _forks(self) -> Answer:
        return Answer(200, json.dumps(self.answers_for.store.forks(), indent=1), "application/json")

    def _send(self, answer: Answer) -> None:
        data = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Keep no addresses of who asked."""
