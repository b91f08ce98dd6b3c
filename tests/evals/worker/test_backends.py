"""Back-ends: what they are made with and refuse, and endpoints asked by a real runner."""

import json
import os
import socket
import subprocess
import time
from importlib import util

import httpx
import pytest

from evals.samples import read_samples
from evals.worker.agent import clear_leftovers
from evals.worker.failures import Code, WorkError
from evals.worker.orders import needs_weights, require_possible
from evals.worker.runner import backends
from evals.worker.runner.backends import hf_arguments, vllm_arguments
from evals.worker.runner.protocol import Finished, Load, Loaded
from tests.evals.worker.commands import ask, generation, run, write_task
from tests.evals.worker.conftest import WORKER_PYTHON, wait_until
from tests.evals.worker.hostile import Hostile, answer


def load(backend="hf", device="auto", **changes):
    return Load("/weights", "sha256:0", backend, "bfloat16", device, 8, **changes)


COMMON = {
    "pretrained": "/weights",
    "dtype": "bfloat16",
    "batch_size": 8,
    "trust_remote_code": False,
}


@pytest.mark.parametrize(
    ("changes", "gpus", "more"),
    [
        ({}, 0, {"device": "cpu"}),
        ({}, 2, {"device": "cuda"}),
        ({"device": "cpu"}, 2, {"device": "cpu"}),
        ({"device": "cuda"}, 1, {"device": "cuda"}),
        ({"devices": 4}, 4, {"device": "cuda", "parallelize": True}),
        ({"devices": 4}, 8, {"device": "cuda", "parallelize": True}),
    ],
)
def test_hf_takes_the_processor_one_gpu_or_several(changes, gpus, more):
    assert hf_arguments(load(**changes), gpus=gpus) == COMMON | more


@pytest.mark.parametrize(
    ("changes", "gpus", "words"),
    [
        ({"device": "cuda"}, 0, "This host has no CUDA device."),
        ({"devices": 2}, 0, "This host has no CUDA device."),
        ({"devices": 4}, 2, "asks for 4 GPUs; this host shows 2 to the worker"),
    ],
)
def test_gpus_that_are_not_there_are_refused(changes, gpus, words):
    with pytest.raises(WorkError, match=words) as caught:
        hf_arguments(load(**changes), gpus=gpus)
    assert caught.value.code == Code.SETTING_REFUSED


def test_vllm_is_made_for_the_gpus_that_are_asked_for(monkeypatch):
    monkeypatch.setattr(backends, "find_spec", lambda _: object())
    found = vllm_arguments(load("vllm", devices=4), gpus=4)
    assert found == COMMON | {
        "batch_size": "auto",
        "tensor_parallel_size": 4,
        "gpu_memory_utilization": 0.9,
    }


def test_vllm_is_refused_where_it_cannot_run(monkeypatch):
    with pytest.raises(WorkError, match="needs a GPU: use hf"):
        vllm_arguments(load("vllm", device="cpu"), gpus=4)
    monkeypatch.setattr(backends, "find_spec", lambda name: util.find_spec(f"no_such_{name}"))
    with pytest.raises(WorkError, match="vLLM is not installed on this host") as caught:
        vllm_arguments(load("vllm"), gpus=4)
    assert caught.value.code == Code.SETTING_REFUSED


def order(backend, output_type=None, **changes):
    task = {"name": "numbers", "stock": "arc_easy"}
    if output_type:
        task = {"name": "numbers", "config": {"output_type": output_type}}
    return {"task": task, "settings": {"backend": backend}, "endpoint": {"slug": "e"}} | changes


@pytest.mark.parametrize("output_type", ["multiple_choice", "loglikelihood"])
def test_scoring_on_a_chat_endpoint_is_refused_by_name_before_the_run(output_type):
    with pytest.raises(WorkError) as caught:
        require_possible(order("chat", output_type))
    assert caught.value.code == Code.TASK_REFUSED
    assert caught.value.message.startswith("numbers: this task compares how likely given answers")
    for backend in ("hf", "vllm", "completions"):
        require_possible(order(backend, output_type))
    require_possible(order("chat", "generate_until"))


def test_an_endpoint_has_to_be_named():
    with pytest.raises(WorkError, match="names no endpoint"):
        require_possible(order("completions", "generate_until", endpoint=None))


@pytest.mark.parametrize(
    ("backend", "output_type", "needs"),
    [
        ("hf", "generate_until", True),
        ("vllm", "multiple_choice", True),
        ("chat", "generate_until", False),
        ("completions", "generate_until", False),
        ("completions", "multiple_choice", True),
        ("completions", None, True),
    ],
)
def test_weights_are_fetched_only_where_something_of_them_is_used(backend, output_type, needs):
    assert needs_weights(order(backend, output_type)) is needs


# A real runner against endpoints.


@pytest.fixture
def server():
    found = Hostile()
    yield found
    found.stop()


def endpoint(url, **changes):
    prices = {"currency": "EUR", "input_per_million": "1", "output_per_million": "3"}
    return {
        "slug": "example",
        "base_url": url,
        "model": "m",
        "concurrency": 1,
        "timeout_seconds": 100,
        "prices": prices,
        "allow_hosts": ["127.0.0.1"],
        "keys": None,
    } | changes


@pytest.fixture
def remote(warm_runner, tmp_path):
    """Return a function that runs the task on an endpoint with a real runner."""

    def make(backend, described, *, model="", **changes):
        runner = warm_runner.get()
        digest = f"sha256:{tmp_path.name}"
        command = Load(model, digest, backend, "float32", "auto", 8, endpoint=described)
        loaded = ask(runner, command)
        if not isinstance(loaded, Loaded):
            return loaded, {}
        fields = {"metrics": ["exact_match"], "limit": None, "journals": str(tmp_path / "j")}
        fields |= {"apply_chat_template": backend == "chat"} | changes
        done = ask(runner, run(tmp_path, **fields))
        if not isinstance(done, Finished):
            return done, {}
        result = json.loads((tmp_path / "result.json").read_text())
        return list(read_samples(tmp_path / "samples.parquet")), result

    return make


@pytest.mark.worker
def test_a_spent_budget_stops_the_run_and_what_was_paid_for_is_not_paid_again(
    remote, server, tmp_path
):
    write_task(tmp_path, items=4, **generation())
    server.plan = [(500, {}, "")] + [answer(str(n)) for n in (2, 3, 4, 5)]
    spent = str(tmp_path / "spent" / "run-1")
    stopped, _ = remote("chat", endpoint(server.url), budget={"requests": 3}, spent=spent)
    assert isinstance(stopped, WorkError)
    assert (stopped.code, stopped.may_retry) == (Code.BUDGET_SPENT, False)
    # The one that failed and two that were answered.
    assert len(server.seen) == 3
    # The next attempt of the same run pays nothing more, and says so at once.
    again, _ = remote("chat", endpoint(server.url), budget={"requests": 3}, spent=spent)
    assert again.code == Code.BUDGET_SPENT
    assert len(server.seen) == 3
    samples, result = remote("chat", endpoint(server.url), budget={"requests": 9}, spent=spent)
    assert len(server.seen) == 5
    usage = result["usage"]
    assert (usage["requests"], usage["fromJournal"], usage["endpointRequests"]) == (4, 2, 2)
    assert (usage["inputTokens"], usage["outputTokens"]) == (14, 2)
    assert (usage["money"], usage["currency"]) == ("0.00002", "EUR")
    assert result["settings"]["endpoint"]["base_url"] == server.url
    assert sorted(s.responses[0] for s in samples) == ["2", "3", "4", "5"]
    body = server.seen[-1][2]
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("m", 6, 0)
    assert body["messages"][-1]["role"] == "user"


@pytest.mark.worker
def test_a_chat_endpoint_is_never_asked_to_score(remote, server, tmp_path):
    write_task(tmp_path, items=2)
    refused, _ = remote("chat", endpoint(server.url), metrics=["acc"])
    assert refused.code == Code.TASK_REFUSED
    assert refused.message.startswith("counting: this task compares how likely given answers are")
    assert server.seen == []


@pytest.mark.worker
def test_no_more_is_asked_at_once_than_is_allowed(remote, server, tmp_path):
    write_task(tmp_path, items=8, **generation())
    server.delay_seconds = 0.1
    samples, _ = remote("completions", endpoint(server.url, concurrency=3))
    assert len(samples) == len(server.seen) == 8
    assert 2 <= server.most_at_once <= 3


@pytest.mark.worker
def test_an_endpoint_inside_is_refused_by_the_runner(remote, server, tmp_path):
    write_task(tmp_path, items=2, **generation())
    refused, _ = remote("completions", endpoint(server.url, allow_hosts=[]))
    assert refused.code == Code.ENDPOINT_FORBIDDEN
    refused, _ = remote(
        "completions", endpoint(f"https://127.0.0.1:{server.port}/v1", allow_hosts=[])
    )
    assert "127.0.0.1 has the address 127.0.0.1, which is not public" in refused.message
    assert server.seen == []


@pytest.mark.worker
def test_scored_texts_are_read_from_the_log_probabilities_of_an_endpoint(
    remote, server, model_folder, tmp_path
):
    write_task(tmp_path, items=1)
    logprobs = {
        # One probability a token, the last for the one token that had to be made.
        "token_logprobs": [None] + [-0.5] * 40,
        "top_logprobs": [None] + [{"a": -0.5}] * 40,
    }
    good = {"choices": [{"index": 0, "text": "", "logprobs": logprobs}]}
    server.plan = [(200, {}, json.dumps(good))]
    samples, _ = remote(
        "completions", endpoint(server.url), model=str(model_folder), metrics=["acc"]
    )
    assert samples[0].responses[0]["is_greedy"] is True
    body = server.seen[0][2]
    assert (body["echo"], body["logprobs"], body["max_tokens"]) == (True, 1, 1)
    assert all(isinstance(token, int) for token in body["prompt"][0])
    # One that does not give them is said to be the wrong kind.
    server.plan = [answer()]
    refused, _ = remote(
        "completions",
        endpoint(server.url),
        model=str(model_folder),
        metrics=["acc"],
        journals=None,
    )
    assert refused.code == Code.ENDPOINT_REFUSED
    assert "takes an endpoint that returns `logprobs` with `echo`" in refused.message


@pytest.fixture(scope="module")
def served(model_folder, tmp_path_factory):
    """Serve the real model with `transformers serve`, and return its address."""
    # Their commands are there where they are; importing them takes seconds.
    if not all((WORKER_PYTHON.parent / name).exists() for name in ("uvicorn", "fastapi")):
        pytest.skip("transformers[serving] is missing: `make test` installs it")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path_factory.mktemp("serve") / "log").open("w")
    command = [str(WORKER_PYTHON.parent / "transformers"), "serve", str(model_folder)]
    options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    process = subprocess.Popen(
        [*command, *options],
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}"

    def is_up():
        assert process.poll() is None, "the server ended"
        try:
            return httpx.get(f"{url}/health", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    try:
        wait_until(is_up, "transformers serve")
        yield f"{url}/v1"
    finally:
        process.kill()
        process.wait()


@pytest.mark.worker
@pytest.mark.parametrize("backend", ["completions", "chat"])
def test_a_real_server_is_evaluated_like_the_weights_it_serves(
    remote, served, model_folder, warm_runner, tmp_path, backend
):
    write_task(tmp_path, items=2, **generation())
    described = endpoint(served, model=str(model_folder))
    samples, result = remote(backend, described)
    assert result["usage"]["endpointRequests"] == 2, result
    assert result["usage"]["inputTokens"] > 2
    again, second = remote(backend, described)
    assert (second["usage"]["fromJournal"], second["usage"]["endpointRequests"]) == (2, 0)
    assert again == samples
    # The same weights in the runner itself.
    runner = warm_runner.get()
    command = Load(str(model_folder), "sha256:x", "hf", "float32", "cpu", 1)
    assert isinstance(ask(runner, command), Loaded)
    template = backend == "chat"
    fields = {"metrics": ["exact_match"], "limit": None, "apply_chat_template": template}
    assert isinstance(ask(runner, run(tmp_path, **fields)), Finished)
    own = list(read_samples(tmp_path / "samples.parquet"))
    assert [s.responses for s in samples] == [s.responses for s in own]


def test_a_chat_template_takes_the_tokenizer():
    found = order("completions", "generate_until")
    found["task"]["apply_chat_template"] = True
    assert needs_weights(found)


def test_counts_of_runs_long_over_are_forgotten(tmp_path):
    (tmp_path / "spent").mkdir()
    for name, days in (("old", 91), ("new", 1)):
        path = tmp_path / "spent" / name
        path.write_text("[1, 2, 3]\n")
        os.utime(path, (time.time() - days * 86_400,) * 2)
    clear_leftovers(tmp_path)
    assert [path.name for path in (tmp_path / "spent").iterdir()] == ["new"]
