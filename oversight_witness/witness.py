"""The witness's one rule: cosign a tree only if it continues the last one that was cosigned.

c2sp.org/tlog-witness: check and remember are one durable step that is over before the answer.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oversight_witness import notes, tree
from oversight_witness.notes import Key, Malformed, SignedCheckpoint
from oversight_witness.store import Seen, Store

MAX_PROOF_LINES = 63
NOTHING = Seen(0, tree.EMPTY_ROOT, "")


@dataclass(frozen=True)
class Answer:
    """An HTTP status, a body and its type."""

    status: int
    body: str
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class _Request:
    old: int
    proof: tuple[bytes, ...]
    checkpoint: SignedCheckpoint
    note: str


class Witness:
    """Answers `add-checkpoint` for the logs whose keys it was given."""

    def __init__(
        self, name: str, private: Ed25519PrivateKey, logs: Iterable[Key], store: Store
    ) -> None:
        """Take the witness's name and key, the keys of the logs it knows, and its memory."""
        self._private = private
        self.key = Key(name, notes.COSIGNER, private.public_key().public_bytes_raw())
        self._logs: dict[str, list[Key]] = {}
        for log in logs:
            self._logs.setdefault(log.name, []).append(log)
        self.store = store

    def add_checkpoint(self, body: bytes) -> Answer:
        """Cosign (200), or say what stands in the way: 400, 403, 404, 409 or 422."""
        try:
            request = _parse(body)
        except Malformed as error:
            return Answer(400, f"{error}\n")
        return self._distrust(request) or self._cosign(request)

    def _distrust(self, request: _Request) -> Answer | None:
        """Return the refusal of what no known log signed; None when it did."""
        keys = self._logs.get(request.checkpoint.origin)
        if keys is None:
            return Answer(404, "this witness does not know that log\n")
        if not any(request.checkpoint.is_signed_by(key) for key in keys):
            return Answer(403, "no key that this witness trusts signed the checkpoint\n")
        if request.old > request.checkpoint.size:
            return Answer(400, "old is larger than the checkpoint\n")
        return None

    def _cosign(self, request: _Request) -> Answer:
        """Compare with what was seen, and remember: one transaction, over before the answer."""
        with self.store.exclusively() as turn:
            seen = turn.seen(request.checkpoint.origin) or NOTHING
            if _is_fork(seen, request.checkpoint):
                turn.keep_fork(*_evidence(seen, request))
            if request.old != seen.size:
                return Answer(409, f"{seen.size}\n", "text/x.tlog.size")
            trouble = _contradiction(seen, request)
            if trouble:
                return Answer(422, f"{trouble}\n")
            # Never before the last time, whatever the clock says.
            now = max(int(time.time()), seen.time)
            head = request.checkpoint
            turn.keep(head.origin, head.size, head.root, request.note, now)
        return Answer(200, notes.cosign(self._private, self.key, head.text, now))


def _is_fork(seen: Seen, head: SignedCheckpoint) -> bool:
    """Return whether the log's signatures on both are proof by themselves: one size, two roots."""
    return bool(seen.note) and seen.size == head.size and seen.root != head.root


def _evidence(seen: Seen, request: _Request) -> tuple[str, int, str, str, str]:
    head = request.checkpoint
    proof = f"old {request.old}, {len(request.proof)} hashes"
    return head.origin, head.size, seen.note, request.note, proof


def _contradiction(seen: Seen, request: _Request) -> str:
    head = request.checkpoint
    try:
        tree.verify_consistency(seen.size, head.size, seen.root, head.root, request.proof)
    except tree.Inconsistent as error:
        return str(error)
    if head.size == 0 and head.root != tree.EMPTY_ROOT:
        return "the empty tree has another root"
    return ""


def _parse(body: bytes) -> _Request:
    head, separator, note = body.partition(b"\n\n")
    if not separator:
        raise Malformed("there is no blank line before the checkpoint")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Malformed("the lines before the checkpoint are not ASCII") from None
    if not first.startswith("old "):
        raise Malformed("the first line is not `old` and a size")
    if len(lines) > MAX_PROOF_LINES:
        raise Malformed(f"the proof has more than {MAX_PROOF_LINES} lines")
    proof = tuple(notes.from_base64(each) for each in lines)
    if any(len(each) != 32 for each in proof):
        raise Malformed("a hash of the proof is not 32 bytes")
    checkpoint = notes.parse_checkpoint(note)
    return _Request(notes.from_decimal(first[4:]), proof, checkpoint, note.decode())
