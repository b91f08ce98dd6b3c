"""The worker's settings, read from the environment; a bad value is refused by name."""

import re
import stat
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from oversight import env
from oversight.env import ConfigurationError

RESOURCE_CLASSES = ("cpu", "gpu")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_TOKEN_LIMIT = 512
_PRICE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ([A-Z]{3})")
_HOST = re.compile(r"[a-z0-9._-]+(:[0-9]{1,5})?|\[[0-9a-f:]+\](:[0-9]{1,5})?")


@dataclass(frozen=True)
class Price:
    """What an hour of this host costs, as its operator reckons."""

    per_hour: Decimal
    currency: str


@dataclass(frozen=True)
class WorkerConfig:
    """All that a worker is told from outside."""

    url: str
    """The platform's address, without a trailing slash."""
    token: str = field(repr=False)
    key: Ed25519PrivateKey = field(repr=False)
    """Signs results; its public half is on record at the platform."""
    directory: Path
    """Where models, data, logs and unfinished work lie."""
    resource_classes: tuple[str, ...]
    threads: int | None
    """Threads that a model computes with; None leaves it to torch."""
    memory_megabytes: int = 0
    """What the runner may take of this host's memory; 0 leaves it to the kernel."""
    journals_megabytes: int = 2_000
    """What the journals may take of this host's disk, together."""
    allow_hosts: tuple[str, ...] = ()
    """Endpoints' hosts that may have a private address or be called without encryption."""
    endpoint_keys: Path | None = None
    """Folder with one file a host: the key that is sent to it."""
    price: Price | None = None
    """Stated with every result, where the operator says it."""
    runner_python: str = sys.executable
    """The interpreter with torch and the harness: the worker's own."""


def read_config() -> WorkerConfig:
    """Read the settings; makes the worker's directory if it is missing.

    | variable | meaning |
    |---|---|
    | `OVERSIGHT_URL` | address of the platform; `https://`, or `http://` to the same machine |
    | `OVERSIGHT_WORKER_TOKEN`, or `_TOKEN_FILE` with a path | the token from the enrolment |
    | `OVERSIGHT_WORKER_KEY_FILE` | the Ed25519 private key as PEM, readable by its owner only |
    | `OVERSIGHT_WORKER_DIR` | models, data, logs, unfinished work; by default `var/worker` |
    | `OVERSIGHT_WORKER_CLASSES` | `cpu`, `gpu` or `cpu,gpu`; by default `cpu` |
    | `OVERSIGHT_WORKER_THREADS` | threads a model computes with; by default torch decides |
    | `OVERSIGHT_WORKER_MEMORY_MB` | memory the runner may take; by default what the kernel gives |
    | `OVERSIGHT_WORKER_JOURNAL_MB` | disk all journals may take; by default 2000 |
    | `OVERSIGHT_WORKER_ALLOW_HOSTS` | `host` or `host:port` of endpoints on private addresses |
    | `OVERSIGHT_WORKER_ENDPOINT_KEYS` | folder with a file for each endpoint's host: its key |
    | `OVERSIGHT_WORKER_PRICE` | what an hour of this host costs, such as `0.85 EUR` |

    Raises:
        ConfigurationError: a value is missing or cannot be used; the message names the variable.
    """
    return WorkerConfig(
        url=_url(),
        token=_token(),
        key=_key(),
        directory=_directory(),
        resource_classes=_resource_classes(),
        threads=env.integer("OVERSIGHT_WORKER_THREADS", 0, low=0, high=1024) or None,
        memory_megabytes=env.integer("OVERSIGHT_WORKER_MEMORY_MB", 0, low=0, high=100_000_000),
        journals_megabytes=env.integer(
            "OVERSIGHT_WORKER_JOURNAL_MB", 2_000, low=1, high=100_000_000
        ),
        allow_hosts=_allow_hosts(),
        endpoint_keys=_endpoint_keys(),
        price=_price(),
    )


def broker_url() -> str:
    """Return the address of the queue that brings nudges.

    Raises:
        ConfigurationError: `BROKER_URL` is not set.
    """
    address = env.text("BROKER_URL")
    if not address:
        raise ConfigurationError("BROKER_URL is not set: give the worker's address of the queue.")
    return address


def _url() -> str:
    address = env.web_address("OVERSIGHT_URL", "")
    parts = urlsplit(address)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ConfigurationError(
            f"OVERSIGHT_URL={address!r} would send the token unencrypted: use https://."
        )
    return address


def _token() -> str:
    token, path = env.text("OVERSIGHT_WORKER_TOKEN"), env.text("OVERSIGHT_WORKER_TOKEN_FILE")
    if bool(token) == bool(path):
        raise ConfigurationError(
            "Set one of OVERSIGHT_WORKER_TOKEN and OVERSIGHT_WORKER_TOKEN_FILE: the token that"
            " enrolling the worker printed."
        )
    if path:
        token = _read("OVERSIGHT_WORKER_TOKEN_FILE", Path(path)).decode(errors="replace").strip()
    if not token or len(token) > _TOKEN_LIMIT or not token.isascii() or not token.isprintable():
        raise ConfigurationError("The worker's token is empty or is not one line of plain text.")
    return token


def _key() -> Ed25519PrivateKey:
    name = "OVERSIGHT_WORKER_KEY_FILE"
    path = Path(env.text(name))
    if not env.text(name):
        raise ConfigurationError(f"{name} is not set: give the path of the worker's private key.")
    content = _read(name, path)
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"{name}: others may read {path}. Run: chmod 600 {path}")
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(
            f"{name}: {path} is not a PEM private key without a password."
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{name}: {path} holds another kind of key than Ed25519.")
    return key


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{name}: {path} cannot be read: {error.strerror}.") from error


def _directory() -> Path:
    path = env.folder("OVERSIGHT_WORKER_DIR", Path("var/worker"))
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = path / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"OVERSIGHT_WORKER_DIR: {path} cannot be written: {error.strerror}."
        ) from error
    return path


def _allow_hosts() -> tuple[str, ...]:
    hosts = tuple(host.lower() for host in env.words("OVERSIGHT_WORKER_ALLOW_HOSTS", ()))
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ConfigurationError(
                f"OVERSIGHT_WORKER_ALLOW_HOSTS: {host!r} is neither host nor host:port."
            )
    return hosts


def _endpoint_keys() -> Path | None:
    """Return the folder of the endpoints' keys, each readable by its owner only."""
    name = "OVERSIGHT_WORKER_ENDPOINT_KEYS"
    if not env.text(name):
        return None
    folder = Path(env.text(name)).absolute()
    if not folder.is_dir():
        raise ConfigurationError(f"{name}: {folder} is not a folder.")
    for path in folder.iterdir():
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigurationError(f"{name}: others may read {path}. Run: chmod 600 {path}")
    return folder


def _price() -> Price | None:
    name = "OVERSIGHT_WORKER_PRICE"
    if not (words := env.text(name)):
        return None
    found = _PRICE.fullmatch(words)
    if found is None:
        raise ConfigurationError(f"{name}={words!r}: write an hour's price such as 0.85 EUR.")
    return Price(Decimal(found[1]), found[2])


def _resource_classes() -> tuple[str, ...]:
    named = env.words("OVERSIGHT_WORKER_CLASSES", ("cpu",))
    unknown = sorted(set(named) - set(RESOURCE_CLASSES))
    if unknown or not named:
        raise ConfigurationError(
            f"OVERSIGHT_WORKER_CLASSES={','.join(named)!r}: use one or both of cpu, gpu."
        )
    return tuple(dict.fromkeys(named))
