"""`manage.py reproduce RUN|FILE`: run a published result again from its statements alone."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from evals.choices import ResourceClass, RunState
from evals.management.commands.evaluate import running
from evals.models import Run
from evals.reproduction import Original, first_difference, original_of
from evals.services.runs import request_run
from evals.waiting import wait_for
from oversight.accounts.services import shell_person
from oversight.web.commands import USAGE_ERROR, ServiceCommand

DIFFERENT = 1


class Command(ServiceCommand):
    """Verifies the statements, queues the same run anew, waits, and compares.

    Exit code 0 where both are equal, 1 where they differ or the run failed, 2 where the statements
    cannot be used.
    """

    help = "Run a published run again from its signed statements, and compare."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the run's reference, or a file with its statements."""
        parser.add_argument(
            "run", help="reference such as run-1a2b3c4d, or a file saved from …/statements.json"
        )
        parser.add_argument("--json", action="store_true", help="print the finding as JSON")

    def act(self, **options: Any) -> None:
        """Reproduce, and say equal or the first difference."""
        original = original_of(_envelopes(options["run"]))
        self.stderr.write(
            f"{original.ref}: {original.suite_version} on {original.model_version}, "
            f"{len(original.predicates)} signed results"
        )
        again = self._run_again(original, quiet=options["json"])
        difference = first_difference(original, again)
        finding = {
            "original": original.ref,
            "reproduction": again.ref,
            "equal": not difference,
            "first_difference": difference or None,
        }
        if options["json"]:
            self.stdout.write(json.dumps(finding, indent=2))
        else:
            words = f"differs: {difference}" if difference else "is equal"
            self.stdout.write(f"{again.ref} {words} (original {original.ref})")
        if difference:
            raise CommandError("The reproduction differs.", returncode=DIFFERENT)

    def _run_again(self, original: Original, *, quiet: bool) -> Run:
        gpu = original.settings["device"] == "cuda"
        with ExitStack() as parts:
            if settings.DATABASE_IS_EMBEDDED:
                parts.enter_context(running(say=self.stderr.write))
            run = request_run(
                by=shell_person(),
                suite_version=original.suite_version,
                model_version=original.model_version,
                settings=original.settings,
                resource_class=ResourceClass.GPU if gpu else ResourceClass.CPU,
                purpose=f"run:{original.ref}",
            )
            run = wait_for(run, say=None if quiet else self.stderr.write)
        if run.state != RunState.SUCCEEDED:
            raise CommandError(
                f"{run.ref} {run.get_state_display()}: {run.reason}", returncode=DIFFERENT
            )
        return run


def _envelopes(named: str) -> list[Any]:
    """Return the signed statements of a run here, or in a file."""
    path = Path(named)
    if not path.exists():
        run = Run.objects.filter(ref=named).first()
        if run is None:
            raise CommandError(
                f"There is no run {named} here, nor a file of that name.", returncode=USAGE_ERROR
            )
        parts = run.task_runs.exclude(envelope=None).order_by("position")
        return [part.envelope for part in parts]
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read: {error}", returncode=USAGE_ERROR) from None
    return content if isinstance(content, list) else [content]
