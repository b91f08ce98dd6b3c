"""Signed notes and checkpoints as a witness needs them: read, verified, cosigned.

Formats: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature (Ed25519, types 01 and 04).
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LOG, COSIGNER = 0x01, 0x04
MAX_SIGNATURES = 64
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


class Malformed(ValueError):  # noqa: N818 - an answer to whoever sent it
    """Bytes that are not of the format; the message says where."""


@dataclass(frozen=True)
class Key:
    """A public Ed25519 key with its name and its type byte."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The first four bytes of the hash over name, type and key."""
        material = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(material).digest()[:4]

    def vkey(self) -> str:
        """Return the key as others are told it."""
        material = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Return whether this key made the signature."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class SignedCheckpoint:
    """A checkpoint with its signature lines, none verified yet."""

    text: str
    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def is_signed_by(self, key: Key) -> bool:
        """Return whether the key signed it; a wrong signature under its name counts for nothing."""
        mine = [s for s in self.signatures if s[:2] == (key.name, key.key_id)]
        return bool(mine) and all(key.verifies(each[2], self.text.encode()) for each in mine)


def parse_vkey(vkey: str, kind: int) -> Key:
    """Return the key spelled `NAME+<8 hexadecimal digits>+<base64>`, which must be of that type.

    Raises:
        Malformed: when it is not.
    """
    parts = vkey.strip().split("+", 2)
    if len(parts) != 3:
        raise Malformed("a key has the form NAME+<8 hexadecimal digits>+<base64>")
    material = from_base64(parts[2])
    if len(material) != 33 or material[0] != kind:
        raise Malformed(f"the key of {parts[0]} is not an Ed25519 key of type {kind:02}")
    key = Key(_name(parts[0]), kind, material[1:])
    if key.key_id.hex() != parts[1]:
        raise Malformed(f"the key of {parts[0]} does not fit its id {parts[1]}")
    return key


def parse_checkpoint(message: bytes) -> SignedCheckpoint:
    """Return a signed checkpoint, unverified.

    Raises:
        Malformed: naming the part that is not of the format.
    """
    try:
        content = message.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("the checkpoint is not UTF-8") from None
    if re.search(r"[\x00-\x09\x0b-\x1f]", content):
        raise Malformed("the checkpoint holds a control character")
    end = content.rfind("\n\n")
    if end < 0 or not content.endswith("\n"):
        raise Malformed("the checkpoint has no signatures after a blank line")
    text = content[: end + 1]
    lines = content[end + 2 : -1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise Malformed(f"the checkpoint has more than {MAX_SIGNATURES} signatures")
    origin, size, root = _statement(text)
    return SignedCheckpoint(text, origin, size, root, tuple(_signature(each) for each in lines))


def cosign(private: Ed25519PrivateKey, key: Key, text: str, time: int) -> str:
    """Return the cosignature line over a checkpoint's text, with its line feed."""
    value = private.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
    blob = key.key_id + time.to_bytes(8, "big") + value
    return f"\u2014 {key.name} {base64.b64encode(blob).decode()}\n"


def from_base64(text: str) -> bytes:
    """Return the bytes that padded standard base64 spells, in its one spelling.

    Raises:
        Malformed: on anything else.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(f"{text[:40]!r} is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise Malformed(f"{text[:40]!r} is not the usual spelling of its bytes")
    return data


def from_decimal(text: str) -> int:
    """Return the whole number that ASCII digits spell without leading zeros.

    Raises:
        Malformed: on anything else.
    """
    if not _DECIMAL.fullmatch(text) or int(text) >= 1 << 63:
        raise Malformed(f"{text[:30]!r} is not a whole number")
    return int(text)


def _statement(text: str) -> tuple[str, int, bytes]:
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise Malformed("a checkpoint is at least three lines: origin, tree size, root")
    root = from_base64(lines[2])
    if len(root) != 32:
        raise Malformed("the root of the checkpoint is not 32 bytes")
    return lines[0], from_decimal(lines[1]), root


def _signature(line: str) -> tuple[str, bytes, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014":
        raise Malformed(f"{line[:40]!r} is not a signature line")
    blob = from_base64(parts[2])
    if len(blob) <= 4:
        raise Malformed("a signature is too short")
    return _name(parts[1]), blob[:4], blob[4:]


def _name(name: str) -> str:
    if not name or "+" in name or any(each.isspace() for each in name):
        raise Malformed(f"{name[:40]!r} cannot name a key")
    return name
