"""`manage.py register_model DIR`: register a version by the files of a directory."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from oversight.accounts.services import shell_person
from oversight.registry.manifest import ManifestError, manifest_of
from oversight.registry.services import register_version
from oversight.web.commands import USAGE_ERROR, ServiceCommand


class Command(ServiceCommand):
    """Hashes the files, registers the version, prints its digest."""

    help = "Register a model version by the files of a directory."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the directory and what is known of the model."""
        parser.add_argument("directory", type=Path)
        parser.add_argument("--slug", required=True, help="the model's address name")
        parser.add_argument("--label", required=True, help="the version's label, such as 1.0")
        parser.add_argument("--name", default="", help="the model's name for people")
        parser.add_argument("--developer", default="")
        parser.add_argument("--summary", default="")
        parser.add_argument("--licence", default="", help="SPDX identifier")

    def act(self, **options: Any) -> None:
        """Register and print one line."""
        directory: Path = options["directory"]
        try:
            manifest = manifest_of(directory)
        except ManifestError as error:
            raise CommandError(str(error), returncode=USAGE_ERROR) from None
        version = register_version(
            by=shell_person(),
            model_slug=options["slug"],
            label=options["label"],
            manifest=manifest.as_json(),
            model_name=options["name"],
            developer=options["developer"],
            summary=options["summary"],
            licence=options["licence"],
            source={"kind": "directory", "path": str(directory.resolve())},
        )
        self.stdout.write(f"{version.digest}  {version}")
