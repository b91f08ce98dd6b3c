"""Answers for others: `auth_request` of nginx, and admission reviews of Kubernetes.

    GET  /auth    deployment and weights in the query, or in X-Oversight-Deployment and -Weights:
                  204 allowed, 403 refused, 503 cannot tell (which nginx turns into a 500: no)
    POST /admit   an AdmissionReview of admission.k8s.io/v1; answered with `allowed` and the reason
    GET  /healthz 200 while there is something to judge by

Answers are kept for as long as the gate says and no longer; whatever is not a proven yes is a no.
"""

import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from oversight_gate import strict_json
from oversight_gate.admission import NotAReview, review
from oversight_gate.judging import CannotTell, Judge
from oversight_gate.litellm_rules import DIGEST

MAX_REQUEST_BYTES = 3_000_000
"""What a Kubernetes API server sends at most."""
SECONDS = 10


def make_server(
    judge: Judge, host: str, port: int, certificate: Path | None = None, key: Path | None = None
) -> ThreadingHTTPServer:
    """Return a server that answers by the judge; `serve_forever` runs it."""

    class Handler(_Handler):
        judged_by = judge

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    return server


class _Handler(BaseHTTPRequestHandler):
    judged_by: Judge
    timeout = SECONDS
    protocol_version = "HTTP/1.1"
    server_version = "oversight-gate"
    sys_version = ""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/auth":
            self._auth(parse_qs(address.query))
        elif address.path == "/healthz":
            self._send(200, f"judging by {self.judged_by.name}\n")
        else:
            self._send(404, "there is /auth, /admit and /healthz\n")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        is_length = length.isascii() and length.isdigit() and int(length) <= MAX_REQUEST_BYTES
        if self.path.partition("?")[0] != "/admit" or not is_length:
            self.close_connection = True
            self._send(404 if is_length else 400, "POST a review with its length to /admit\n")
            return
        try:
            answer = review(self.rfile.read(int(length)), self.judged_by)
        except NotAReview as error:
            self._send(400, f"{error}\n")
            return
        body = strict_json.canonical(answer).decode()
        self._send(200, body, {"Content-Type": "application/json"})

    def _auth(self, query: dict[str, list[str]]) -> None:
        deployment = self._asked(query, "deployment")
        subject = self._asked(query, "weights")
        if DIGEST.fullmatch(subject) is None or not deployment:
            self._send(403, "name a deployment and its weights\n")
            return
        try:
            answer = self.judged_by.ask(subject, deployment)
        except CannotTell as reason:
            self._send(503, f"{reason}\n")
            return
        told = {"X-Oversight-Reason": _ascii(answer.says), "X-Oversight-Decision": answer.decision}
        if answer.allowed:
            self._send(204, "", told)
        else:
            self._send(403, f"{answer.says}\n", told)

    def _asked(self, query: dict[str, list[str]], name: str) -> str:
        """Return what was asked about; a header that nginx sets comes before the query."""
        header = self.headers.get(f"X-Oversight-{name.capitalize()}", "")
        return header or query.get(name, [""])[0]

    def _send(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        data = body.encode()
        self.send_response(status)
        told = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
        for name, value in (told | (headers or {})).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if status != 204 and self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Keep no addresses of who asked."""


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
