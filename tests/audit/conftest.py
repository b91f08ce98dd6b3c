"""A decided world on the record, its bundles, and the verifier as an outsider runs it."""

import importlib.util
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from oversight.dashboards.audit import Scope, write_bundle
from tests.dashboards.conftest import (  # noqa: F401 - fixtures are found by their name here
    _log_folder,
    no_nudges,
    own_log,
    record_can_be_emptied_between_tests,
    world,
)

PROGRAM = Path(__file__).resolve().parents[2] / "verify.py"


def _load():
    spec = importlib.util.spec_from_file_location("verify_program", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


program = _load()
"""The verifier as a module: for its parts, and for runs by the hundred."""


def run_verify(path, *options, python=sys.executable):
    """Run the verifier as a stranger would: no site packages, nothing of this project."""
    return subprocess.run(
        [python, "-I", "-S", str(PROGRAM), str(path), *options],
        capture_output=True,
        check=False,
        cwd=path.parent,
        encoding="utf-8",
        timeout=120,
    )


@pytest.fixture
def verify(tmp_path):
    """Return a function that verifies the bytes of a bundle; gives status and report."""

    def run(data, *options, **more):
        path = tmp_path / "bundle.zip"
        path.write_bytes(data)
        done = run_verify(path, "--json", *options, **more)
        assert done.stderr == ""
        return done.returncode, json.loads(done.stdout)

    return run


@pytest.fixture
def verify_here(tmp_path, capsys):
    """Return a function like `verify` that stays in this process: for many small bundles."""

    def run(data, *options):
        path = tmp_path / "bundle.zip"
        path.write_bytes(data)
        status = program.main([str(path), "--json", *options])
        return status, json.loads(capsys.readouterr().out)

    return run


def bundle_of(**scope):
    """Return the bytes of the bundle that the site would send."""
    target = io.BytesIO()
    write_bundle(Scope(**scope), target)
    return target.getvalue()


_PACKED = {}


@pytest.fixture
def packed(request):
    """Return a function that gives the decided world's bundle: the whole log's, or the decision's.

    The world is built for the first test that asks; the others share its bytes, without database.
    """

    def of(kind="log"):
        if not _PACKED:
            world = request.getfixturevalue("world")
            _PACKED.update(log=bundle_of(), decision=bundle_of(decision=world.decision.ref))
        return _PACKED[kind]

    return of
