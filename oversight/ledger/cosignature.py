"""Timestamped signatures of checkpoints (c2sp.org/tlog-cosignature): Ed25519 and ML-DSA-44.

A cosigner says: at this time I saw this tree, and nothing that I saw before contradicts it. So
witnesses sign, and so does the log beside its plain Ed25519 signature if it has an ML-DSA-44 key.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from oversight.ledger import checkpoint
from oversight.ledger.encoding import to_base64
from oversight.ledger.note import KEY_ID_BYTES, NoteError, Signature, read_vkey
from oversight.web.marks import Said
from oversight.web.marks import gettext_noop as _

ED25519 = 0x04
ML_DSA_44 = 0x06
TIME_BYTES = 8
MAX_TIME = (1 << 63) - 1

_PUBLIC_BYTES = {ED25519: 32, ML_DSA_44: 1312}


class PrivateKey(Protocol):
    """What signs: a key of `cryptography`, or one that lives elsewhere."""

    def sign(self, data: bytes, /) -> bytes:
        """Return the signature of `data`."""
        ...


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """The public key of a cosigner, written as a vkey; `kind` is its type byte."""

    name: str
    kind: int
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> "CosignerKey":
        """Return the key spelled `NAME+<8 hexadecimal digits>+<base64>`.

        Raises:
            NoteError: when it is malformed, no cosigner's key, or its id does not fit.
        """
        name, key_id, material = read_vkey(vkey)
        if not material or len(material) != 1 + _PUBLIC_BYTES.get(material[0], -1):
            words = _("The verifier key of %(name)s is not a cosigner's (types 04 and 06).")
            raise NoteError(Said(words, name=name))
        key = cls(name, material[0], material[1:])
        if key.key_id.hex() != key_id:
            words = _("The verifier key of %(name)s does not fit its own key id %(key)s.")
            raise NoteError(Said(words, name=name, key=key_id))
        return key

    @property
    def key_id(self) -> bytes:
        """The first four bytes of the hash over name, type and public key."""
        material = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return sha256(material).digest()[:KEY_ID_BYTES]

    def format(self) -> str:
        """Return the key as a vkey."""
        material = bytes([self.kind]) + self.public
        return f"{self.name}+{self.key_id.hex()}+{to_base64(material)}"

    def made(self, signature: Signature) -> bool:
        """Return whether the signature line names this key; says nothing about its validity."""
        return (signature.name, signature.key_id) == (self.name, self.key_id)

    def time_of(self, text: str, signature: Signature) -> int | None:
        """Return when this key signed `text`, in POSIX seconds; None if it did not."""
        if not self.made(signature) or len(signature.value) <= TIME_BYTES:
            return None
        time = int.from_bytes(signature.value[:TIME_BYTES], "big")
        try:
            signed = message(self, text, time)
            self._verify(signature.value[TIME_BYTES:], signed)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            return None
        return time

    def _verify(self, value: bytes, signed: bytes) -> None:
        if self.kind == ED25519:
            Ed25519PublicKey.from_public_bytes(self.public).verify(value, signed)
        else:
            MLDSA44PublicKey.from_public_bytes(self.public).verify(value, signed)


def cosign(key: CosignerKey, private: PrivateKey, text: str, time: int) -> Signature:
    """Return the signature line by `private` (whose public half is `key`) of a checkpoint's text.

    Raises:
        ValueError: when the text is no checkpoint or the time is out of range.
    """
    value = private.sign(message(key, text, time))
    return Signature(key.name, key.key_id, time.to_bytes(TIME_BYTES, "big") + value)


def message(key: CosignerKey, text: str, time: int) -> bytes:
    """Return the bytes that a cosigner signs for this checkpoint text at this time.

    Raises:
        ValueError: when the text is no checkpoint or a part does not fit its field.
    """
    if not 0 <= time <= MAX_TIME:
        raise ValueError(f"{time} is not a time in POSIX seconds.")
    if key.kind == ED25519:
        return f"cosignature/v1\ntime {time}\n{text}".encode()
    head = checkpoint.parse(text)
    return b"".join(
        (
            b"subtree/v1\n\x00",
            _with_length(key.name),
            time.to_bytes(8, "big"),
            _with_length(head.origin),
            (0).to_bytes(8, "big"),
            head.size.to_bytes(8, "big"),
            head.root,
        )
    )


def _with_length(name: str) -> bytes:
    data = name.encode()
    if len(data) > 255:
        raise ValueError(f"{name[:60]!r} is longer than 255 bytes.")
    return bytes([len(data)]) + data
