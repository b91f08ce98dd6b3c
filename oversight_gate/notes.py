"""Signed notes, checkpoints, cosignatures and policies as a verifier needs them.

Formats: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature (Ed25519, types 01 and 04),
tlog-policy, tlog-proof.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG, COSIGNER = 0x01, 0x04
MAX_SIGNATURES = 64
MAX_CHARACTERS = 1_000_000
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
NONE = "none"
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


class Malformed(ValueError):  # noqa: N818 - what was found
    """Bytes that are not of their format, or that a trusted key did not sign."""


@dataclass(frozen=True, slots=True)
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

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Return whether this key made the signature."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint that the policy accepts: the log has `size` entries under `root`."""

    origin: str
    size: int
    root: bytes
    witnessed_at: int | None
    """POSIX seconds of the newest cosignature that counted; None where none was asked."""


@dataclass(frozen=True)
class Policy:
    """Whose signatures are asked for (c2sp.org/tlog-policy)."""

    logs: tuple[Key, ...] = ()
    witnesses: dict[str, Key] = field(default_factory=dict)
    groups: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str = NONE

    def open(self, message: bytes, followed: Sequence[Key] = ()) -> Head:
        """Return the head of a signed checkpoint that a log's key and the quorum have signed.

        Args:
            message: the signed checkpoint.
            followed: keys of the log to which one of the policy's has handed over.

        Raises:
            Malformed: saying what is missing or wrong.
        """
        text, signatures = _split(message)
        origin, size, root = _statement(text)
        if not signers((*self.logs, *followed), message):
            raise Malformed(
                f"no key of your policy has signed this checkpoint of {origin}; if the log has "
                "handed over to a new key, add its line `log VKEY`, as the log's holders publish it"
            )
        times = self._witnessed(text, signatures)
        if self.quorum != NONE and not self._counts(self.quorum, times):
            raise Malformed(
                f"the checkpoint has cosignatures of {', '.join(sorted(times)) or 'no witness'}, "
                f"too few for the quorum {self.quorum} of your policy"
            )
        return Head(origin, size, root, max(times.values(), default=None))

    def _witnessed(
        self, text: str, signatures: Sequence[tuple[str, bytes, bytes]]
    ) -> dict[str, int]:
        times: dict[str, int] = {}
        for label, key in self.witnesses.items():
            for name, key_id, value in signatures:
                if (name, key_id) != (key.name, key.key_id) or len(value) != 72:
                    continue
                time = int.from_bytes(value[:8], "big")
                if key.verifies(value[8:], f"cosignature/v1\ntime {time}\n{text}".encode()):
                    times[label] = max(time, times.get(label, 0))
        return times

    def _counts(self, name: str, cosigned: Collection[str]) -> bool:
        if name not in self.groups:
            return name in cosigned
        needed, members = self.groups[name]
        return sum(self._counts(each, cosigned) for each in members) >= needed


def signers(keys: Sequence[Key], message: bytes) -> list[Key]:
    """Return which of these keys of a log have signed its checkpoint.

    Raises:
        Malformed: it is none, or one of them has signed it wrongly.
    """
    text, signatures = _split(message)
    origin, *_ = _statement(text)
    own = [
        (key, value)
        for key in keys
        for name, key_id, value in signatures
        if (name, key_id) == (key.name, key.key_id)
    ]
    for key, value in own:
        if not key.verifies(value, text.encode()):
            raise Malformed(f"the signature of {key.name} under the checkpoint is wrong")
    return [key for key, _ in own if key.name == origin]


def stated(message: bytes) -> tuple[str, int, bytes]:
    """Return origin, size and root of a signed checkpoint, unverified.

    Raises:
        Malformed: when it is not one.
    """
    return _statement(_split(message)[0])


def parse_policy(text: str) -> Policy:
    """Return the policy that a text states.

    Raises:
        Malformed: naming the line.
    """
    if len(text) > MAX_CHARACTERS:
        raise Malformed("the policy is too long")
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), 1):
        try:
            reader.take(line.partition("#")[0].split())
        except Malformed as error:
            raise Malformed(f"line {number} of the policy: {error}") from None
    if not reader.logs or not reader.quorum:
        raise Malformed("the policy needs a line `log VKEY` and one `quorum NAME` or `quorum none`")
    return Policy(tuple(reader.logs), reader.witnesses, reader.groups, reader.quorum)


class _Reader:
    """Takes a policy line by line; a name must stand before what refers to it."""

    def __init__(self) -> None:
        self.logs: list[Key] = []
        self.witnesses: dict[str, Key] = {}
        self.groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.quorum = ""

    def take(self, words: list[str]) -> None:
        match words:
            case []:
                return
            case ["log", vkey] | ["log", vkey, _]:
                self.logs.append(parse_vkey(vkey, LOG))
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                self.witnesses[self._new(name)] = parse_vkey(vkey, COSIGNER)
            case ["group", name, needed, *members] if members:
                known = tuple(self._known(each) for each in members)
                self.groups[self._new(name)] = (_needed(needed, known), known)
            case ["quorum", name] if not self.quorum:
                self.quorum = name if name == NONE else self._known(name)
            case _:
                raise Malformed(
                    "it is not `log`, `witness`, `group` or one `quorum` with its words"
                )

    def _new(self, name: str) -> str:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise Malformed(f"the name {name[:40]!r} is taken")
        return name

    def _known(self, name: str) -> str:
        if name not in self.witnesses and name not in self.groups:
            raise Malformed(f"{name[:40]!r} is no witness or group of a line above")
        return name


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
    key = Key(parts[0], kind, material[1:])
    if key.key_id.hex() != parts[1]:
        raise Malformed(f"the key of {parts[0]} does not fit its id {parts[1]}")
    return key


def parse_proof(text: str) -> tuple[int, list[bytes], bytes]:
    """Return index, path and signed checkpoint of a receipt (tlog-proof), unverified.

    Raises:
        Malformed: when it is not one.
    """
    if len(text) > MAX_CHARACTERS:
        raise Malformed("the receipt is too long")
    head, separator, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    is_one = separator and lines[0] == PROOF_HEADER and len(lines) > 1
    if not is_one or not lines[1].startswith("index "):
        raise Malformed("the receipt is not a tlog-proof")
    path = [from_base64(line) for line in lines[2:]]
    if len(path) > 63 or any(len(each) != 32 for each in path):
        raise Malformed("the receipt's path is not one of hashes")
    return from_decimal(lines[1].removeprefix("index ")), path, checkpoint.encode()


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
    if not _DECIMAL.fullmatch(text):
        raise Malformed(f"{text[:30]!r} is not a whole number")
    return int(text)


def _split(message: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    try:
        content = message.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("the checkpoint is not UTF-8") from None
    end = content.rfind("\n\n")
    if len(content) > MAX_CHARACTERS or end < 0 or not content.endswith("\n"):
        raise Malformed("the checkpoint has no signatures after a blank line")
    lines = content[end + 2 : -1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise Malformed("the checkpoint has too many signatures")
    return content[: end + 1], [_signature(line) for line in lines]


def _statement(text: str) -> tuple[str, int, bytes]:
    lines = text[:-1].split("\n")
    if len(lines) != 3 or not all(lines):
        raise Malformed("a checkpoint of this log is three lines: origin, tree size, root")
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
    return parts[1], blob[:4], blob[4:]


def _needed(word: str, members: tuple[str, ...]) -> int:
    needed = {"all": len(members), "any": 1}.get(word)
    if needed is None:
        needed = from_decimal(word)
    if not 1 <= needed <= len(members) or len(set(members)) < len(members):
        raise Malformed(f"{word!r} is not all, any, or 1 to the number of different members")
    return needed
