"""Secrets made on first use and kept in `var/secrets`, readable by their owner only.

Free of Django: the settings file itself reads its secret key from here.
"""

import os
import re
import secrets as randomness
from pathlib import Path

from oversight.env import ConfigurationError

SECRET_BYTES = 36
"""Random bytes in a generated secret: 48 characters once written in base64url."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)?")


def path_of(var: Path, name: str) -> Path:
    """Return where the secret `name` is or will be kept.

    Raises:
        ValueError: when the name could leave the folder or is not lower case with hyphens.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a secret: use lower case words and hyphens.")
    return var / "secrets" / name


def read_or_create(var: Path, name: str) -> str:
    """Return the secret called `name`, generating it when it is asked for the first time.

    Any number of processes may ask at once: all get the same value. The value is safe inside a URL.

    Raises:
        ConfigurationError: when the file cannot be read or made, or is empty.
    """
    path = path_of(var, name)
    try:
        if path.exists():
            return _read(path)
        return _publish(path, randomness.token_urlsafe(SECRET_BYTES))
    except OSError as error:
        raise ConfigurationError(
            f"The secret {path} cannot be read or made ({error.strerror}). Run as the user who owns"
            f" {var}, or choose another folder with OVERSIGHT_VAR."
        ) from error


def ed25519_key_pair(var: Path, name: str) -> tuple[Path, Path]:
    """Return the paths (private, public) of the Ed25519 key `name`, made when it is not there.

    Both are PEM files: PKCS #8 without a password, and SubjectPublicKeyInfo.
    """
    # Only who needs a key pays for importing the library.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private, public = path_of(var, f"{name}.pem"), path_of(var, f"{name}-public.pem")
    if not private.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        _publish(private, pem.decode("ascii"))
    if not public.exists():
        key = serialization.load_pem_private_key(private.read_bytes(), password=None)
        pem = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        _publish(public, pem.decode("ascii"))
    return private, public


def _read(path: Path) -> str:
    value = path.read_text(encoding="ascii").strip()
    if not value:
        raise ConfigurationError(f"{path} is empty: restore it from a backup or remove it.")
    return value


def _publish(path: Path, value: str) -> str:
    """Write `value` so that readers see all of it or no file; the first of several writers wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{randomness.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(value if value.endswith("\n") else f"{value}\n")
            file.flush()
            os.fsync(file.fileno())
        # A link fails when the name is taken, so a secret is never replaced by a later one.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return _read(path)
