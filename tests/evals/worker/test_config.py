"""The worker's settings: each bad value is refused by the name of its variable."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from evals.worker.config import broker_url, read_config
from oversight.env import ConfigurationError

PROJECT = Path(__file__).resolve().parents[3]
TOKEN = "owk_" + "a" * 40


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def given(monkeypatch, tmp_path):
    """Set all variables to good values and return a function that changes some."""
    key = tmp_path / "key.pem"
    key.write_bytes(pem(Ed25519PrivateKey.generate()))
    key.chmod(0o600)
    good = {
        "OVERSIGHT_URL": "https://oversight.example",
        "OVERSIGHT_WORKER_TOKEN": TOKEN,
        "OVERSIGHT_WORKER_TOKEN_FILE": "",
        "OVERSIGHT_WORKER_KEY_FILE": str(key),
        "OVERSIGHT_WORKER_DIR": str(tmp_path / "worker"),
        "OVERSIGHT_WORKER_CLASSES": "",
        "OVERSIGHT_WORKER_THREADS": "",
        "OVERSIGHT_WORKER_MEMORY_MB": "",
        "OVERSIGHT_WORKER_JOURNAL_MB": "",
        "OVERSIGHT_WORKER_ALLOW_HOSTS": "",
        "OVERSIGHT_WORKER_ENDPOINT_KEYS": "",
        "BROKER_URL": "",
    }

    def change(**variables):
        for name, value in (good | variables).items():
            monkeypatch.setenv(name, str(value))

    change()
    return change


def test_good_settings_are_read_and_the_secrets_are_not_shown(given, tmp_path):
    config = read_config()
    assert config.url == "https://oversight.example"
    assert config.resource_classes == ("cpu",)
    assert config.threads is None
    assert config.directory == tmp_path / "worker"
    assert config.directory.stat().st_mode & 0o777 == 0o700
    assert TOKEN not in repr(config)


def test_the_token_may_lie_in_a_file(given, tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    given(OVERSIGHT_WORKER_TOKEN="", OVERSIGHT_WORKER_TOKEN_FILE=path)
    assert read_config().token == TOKEN


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("OVERSIGHT_URL", "", "OVERSIGHT_URL"),
        ("OVERSIGHT_URL", "oversight.example", "use the form https://host"),
        ("OVERSIGHT_URL", "http://oversight.example", "would send the token unencrypted"),
        ("OVERSIGHT_WORKER_TOKEN", "", "Set one of OVERSIGHT_WORKER_TOKEN"),
        ("OVERSIGHT_WORKER_TOKEN", "two\nlines", "not one line of plain text"),
        ("OVERSIGHT_WORKER_TOKEN_FILE", "/nowhere", "Set one of OVERSIGHT_WORKER_TOKEN"),
        ("OVERSIGHT_WORKER_KEY_FILE", "", "OVERSIGHT_WORKER_KEY_FILE is not set"),
        ("OVERSIGHT_WORKER_KEY_FILE", "/nowhere.pem", "/nowhere.pem cannot be read"),
        ("OVERSIGHT_WORKER_DIR", "/proc/nothing", "OVERSIGHT_WORKER_DIR: /proc/nothing"),
        ("OVERSIGHT_WORKER_CLASSES", "cpu,quantum", "use one or both of cpu, gpu"),
        ("OVERSIGHT_WORKER_THREADS", "many", "OVERSIGHT_WORKER_THREADS='many'"),
        ("OVERSIGHT_WORKER_MEMORY_MB", "-1", "OVERSIGHT_WORKER_MEMORY_MB=-1"),
        ("OVERSIGHT_WORKER_JOURNAL_MB", "0", "OVERSIGHT_WORKER_JOURNAL_MB=0"),
        ("OVERSIGHT_WORKER_ALLOW_HOSTS", "http://a", "'http://a' is neither host nor host:port"),
        ("OVERSIGHT_WORKER_ALLOW_HOSTS", "*", "'*' is neither host nor host:port"),
        ("OVERSIGHT_WORKER_ENDPOINT_KEYS", "/nowhere", "/nowhere is not a folder"),
        ("OVERSIGHT_WORKER_PRICE", "0.85", "write an hour's price such as 0.85 EUR"),
        ("OVERSIGHT_WORKER_PRICE", "-1 EUR", "write an hour's price such as 0.85 EUR"),
    ],
)
def test_a_bad_value_is_refused_by_name(given, variable, value, words):
    given(**{variable: value})
    with pytest.raises(ConfigurationError) as refusal:
        read_config()
    assert words in str(refusal.value)
    assert variable in str(refusal.value) or "token" in str(refusal.value)


def test_endpoints_are_allowed_by_host_and_their_keys_are_private(given, tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "api.example.org").write_text("sk-1")
    (keys / "api.example.org").chmod(0o640)
    hosts = "GPU-3.internal:8000, localhost,[::1]:9000"
    given(OVERSIGHT_WORKER_ENDPOINT_KEYS=keys, OVERSIGHT_WORKER_ALLOW_HOSTS=hosts)
    with pytest.raises(ConfigurationError, match="others may read"):
        read_config()
    (keys / "api.example.org").chmod(0o600)
    config = read_config()
    assert config.endpoint_keys == keys
    assert config.allow_hosts == ("gpu-3.internal:8000", "localhost", "[::1]:9000")
    assert (config.memory_megabytes, config.journals_megabytes) == (0, 2_000)


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (pem(Ed25519PrivateKey.generate()), 0o644, "chmod 600"),
        (pem(generate_private_key(SECP256R1())), 0o600, "another kind of key than Ed25519"),
        (b"not a key", 0o600, "is not a PEM private key"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused(given, tmp_path, content, mode, words):
    path = tmp_path / "other.pem"
    path.write_bytes(content)
    path.chmod(mode)
    given(OVERSIGHT_WORKER_KEY_FILE=path)
    with pytest.raises(ConfigurationError, match=words):
        read_config()


def test_the_queue_has_to_be_named(given):
    with pytest.raises(ConfigurationError, match="BROKER_URL is not set"):
        broker_url()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "BROKER_URL is not set"),
        ({"BROKER_URL": "pgmq://a:b@127.0.0.1:1/c"}, "OVERSIGHT_URL"),
    ],
)
def test_a_worker_with_bad_settings_ends_with_one_line_and_a_code_of_its_own(
    tmp_path, environment, words
):
    command = [sys.executable, "-m", "celery", "--app", "evals.worker.app", "worker"]
    done = subprocess.run(
        [*command, "--pool", "threads"],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 78
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_worker_itself_imports_no_torch_no_harness_and_no_django():
    heavy = {"torch", "lm_eval", "transformers", "datasets", "django"}
    code = (
        "import sys, evals.worker.agent, evals.worker.patrol, evals.worker.runner.protocol;"
        f"print(sorted({heavy!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
