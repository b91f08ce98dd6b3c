"""A benchmark's own system: opened in this process, or in a new one that says what it found."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.parts import environment_of, run


def found_inside(module: str) -> Any:
    """Run a benchmark's module on an empty system in a process of its own.

    Returns:
        What it printed last, which is JSON.
    """
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as scratch:
        variables = environment_of(Path(scratch) / "var")
        return json.loads(run([sys.executable, "-m", module], **variables).splitlines()[-1])


def open_system() -> None:
    """Make the system of this environment ready: Django, and a database with its tables."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "oversight.settings"
    import django

    django.setup()
    from oversight.web.commands import prepare_database

    prepare_database()


def open_site() -> None:
    """Make it ready to be asked for pages through every layer of Django but the socket."""
    open_system()
    from django.conf import settings
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)
    settings.ALLOWED_HOSTS = ["testserver"]
