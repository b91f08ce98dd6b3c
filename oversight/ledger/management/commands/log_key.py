"""`manage.py log_key`: the log's key, shown, made, handed over to a new one, or retired."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from oversight.ledger import keys
from oversight.ledger.ceremony import close_log, rotate_key
from oversight.ledger.sequencer import make_signer
from oversight.ledger.sequencer_process import SequencerBusy, alone
from oversight.ledger.signer import SignerRefusal


class Command(BaseCommand):
    """Prints the key that verifies this log's checkpoints, to publish it elsewhere too."""

    help = "Shows the log's verifier keys; --create, --rotate and --retire are the ceremonies."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        act = parser.add_mutually_exclusive_group()
        act.add_argument("--create", action="store_true", help="make the keys if there are none")
        act.add_argument("--rotate", action="store_true", help="hand over to a new key, by a leaf")
        act.add_argument("--retire", metavar="REASON", help="close the log for good; say why")
        act.add_argument("--all", action="store_true", help="show the ML-DSA-44 key too")
        parser.add_argument("--successor", default="", help="with --retire: the next log's origin")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        """Do the one thing that was asked, and print a key or a signed statement."""
        try:
            self.stdout.write(self._do(options))
        except (SignerRefusal, SequencerBusy) as error:
            raise CommandError(str(error)) from error

    def _do(self, options: dict[str, Any]) -> str:
        if options["rotate"]:
            with alone():
                return rotate_key()
        if options["retire"]:
            with alone():
                return close_log(reason=options["retire"], successor=options["successor"])
        if options["create"] and keys.create_key(settings.LEDGER_KEY_PATH):
            keys.create_mldsa_key(keys.mldsa_path(settings.LEDGER_KEY_PATH))
        signer = make_signer(may_create_key=False)
        return "\n".join(signer.vkeys) if options["all"] else signer.vkey
