"""Calling an endpoint: it may be slow, broken or hostile, and costs no more than was allowed."""

import email.utils
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpcore
import pytest

from evals.worker.endpoint import address as addresses
from evals.worker.endpoint import caller as calling
from evals.worker.endpoint.address import Allowed, check_url
from evals.worker.endpoint.budget import Budget, Prices
from evals.worker.endpoint.caller import Caller
from evals.worker.endpoint.pace import Pace
from evals.worker.endpoint.public import is_public
from evals.worker.failures import Code, WorkError
from tests.evals.worker.hostile import Hostile, answer

PAYLOAD = {"prompt": "2 + 2 = ", "max_tokens": 4}
PRICES = {"currency": "EUR", "input_per_million": "0.5", "output_per_million": "1.5"}


@pytest.fixture
def server():
    found = Hostile()
    yield found
    found.stop()


@pytest.fixture
def slept():
    return []


@pytest.fixture
def caller(server, slept, tmp_path):
    """Return a function that makes a caller of the server, which its operator allows."""

    def make(**changes):
        endpoint = {"base_url": server.url, "model": "m", "allow_hosts": ["127.0.0.1"]}
        return Caller(endpoint | {"timeout_seconds": 5} | changes, sleep=slept.append)

    return make


def free():
    return Budget({}, None)


def refusal(act, *arguments):
    with pytest.raises(WorkError) as caught:
        act(*arguments)
    return caught.value


def test_a_good_answer_comes_back_with_its_counts(caller, server):
    budget = free()
    found = caller().ask("completions", PAYLOAD, budget)
    assert found.body["choices"][0]["text"] == "4"
    assert (found.given, found.made) == (7, 1)
    assert (budget.spent.requests, budget.spent.given, budget.spent.made) == (1, 7, 1)
    assert [(path, body) for path, _, body in server.seen] == [("/v1/completions", PAYLOAD)]
    assert "Authorization" not in server.seen[0][1]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
def test_a_busy_endpoint_is_asked_again_with_growing_pauses(caller, server, slept, status):
    server.plan = [(status, {}, "busy")] * 3 + [answer()]
    one = caller()
    budget = free()
    assert one.ask("completions", PAYLOAD, budget).made == 1
    assert budget.retries == 3
    assert [0.5 <= slept[0] <= 1, 1 <= slept[1] <= 2, 2 <= slept[2] <= 4] == [True] * 3


def test_retry_after_is_honoured_in_seconds_and_as_a_date(caller, server, slept):
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    server.plan = [
        (429, {"Retry-After": "7"}, ""),
        (503, {"Retry-After": date}, ""),
        (429, {"Retry-After": "soon"}, ""),
        answer(),
    ]
    caller().ask("completions", PAYLOAD, free())
    pauses = [pause for pause in slept if pause > 6]
    assert 7 <= pauses[0] <= 7.5
    assert any(26 <= pause <= 31 for pause in pauses)


def test_an_endpoint_that_wants_an_hour_is_away(caller, server, slept):
    server.plan = [(429, {"Retry-After": "3600"}, "quota")]
    found = refusal(caller().ask, "completions", PAYLOAD, free())
    assert (found.code, found.may_retry) == (Code.ENDPOINT_AWAY, True)
    assert "left alone for 3600 seconds" in found.message
    assert slept == []


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"[]", b'{"choices": 3}', b"\xff\xfe", b"[" * 100_000, b'{"error": "x"}'],
)
def test_garbage_is_asked_again_and_then_the_endpoint_is_away(caller, server, content):
    server.plan = [(200, {}, content)]
    found = refusal(caller().ask, "completions", PAYLOAD, free())
    assert found.code == Code.ENDPOINT_AWAY
    assert len(server.seen) == calling.ATTEMPTS


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_believed_the_first_time_and_repeated_without_the_key(
    caller, server, status, tmp_path
):
    (tmp_path / "127.0.0.1").write_text("sk-secret\n")
    server.plan = [(status, {}, "Incorrect API key provided: sk-secret")]
    found = refusal(caller(keys=str(tmp_path)).ask, "completions", PAYLOAD, free())
    assert (found.code, found.may_retry) == (Code.ENDPOINT_REFUSED, False)
    assert found.message.endswith(f"HTTP {status}: Incorrect API key provided: [key]")
    assert len(server.seen) == 1
    assert server.seen[0][1]["Authorization"] == "Bearer sk-secret"


def test_a_key_goes_to_its_own_host_and_port_only(caller, server, tmp_path):
    (tmp_path / "api.example.org").write_text("sk-other")
    (tmp_path / f"127.0.0.1:{server.port + 1}").write_text("sk-other")
    caller(keys=str(tmp_path)).ask("completions", PAYLOAD, free())
    assert "Authorization" not in server.seen[0][1]
    (tmp_path / f"127.0.0.1:{server.port}").write_text("sk-mine")
    caller(keys=str(tmp_path)).ask("completions", PAYLOAD, free())
    assert server.seen[1][1]["Authorization"] == "Bearer sk-mine"


@pytest.mark.parametrize("key", ["", "two\nlines", "smart “quotes”"])
def test_a_key_that_is_none_is_refused(caller, tmp_path, key):
    (tmp_path / "127.0.0.1").write_text(key)
    assert refusal(lambda: caller(keys=str(tmp_path))).code == Code.ENDPOINT_FORBIDDEN


def test_redirects_are_not_followed(caller, server):
    server.plan = [(302, {"Location": "http://169.254.169.254/latest/meta-data/"}, "")]
    found = refusal(caller().ask, "completions", PAYLOAD, free())
    assert found.code == Code.ENDPOINT_REFUSED
    assert "it redirects to 'http://169.254.169.254/latest/meta-data/'" in found.message
    assert len(server.seen) == 1


def test_a_silent_endpoint_and_one_that_drips_are_given_up_in_time(caller, server, monkeypatch):
    monkeypatch.setattr(calling, "ATTEMPTS", 1)
    one = caller(timeout_seconds=0.3)
    server.delay_seconds = 0.8
    began = time.monotonic()
    assert "Timeout" in refusal(one.ask, "completions", PAYLOAD, free()).message
    server.delay_seconds, server.drip_seconds = 0.0, 0.1
    found = refusal(one.ask, "completions", PAYLOAD, free())
    assert "did not come to an end in time" in found.message
    assert time.monotonic() - began < 3


def test_an_endless_answer_is_cut_off(caller, server, monkeypatch):
    monkeypatch.setattr(calling, "ATTEMPTS", 1)
    monkeypatch.setattr(calling, "ANSWER_LIMIT_BYTES", 10_000)
    server.plan = [(200, {}, b"x" * 200_000)]
    assert (
        "longer than 10000 bytes" in refusal(caller().ask, "completions", PAYLOAD, free()).message
    )


def test_nobody_there_is_away(caller):
    with socket.socket() as gone:
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]
    found = refusal(
        caller(base_url=f"http://127.0.0.1:{port}/v1").ask, "completions", PAYLOAD, free()
    )
    assert (found.code, found.may_retry) == (Code.ENDPOINT_AWAY, True)


# Where requests may go.

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are(address):
    assert is_public(address)


def resolving(monkeypatch, *answers):
    """Let the resolver give these lists of addresses, one after the other, the last for ever."""
    given = list(answers)

    def resolve(host, port, *_, **__):
        found = given.pop(0) if len(given) > 1 else given[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", resolve)


def connected(monkeypatch, to="127.0.0.1"):
    """Note where a connection goes, and let it go to the server."""
    seen = []
    real = httpcore.SyncBackend.connect_tcp

    def connect(self, host, port, *more, **options):
        seen.append(host)
        return real(self, to, port, *more, **options)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    return seen


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.5"])
def test_a_name_that_leads_inside_is_refused_before_a_byte_is_sent(
    server, monkeypatch, address, slept
):
    resolving(monkeypatch, [address])
    seen = connected(monkeypatch)
    one = Caller({"base_url": "https://api.example.org/v1"}, sleep=slept.append)
    found = refusal(one.ask, "completions", PAYLOAD, free())
    assert (found.code, found.may_retry) == (Code.ENDPOINT_FORBIDDEN, False)
    assert f"api.example.org has the address {address}, which is not public" in found.message
    assert "OVERSIGHT_WORKER_ALLOW_HOSTS" in found.message
    assert (seen, server.seen) == ([], [])


def test_one_private_address_among_public_ones_is_refused(monkeypatch):
    resolving(monkeypatch, ["93.184.215.14", "127.0.0.1"])
    one = Caller({"base_url": "https://api.example.org/v1"})
    assert refusal(one.ask, "completions", PAYLOAD, free()).code == Code.ENDPOINT_FORBIDDEN


def test_a_name_that_changes_its_address_is_checked_at_every_connection(server, monkeypatch, slept):
    """DNS rebinding: public at first, then this host; what was checked is what is connected to."""
    resolving(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    seen = connected(monkeypatch)
    monkeypatch.setattr(addresses, "check_url", check_url)
    url = f"http://api.example.org:{server.port}/v1"
    # Unencrypted for this test only, so that the check of the address is all that is looked at.
    monkeypatch.setattr(calling, "check_url", lambda *_: ("api.example.org", server.port))
    server.plan = [(500, {"Connection": "close"}, "again"), answer()]
    one = Caller({"base_url": url}, sleep=slept.append)
    found = refusal(one.ask, "completions", PAYLOAD, free())
    assert found.code == Code.ENDPOINT_FORBIDDEN
    assert seen == ["93.184.215.14"]
    assert len(server.seen) == 1
    assert server.seen[0][1]["Host"] == f"api.example.org:{server.port}"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.org/v1",
        "ftp://api.example.org/v1",
        "file:///etc/passwd",
        "https://",
        "https://user:password@api.example.org/v1",
        "https://api.example.org:99999/v1",
        "https://api.example.org/v1?key=1",
        "api.example.org",
    ],
)
def test_an_address_that_is_not_plain_https_is_refused(url):
    assert refusal(check_url, url, Allowed()).code == Code.ENDPOINT_FORBIDDEN


def test_only_the_allowed_host_and_port_may_be_private():
    allowed = Allowed(["gpu.internal:8000", "LOCALHOST", "[::1]:9000"])
    assert allowed.has("gpu.internal", 8000)
    assert not allowed.has("gpu.internal", 22)
    assert allowed.has("localhost", 1)
    assert allowed.has("::1", 9000)
    assert not allowed.has("::1", 9001)


def test_a_proxy_in_the_environment_is_not_used(caller, server, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert caller().ask("completions", PAYLOAD, free()).made == 1


# What it may cost, and how often.


def test_a_budget_of_requests_counts_retries_and_stops_before_the_next(caller, server):
    server.plan = [(500, {}, ""), answer()]
    budget = Budget({"requests": 3}, None)
    one = caller()
    one.ask("completions", PAYLOAD, budget)
    one.ask("completions", PAYLOAD, budget)
    found = refusal(one.ask, "completions", PAYLOAD, budget)
    assert (found.code, found.may_retry) == (Code.BUDGET_SPENT, False)
    assert "budget of 3 requests does not suffice" in found.message
    assert len(server.seen) == 3


def test_a_budget_of_tokens_is_never_exceeded(caller, server):
    # Eight bytes and what is put around them, and four tokens at most: 76 are set aside.
    budget = Budget({"tokens": 100}, None)
    one = caller()
    for _ in range(4):
        one.ask("completions", PAYLOAD, budget)
    found = refusal(one.ask, "completions", PAYLOAD, budget)
    assert found.code == Code.BUDGET_SPENT
    assert budget.spent.given + budget.spent.made == 32
    assert len(server.seen) == 4


def test_a_budget_of_money_is_exact_and_needs_prices(caller, server):
    assert refusal(Budget, {"money": "1"}, None).code == Code.SETTING_REFUSED
    # At most 72 and 4 tokens: 0.000042; then 7 and 1 were used: 0.000005.
    budget = Budget({"money": "0.000047"}, Prices.read(PRICES))
    one = caller()
    one.ask("completions", PAYLOAD, budget)
    one.ask("completions", PAYLOAD, budget)
    found = refusal(one.ask, "completions", PAYLOAD, budget)
    assert "0.000047 EUR does not suffice" in found.message
    assert "2 requests, 16 tokens, 0.00001 EUR" in found.message


@pytest.mark.parametrize("usage", ["{}", '{"prompt_tokens": -5, "completion_tokens": 1}', "3"])
def test_an_endpoint_that_does_not_count_is_counted_at_its_most(caller, server, usage):
    good = '{"choices": [{"index": 0, "text": ""}], "usage": '
    server.plan = [(200, {}, good + usage + "}")]
    budget = free()
    caller().ask("completions", PAYLOAD, budget)
    assert (budget.spent.given, budget.spent.made) == (8 + 64, 4)


def test_what_was_spent_is_known_to_the_next_process(caller, tmp_path):
    path = tmp_path / "spent" / "run-1"
    one = caller()
    one.ask("completions", PAYLOAD, Budget({"requests": 2}, None, path))
    again = Budget({"requests": 2}, None, path)
    assert (again.spent.requests, again.task.requests) == (1, 0)
    with path.open("a") as file:
        file.write("[1, 7")
    torn = Budget({"requests": 2}, None, path)
    assert refusal(one.ask, "completions", PAYLOAD, torn).code == Code.BUDGET_SPENT


def test_many_callers_at_once_do_not_overdraw(caller, server):
    server.delay_seconds = 0.02
    budget = Budget({"requests": 10}, None)
    one = caller()

    def call(_):
        try:
            return one.ask("completions", PAYLOAD, budget).made
        except WorkError as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(call, range(20)))
    assert found.count(1) == 10
    assert found.count(Code.BUDGET_SPENT) == 10
    assert len(server.seen) == 10


def test_the_pace_is_even_and_a_pause_is_for_all():
    now, slept = [100.0], []
    pace = Pace(30, clock=lambda: now[0], sleep=slept.append)
    for _ in range(4):
        pace.wait()
    assert slept == [2.0, 4.0, 6.0]
    pace.pause(60)
    pace.wait()
    assert slept[-1] == 60.0
    unbounded = Pace(None, clock=lambda: now[0], sleep=slept.append)
    unbounded.wait()
    unbounded.wait()
    assert len(slept) == 4


def test_the_bound_of_a_conversation_counts_its_words():
    payload = {"messages": [{"role": "user", "content": "süß"}], "max_tokens": 3}
    assert calling._most(payload) == (5 + 64, 3)
    assert calling._most({"prompt": [[1, 2, 3]], "max_tokens": 1}) == (3, 1)
    assert json.dumps(payload)
