"""Give the evaluation worker on this machine its identity, like any other worker's."""

import io
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from oversight import env
from oversight.embedded import secrets
from oversight.embedded.addresses import embedded_urls
from oversight.embedded.parts import PROJECT

NAME = "embedded-cpu"


class NoWorkerError(RuntimeError):
    """This machine evaluates nothing; the message says why and how to change that."""


def interpreter() -> Path:
    """Return the Python that has torch and the harness.

    Raises:
        NoWorkerError: when it is not there.
    """
    python = Path(env.text("OVERSIGHT_WORKER_PYTHON", ".venv-worker/bin/python"))
    # Not resolved: a virtual environment is known by the place of its link.
    python = python if python.is_absolute() else PROJECT / python
    if not python.exists():
        raise NoWorkerError(
            f"No evaluation worker here: {python} is not there. `make up` builds it, or set"
            " OVERSIGHT_WORKER_PYTHON. Until a worker connects, runs wait in the queue."
        )
    return python


def enrol(var: Path, base_url: str) -> dict[str, str]:
    """Enrol the worker if it is not enrolled, and return the environment that it needs.

    Raises:
        NoWorkerError: when its queue would have to be reached with the server's own password.
    """
    broker = _broker_url(var)
    private, public = secrets.ed25519_key_pair(var, "worker-key")
    secrets.read_or_create(var, "worker-token")
    token = secrets.path_of(var, "worker-token")
    who = ["--name", NAME, "--organisation", env.text("WORKER_ORGANISATION", "local")]
    keys = ["--public-key", str(public), "--token-file", str(token)]
    call_command("enroll_worker", *who, *keys, "--if-missing", stdout=io.StringIO())
    return {
        "BROKER_URL": broker,
        "OVERSIGHT_URL": base_url,
        "OVERSIGHT_WORKER_KEY_FILE": str(private),
        "OVERSIGHT_WORKER_TOKEN_FILE": str(token),
        "OVERSIGHT_WORKER_DIR": str(var / "worker"),
    }


def _broker_url(var: Path) -> str:
    if own := env.text("WORKER_BROKER_URL"):
        return own
    if settings.BROKER_IS_EMBEDDED:
        return embedded_urls(var)["WORKER_BROKER_URL"]
    raise NoWorkerError(
        "No evaluation worker here: BROKER_URL is set and WORKER_BROKER_URL is not. Set it to the"
        " same queue with an account that may only consume; a worker never gets the server's own."
    )
