"""Signed notes (c2sp.org/signed-note) with Ed25519 keys: parse, verify, sign.

A note is a text ending in a line feed, a blank line, and signature lines. Signatures of keys that
are not asked for are ignored; a wrong signature of a key that is asked for rejects the note.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from oversight.ledger.encoding import EncodingError, from_base64, to_base64
from oversight.web.marks import Said
from oversight.web.marks import gettext_noop as _

ED25519 = 0x01
"""Type byte of a plain Ed25519 signature over the text."""

KEY_ID_BYTES = 4
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 64
"""The format asks for at least 16; a bound keeps hostile notes cheap to refuse."""

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_DASH = "\u2014"


class NoteError(ValueError):
    """A note or key that cannot be used; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who says to have signed, and the bytes of the signature."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """Return the line as it stands in the note, with its line feed."""
        return f"{_DASH} {self.name} {to_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures, none of them verified yet."""

    text: str
    signatures: tuple[Signature, ...]

    def format(self) -> str:
        """Return the note as it is stored and sent."""
        return f"{self.text}\n" + "".join(each.line() for each in self.signatures)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public Ed25519 key with the name it signs under, written as a vkey."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The first four bytes of the hash over name, type and public key."""
        material = self.name.encode() + b"\n" + bytes([ED25519]) + self.public
        return sha256(material).digest()[:KEY_ID_BYTES]

    @classmethod
    def parse(cls, vkey: str) -> "VerifierKey":
        """Return the key spelled `NAME+<8 hexadecimal digits>+<base64>`.

        Raises:
            NoteError: when it is malformed, of another algorithm, or its id does not fit its key.
        """
        name, key_id, material = read_vkey(vkey)
        if len(material) != 33 or material[0] != ED25519:
            words = _("The verifier key of %(name)s is not an Ed25519 key.")
            raise NoteError(Said(words, name=name))
        key = cls(name, material[1:])
        if key.key_id.hex() != key_id:
            words = _("The verifier key of %(name)s does not fit its own key id %(key)s.")
            raise NoteError(Said(words, name=name, key=key_id))
        return key

    def format(self) -> str:
        """Return the key as a vkey."""
        material = bytes([ED25519]) + self.public
        return f"{self.name}+{self.key_id.hex()}+{to_base64(material)}"

    def made(self, signature: Signature) -> bool:
        """Return whether the signature line names this key; says nothing about its validity."""
        return (signature.name, signature.key_id) == (self.name, self.key_id)

    def verifies(self, text: str, signature: Signature) -> bool:
        """Return whether the signature is this key's valid signature of `text`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature.value, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


class PrivateEd25519(Protocol):
    """A private Ed25519 key: one of `cryptography`, or one that never leaves its device."""

    def sign(self, data: bytes, /) -> bytes:
        """Return the signature of `data`."""
        ...

    def public_key(self) -> Ed25519PublicKey:
        """Return the public half."""
        ...


class SigningKey:
    """A private Ed25519 key with the name it signs under."""

    def __init__(self, name: str, private: PrivateEd25519) -> None:
        """Take the key; `name` must be without white space and plus signs."""
        require_name(name)
        self._private = private
        self.verifier = VerifierKey(name, private.public_key().public_bytes_raw())

    def sign(self, text: str) -> Signature:
        """Return this key's signature of `text`; the same text always gives the same bytes."""
        value = self._private.sign(text.encode())
        return Signature(self.verifier.name, self.verifier.key_id, value)


def parse(message: bytes) -> Note:
    """Return the text and the signature lines of a signed note, unverified.

    Raises:
        NoteError: when the bytes are not a well-formed note.
    """
    content = _decode(message)
    # The text itself may hold blank lines, so only the last one separates.
    end = content.rfind("\n\n")
    if end < 0:
        raise NoteError(Said(_("The note has no blank line before its signatures.")))
    text, block = content[: end + 1], content[end + 2 :]
    if not block.endswith("\n"):
        raise NoteError(Said(_("The note must end with a signature line and its line feed.")))
    lines = block[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        words = _("The note has more than %(most)s signatures.")
        raise NoteError(Said(words, most=MAX_SIGNATURES))
    return Note(text, tuple(parse_signature(line) for line in lines))


def sign(text: str, keys: Iterable[SigningKey]) -> Note:
    """Return `text` signed by each key.

    Raises:
        NoteError: when the text cannot be the text of a note.
    """
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteError("A note's text ends with a line feed and has no control characters.")
    return Note(text, tuple(key.sign(text) for key in keys))


def verify(note: Note, keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
    """Return those of the trusted `keys` that signed the note; at least one.

    Raises:
        NoteError: when a trusted key's signature is wrong, or none of the keys signed.
    """
    signers: list[VerifierKey] = []
    for signature in note.signatures:
        key = next((each for each in keys if each.made(signature)), None)
        if key is None:
            continue
        if not key.verifies(note.text, signature):
            words = _("The signature of %(name)s (%(key)s) is wrong.")
            raise NoteError(Said(words, name=key.name, key=key.key_id.hex()))
        if key not in signers:
            signers.append(key)
    if not signers:
        raise NoteError(Said(_("The note is not signed by a known key.")))
    return tuple(signers)


def _decode(message: bytes) -> str:
    if len(message) > MAX_NOTE_BYTES:
        raise NoteError(Said(_("The note is longer than %(most)s bytes."), most=MAX_NOTE_BYTES))
    try:
        content = message.decode("utf-8")
    except UnicodeDecodeError:
        raise NoteError(Said(_("The note is not UTF-8."))) from None
    if _CONTROL.search(content):
        raise NoteError(Said(_("The note holds a control character.")))
    return content


def parse_signature(line: str) -> Signature:
    """Return one signature line, without its line feed.

    Raises:
        NoteError: when it is not one.
    """
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != _DASH:
        words = _("%(line)s is not a signature line: dash, key name, base64.")
        raise NoteError(Said(words, line=repr(line[:60])))
    name = parts[1]
    require_name(name)
    try:
        blob = from_base64(parts[2])
    except EncodingError as error:
        words = _("The signature of %(name)s: %(error)s")
        raise NoteError(Said(words, name=name, error=error.args[0])) from None
    if len(blob) <= KEY_ID_BYTES:
        raise NoteError(Said(_("The signature of %(name)s is too short."), name=name))
    return Signature(name, blob[:KEY_ID_BYTES], blob[KEY_ID_BYTES:])


def read_vkey(vkey: str) -> tuple[str, str, bytes]:
    """Return the name, the key id in hexadecimal, and the type byte with the public key.

    Raises:
        NoteError: when it is malformed; whether the id fits is for the kind of key to say.
    """
    parts = vkey.split("+", 2)
    if len(parts) != 3 or not re.fullmatch(r"[0-9a-f]{8}", parts[1]):
        words = _("A verifier key has the form NAME+<8 hexadecimal digits>+<base64>.")
        raise NoteError(Said(words))
    name, key_id, encoded = parts
    require_name(name)
    try:
        return name, key_id, from_base64(encoded)
    except EncodingError as error:
        words = _("The verifier key of %(name)s: %(error)s")
        raise NoteError(Said(words, name=name, error=error.args[0])) from None


def require_name(name: str) -> None:
    """Refuse what cannot be the name of a key.

    Raises:
        NoteError: when it is empty or holds white space or a plus sign.
    """
    if not name or "+" in name or any(character.isspace() for character in name):
        words = _("%(name)s cannot name a key: no white space, no plus, not empty.")
        raise NoteError(Said(words, name=repr(name[:60])))
