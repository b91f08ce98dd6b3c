"""`manage.py log_key`: shows the log's verifier key, or makes the private key of a new log."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from oversight.ledger.keys import create_key
from oversight.ledger.signer import Signer, SignerRefusal


class Command(BaseCommand):
    """Prints the key that verifies this log's checkpoints, to publish it elsewhere too."""

    help = "Prints the log's verifier key; with --create makes the private key first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--create", action="store_true", help="make the private key if there is none"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        """Print the verifier key."""
        if options["create"]:
            create_key(settings.LEDGER_KEY_PATH)
        try:
            signer = Signer(
                origin=settings.LEDGER_ORIGIN,
                key_path=settings.LEDGER_KEY_PATH,
                state_path=settings.LEDGER_SIGNER_STATE_PATH,
                may_create_key=False,
            )
        except SignerRefusal as error:
            raise CommandError(str(error)) from error
        self.stdout.write(signer.vkey)
