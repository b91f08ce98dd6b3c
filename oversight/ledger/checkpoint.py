"""Checkpoints (c2sp.org/tlog-checkpoint): the signed statement of a tree's size and root."""

from collections.abc import Sequence
from dataclasses import dataclass

from oversight.ledger import note
from oversight.ledger.encoding import EncodingError, from_base64, from_decimal, to_base64
from oversight.ledger.merkle import HASH_BYTES
from oversight.web.marks import Said
from oversight.web.marks import gettext_noop as _


class CheckpointError(ValueError):
    """A text that is not a checkpoint of the expected log."""


@dataclass(frozen=True, slots=True)
class TreeHead:
    """The statement of a checkpoint: the log `origin` has `size` leaves under `root` (32 bytes).

    Extension lines of other logs are kept so that their text can be verified; ours has none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the text that is signed."""
        lines = (self.origin, str(self.size), to_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse(text: str) -> TreeHead:
    """Return the tree head that the text of a checkpoint states.

    Raises:
        CheckpointError: when the text is not of that form.
    """
    lines = text.removesuffix("\n").split("\n")
    if not text.endswith("\n") or len(lines) < 3 or not all(lines):
        words = _("A checkpoint is at least three lines: origin, tree size, root.")
        raise CheckpointError(Said(words))
    origin, size, encoded_root, *extensions = lines
    try:
        head = TreeHead(origin, from_decimal(size), from_base64(encoded_root), tuple(extensions))
    except EncodingError as error:
        words = _("The checkpoint of %(origin)s: %(error)s")
        raise CheckpointError(Said(words, origin=origin, error=error.args[0])) from None
    if len(head.root) != HASH_BYTES:
        words = _("The checkpoint of %(origin)s has a root of a wrong length.")
        raise CheckpointError(Said(words, origin=origin))
    return head


def open_signed(message: bytes, keys: Sequence[note.VerifierKey]) -> TreeHead:
    """Return the tree head of a signed checkpoint after verifying it with one of the log's `keys`.

    Raises:
        CheckpointError: when it is malformed, unsigned, or of another log than the key's.
    """
    try:
        signed = note.parse(message)
        signers = note.verify(signed, keys)
    except note.NoteError as error:
        raise CheckpointError(*error.args) from error
    head = parse(signed.text)
    if head.origin not in {key.name for key in signers}:
        words = _("The checkpoint is of %(origin)s, which did not sign it.")
        raise CheckpointError(Said(words, origin=head.origin))
    return head


def sign(head: TreeHead, *keys: note.SigningKey) -> str:
    """Return the checkpoint of `head` signed by each key.

    Raises:
        CheckpointError: when a key has another name than the log.
    """
    for key in keys:
        if key.verifier.name != head.origin:
            raise CheckpointError(f"The key of {key.verifier.name} cannot sign for {head.origin}.")
    return note.sign(head.text(), keys).format()
