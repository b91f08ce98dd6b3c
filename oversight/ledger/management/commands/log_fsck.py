"""`manage.py log_fsck`: re-reads every byte of the record and rebuilds what follows from it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from oversight.ledger.checkup import check_everything
from oversight.ledger.fsck import BadRecord


class Command(BaseCommand):
    """Exits 0 when all of it holds, 1 with the first thing that does not, 2 without a database."""

    help = "Checks entries, tiles, head, checkpoints and the signer's state against each other."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        """Check, and print one line."""
        try:
            sound = check_everything()
        except BadRecord as error:
            first = "" if error.index is None else f"First bad index: {error.index}. "
            raise CommandError(f"The record does not hold. {first}{error}") from error
        except DatabaseError as error:
            first_line = str(error).strip().partition("\n")[0]
            raise CommandError(
                f"The database does not answer: {first_line} Check DATABASE_URL.", returncode=2
            ) from error
        self.stdout.write(
            f"The record holds: {sound.entries} entries, {sound.tiles} tiles, "
            f"{sound.checkpoints} checkpoints, root {sound.root}."
        )
