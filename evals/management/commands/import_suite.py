"""`manage.py import_suite FILE --format F --slug S`: publish a suite version from a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from evals.services.suites import publish_suite
from evals.suites.checking import SuiteError
from evals.suites.formats import FORMATS
from evals.suites.importers import import_suite_file
from oversight.accounts.services import shell_person
from oversight.web.commands import USAGE_ERROR, ServiceCommand


class Command(ServiceCommand):
    """Reads, checks and publishes; prints the version and its digest."""

    help = "Publish a suite version from a file in a known format."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, its format and the suite's name."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", required=True, choices=sorted(FORMATS))
        parser.add_argument("--slug", required=True, help="the suite's address name")
        parser.add_argument("--title", default=None)
        parser.add_argument("--licence", default=None, help="SPDX identifier, where it differs")

    def act(self, **options: Any) -> None:
        """Publish and print one line."""
        try:
            imported = import_suite_file(
                options["file"],
                options["format"],
                options["slug"],
                options["title"],
                licence=options["licence"],
            )
        except SuiteError as error:
            raise CommandError(str(error), returncode=USAGE_ERROR) from None
        version, is_new = publish_suite(
            by=shell_person(), document=dict(imported.document), files=imported.files
        )
        rows = sum(task["data"]["rows"] for task in version.tasks)
        word = "Published" if is_new else "Already published:"
        self.stdout.write(f"{word} {version} ({rows} items)  {version.digest}")
