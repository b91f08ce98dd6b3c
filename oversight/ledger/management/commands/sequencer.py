"""`manage.py sequencer`: the one process that puts acts on the public record."""

import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError

from oversight.ledger.sequencer import HeadMoved, RecordDamaged, adopt_head, make_signer
from oversight.ledger.sequencer_process import (
    FIRST_PATIENCE_SECONDS,
    SequencerBusy,
    SequencerProcess,
    UnsafeDatabase,
)
from oversight.ledger.signer import SignerRefusal
from oversight.ledger.tlog_policy import PolicyError

EXIT_BUSY = 2
EXIT_REFUSED = 3


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT; then finishes its batch and exits 0.

    Exit codes: 1 the database does not answer or is not migrated, 2 another sequencer is at work,
    3 the record must not be continued as it stands (the message says why and what to do).
    """

    help = "Puts pending leaves on the public record and signs it. Run exactly one."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--adopt",
            action="store_true",
            help="when the signer's state is lost for good: begin it anew from the stored head",
        )
        parser.add_argument(
            "--patience",
            type=float,
            default=FIRST_PATIENCE_SECONDS,
            metavar="SECONDS",
            help="how long to wait for a database that does not answer yet (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        """Run, and turn each way to fail into one message and an exit code."""
        try:
            if options["adopt"]:
                head = adopt_head(make_signer())
                self._say(f"the signer now continues from {head.size} entries, root {head.root}")
                return
            self._run(options["patience"])
        except SequencerBusy as error:
            raise CommandError(str(error), returncode=EXIT_BUSY) from error
        except (SignerRefusal, RecordDamaged, HeadMoved, UnsafeDatabase, PolicyError) as error:
            raise CommandError(str(error), returncode=EXIT_REFUSED) from error
        except ProgrammingError as error:
            first_line = str(error).partition("\n")[0]
            raise CommandError(f"Run `python manage.py migrate` first: {first_line}.") from error
        except OperationalError as error:
            raise CommandError(
                f"The database does not answer: {error} Check DATABASE_URL and the server."
            ) from error

    def _run(self, patience_seconds: float) -> None:
        process = SequencerProcess(patience_seconds=patience_seconds, say=self._say)

        def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
            process.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        process.run()
        self._say("stopped")

    def _say(self, message: str) -> None:
        self.stdout.write(f"sequencer {message}")
        self.stdout.flush()
