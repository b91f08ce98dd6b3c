"""Steps that need the system's own database: `python -m bench.inside STEP ARGUMENT`."""

import json
import os
import sys
from pathlib import Path


def main() -> None:
    """Publish a suite by name, or enrol a worker for a site and print its settings."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "oversight.settings"
    import django

    django.setup()
    from oversight.web.commands import prepare_database

    prepare_database()
    step, argument = sys.argv[1:]
    {"publish": _publish, "enrol": _enrol}[step](argument)


def _publish(name: str) -> None:
    from evals.services.suites import publish_suite
    from evals.suites.library import load_library
    from oversight.accounts.services import shell_person

    library = load_library(name)
    publish_suite(by=shell_person(), document=dict(library.document), files=library.files)


def _enrol(url: str) -> None:
    from django.conf import settings

    from oversight.embedded.enrolment import enrol

    print(json.dumps(enrol(Path(settings.OVERSIGHT_VAR), url)))


if __name__ == "__main__":
    main()
