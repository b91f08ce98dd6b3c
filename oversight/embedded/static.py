"""The files that the web server hands out as they are, gathered when they changed."""

import hashlib
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

_PACKAGES_WITH_FILES = ("django", "django-allauth", "djangorestframework", "django-filter")


def collect(var: Path) -> bool:
    """Gather and compress static files in `var/static` unless that is done; say whether it was.

    Compressing takes seconds, so a fingerprint of the sources decides.
    """
    if settings.OVERSIGHT_ENV == "test":
        return False  # served from where they lie
    stamp = var / "static.stamp"
    wanted = _fingerprint()
    if stamp.exists() and stamp.read_text() == wanted and Path(settings.STATIC_ROOT).exists():
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(wanted)
    return True


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
