"""`manage.py adopt_charter BODY FILE.json`: give a new body its first charter from a file."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from oversight.accounts.models import Body
from oversight.accounts.services import shell_person
from oversight.web.commands import USAGE_ERROR, ServiceCommand
from proposals.charter import first
from proposals.charter_chapters import chapters
from proposals.services.charters import adopt_charter

MAX_BYTES = 100_000


class Command(ServiceCommand):
    """Reads, checks, adopts, and prints the rules in plain words."""

    help = "Adopt a body's first charter from a JSON file; --example prints one to begin with."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the body and the file."""
        parser.add_argument("body", nargs="?", default="", help="the body's address name")
        parser.add_argument("file", nargs="?", type=Path, help="its charter, as JSON")
        parser.add_argument("--example", action="store_true", help="print the usual rules")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the example, for which no database is needed, or adopt."""
        if options["example"]:
            self.stdout.write(json.dumps(first(), indent=2))
            return
        if not options["body"] or options["file"] is None:
            raise CommandError(
                "Name the body and the file: manage.py adopt_charter BODY FILE.json",
                returncode=USAGE_ERROR,
            )
        super().handle(*args, **options)

    def act(self, **options: Any) -> None:
        """Adopt and print the charter."""
        document = _read(options["file"])
        body = Body.objects.filter(slug=options["body"]).first()
        if body is None:
            known = ", ".join(Body.objects.values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(
                f"There is no body with the address name “{options['body']}” (there are: {known}).",
                returncode=USAGE_ERROR,
            )
        charter = adopt_charter(by=shell_person(), body=body, document=document)
        self.stdout.write(f"{charter.digest}  {charter}")
        for chapter in chapters(document):
            self.stdout.write(f"\nTo {chapter.title}:")
            for line in (*chapter.words, chapter.also_words):
                self.stdout.write(f"- {line}" if line else "")


def _read(path: Path) -> dict[str, Any]:
    """Return the file's JSON object.

    Raises:
        CommandError: it cannot be read, is too long, or is no JSON object.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CommandError(
                f"{path} is longer than {MAX_BYTES} bytes; a charter is far shorter.",
                returncode=USAGE_ERROR,
            )
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(
            f"{path} cannot be read: {error.strerror}.", returncode=USAGE_ERROR
        ) from None
    except ValueError as error:
        raise CommandError(f"{path} is no JSON: {error}.", returncode=USAGE_ERROR) from None
    if not isinstance(document, dict):
        raise CommandError(
            f"{path} must hold one JSON object with the rules by type of proposal (see --example).",
            returncode=USAGE_ERROR,
        )
    return document
