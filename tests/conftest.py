"""What every test needs before Django loads: a real PostgreSQL, and settings that point to it.

Without DATABASE_URL the embedded server is used in `var/test`, which is kept between runs. Several
runs may go on at once: each takes a test database of its own.
"""

import os
import shutil
import tempfile
from functools import partial
from pathlib import Path

import django
import psycopg
import pytest

from oversight.embedded.locks import FileLock
from oversight.embedded.postgres import EmbeddedPostgres

VAR = Path(__file__).resolve().parent.parent / "var" / "test"

_server = EmbeddedPostgres(VAR)
_turn = FileLock(VAR / "turn-0.lock")


def _take_test_database() -> str:
    """Return the name of a test database that no other run on this machine uses."""
    global _turn  # noqa: PLW0603 (the lock is held until this process ends)
    for number in range(50):
        _turn = FileLock(VAR / f"turn-{number}.lock")
        if _turn.acquire(wait=False):
            return f"oversight_test_{number}"
    raise RuntimeError(f"50 test runs at once: remove {VAR} if that is not so")


def _prepare() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "oversight.settings"
    os.environ["OVERSIGHT_ENV"] = "test"
    os.environ["OVERSIGHT_VAR"] = str(VAR)
    os.environ["PSEUDO_LANGUAGE"] = "1"
    os.environ["SITE_LANGUAGES"] = "fr,de"
    # Some tests send more than any person would; the limits have tests of their own.
    os.environ["API_READS_PER_MINUTE"] = os.environ["API_WRITES_PER_MINUTE"] = "1000000"
    os.environ.setdefault("TEST_DATABASE_NAME", _take_test_database())
    if "DATABASE_URL" not in os.environ:
        superuser = _server.start().superuser_url
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute("ALTER ROLE oversight CREATEDB")
    django.setup()


# At import, not in a fixture: the conftests below this one import models.
_prepare()


def pytest_configure(config: pytest.Config) -> None:
    """Give this run temporary folders of its own.

    pytest's own parent folder is shared by all runs of a user, and each run closes it to others
    again: servers of the tests that run under another account would lose the way to their files.
    """
    if config.option.basetemp is None:
        config.option.basetemp = tempfile.mkdtemp(prefix="oversight-tests-")
        config.add_cleanup(partial(shutil.rmtree, config.option.basetemp, ignore_errors=True))


def pytest_unconfigure() -> None:
    """Stop the server unless another run still uses it."""
    _server.stop()


@pytest.fixture(scope="session")
def embedded_server() -> EmbeddedPostgres:
    """Return the server that the tests run on; skip where DATABASE_URL names another."""
    if "DATABASE_URL" in os.environ:
        pytest.skip("DATABASE_URL is set: this test is about the embedded server")
    return _server


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium for browser tests."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    if os.environ.get("OVERSIGHT_SKIP_BROWSER"):
        pytest.skip("OVERSIGHT_SKIP_BROWSER is set")
    pytest.fail(
        "No Chromium found. Install it (Debian and Ubuntu: apt-get install chromium), or set"
        " OVERSIGHT_SKIP_BROWSER=1 to leave the browser tests out."
    )


# Fixtures for every test, found by their names here. They import models, so they come last.
from tests.ledger.record_fixtures import (  # noqa: E402, F401
    _log_folder,
    gate_key,
    inline_sequencer,
    own_log,
    record_can_be_emptied_between_tests,
)


@pytest.fixture(autouse=True)
def own_artefacts(settings, tmp_path):
    """Keep each test's stored files apart."""
    settings.ARTEFACTS_DIR = tmp_path / "artefacts"
