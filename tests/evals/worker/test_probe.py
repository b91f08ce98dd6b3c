"""Whether endpoints answer: a worker has its turn, goes the guarded way, is believed once."""

import json
import threading
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from evals.models import EndpointProbe, ProbeTurn
from evals.services import probes
from evals.worker.probe import look_at
from oversight.registry.models import Endpoint
from oversight.web.clock import database_now
from tests.factories import make_deployment, make_machine


class Lists(BaseHTTPRequestHandler):
    """Lists its models, or does what the address asks for."""

    def do_GET(self):
        self.server.seen.append((self.path, self.headers.get("authorization")))
        kind = self.path.split("/")[1]
        status = {"gone": 503, "moved": 302}.get(kind, 200)
        body = {
            "odd": b"<html>",
            "long": b"x" * 2_000_000,
        }.get(kind, json.dumps({"data": [{"id": "m"}]}).encode())
        self.send_response(status)
        self.send_header("Location", "/good/models")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lists)
    server.seen = []
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "is_up", "reason"),
    [
        ("good", True, ""),
        ("gone", False, "HTTP 503"),
        ("moved", False, "HTTP 302"),
        ("odd", False, "no list of models"),
        ("long", False, "did not come to an end"),
    ],
)
def test_an_endpoint_is_up_where_it_lists_its_models(site, path, is_up, reason):
    found = look_at(f"{site.url}/{path}", allow_hosts=("127.0.0.1",), keys=None)
    assert found["is_up"] is is_up
    assert reason in found["reason"]
    assert len(site.seen) == 1


def test_one_that_is_not_there_is_down(site):
    site.shutdown()
    site.server_close()
    found = look_at(site.url, allow_hosts=("127.0.0.1",), keys=None)
    assert not found["is_up"]
    assert "ConnectError" in found["reason"]


def test_where_this_worker_may_not_go_it_sees_nothing(site):
    assert look_at(site.url, allow_hosts=(), keys=None) is None
    address = f"https://127.0.0.1:{site.server_port}"
    assert look_at(address, allow_hosts=(), keys=None) is None
    assert site.seen == []


def test_the_key_goes_to_its_own_host(site, tmp_path):
    (tmp_path / "127.0.0.1").write_text("secret\n")
    look_at(site.url, allow_hosts=("127.0.0.1",), keys=str(tmp_path))
    assert site.seen == [("/models", "Bearer secret")]


# -- Turns


@pytest.fixture
def endpoint(db):
    endpoint = make_deployment().endpoint
    Endpoint.objects.filter(pk=endpoint.pk).update(base_url="https://llm.example.org/v1")
    endpoint.refresh_from_db()
    return endpoint


def seen(endpoint, **changes):
    return {"endpoint": endpoint.slug, "is_up": True, "milliseconds": 40, "reason": ""} | changes


def test_each_endpoint_goes_to_one_worker_at_a_time(endpoint):
    one, two = make_machine().worker, make_machine().worker
    assert probes.take_turns(worker=one) == [endpoint]
    assert probes.take_turns(worker=two) == []
    assert ProbeTurn.objects.get().next_at > database_now() + timedelta(seconds=290)


def test_only_whose_turn_it_was_is_believed_and_once(endpoint):
    one, two = make_machine().worker, make_machine().worker
    probes.take_turns(worker=one)
    assert probes.note_probes(worker=two, seen=[seen(endpoint)]) == 0
    assert probes.note_probes(worker=one, seen=[seen(endpoint), seen(endpoint)]) == 1
    assert probes.note_probes(worker=one, seen=[seen(endpoint)]) == 0
    assert EndpointProbe.objects.count() == 1


def test_a_paused_worker_has_no_turn(endpoint):
    worker = make_machine().worker
    worker.paused_at = database_now()
    assert probes.take_turns(worker=worker) == []


def test_availability_counts_by_spans_and_the_page_shows_it(endpoint, client):
    worker, now = make_machine().worker, database_now()
    for hours, is_up in ((1, True), (2, True), (3, False), (100, True), (24 * 40, False)):
        EndpointProbe.objects.create(
            endpoint=endpoint,
            worker=worker,
            at=now - timedelta(hours=hours),
            is_up=is_up,
            milliseconds=100,
        )
    address = f"/api/v1/endpoints/{endpoint.slug}/availability/"
    found = {each["span"]: each for each in client.get(address).json()}
    assert [(each["answered"], each["probes"]) for each in found.values()] == [
        (2, 3),
        (3, 4),
        (3, 4),
    ]
    assert "66.7\u00a0%" in client.get(endpoint.get_absolute_url()).content.decode()


def test_what_is_old_is_forgotten(endpoint):
    worker, now = make_machine().worker, database_now()
    for days in (89, 91):
        EndpointProbe.objects.create(
            endpoint=endpoint,
            worker=worker,
            at=now - timedelta(days=days),
            is_up=True,
            milliseconds=1,
        )
    assert probes.forget_old() == 1


@pytest.mark.django_db(transaction=True)
def test_an_agent_looks_and_tells_the_platform(make_agent, site):
    endpoint = make_deployment().endpoint
    Endpoint.objects.filter(pk=endpoint.pk).update(base_url=f"{site.url}/good")
    agent = make_agent()
    agent._config = replace(agent._config, allow_hosts=("127.0.0.1",))
    assert agent.look_at_endpoints() == 1
    assert agent.look_at_endpoints() == 0
    assert EndpointProbe.objects.get().is_up
