"""`manage.py up`: start the whole system, stay, and stop it in order."""

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connections

from oversight import env
from oversight.embedded import enrolment, parts, preflight, presence, session, static
from oversight.embedded.addresses import EmbeddedPostgresError
from oversight.embedded.console import Console
from oversight.embedded.health import UnhealthyError, await_health, health
from oversight.embedded.supervisor import Interrupted, PartFailedError, Supervisor


class Command(BaseCommand):
    """One command for everything: database, queue, web, log, tasks, clock, evaluation worker."""

    help = "Start everything and keep it running until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what differs from run to run; the rest is in the settings."""
        parser.add_argument("--without-worker", action="store_true", help="evaluate nothing here")
        parser.add_argument("--ready-file", type=Path, help="is there while the system is ready")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run until a signal (exit code 0) or until something fails (1)."""
        code = Up(with_worker=not options["without_worker"], ready_file=options["ready_file"]).run()
        if code:
            sys.exit(code)


class Up:
    """One run of the system: from the first check to the last process gone."""

    def __init__(self, *, with_worker: bool, ready_file: Path | None) -> None:
        self.var = Path(settings.OVERSIGHT_VAR)
        self.host = env.text("LISTEN_HOST", "127.0.0.1")
        self.port: int = settings.PORT
        reachable = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104
        self.local_url = f"http://{reachable}:{self.port}"
        self.with_worker = with_worker
        self.ready_file = ready_file
        self.console = Console()
        self.presence = presence.Presence(self.var)
        self.server = session.server_of(self.var) if settings.DATABASE_IS_EMBEDDED else None

    def run(self) -> int:
        """Return the exit code."""
        try:
            self._check()
        except preflight.PreflightError as refusal:
            self.console.say(str(refusal))
            return 1
        supervisor = Supervisor(self.console)
        try:
            self._start(supervisor)
            supervisor.run()
            code = 0
        except Interrupted:
            code = 0
        except (
            PartFailedError,
            UnhealthyError,
            EmbeddedPostgresError,
            CommandError,
            DatabaseError,
        ) as error:
            self.console.say(str(error))
            code = 1
        finally:
            self._stop(supervisor)
        return code

    def _check(self) -> None:
        preflight.check_folder(self.var)
        us = presence.ourselves(settings.PUBLIC_URL, has_worker=self.with_worker)
        if not self.presence.claim(us):
            other = self.presence.other()
            raise preflight.PreflightError(
                f"The system is already running on {self.var}: process"
                f" {other.pid if other else 'unknown'}, {other.url if other else ''}. Use that one,"
                " stop it first, or choose another folder with OVERSIGHT_VAR and another PORT."
            )
        self.place = preflight.take_port(self.host, self.port)
        if self.server is None:
            preflight.check_database(os.environ["DATABASE_URL"])
        if not settings.BROKER_IS_EMBEDDED:
            preflight.check_broker(settings.BROKER_URL)

    def _start(self, supervisor: Supervisor) -> None:
        if self.server is not None:
            info = self.server.start()
            session.adopt(info)
            supervisor.watch("database", self.server.wait_until_gone, self.server.last_lines)
            self.console.say(f"PostgreSQL answers on {info.host}:{info.port}.")
        self.console.say("Its tables are brought up to date; the first time takes a while.")
        call_command("migrate", verbosity=0, interactive=False)
        self.console.say("Its tables are up to date.")
        call_command("gate_key", create=True, stdout=io.StringIO())
        static.collect(
            self.var,
            lambda: self.console.say("Static files are gathered and compressed, once."),
        )
        supervisor.check()
        self.console.say("The web server starts.")
        supervisor.start(parts.web(self.host, self.port), answers=self._web_answers)
        self.console.say("The web server answers.")
        for part in (parts.sequencer(), parts.tasks(), parts.clock(self.var)):
            supervisor.start(part)
        self.console.say("Sequencer, tasks and clock run.")
        if self.with_worker:
            self._start_worker(supervisor)
        await_health(self.local_url, settings.PUBLIC_HOST, supervisor.check)
        self._announce()
        # Nothing below needs a query, and idle connections are for those who do.
        connections.close_all()

    def _web_answers(self) -> bool:
        """Say whether the site answers, be it only that other parts are still missing."""
        return health(self.local_url, settings.PUBLIC_HOST)[0] != 0

    def _start_worker(self, supervisor: Supervisor) -> None:
        try:
            python = enrolment.interpreter()
            # In production the site answers to its public name only, and only through its proxy.
            site = settings.PUBLIC_URL if settings.PRODUCTION else self.local_url
            environment = enrolment.enrol(self.var, site)
        except enrolment.NoWorkerError as reason:
            self.with_worker = False
            self.console.say(str(reason))
            return
        self.console.say("The evaluation worker starts.")
        supervisor.start(parts.worker(str(python), environment))
        self.console.say("The evaluation worker listens.")

    def _announce(self) -> None:
        answer = io.StringIO()
        call_command("first_administrator", stdout=answer)
        us = presence.ourselves(settings.PUBLIC_URL, has_worker=self.with_worker, is_ready=True)
        self.presence.announce(us)
        if self.ready_file:
            draft = self.ready_file.with_name(f".{self.ready_file.name}")
            draft.write_text(json.dumps({"url": us.url, "pid": us.pid}))
            draft.replace(self.ready_file)
        self.console.say(f"Everything runs. Open {settings.PUBLIC_URL} and stop with Ctrl-C.")
        if (link := answer.getvalue().strip()).startswith("http"):
            self.console.say(f"Make the first administrator, once, within 24 hours: {link}")

    def _stop(self, supervisor: Supervisor) -> None:
        self.console.say("Stopping.")
        if self.ready_file:
            self.ready_file.unlink(missing_ok=True)
        supervisor.stop()
        connections.close_all()
        if self.server is not None and not self.server.stop():
            self.console.say("PostgreSQL stays up until another command that uses it ends.")
        self.presence.end()
        self.console.say("Stopped.")
