"""The program as an operator has it: installed by itself, with nothing of the site beside it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gate.conftest import CONFIG, OTHER

ROOT = Path(__file__).resolve().parents[2]
WHEELS = ROOT / "var" / "gate-wheels"


def run(*command, cwd):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return the folder of programs of an empty environment into which pip has installed it."""
    if not (WHEELS / "complete").exists():
        pytest.skip("its packages are not here: bash .ci/fetch-gate")
    folder = tmp_path_factory.mktemp("alone")
    source = shutil.copytree(ROOT / "oversight_gate", folder / "source")
    assert run(sys.executable, "-m", "venv", folder / "env", cwd=folder).returncode == 0
    pip = [folder / "env" / "bin" / "pip", "--disable-pip-version-check"]
    offline = ["--no-index", "--find-links", WHEELS]
    done = run(*pip, "install", "--quiet", *offline, source, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "env" / "bin"


def test_it_brings_two_packages_and_what_they_need(installed, tmp_path):
    listed = json.loads(run(installed / "pip", "list", "--format", "json", cwd=tmp_path).stdout)
    names = {each["name"].lower() for each in listed} - {"pip", "setuptools"}
    assert names == {"oversight-gate", "cryptography", "cffi", "pycparser", "pyyaml"}


def test_installed_by_itself_it_allows_and_refuses(installed, record, tmp_path, policy):
    config, bundle = tmp_path / "config.yaml", record.save(tmp_path)
    by = ["--bundle", bundle, "--policy", policy]
    for text, status in ((CONFIG, 0), (CONFIG.replace("a" * 64, OTHER[7:], 1), 1)):
        config.write_text(text)
        done = run(installed / "oversight-gate", "litellm", config, *by, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (status, ""), done.stdout
    done = run(installed / "oversight-gate", "litellm", config, *by[:2], cwd=tmp_path)
    assert done.returncode == 2
    assert "--policy of your own" in done.stderr


def test_installed_by_itself_it_reads_a_folder_of_weights(installed, record, tmp_path, policy):
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "model.gguf").write_bytes(b"x")
    by = ["--bundle", record.save(tmp_path), "--policy", policy, "--deployment", "chat-one"]
    done = run(installed / "oversight-gate", "weights", weights, *by, cwd=tmp_path)
    assert done.returncode == 1
    assert "no registered version has these weights" in done.stdout
