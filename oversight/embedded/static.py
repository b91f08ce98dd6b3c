"""The files that the web server hands out as they are, gathered when they changed."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

from oversight.embedded.leash import leashed
from oversight.embedded.parts import PROJECT

_PACKAGES_WITH_FILES = ("django", "django-allauth", "djangorestframework", "django-filter")


def collect(var: Path, begins: Callable[[], None]) -> None:
    """Gather and compress static files in `var/static` unless that is done.

    Compressing takes many seconds, so a fingerprint of the sources decides.

    Args:
        var: the folder of the system.
        begins: called where there is something to gather, before it is.

    Raises:
        CommandError: with what the gathering said.
    """
    if settings.OVERSIGHT_ENV == "test":
        return  # served from where they lie
    stamp = var / "static.stamp"
    wanted = _fingerprint()
    if stamp.exists() and stamp.read_text() == wanted and Path(settings.STATIC_ROOT).exists():
        return
    begins()
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    # A process of its own: compressing takes memory that a supervisor would never give back.
    done = subprocess.run(
        leashed(command), cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CommandError(f"The static files could not be gathered:\n{done.stderr.strip()}")
    stamp.write_text(wanted)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for name in _PACKAGES_WITH_FILES:
        digest.update(f"{name} {version(name)}\n".encode())
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                status = path.stat()
                digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
