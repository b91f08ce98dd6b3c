"""`manage.py worker list|pause|resume|rotate|revoke`: what becomes of enrolled workers."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from evals.management.commands.enroll_worker import raw_key, token_in
from evals.models import Worker
from evals.services import workers
from oversight.accounts.services import shell_person
from oversight.web.clock import stamp
from oversight.web.commands import USAGE_ERROR, ServiceCommand


class Command(ServiceCommand):
    """Each act is the service of the same name, done by the shell of this machine."""

    help = "List, pause, resume, re-key or revoke evaluation workers."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the act, and which worker: by its public id or as organisation/name."""
        acts = parser.add_subparsers(dest="act", required=True)
        listing = acts.add_parser("list", help="who is enrolled, and when each was heard of last")
        listing.add_argument("--json", action="store_true")
        listing.add_argument("--revoked", action="store_true", help="those that are out as well")
        for act, words in (
            ("pause", "give it nothing new; what it holds it finishes"),
            ("resume", "let it take work again"),
            ("rotate", "give it another key and token"),
            ("revoke", "end its key; what it holds goes to others"),
        ):
            one = acts.add_parser(act, help=words)
            one.add_argument("worker", help="public id, or organisation/name")
            if act == "pause":
                one.add_argument("--reason", required=True)
            if act == "rotate":
                one.add_argument("--public-key", required=True, type=Path, help="PEM (Ed25519)")
                one.add_argument("--token-file", type=Path, help="use the token in this file")

    def act(self, **options: Any) -> None:
        """Do it, and print one line."""
        if options["act"] == "list":
            self._list(as_json=options["json"], with_revoked=options["revoked"])
            return
        worker, by = _worker(options["worker"]), shell_person()
        if options["act"] == "pause":
            workers.pause_worker(by=by, worker=worker, reason=options["reason"])
            self.stdout.write(f"Paused {worker}. What it holds it finishes.")
        elif options["act"] == "resume":
            workers.resume_worker(by=by, worker=worker)
            self.stdout.write(f"Resumed {worker}. It looks for work within a minute.")
        elif options["act"] == "revoke":
            workers.revoke_worker(by=by, worker=worker)
            self.stdout.write(f"Revoked {worker}. What it held is back in the queue.")
        else:
            self._rotate(worker, options["public_key"], options["token_file"])

    def _rotate(self, worker: Worker, public_key: Path, token_file: Path | None) -> None:
        token = token_in(token_file)
        secret = workers.rotate_key(
            by=shell_person(), worker=worker, public_key=raw_key(public_key), token=token
        )
        self.stdout.write(f"{worker} signs with the new key from now on; restart it with both.")
        if not token:
            self.stdout.write(f"Its new token, shown this once: {secret}")

    def _list(self, *, as_json: bool, with_revoked: bool) -> None:
        found = Worker.objects.select_related("organisation")
        rows = [_row(worker) for worker in (found if with_revoked else found.usable())]
        if as_json:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for row in rows:
            classes = ",".join(row["resource_classes"])
            heard = row["last_seen_at"] or "never"
            self.stdout.write(
                f"{row['worker']}  {row['organisation']}/{row['name']}  {classes}  "
                f"{row['state']}  heard of {heard}"
            )
        if not rows:
            self.stdout.write("No worker is enrolled: see `manage.py enroll_worker --help`.")


def _row(worker: Worker) -> dict[str, Any]:
    return {
        "worker": worker.public_id,
        "name": worker.name,
        "organisation": worker.organisation.slug,
        "resource_classes": worker.resource_classes,
        "device_memory_bytes": worker.device_memory_bytes,
        "devices": worker.devices,
        "state": worker.standing,
        "pause_reason": worker.pause_reason,
        "enrolled_at": _stamp(worker.enrolled_at),
        "last_seen_at": _stamp(worker.last_seen_at),
        "public_key": worker.public_key,
    }


def _stamp(moment: datetime | None) -> str | None:
    return stamp(moment) if moment else None


def _worker(named: str) -> Worker:
    found = Worker.objects.select_related("organisation")
    organisation, slash, name = named.partition("/")
    if slash:
        # Of one name there may be several that are out, but one that is not.
        rows = found.filter(organisation__slug=organisation, name=name).order_by("-pk")
        worker = rows.usable().first() or rows.first()
    else:
        worker = found.filter(public_id=named).first()
    if worker is None:
        raise CommandError(
            f"There is no worker {named}: see `manage.py worker list`.", returncode=USAGE_ERROR
        )
    return worker
