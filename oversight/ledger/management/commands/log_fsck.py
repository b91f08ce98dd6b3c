"""`manage.py log_fsck`: re-reads every byte of the record and rebuilds what follows from it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from oversight.ledger.encoding import from_digest
from oversight.ledger.fsck import BadRecord, check_record
from oversight.ledger.sequencer import RecordDamaged, make_signer, stored_head
from oversight.ledger.signer import SignerRefusal


class Command(BaseCommand):
    """Exits 0 when all of it holds, 1 with the first thing that does not, 2 without a database."""

    help = "Checks entries, tiles, head, checkpoints and the signer's state against each other."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        """Check, and print one line."""
        try:
            sound = check_record()
            if _signer_is_here():
                head = stored_head()
                make_signer().check(head.size, from_digest(head.root))
        except BadRecord as error:
            first = "" if error.index is None else f"First bad index: {error.index}. "
            raise CommandError(f"The record does not hold. {first}{error}") from error
        except DatabaseError as error:
            first_line = str(error).strip().partition("\n")[0]
            raise CommandError(
                f"The database does not answer: {first_line} Check DATABASE_URL.", returncode=2
            ) from error
        except (RecordDamaged, SignerRefusal) as error:
            raise CommandError(f"The record does not hold. {error}") from error
        self.stdout.write(
            f"The record holds: {sound.entries} entries, {sound.tiles} tiles, "
            f"{sound.checkpoints} checkpoints, root {sound.root}."
        )


def _signer_is_here() -> bool:
    """Return whether this host has the signer; it may well run elsewhere."""
    from django.conf import settings

    return bool(settings.LEDGER_KEY_PATH.exists() and settings.LEDGER_SIGNER_STATE_PATH.exists())
