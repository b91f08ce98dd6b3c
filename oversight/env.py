"""Typed readers of environment variables that refuse bad values instead of guessing.

Every reader names the variable and the fix in its error. Settings are read through these only, so
`oversight/settings.py` is the whole list of what can be configured.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?")


class ConfigurationError(ValueError):
    """A setting that cannot be used, said in one line for the operator."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Where mail goes; but for `backend`, what Django has where nothing is said."""

    backend: str
    """Django's name of it: `smtp`, `console` or `filebased`."""

    host: str = "localhost"
    port: int = 25
    user: str = ""
    password: str = ""
    is_encrypted: bool = False
    """From the first byte; `starts_tls` begins in the clear."""

    starts_tls: bool = False


def text(name: str, default: str = "") -> str:
    """Return the variable, or `default` when it is unset or empty."""
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool = False) -> bool:
    """Return a yes/no variable; anything but 1/0, true/false, yes/no, on/off is refused."""
    raw = text(name).lower()
    if not raw:
        return default
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise ConfigurationError(f"{name}={raw!r} is not a yes or no: use 1 or 0.")


def integer(name: str, default: int, *, low: int, high: int) -> int:
    """Return a whole number within `low`..`high`, both included."""
    raw = text(name)
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise ConfigurationError(f"{name}={raw!r} is not a whole number.") from None
    if not low <= value <= high:
        raise ConfigurationError(f"{name}={value} is outside {low}..{high}.")
    return value


def choice(name: str, default: str, allowed: frozenset[str]) -> str:
    """Return one of `allowed`."""
    value = text(name, default)
    if value not in allowed:
        raise ConfigurationError(f"{name}={value!r}: use one of {', '.join(sorted(allowed))}.")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Return a comma-separated list, without empty items."""
    raw = text(name)
    return [item.strip() for item in raw.split(",") if item.strip()] if raw else list(default)


def languages(name: str) -> list[str]:
    """Return languages by the codes of BCP 47, such as `it,rm` or `pt-BR`, each once."""
    found = list(dict.fromkeys(words(name)))
    for code in found:
        if not _LANGUAGE.fullmatch(code):
            raise ConfigurationError(f"{name} has {code!r}: use codes such as it, rm or pt-BR.")
    return found


def folder(name: str, default: Path) -> Path:
    """Return an absolute path; a relative one is taken from the working directory."""
    raw = text(name)
    return Path(raw).expanduser().resolve() if raw else default.resolve()


def optional_file(name: str) -> Path | None:
    """Return the absolute path of a file that exists, or None when the variable is unset."""
    raw = text(name)
    if not raw:
        return None
    path = Path(raw).expanduser().resolve()
    if not path.is_file():
        raise ConfigurationError(f"{name}={raw!r}: there is no such file.")
    return path


def web_page(name: str) -> str:
    """Return the http(s) address of a page; empty when it is not set."""
    raw = text(name)
    parts = urlsplit(raw)
    if raw and (parts.scheme not in {"http", "https"} or not parts.netloc):
        raise ConfigurationError(f"{name}={raw!r}: use the form https://host/path.")
    return raw


def web_address(name: str, default: str) -> str:
    """Return an http(s) address without path, query or trailing slash."""
    raw = text(name, default).rstrip("/")
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query:
        raise ConfigurationError(f"{name}={raw!r}: use the form https://host or http://host:port.")
    return raw


def database(name: str, default: str) -> dict[str, object]:
    """Return Django's settings for `postgresql://user:password@host:port/name?options`."""
    raw = text(name, default)
    parts = urlsplit(raw)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ConfigurationError(
            f"{name} must start with postgresql://; only PostgreSQL 15 or newer is supported."
        )
    if len(parts.path) < 2:
        raise ConfigurationError(f"{name} names no database: add /NAME after the host.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def mail(name: str, default: str, *, start_tls: bool) -> Mail:
    """Return where mail goes: `smtp://user:password@host:port`, `smtps://…`, `console:`, `file:`.

    With `start_tls` also smtp is encrypted before anything is said.
    """
    raw = text(name, default)
    if raw in {"console:", "file:"}:
        return Mail("console" if raw == "console:" else "filebased")
    if not raw.startswith(("smtp://", "smtps://")):
        raise ConfigurationError(
            f"{name} must be smtp://user:password@host:port, smtps://…, console: or file:"
        )
    parts = urlsplit(raw)
    return Mail(
        "smtp",
        host=parts.hostname or "localhost",
        port=parts.port or 587,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        is_encrypted=parts.scheme == "smtps",
        starts_tls=parts.scheme == "smtp" and start_tls,
    )


def bucket(name: str) -> dict[str, str]:
    """Return `bucket`, `prefix` and S3's options of `s3://bucket/prefix?endpoint=…&region=…`.

    Empty when the variable is unset. Keys are not part of the address: they come as the S3 client
    finds them, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` or a role of the machine.
    """
    raw = text(name)
    if not raw:
        return {}
    parts = urlsplit(raw)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme != "s3" or not parts.hostname or set(options) - {"endpoint", "region"}:
        raise ConfigurationError(
            f"{name}={raw!r}: use the form s3://bucket/prefix?endpoint=https://host&region=name."
        )
    if "@" in parts.netloc:
        raise ConfigurationError(f"{name} holds a key: put it into AWS_SECRET_ACCESS_KEY instead.")
    return {"bucket": parts.hostname, "prefix": parts.path.strip("/"), **options}
