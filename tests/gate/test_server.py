"""What nginx and Kubernetes are answered: a proven yes is one, and nothing else is."""

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from oversight_gate.admission import DEPLOYMENT, WEIGHTS
from oversight_gate.server import make_server
from tests.gate.conftest import GOOD, NEVER, Words


@pytest.fixture
def serve():
    """Return a function that serves a judge on a free port and returns a function to ask it."""
    servers = []

    def run(judge, *files):
        server = make_server(judge, "127.0.0.1", 0, *files)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server.server_port

    yield run
    for server in servers:
        server.shutdown()
        server.server_close()


def call(port, method, path, body=None, headers=None):
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    wire.request(method, path, body, headers or {})
    answer = wire.getresponse()
    data = answer.read().decode()
    wire.close()
    return answer.status, data, dict(answer.getheaders())


class TestAuth:
    @pytest.mark.parametrize(
        ("query", "status"),
        [
            (f"?deployment=chat-one&weights={GOOD}", 204),
            (f"?deployment=chat-one&weights={NEVER}", 403),
            (f"?deployment=elsewhere&weights={GOOD}", 403),
            ("?deployment=chat-one", 403),
            (f"?weights={GOOD}", 403),
            ("?deployment=chat-one&weights=sha256:x", 403),
        ],
    )
    def test_only_a_yes_is_204(self, serve, words, query, status):
        assert call(serve(words), "GET", f"/auth{query}")[0] == status

    def test_what_nginx_sets_comes_before_what_a_client_asks(self, serve, words):
        set_by_nginx = {"X-Oversight-Deployment": "chat-one", "X-Oversight-Weights": NEVER}
        query = f"?deployment=chat-one&weights={GOOD}"
        assert call(serve(words), "GET", f"/auth{query}", headers=set_by_nginx)[0] == 403

    def test_it_says_why_and_by_which_decision(self, serve, words):
        _, _, headers = call(serve(words), "GET", f"/auth?deployment=chat-one&weights={GOOD}")
        assert headers["X-Oversight-Decision"] == "2026-001"

    def test_what_cannot_be_told_is_503(self, serve):
        port = serve(Words(cannot="the site is gone"))
        status, body, _ = call(port, "GET", f"/auth?deployment=chat-one&weights={GOOD}")
        assert (status, body) == (503, "the site is gone\n")

    def test_other_addresses_are_404_and_healthz_says_who_judges(self, serve, words):
        port = serve(words)
        assert call(port, "GET", "/other")[0] == 404
        assert call(port, "GET", "/healthz")[:2] == (200, "judging by what the test says\n")
        assert call(port, "HEAD", "/healthz")[1] == ""


def pod(notes, template=None, kind="Pod"):
    thing = {"kind": kind, "metadata": {"name": "x", "annotations": notes}}
    if template is not None:
        thing["spec"] = {"template": {"metadata": {"annotations": template}}}
    return thing


def ask(port, thing, **more):
    body = {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {"uid": "705ab4f5", "operation": "CREATE", "object": thing} | more,
    }
    status, data, headers = call(port, "POST", "/admit", json.dumps(body))
    assert (status, headers["Content-Type"]) == (200, "application/json")
    content = json.loads(data)
    assert (content["apiVersion"], content["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    assert content["response"]["uid"] == "705ab4f5"
    return content["response"]


ONE = {WEIGHTS: GOOD, DEPLOYMENT: "chat-one"}
TWO = {WEIGHTS: f"{GOOD}, {GOOD}", DEPLOYMENT: "chat-one, chat-two"}


class TestAdmission:
    @pytest.mark.parametrize("thing", [pod(ONE), pod(TWO), pod({}, ONE, "Deployment")])
    def test_a_workload_whose_models_are_all_decided_may_start(self, serve, words, thing):
        response = ask(serve(words), thing)
        assert response["allowed"] is True
        assert "2026-001" in response["auditAnnotations"]["oversight"]

    @pytest.mark.parametrize(
        ("thing", "says"),
        [
            (pod({}), "must name"),
            (pod(None), "must name"),
            ({}, "must name"),
            (None, "must name"),
            (pod({WEIGHTS: GOOD}), "must name"),
            (pod({WEIGHTS: f"{GOOD},{GOOD}", DEPLOYMENT: "chat-one"}), "must name"),
            (pod({WEIGHTS: ",".join([GOOD] * 60), DEPLOYMENT: "x" + ",x" * 59}), "must name"),
            (pod({WEIGHTS: "latest", DEPLOYMENT: "chat-one"}), "must name"),
            (pod({WEIGHTS: NEVER, DEPLOYMENT: "chat-one"}), "no decision"),
            (pod({WEIGHTS: f"{GOOD},{NEVER}", DEPLOYMENT: "chat-one,chat-one"}), "no decision"),
            (pod(ONE, {WEIGHTS: NEVER, DEPLOYMENT: "chat-one"}, "Deployment"), "no decision"),
        ],
    )
    def test_every_other_is_refused_with_the_reason(self, serve, words, thing, says):
        response = ask(serve(words), thing)
        assert response["allowed"] is False
        assert response["status"]["code"] == 403
        assert says in response["status"]["message"]

    def test_what_cannot_be_told_is_refused(self, serve):
        response = ask(serve(Words(cannot="the site is gone")), pod(ONE))
        assert response["allowed"] is False
        assert "cannot be told, so no: the site is gone" in response["status"]["message"]

    def test_deleting_is_never_refused(self, serve, words):
        assert ask(serve(words), None, operation="DELETE")["allowed"] is True

    @pytest.mark.parametrize(
        "body",
        ["", "{}", "[]", "x", '{"apiVersion": "admission.k8s.io/v1beta1"}', "[" * 100_000],
    )
    def test_what_is_no_review_is_400(self, serve, words, body):
        assert call(serve(words), "POST", "/admit", body)[0] == 400

    def test_a_body_without_end_is_not_read(self, serve, words):
        port = serve(words)
        for length in ("99999999999", "-1", "x"):
            assert call(port, "POST", "/admit", b"", {"Content-Length": length})[0] == 400


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Return the files of a certificate for localhost, and of its key."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "cert.pem", folder / "key.pem"
    pem[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem


def test_kubernetes_asks_over_tls_and_who_does_not_holds_nobody_up(serve, words, certificate):
    port = serve(words, *certificate)
    with socket.create_connection(("127.0.0.1", port)):
        # This one never begins its handshake; others are answered meanwhile.
        context = ssl.create_default_context(cafile=certificate[0])
        wire = http.client.HTTPSConnection("localhost", port, context=context, timeout=10)
        wire.request("GET", "/healthz")
        assert wire.getresponse().status == 200
        wire.close()


NGINX = """\
daemon off; error_log stderr; pid {folder}/pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  {guide}
}}
"""


@pytest.fixture
def nginx(tmp_path):
    """Return a function that runs nginx with a configuration until the test ends."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed (Debian: apt-get install nginx-light)")
    running = []

    def run(guide, port):
        path = tmp_path / "nginx.conf"
        path.write_text(NGINX.format(folder=tmp_path, guide=guide))
        running.append(subprocess.Popen([program, "-p", str(tmp_path), "-c", str(path)]))
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            threading.Event().wait(0.02)
        pytest.fail("nginx did not start")

    yield run
    for process in running:
        process.terminate()
        process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_nginx_lets_through_what_the_guide_says_and_nothing_else(serve, nginx, guide_block):
    judge = Words((GOOD, "chat-one"))
    gate, model, port = serve(judge), serve(Words()), free_port()
    text = guide_block("gate-other-programs.md", "nginx")
    for example, ours in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port}"),
        ("127.0.0.1:7390", f"127.0.0.1:{gate}"),
        ("127.0.0.1:8001", f"127.0.0.1:{model}"),
        ("sha256:…", GOOD),
        ("NAME", "chat-one"),
    ):
        assert example in text
        text = text.replace(example, ours)
    nginx(text, port)
    forged = {"X-Oversight-Weights": NEVER}
    answer = call(port, "GET", "/v1/healthz", headers=forged)
    assert answer[:2] == (200, "judging by what the test says\n")
    judge.allowed.clear()
    assert call(port, "GET", "/v1/healthz", headers={"X-Oversight-Weights": GOOD})[0] == 403
    judge.cannot = "the site is gone"
    assert call(port, "GET", "/v1/healthz")[0] == 500
