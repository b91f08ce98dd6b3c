"""Signs tree heads, and remembers outside the database what it has signed.

A database can be restored from a backup, and would then, in good faith, put other leaves where
published ones stood. The signer's own state only ever grows, so it refuses such a tree. Free of
Django, so that it can run where the database's administrators cannot reach it.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oversight.ledger import checkpoint, merkle, note
from oversight.ledger.encoding import EncodingError, from_digest, to_digest

STATE_VERSION = 1


class SignerRefusal(RuntimeError):  # noqa: N818 - a refusal is an answer, not a fault
    """A tree head that must not be signed; the message says what happened and what to do."""


@dataclass(frozen=True, slots=True)
class SignerState:
    """The last tree that was signed: all that is needed to recognise its continuation."""

    origin: str
    vkey: str
    size: int
    root: bytes
    edge: tuple[bytes, ...]

    def to_json(self) -> str:
        """Return the state as it is kept in its file."""
        fields = {
            "v": STATE_VERSION,
            "origin": self.origin,
            "vkey": self.vkey,
            "size": self.size,
            "root": to_digest(self.root),
            "edge": [to_digest(each) for each in self.edge],
        }
        return json.dumps(fields, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "SignerState":
        """Return the state read from its file.

        Raises:
            ValueError: when the text is damaged in any way.
        """
        fields = json.loads(text)
        if not isinstance(fields, dict) or fields.get("v") != STATE_VERSION:
            raise ValueError("not a state of this version")
        try:
            edge = tuple(from_digest(each) for each in fields["edge"])
            state = cls(
                str(fields["origin"]),
                str(fields["vkey"]),
                int(fields["size"]),
                from_digest(fields["root"]),
                edge,
            )
        except (KeyError, TypeError, EncodingError) as error:
            raise ValueError(f"a field is missing or malformed ({error})") from None
        if merkle.RightEdge(state.size, list(edge)).root() != state.root:
            raise ValueError("its right edge does not give its root")
        return state


class Signer:
    """The log's key with its memory. Several processes may hold one; a file lock orders them."""

    def __init__(
        self, *, origin: str, key_path: Path, state_path: Path, may_create_key: bool
    ) -> None:
        """Load the key, or make it where that is allowed.

        Raises:
            SignerRefusal: when there is no usable key.
        """
        self.origin = origin
        self._state_path = state_path
        if may_create_key:
            create_key(key_path)
        self._key = note.SigningKey(origin, _load_key(key_path))

    @property
    def vkey(self) -> str:
        """The public key that verifies this log's checkpoints."""
        return self._key.verifier.format()

    def signed_size(self) -> int:
        """Return the size of the last tree that was signed; 0 before the first."""
        state = self._load()
        return state.size if state else 0

    def check(self, size: int, root: bytes) -> None:
        """Refuse a stored head that is older than, or differs from, what was signed.

        Raises:
            SignerRefusal: with what happened and what to do.
        """
        self._require_not_older(self._load(), size, root)

    def sign(self, edge: merkle.RightEdge, proof: Sequence[bytes]) -> str:
        """Return the signed checkpoint of the tree with this right edge.

        `proof` is the consistency proof from `signed_size()` to it. Signing the same tree again
        gives the same text.

        Raises:
            SignerRefusal: when the tree is not a continuation of the last one that was signed.
        """
        root = edge.root()
        with self._locked():
            state = self._load()
            self._require_not_older(state, edge.size, root)
            if state is not None:
                self._require_continuation(state, edge.size, root, proof)
            if state is None or edge.size > state.size:
                # Kept before the signature leaves: a crash from here on has a state that is ahead
                # of what was published by exactly this head, which the next start signs again.
                self._keep(edge, root)
            return self._signature(edge.size, root)

    def adopt(self, edge: merkle.RightEdge) -> str:
        """Take over a stored tree when the state is lost, and return its signed checkpoint.

        Only for an operator who has made sure that nobody holds a checkpoint of a larger or another
        tree: the protection against a restored backup begins anew here.

        Raises:
            SignerRefusal: when there is a state, which must be kept.
        """
        root = edge.root()
        with self._locked():
            if self._load() is not None:
                raise SignerRefusal(
                    f"The signer has a state in {self._state_path}; nothing needs to be adopted."
                )
            self._keep(edge, root)
            return self._signature(edge.size, root)

    def _signature(self, size: int, root: bytes) -> str:
        return checkpoint.sign(checkpoint.TreeHead(self.origin, size, root), self._key)

    def _require_not_older(self, state: SignerState | None, size: int, root: bytes) -> None:
        if state is None:
            if size > 0:
                raise SignerRefusal(
                    f"The signer's state {self._state_path} is missing, but the database holds "
                    f"{size} entries. Restore that file from its backup. If it is lost for good, "
                    "compare the record with the newest checkpoint that anyone holds, then run "
                    "`python manage.py sequencer --adopt` once."
                )
            return
        if size < state.size:
            raise SignerRefusal(
                f"The database holds {size} entries, but {state.size} were already signed: it was "
                "probably restored from an older backup. Nothing was signed. Restore a newer "
                f"backup or replay the write-ahead log, so that entries {size} to "
                f"{state.size - 1} are back. Never delete {self._state_path} to get past this: "
                "the log would contradict receipts that people hold."
            )
        if size == state.size and root != state.root:
            raise SignerRefusal(
                f"The database holds another tree of {size} entries than the one that was signed: "
                "entries were changed or replaced. Nothing was signed. Run `python manage.py "
                "log_fsck` to find the first bad entry, and restore the database from before it."
            )

    def _require_continuation(
        self, state: SignerState, size: int, root: bytes, proof: Sequence[bytes]
    ) -> None:
        try:
            merkle.verify_consistency(state.size, size, state.root, root, proof)
        except merkle.ProofError as error:
            raise SignerRefusal(
                f"The tree of {size} entries does not continue the signed tree of {state.size}: "
                f"{error} The database was probably restored from a backup and has grown since. "
                "Nothing was signed. Restore a database that contains the signed entries."
            ) from None

    def _load(self) -> SignerState | None:
        try:
            text = self._state_path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            state = SignerState.from_json(text)
        except ValueError as error:
            raise SignerRefusal(
                f"The signer's state {self._state_path} is damaged: {error}. Restore it from its "
                "backup; never delete it."
            ) from None
        if state.origin != self.origin:
            raise SignerRefusal(
                f"This log was begun as {state.origin} and cannot go on as {self.origin}: every "
                f"receipt names its log. Set LEDGER_ORIGIN={state.origin}."
            )
        if state.vkey != self.vkey:
            raise SignerRefusal(
                f"This log was signed with the key {state.vkey}, but LEDGER_KEY_PATH holds "
                f"{self.vkey}. Restore the key with which the log was begun."
            )
        return state

    def _keep(self, edge: merkle.RightEdge, root: bytes) -> None:
        state = SignerState(self.origin, self.vkey, edge.size, root, tuple(edge.hashes))
        draft = self._state_path.with_name(f"{self._state_path.name}.draft")
        # A crash while the draft is written leaves the old state in place and a draft that the
        # next attempt overwrites; after the rename the new state is complete.
        _write_durably(draft, state.to_json().encode(), os.O_TRUNC)
        draft.replace(self._state_path)
        _sync_folder(self._state_path.parent)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the signer for this process alone; the lock vanishes with the process."""
        self._state_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = self._state_path.with_name(f"{self._state_path.name}.lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def create_key(path: Path) -> bool:
    """Make the log's private key, readable by its owner only; return whether there was none."""
    if path.exists():
        return False
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    _write_durably(draft, pem, os.O_EXCL)
    try:
        # A link fails when the name is taken: of two processes the first one's key stays.
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    _sync_folder(path.parent)
    return True


def _load_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        raise SignerRefusal(
            f"The log's private key {path} is missing. Restore it from its backup; for a new log "
            "make it with `python manage.py log_key --create`."
        ) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SignerRefusal(f"{path} is not an unencrypted private key in PEM form.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SignerRefusal(f"{path} is not an Ed25519 key.")
    return key


def _write_durably(path: Path, data: bytes, flags: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a rename or a new name in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
