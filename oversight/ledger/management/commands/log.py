"""`manage.py log`: check and publish the record, mirror a log, recover entries, timestamps."""

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from oversight.ledger import mirror, note, restoring, timestamps
from oversight.ledger.public_folder import PublicFolder
from oversight.ledger.sequencer import RecordDamaged, make_signer
from oversight.ledger.sequencer_process import SequencerBusy, alone
from oversight.ledger.signer import SignerRefusal

REFUSED = 1
NOT_REACHED = 2
REFUSALS = (
    mirror.MirrorRefusal,
    RecordDamaged,
    SequencerBusy,
    SignerRefusal,
    timestamps.TimestampError,
)


class Command(BaseCommand):
    """Exit codes: 1 something does not hold, 2 the source or the database cannot be reached."""

    help = "fsck, publish, recover and mirror the public record."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        acts.add_parser("fsck", help="re-read every byte and rebuild what follows from it")
        publish = acts.add_parser("publish", help="write the record as files into a folder")
        publish.add_argument("folder", type=Path, nargs="?")
        recover = acts.add_parser("recover", help="bring back entries that the database lacks")
        recover.add_argument("source", help="a mirror's address or folder, or an audit bundle")
        stamp = acts.add_parser("timestamp", help="have the newest checkpoint stamped (RFC 3161)")
        stamp.add_argument("--check", action="store_true", help="check all that are kept instead")
        follow = acts.add_parser("mirror", help="follow a log into a folder, verifying every entry")
        follow.add_argument("source", help="the log's address, such as https://host/log")
        follow.add_argument("folder", type=Path)
        follow.add_argument("--vkey", action="append", required=True, help="as you have it")
        follow.add_argument("--every", type=float, default=0, metavar="SECONDS", help="0: once")
        follow.add_argument("--check", action="store_true", help="read the whole copy again, too")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        """Do one of them, and turn each way to fail into one message and an exit code."""
        acts = {
            "fsck": self._fsck,
            "publish": self._publish,
            "recover": self._recover,
            "mirror": self._mirror,
            "timestamp": self._timestamp,
        }
        try:
            acts[options["act"]](options)
        except REFUSALS as error:
            raise CommandError(str(error), returncode=REFUSED) from error
        except (OSError, note.NoteError) as error:
            raise CommandError(str(error), returncode=NOT_REACHED) from error

    def _fsck(self, options: dict[str, Any]) -> None:  # noqa: ARG002
        call_command("log_fsck", stdout=self.stdout)

    def _publish(self, options: dict[str, Any]) -> None:
        folder = options["folder"] or settings.LEDGER_PUBLIC_DIR
        size = PublicFolder(folder).publish()
        self.stdout.write(f"{folder} holds {size or 0} entries.")

    def _recover(self, options: dict[str, Any]) -> None:
        with alone():
            count = restoring.recover(
                mirror.open_source(options["source"]), make_signer(may_create_key=False).vkey
            )
        self.stdout.write(f"{count} entries are back. Run `python manage.py log fsck` now.")

    def _timestamp(self, options: dict[str, Any]) -> None:
        source = timestamps.authority()
        if source is None:
            raise CommandError("Set LEDGER_TSA_URL and LEDGER_TSA_ROOTS.", returncode=NOT_REACHED)
        if options["check"]:
            count = timestamps.check_all(source.roots)
            hold = f"{count} timestamp holds" if count == 1 else f"{count} timestamps hold"
            self.stdout.write(f"{hold}: of their checkpoints, and signed as the roots ask for.")
            return
        made = timestamps.stamp_newest(source)
        if made is None:
            self.stdout.write("The newest checkpoint has its timestamp already.")
            return
        moment = f"{made.stamped_at:%Y-%m-%d %H:%M:%S} UTC"
        self.stdout.write(f"{made.authority}: {made.size} entries were there on {moment}.")

    def _mirror(self, options: dict[str, Any]) -> None:
        keys = [note.VerifierKey.parse(each) for each in options["vkey"]]
        copy = mirror.Mirror(options["folder"], keys, mirror.open_source(options["source"]))
        while True:
            found = copy.follow()
            if options["check"]:
                copy.check()
            self.stdout.write(f"{found.size} entries verified, {found.new} of them new.")
            if not options["every"]:
                return
            time.sleep(options["every"])
