"""The worker's calls against a real HTTP server that refuses, stumbles and falls silent."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from evals.worker import client as module
from evals.worker.client import Client, LeaseLost, PlatformError


class Platform(ThreadingHTTPServer):
    """Gives the prepared answers one after the other and keeps what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = []
        self.asked = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        status, content = self.server.answers.pop(0)
        if status is None:
            self.connection.close()
            return
        payload = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names that the server looks for

    def log_message(self, *arguments):
        pass


@pytest.fixture
def platform(monkeypatch):
    monkeypatch.setattr(module.random, "uniform", lambda low, high: 0.001)
    server = Platform()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def claim(client):
    return client.claim(boot_id="boot", resource_classes=["cpu"])


def test_it_says_who_it_is_and_takes_an_order(platform):
    platform.answers = [(200, {"task_run": "t"})]
    assert claim(Client(platform.url, "owk_secret")) == {"task_run": "t"}
    method, path, headers, body = platform.asked[0]
    assert (method, path) == ("POST", "/api/v1/worker/claim")
    assert headers["Authorization"] == "Bearer owk_secret"
    assert json.loads(body) == {"boot_id": "boot", "resource_classes": ["cpu"]}


@pytest.mark.parametrize("trouble", [(500, {}), (502, b"<html>"), (503, {}), (429, {}), (None, "")])
def test_trouble_that_passes_is_waited_for(platform, trouble):
    platform.answers = [trouble, trouble, (204, b"")]
    assert claim(Client(platform.url, "t")) is None
    assert len(platform.asked) == 3


def test_it_gives_up_in_the_end_and_says_so(platform):
    platform.answers = [(503, {"detail": "Read only."})] * 10
    with pytest.raises(PlatformError, match=r"Read only\.") as error:
        claim(Client(platform.url, "t"))
    assert error.value.status == 503
    assert len(platform.asked) == module.ATTEMPTS


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_refusal_is_not_asked_again(platform, status):
    platform.answers = [(status, {"detail": "No."})]
    with pytest.raises(PlatformError, match=r"No\.") as error:
        claim(Client(platform.url, "t"))
    assert not isinstance(error.value, LeaseLost)
    assert len(platform.asked) == 1


def test_a_conflict_means_that_the_lease_is_lost(platform, tmp_path):
    file = tmp_path / "samples"
    file.write_bytes(b"samples")
    platform.answers = [(409, {"detail": "not yours any more"})]
    with pytest.raises(LeaseLost, match="not yours any more"):
        Client(platform.url, "t").upload("id", 3, "0" * 64, file)
    method, path, _, body = platform.asked[0]
    assert (method, body) == ("PUT", b"samples")
    assert path == f"/api/v1/worker/task-runs/id/artefacts/{'0' * 64}?token=3"


@pytest.mark.parametrize("status", [401, 403, 404, 409])
def test_a_heartbeat_that_nobody_wants_ends_the_work(platform, status):
    platform.answers = [(status, {"detail": "Revoked."})]
    with pytest.raises(LeaseLost):
        Client(platform.url, "t").heartbeat("id", {"token": 1})


def test_a_heartbeat_that_is_not_heard_is_no_loss(platform):
    platform.answers = [(503, {})] * 2
    with pytest.raises(PlatformError) as error:
        Client(platform.url, "t").heartbeat("id", {"token": 1})
    assert not isinstance(error.value, LeaseLost)
    platform.answers = [(503, {}), (200, {"cancel": True})]
    assert Client(platform.url, "t").heartbeat("id", {"token": 1}) is True


def test_nobody_there_is_said_by_the_name_of_the_host(platform):
    platform.shutdown()
    platform.server_close()
    with pytest.raises(PlatformError, match=r"127\.0\.0\.1 does not answer") as error:
        claim(Client(platform.url, "t"))
    assert error.value.status == 0


def test_a_worker_that_is_stopped_does_not_wait_for_another_attempt(platform, monkeypatch):
    monkeypatch.setattr(module.random, "uniform", lambda low, high: 1_000_000.0)
    stopping = threading.Event()
    platform.answers = [(503, {})] * 5
    threading.Timer(0.3, stopping.set).start()
    began = time.monotonic()
    with pytest.raises(PlatformError):
        claim(Client(platform.url, "t", stopping))
    assert len(platform.asked) == 1
    assert time.monotonic() - began < 15


def test_a_file_is_fetched_and_a_refusal_leaves_none(platform, tmp_path):
    platform.answers = [(200, b"rows"), (404, {"detail": "Not for you."}), (None, "")]
    client = Client(platform.url, "t")
    client.fetch("a" * 64, tmp_path / "rows")
    assert (tmp_path / "rows").read_bytes() == b"rows"
    with pytest.raises(PlatformError, match="Not for you"):
        client.fetch("a" * 64, tmp_path / "none")
    with pytest.raises(PlatformError, match="does not answer"):
        client.fetch("a" * 64, tmp_path / "none")
    assert not (tmp_path / "none").exists()
