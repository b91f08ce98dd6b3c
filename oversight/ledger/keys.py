"""Where the log's private keys come from: a file, the environment, or a PKCS#11 device.

Free of Django. The Ed25519 key makes the log what it is; an ML-DSA-44 key beside it signs too, so
that checkpoints stay proof when Ed25519 no longer is.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from oversight.ledger.durable import sync_folder, write_durably
from oversight.ledger.note import PrivateEd25519


class SignerRefusal(RuntimeError):  # noqa: N818 - a refusal is an answer, not a fault
    """What must not be signed, or cannot; the message says what happened and what to do."""


def mldsa_path(key_path: Path) -> Path:
    """Return where the ML-DSA-44 key stands beside the Ed25519 key of that path."""
    return key_path.with_name(f"{key_path.stem}.mldsa44{key_path.suffix}")


def next_path(path: Path) -> Path:
    """Return where the key waits that a rotation will put in the place of `path`."""
    return path.with_name(f"{path.stem}.next{path.suffix}")


def create_key(path: Path) -> bool:
    """Make the log's private key, readable by its owner only; return whether there was none."""
    return _create(path, Ed25519PrivateKey.generate)


def create_mldsa_key(path: Path) -> bool:
    """Make an ML-DSA-44 key; False when there is one, or the library cannot make any."""
    try:
        return _create(path, MLDSA44PrivateKey.generate)
    except UnsupportedAlgorithm:
        return False


def load_file(path: Path) -> Ed25519PrivateKey:
    """Return the Ed25519 key in the PEM file.

    Raises:
        SignerRefusal: when there is none.
    """
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        raise SignerRefusal(
            f"The log's private key {path} is missing. Restore it from its backup; for a new log "
            "make it with `python manage.py log_key --create`."
        ) from None
    return load_pem(pem, str(path))


def load_pem(pem: bytes, where: str) -> Ed25519PrivateKey:
    """Return the Ed25519 key in PEM form; `where` names its place in messages.

    Raises:
        SignerRefusal: when it is something else.
    """
    key = _load(pem, where)
    if not isinstance(key, Ed25519PrivateKey):
        raise SignerRefusal(f"{where} is not an Ed25519 key.")
    return key


def load_mldsa(path: Path) -> MLDSA44PrivateKey | None:
    """Return the ML-DSA-44 key in the file, or None where there is no file.

    Raises:
        SignerRefusal: when the file holds something else.
    """
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        return None
    key = _load(pem, str(path))
    if not isinstance(key, MLDSA44PrivateKey):
        raise SignerRefusal(f"{path} is not an ML-DSA-44 key.")
    return key


@dataclass(frozen=True)
class DeviceKey:
    """An Ed25519 key in a PKCS#11 device: it signs there and is never read."""

    private: Any
    public: bytes

    def sign(self, data: bytes, /) -> bytes:
        """Return the device's signature of `data`."""
        import pkcs11

        return bytes(self.private.sign(data, mechanism=pkcs11.Mechanism.EDDSA))

    def public_key(self) -> Ed25519PublicKey:
        """Return the public half, as the device told it."""
        return Ed25519PublicKey.from_public_bytes(self.public)


def load_pkcs11(uri: str, pin: str) -> PrivateEd25519:
    """Return the key that a PKCS#11 URI names (RFC 7512: `token`, `object`, `module-path`).

    Raises:
        SignerRefusal: when the library, the device or the key cannot be used.
    """
    try:
        import pkcs11
        from pkcs11 import Attribute, KeyType, ObjectClass
    except ImportError:
        raise SignerRefusal(
            "A key in a device needs the package python-pkcs11: pip install python-pkcs11."
        ) from None
    parts = _pkcs11_parts(uri)
    wanted = {Attribute.KEY_TYPE: KeyType.EC_EDWARDS, Attribute.LABEL: parts["object"]}
    try:
        session = _session(parts["module-path"], parts["token"], pin)
        private = next(
            iter(session.get_objects({**wanted, Attribute.CLASS: ObjectClass.PRIVATE_KEY})), None
        )
        public = next(
            iter(session.get_objects({**wanted, Attribute.CLASS: ObjectClass.PUBLIC_KEY})), None
        )
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        raise SignerRefusal(f"The device of {uri.partition('?')[0]}: {error!r}.") from None
    if private is None or public is None:
        raise SignerRefusal(f"The device holds no Ed25519 key pair named {parts['object']!r}.")
    # CKA_EC_POINT is an octet string in DER; the point itself is its last 32 bytes.
    return DeviceKey(private, bytes(public[Attribute.EC_POINT])[-32:])


@lru_cache
def _session(module: str, token: str, pin: str) -> Any:
    """Return the session with a device, which takes one login per process."""
    import pkcs11

    return pkcs11.lib(module).get_token(token_label=token).open(user_pin=pin)


def _pkcs11_parts(uri: str) -> dict[str, str]:
    scheme, _, rest = uri.partition(":")
    path, _, query = rest.partition("?")
    parts = dict(each.partition("=")[::2] for each in path.split(";"))
    found = {name: unquote(value) for name, value in parts.items()}
    found |= {name: values[0] for name, values in parse_qs(query).items()}
    if scheme != "pkcs11" or not {"token", "object", "module-path"} <= found.keys():
        raise SignerRefusal(
            "Name the key in a device pkcs11:token=TOKEN;object=KEY?module-path=/path/to/module.so"
        )
    return found


def _create(path: Path, generate: Any) -> bool:
    if path.exists():
        return False
    pem = generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    write_durably(draft, pem, os.O_EXCL)
    try:
        # A link fails when the name is taken: of two processes the first one's key stays.
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    sync_folder(path.parent)
    return True


def _load(pem: bytes, where: str) -> object:
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SignerRefusal(f"{where} is not an unencrypted private key in PEM form.") from None
