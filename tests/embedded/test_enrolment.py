from pathlib import Path

import pytest

from evals.models import Worker
from oversight.embedded import enrolment, parts
from oversight.embedded.addresses import embedded_urls


def test_the_worker_process_sees_none_of_the_servers_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DATABASE_URL", "BROKER_URL", "SECRET_KEY", "EMAIL_URL"):
        monkeypatch.setenv(name, "the server's own")
    worker = parts.worker("python", {"BROKER_URL": "pgmq://oversight_worker:x@127.0.0.1/queue"})
    assert "the server's own" not in worker.environment.values()
    assert worker.environment["BROKER_URL"].startswith("pgmq://oversight_worker:")


def test_without_its_interpreter_it_is_said_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OVERSIGHT_WORKER_PYTHON", str(tmp_path / "nowhere" / "python"))
    with pytest.raises(enrolment.NoWorkerError, match=r"nowhere/python is not there.*`make up`"):
        enrolment.interpreter()


@pytest.mark.django_db(transaction=True)
def test_the_worker_is_enrolled_once_with_a_key_and_a_queue_of_its_own(tmp_path: Path) -> None:
    environment = enrolment.enrol(tmp_path, "http://127.0.0.1:8000")
    assert enrolment.enrol(tmp_path, "http://127.0.0.1:8000") == environment
    assert Worker.objects.filter(name=enrolment.NAME).count() == 1
    assert environment["BROKER_URL"] == embedded_urls(tmp_path)["WORKER_BROKER_URL"]
    for name in ("OVERSIGHT_WORKER_KEY_FILE", "OVERSIGHT_WORKER_TOKEN_FILE"):
        assert Path(environment[name]).stat().st_mode & 0o077 == 0


@pytest.mark.django_db(transaction=True)
def test_with_a_broker_of_ones_own_the_servers_account_is_not_lent(
    settings: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BROKER_IS_EMBEDDED = False  # type: ignore[attr-defined]
    with pytest.raises(enrolment.NoWorkerError, match="WORKER_BROKER_URL"):
        enrolment.enrol(tmp_path, "http://127.0.0.1:8000")
    monkeypatch.setenv("WORKER_BROKER_URL", "amqps://worker:x@broker.example/oversight")
    environment = enrolment.enrol(tmp_path, "http://127.0.0.1:8000")
    assert environment["BROKER_URL"] == "amqps://worker:x@broker.example/oversight"
