"""A check with a real worker and a real server: three operators, one of which has other weights."""

import json
import os
import shutil
import socket
import struct
import subprocess
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np
import pytest

from evals.models import Check
from evals.services import checks
from evals.services.suites import publish_suite
from evals.suites.importers import import_suite_file
from evals.tasks import check_endpoints
from oversight.accounts import services as accounts
from oversight.registry.services import describe, register_endpoint
from tests.evals.worker.conftest import WORKER_PYTHON, wait_until
from tests.factories import make_cast

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]

ITEMS = 5


@pytest.fixture(scope="module")
def other_weights(model_folder, tmp_path_factory):
    """Return a folder with the model, one of its layers changed."""
    folder = tmp_path_factory.mktemp("other") / "model"
    shutil.copytree(model_folder, folder)
    path = folder / "model.safetensors"
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    name = "model.layers.3.mlp.down_proj.weight"
    begin, end = header[name]["data_offsets"]
    values = np.memmap(
        path, dtype="<f4", mode="r+", offset=8 + length + begin, shape=((end - begin) // 4,)
    )
    values *= -2
    values.flush()
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Serve whatever folder a request names, with `transformers serve`; return the address."""
    if not all((WORKER_PYTHON.parent / name).exists() for name in ("uvicorn", "fastapi")):
        pytest.skip("transformers[serving] is missing: `make test` installs it")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path_factory.mktemp("serve") / "log").open("w")
    options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    process = subprocess.Popen(
        [str(WORKER_PYTHON.parent / "transformers"), "serve", *options],
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        stdout=log,
        stderr=subprocess.STDOUT,
    )

    def is_up():
        assert process.poll() is None, "the server ended"
        try:
            return httpx.get(f"http://127.0.0.1:{port}/health", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    try:
        wait_until(is_up, "transformers serve")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


def short_answers():
    """Publish a suite of prompts that are answered in a few words."""
    rows = [
        {"prompt": f"Count: {n}, {n + 1}, {n + 2},", "target": str(n + 3)} for n in range(ITEMS)
    ]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "counting.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        imported = import_suite_file(path, "generate", "counting", "Counting")
    document = dict(imported.document)
    document["tasks"][0]["config"]["generation_kwargs"]["max_gen_toks"] = 12
    version, _ = publish_suite(by=accounts.shell_person(), document=document, files=imported.files)
    return version


def test_of_three_operators_the_one_with_other_weights_is_found(
    warm_agent, model, model_folder, other_weights, server
):
    warm_agent._config = replace(warm_agent._config, allow_hosts=("127.0.0.1",))
    cast = make_cast()
    for slug, weights in (("a", model_folder), ("b", model_folder), ("c", other_weights)):
        endpoint = register_endpoint(
            by=cast.operator,
            slug=slug,
            name=slug,
            operator=cast.organisation,
            base_url=server,
        )
        told = {"version": model.digest, "served_as": str(weights), "interface": "completions"}
        describe(by=cast.operator, what=endpoint, document=told)
    checks.plan_checks(
        by=cast.evaluator,
        version=model,
        suite_version=short_answers(),
        items=ITEMS,
        agreement="0.50",
    )
    assert check_endpoints() == 1
    warm_agent.work()
    assert check_endpoints() == 1
    found = Check.objects.get().findings
    verdicts = {f"{each['endpoint']}{each['beside']}": each["verdict"] for each in found}
    assert verdicts == {"ab": "alike", "ac": "differs", "bc": "differs"}, found
