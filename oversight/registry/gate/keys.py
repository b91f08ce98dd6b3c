"""The key that the gate signs its answers with, and which of its keys the record knows.

It is not the log's key: that one stays with the sequencer, while every web process signs answers.
The log vouches for it, because each key is adopted and retired by a leaf. A key that no leaf under
a signed checkpoint has adopted signs nothing.
"""

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from oversight.ledger import keys, queries
from oversight.ledger.models import LedgerEntry
from oversight.registry.choices import Leaf


class NoGateKey(RuntimeError):  # noqa: N818 - says what is missing
    """The gate cannot sign; the message says what to do."""


@dataclass(frozen=True, slots=True)
class GateKey:
    """A private key of the gate with its public half as the record names it."""

    private: Ed25519PrivateKey
    public: str
    """64 hexadecimal digits."""

    @property
    def key_id(self) -> str:
        """The SHA-256 of the raw public key, as in envelopes."""
        return key_id(self.public)


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that the record knows: since which entry, and until when where it is retired."""

    public: str
    index: int
    entry: str
    """The leaf that adopted it, whose receipt proves the key under the log's."""
    adopted_at: str
    retired_at: str | None = None
    is_compromised: bool = False


def key_id(public: str) -> str:
    """Return the id under which envelopes name a public key."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()


def subject() -> str:
    """Return what the leaves about the gate's keys are about."""
    return f"gate:{settings.LEDGER_ORIGIN}"


def current() -> GateKey:
    """Return the key to sign with; a file that was replaced counts from the next call on.

    Raises:
        NoGateKey: there is none, or it is no Ed25519 key.
    """
    try:
        if settings.GATE_KEY:
            return _read(settings.GATE_KEY.replace("\\n", "\n").encode(), "GATE_KEY")
        path: Path = settings.GATE_KEY_PATH
        return _from_file(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise NoGateKey(
            "The gate has no key to sign with. Make one: python manage.py gate_key --create"
        ) from None
    except (OSError, keys.SignerRefusal) as error:
        raise NoGateKey(f"The gate's key cannot be used: {error}") from None


def known(size: int | None = None) -> list[KnownKey]:
    """Return every key that the first `size` entries of the log know, the oldest first.

    By default those under the newest checkpoint.
    """
    if size is None:
        newest = queries.newest_checkpoint()
        size = newest.size if newest else 0
    found: dict[str, KnownKey] = {}
    for entry in LedgerEntry.objects.about(subject()).filter(index__lt=size):
        content = entry.content
        public = content["facts"]["key"]
        if entry.type == Leaf.GATE_KEY_ADOPTED:
            text = bytes(entry.body).decode()
            found[public] = KnownKey(public, entry.index, text, content["at"])
        elif public in found:
            before = found[public]
            found[public] = KnownKey(
                before.public,
                before.index,
                before.entry,
                before.adopted_at,
                content["at"],
                content["facts"]["compromised"],
            )
    return list(found.values())


def may_sign(key: GateKey, size: int) -> bool:
    """Say whether the record has adopted the key and not retired it."""
    return any(each.public == key.public and each.retired_at is None for each in known(size))


@lru_cache(maxsize=4)
def _from_file(path: Path, _changed: int) -> GateKey:
    return _read(path.read_bytes(), os.fspath(path))


def _read(pem: bytes, where: str) -> GateKey:
    private = keys.load_pem(pem, where)
    return GateKey(private, private.public_key().public_bytes_raw().hex())
