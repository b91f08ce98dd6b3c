#!/usr/bin/env python
"""Run one of oversight's management commands: `python manage.py help` lists them.

When Django is not importable but `make` has built the project's own environment, the command is
handed to that environment, so that a plain `python manage.py …` works from a fresh shell.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

PROJECT = Path(__file__).resolve().parent


def main() -> None:
    """Hand the command line to Django, in the project's own environment if need be."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oversight.settings")
    if find_spec("django") is None:
        _continue_in_project_environment()
    from django.core.management import execute_from_command_line

    from oversight.env import ConfigurationError

    try:
        execute_from_command_line(sys.argv)
    except ConfigurationError as error:
        sys.exit(str(error))


def _continue_in_project_environment() -> None:
    python = PROJECT / ".venv" / "bin" / "python"
    # Comparing prefixes, not executables: a venv's python is a link to the one that made it.
    if python.exists() and Path(sys.prefix) != python.parent.parent:
        os.execv(python, [str(python), *sys.argv])
    sys.exit("Django is not installed here. Run `make up` once: it creates .venv with everything.")


if __name__ == "__main__":
    main()
