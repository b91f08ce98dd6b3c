"""Receipts as self-contained texts (c2sp.org/tlog-proof): formatted, parsed, verified.

A receipt shows, without asking anyone, that one entry stands at one index of a log whose signed
checkpoint it carries along.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from oversight.ledger import checkpoint, merkle, note
from oversight.ledger.encoding import EncodingError, from_base64, from_decimal, to_base64
from oversight.web.marks import Said
from oversight.web.marks import gettext_noop as _

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
MAX_PROOF_BYTES = 1_000_000


class ReceiptError(ValueError):
    """A text that is not a receipt, or a receipt that does not prove its entry."""


@dataclass(frozen=True, slots=True)
class TlogProof:
    """The parts of a receipt: where the entry stands, the path to the root, the signed checkpoint.

    `extra` is data that some applications add; nothing vouches for it, and ours never has it.
    """

    index: int
    hashes: tuple[bytes, ...]
    signed_checkpoint: str
    extra: bytes | None = None

    def format(self) -> str:
        """Return the receipt as a text."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {to_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [to_base64(each) for each in self.hashes]
        return "".join(f"{line}\n" for line in lines) + f"\n{self.signed_checkpoint}"

    def tree_head(self, keys: Sequence[note.VerifierKey]) -> checkpoint.TreeHead:
        """Return the tree head of the receipt after verifying its signature.

        Raises:
            ReceiptError: when the checkpoint is malformed or not signed by one of the keys.
        """
        try:
            return checkpoint.open_signed(self.signed_checkpoint.encode(), keys)
        except checkpoint.CheckpointError as error:
            raise ReceiptError(*error.args) from error

    def verify(self, entry: bytes, keys: Sequence[note.VerifierKey]) -> checkpoint.TreeHead:
        """Return the tree head in which the receipt proves `entry` to stand at its index.

        Raises:
            ReceiptError: when the signature is wrong or the path does not lead to the signed root.
        """
        head = self.tree_head(keys)
        try:
            merkle.verify_inclusion(
                self.index, head.size, merkle.leaf_hash(entry), self.hashes, head.root
            )
        except merkle.ProofError as error:
            raise ReceiptError(*error.args) from error
        return head


def parse(text: str) -> TlogProof:
    """Return the parts of a receipt, unverified.

    Raises:
        ReceiptError: when the text is not of the format; the message names the line to look at.
    """
    if len(text) > MAX_PROOF_BYTES:
        words = _("A receipt is shorter than %(most)s characters.")
        raise ReceiptError(Said(words, most=str(MAX_PROOF_BYTES)))
    head, separator, signed_checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != HEADER:
        raise ReceiptError(Said(_("The first line of a receipt is %(header)s."), header=HEADER))
    if not separator:
        raise ReceiptError(Said(_("The receipt has no blank line before its checkpoint.")))
    try:
        return _parse_lines(lines[1:], signed_checkpoint)
    except EncodingError as error:
        raise ReceiptError(*error.args) from None


def _parse_lines(lines: list[str], signed_checkpoint: str) -> TlogProof:
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = from_base64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise ReceiptError(Said(_("The receipt has no line with its index.")))
    index = from_decimal(lines[0].removeprefix("index "))
    if len(lines) - 1 > MAX_HASHES:
        raise ReceiptError(Said(_("A receipt has at most %(most)s hashes."), most=MAX_HASHES))
    hashes = tuple(from_base64(line) for line in lines[1:])
    if any(len(each) != merkle.HASH_BYTES for each in hashes):
        words = _("Every hash of a receipt has %(number)s bytes.")
        raise ReceiptError(Said(words, number=merkle.HASH_BYTES))
    return TlogProof(index, hashes, signed_checkpoint, extra)
