"""`manage.py import_suite`: publish a suite version from a file, a zip, the library or a source."""

import zipfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from evals.models import SuiteVersion
from evals.services.suites import publish_suite
from evals.suites.benchmarks import definitions
from evals.suites.checking import SuiteError
from evals.suites.fetching import fetch
from evals.suites.formats import FORMATS
from evals.suites.importers import ImportedSuite, import_suite_file
from evals.suites.library import library_slugs, load_library
from evals.suites.ready import missing_files, resolve
from evals.suites.unpacking import read_suite_folder, read_suite_zip
from oversight.accounts.services import shell_person
from oversight.web.commands import USAGE_ERROR, ServiceCommand


class Command(ServiceCommand):
    """Reads, checks and publishes; prints the version and its digest."""

    help = (
        "Publish a suite version: FILE --format F --slug S from a file of rows, FILE alone from an "
        "lm-eval.zip or its folder, --library NAME from the suites that come with this software, "
        "--ready NAME from a known benchmark's own files."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where the suite comes from, and the suite's name where that does not say it."""
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--format", choices=sorted(FORMATS))
        parser.add_argument("--slug", help="the suite's address name")
        parser.add_argument("--title", default=None)
        parser.add_argument("--licence", default=None, help="SPDX identifier, where it differs")
        parser.add_argument("--library", choices=library_slugs())
        parser.add_argument("--ready", choices=sorted(definitions()))
        parser.add_argument("--fetch", action="store_true", help="fetch missing files (--ready)")
        parser.add_argument(
            "--sources",
            type=Path,
            default=settings.OVERSIGHT_VAR / "suite-sources",
            help="folder of the files of --ready",
        )

    def act(self, **options: Any) -> None:
        """Publish and print one line."""
        try:
            imported = self._read(options)
        except SuiteError as error:
            raise CommandError(str(error), returncode=USAGE_ERROR) from None
        version, is_new = publish_suite(
            by=shell_person(), document=dict(imported.document), files=imported.files
        )
        word = "Published" if is_new else "Already published:"
        self.stdout.write(f"{word} {version} ({_items(version)})  {version.digest}")
        self.stdout.write(f"  {settings.PUBLIC_URL}{version.get_absolute_url()}")

    def _read(self, options: dict[str, Any]) -> ImportedSuite:
        given = [name for name in ("file", "library", "ready") if options[name] is not None]
        if len(given) != 1:
            message = "Give one of FILE, --library NAME and --ready NAME."
            raise CommandError(message, returncode=USAGE_ERROR)
        if options["library"]:
            return load_library(options["library"])
        if options["ready"]:
            return self._ready(options)
        if options["format"] is None:
            return _suite_of(options["file"])
        if options["slug"] is None:
            raise CommandError("--format needs --slug.", returncode=USAGE_ERROR)
        return import_suite_file(
            options["file"],
            options["format"],
            options["slug"],
            options["title"],
            licence=options["licence"],
        )

    def _ready(self, options: dict[str, Any]) -> ImportedSuite:
        definition = definitions()[options["ready"]]
        for part in missing_files(definition, options["sources"]) if options["fetch"] else ():
            self.stdout.write(f"Fetching {part.urls[0]}")
            fetch(part, options["sources"])
        return resolve(definition, options["sources"])


def _items(version: SuiteVersion) -> str:
    """Say how many items a version asks, and whose they are where they are not in it."""
    rows = [task["data"]["rows"] for task in version.tasks if "data" in task]
    words = [f"{sum(rows)} items"] if rows else []
    if len(rows) < len(version.tasks):
        words.append("the harness fetches items itself: workers need a network or a filled cache")
    return "; ".join(words)


def _suite_of(path: Path) -> ImportedSuite:
    """Read a suite from an lm-eval.zip or from its folder."""
    if path.is_dir():
        return read_suite_folder(path)
    if not path.is_file():
        raise CommandError(f"There is no file {path}.", returncode=USAGE_ERROR)
    if not zipfile.is_zipfile(path):
        message = f"{path} is no suite's zip. For a file of rows give --format and --slug."
        raise CommandError(message, returncode=USAGE_ERROR)
    return read_suite_zip(path.read_bytes())
