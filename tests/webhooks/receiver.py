"""A receiver of webhooks: a real HTTP server that checks signatures by itself, and may misbehave.

The check is written from the Standard Webhooks text alone and shares nothing with the sender.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Say whether one of the signatures in the header was made with the secret."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    found = [each.partition(",") for each in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(mac, right) for version, _, mac in found)


@dataclass
class Heard:
    """One message that arrived."""

    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def content(self) -> dict:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers the challenge, and `status` to all else; `holding` keeps back each answer."""

    status: int = 204
    echoes: bool = True
    location: str = ""
    heard: list[Heard] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    holding: threading.Event | None = None
    trickle: float = 0.0

    def __post_init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.heard.append(Heard(headers, body, self.path))
                outer.arrived.set()
                # The sender was killed, or had enough.
                with contextlib.suppress(OSError):
                    outer._answer(self, json.loads(body))

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?of=us"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self.holding:
            self.holding.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def events(self) -> list[Heard]:
        """What arrived of the record."""
        return [each for each in self.heard if not each.content["type"].startswith("webhook.")]

    @property
    def indices(self) -> list[int]:
        return [each.content["data"]["index"] for each in self.events]

    def _answer(self, handler: BaseHTTPRequestHandler, content: dict) -> None:
        if self.holding:
            self.holding.wait(20)
        if self.trickle:
            while not threading.Event().wait(self.trickle):
                handler.wfile.write(b"H")
        challenge = content["data"].get("challenge", "")
        data = challenge.encode() if self.echoes and challenge else b""
        status = 200 if data else self.status
        handler.send_response(status)
        if self.location:
            handler.send_header("location", self.location)
        if status != 204:
            handler.send_header("content-length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
