"""Signs tree heads, and remembers outside the database what it has signed.

A database can be restored from a backup, and would then, in good faith, put other leaves where
published ones stood. The signer's own state only ever grows, so it refuses such a tree. Free of
Django, so that it can run where the database's administrators cannot reach it.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from oversight.ledger import checkpoint, cosignature, keys, merkle, note
from oversight.ledger.durable import replace_durably
from oversight.ledger.encoding import EncodingError, from_digest, to_digest
from oversight.ledger.keys import SignerRefusal

__all__ = ["Signer", "SignerRefusal", "SignerState"]

STATE_VERSION = 1


@dataclass(frozen=True, slots=True)
class SignerState:
    """The last tree that was signed: all that is needed to recognise its continuation."""

    origin: str
    vkey: str
    size: int
    root: bytes
    edge: tuple[bytes, ...]
    signed_at: int = 0
    """POSIX seconds of the newest timestamped signature; never goes back with the clock."""
    is_closed: bool = False
    """Whether the log has been retired: then nothing is signed ever again."""

    def to_json(self) -> str:
        """Return the state as it is kept in its file."""
        fields = {
            "v": STATE_VERSION,
            "origin": self.origin,
            "vkey": self.vkey,
            "size": self.size,
            "root": to_digest(self.root),
            "edge": [to_digest(each) for each in self.edge],
            "signed_at": self.signed_at,
            "is_closed": self.is_closed,
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
                int(fields.get("signed_at", 0)),
                bool(fields.get("is_closed", False)),
            )
        except (KeyError, TypeError, EncodingError) as error:
            raise ValueError(f"a field is missing or malformed ({error})") from None
        if merkle.RightEdge(state.size, list(edge)).root() != state.root:
            raise ValueError("its right edge does not give its root")
        return state


class Signer:
    """The log's key with its memory. Several processes may hold one; a file lock orders them."""

    def __init__(
        self,
        *,
        origin: str,
        key_path: Path,
        state_path: Path,
        may_create_key: bool,
        key: note.PrivateEd25519 | None = None,
    ) -> None:
        """Load the keys, or make them where that is allowed.

        `key` is one that comes from elsewhere than the file; an ML-DSA-44 key is used if it stands
        beside `key_path`.

        Raises:
            SignerRefusal: when there is no usable key.
        """
        self.origin = origin
        self._state_path = state_path
        if may_create_key and key is None and keys.create_key(key_path):
            keys.create_mldsa_key(keys.mldsa_path(key_path))
        self._key = note.SigningKey(origin, key or keys.load_file(key_path))
        self._mldsa = keys.load_mldsa(keys.mldsa_path(key_path))

    @property
    def vkey(self) -> str:
        """The public key that verifies this log's checkpoints."""
        return self._key.verifier.format()

    @property
    def vkeys(self) -> tuple[str, ...]:
        """All public keys that sign for this log: Ed25519, and ML-DSA-44 where there is one."""
        return (
            self.vkey,
            *([_mldsa_key(self.origin, self._mldsa).format()] if self._mldsa else []),
        )

    def signed_head(self) -> checkpoint.TreeHead | None:
        """Return the last tree head that was signed, None before the first."""
        state = self._load()
        return checkpoint.TreeHead(self.origin, state.size, state.root) if state else None

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
        with self._locked():
            return self._sign(edge, proof, self._key)

    def rotate(
        self, edge: merkle.RightEdge, proof: Sequence[bytes], successor: note.SigningKey
    ) -> str:
        """Return the checkpoint signed by this key and by `successor`, which alone signs from now.

        The tree must already hold the leaf that names the successor, so that whoever follows the
        log with the old key learns of the new one under the old one's signature.

        Raises:
            SignerRefusal: as `sign`.
        """
        with self._locked():
            text = self._sign(edge, proof, self._key, successor)
            state = self._required_state()
            # From here on only the new key is accepted; the old one signs nothing any more.
            self._store(replace(state, vkey=successor.verifier.format()))
            return text

    def close(self, edge: merkle.RightEdge, proof: Sequence[bytes]) -> str:
        """Return the last checkpoint of the log; nothing larger is signed ever again.

        Raises:
            SignerRefusal: as `sign`.
        """
        with self._locked():
            text = self._sign(edge, proof, self._key)
            self._store(replace(self._required_state(), is_closed=True))
            return text

    def state_a_fact(self, text: str) -> str:
        """Return `text` as a note signed by the log's key: not for checkpoints.

        Raises:
            SignerRefusal: when the text begins as a checkpoint of this log does.
        """
        if text.startswith(f"{self.origin}\n"):
            raise SignerRefusal("A checkpoint is signed with its proof, never as a statement.")
        return note.sign(text, [self._key]).format()

    def catch_up(self, edge: merkle.RightEdge, proof: Sequence[bytes], signed: str) -> None:
        """Take a larger tree as signed because this very key's signature on it is shown.

        So an old state that was put back learns what it had signed since. Nothing is signed here.

        Raises:
            SignerRefusal: when the signature is another's or the trees contradict each other.
        """
        with self._locked():
            state = self._required_state()
            try:
                head = checkpoint.open_signed(signed.encode(), [self._key.verifier])
            except checkpoint.CheckpointError as error:
                raise SignerRefusal(
                    f"A checkpoint larger than the signer's state: {error}"
                ) from None
            if (head.size, head.root) != (edge.size, edge.root()):
                raise SignerRefusal(
                    f"The signed tree of {head.size} entries is not the stored one: entries were "
                    "changed or replaced. Nothing was signed. Run `python manage.py log_fsck`."
                )
            self._require_continuation(state, head.size, head.root, proof)
            if head.size > state.size:
                self._keep(edge, head.root)

    def _sign(self, edge: merkle.RightEdge, proof: Sequence[bytes], *by: note.SigningKey) -> str:
        """Check, remember, then sign. The caller holds the file lock."""
        root = edge.root()
        state = self._load()
        self._require_not_older(state, edge.size, root)
        if state is not None:
            self._require_continuation(state, edge.size, root, proof)
        if state is None or edge.size > state.size:
            self._require_open(state)
            # Kept before the signature leaves: a crash from here on has a state that is ahead
            # of what was published by exactly this head, which the next start signs again.
            self._keep(edge, root)
        return self._signature(edge.size, root, *by)

    def _require_open(self, state: SignerState | None) -> None:
        if state is not None and state.is_closed:
            raise SignerRefusal(
                f"This log was closed at {state.size} entries, and its last checkpoint says so to "
                "everybody. Begin a new log with another LEDGER_ORIGIN, key and database."
            )

    def _required_state(self) -> SignerState:
        state = self._load()
        if state is None:
            raise SignerRefusal(f"The signer's state {self._state_path} is missing.")
        return state

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
            return self._signature(edge.size, root, self._key)

    def _signature(self, size: int, root: bytes, *by: note.SigningKey) -> str:
        text = checkpoint.sign(checkpoint.TreeHead(self.origin, size, root), *by)
        if self._mldsa is None:
            return text
        key = _mldsa_key(self.origin, self._mldsa)
        signed_at = self._required_state().signed_at
        signed = note.parse(text.encode())
        return text + cosignature.cosign(key, self._mldsa, signed.text, signed_at).line()

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
            state = _read_state(text)
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
        before = self._load()
        # A clock that is set back must not make the record's own times run backwards.
        signed_at = max(int(time.time()), before.signed_at if before else 0)
        kept = SignerState(self.origin, self.vkey, edge.size, root, tuple(edge.hashes), signed_at)
        self._store(kept)

    def _store(self, state: SignerState) -> None:
        # A crash while the draft is written leaves the old state in place and a draft that the
        # next attempt overwrites; after the rename the new state is complete.
        replace_durably(self._state_path, state.to_json().encode())

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


def _mldsa_key(origin: str, private: MLDSA44PrivateKey) -> cosignature.CosignerKey:
    public = private.public_key().public_bytes_raw()
    return cosignature.CosignerKey(origin, cosignature.ML_DSA_44, public)


@lru_cache(maxsize=2)
def _read_state(text: str) -> SignerState:
    """Return the state read from its file, whose text is the same as long as nothing is signed."""
    return SignerState.from_json(text)
