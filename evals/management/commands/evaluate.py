"""`manage.py evaluate --model DIR --suite SLUG`: an evaluator's run from the shell."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from evals.choices import RunState
from evals.models import Run, Suite, TaskRun, Worker
from evals.services.runs import DTYPES, request_run
from evals.waiting import wait_for
from oversight.accounts.services import shell_person
from oversight.embedded.presence import Presence
from oversight.embedded.session import NotRunningError, running_system
from oversight.registry.manifest import Manifest, ManifestError, manifest_of
from oversight.registry.models import ModelVersion
from oversight.registry.services import register_version
from oversight.web.clock import database_now
from oversight.web.commands import USAGE_ERROR, ServiceCommand


class Command(ServiceCommand):
    """Registers the model's files if they are new, queues the run, and waits if asked to."""

    help = "Evaluate a model directory by a suite."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take model, suite and settings."""
        parser.add_argument("--model", type=Path, required=True, help="directory with weights")
        parser.add_argument("--suite", required=True, help="the suite's address name")
        parser.add_argument("--limit", type=int, default=None, help="first N items of each task")
        parser.add_argument("--dtype", choices=DTYPES, default="float32")
        parser.add_argument("--batch-size", type=int, default=16)
        parser.add_argument("--wait", action="store_true", help="wait for the result")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def act(self, **options: Any) -> None:
        """Queue the run; with --wait start the embedded system if none is up."""
        suite = _suite(options["suite"])
        version = _version(options["model"])
        with ExitStack() as parts:
            if options["wait"] and settings.DATABASE_IS_EMBEDDED:
                parts.enter_context(_running())
            run = request_run(
                by=shell_person(),
                suite_version=suite.current,
                model_version=version,
                settings={k: options[k] for k in ("limit", "dtype", "batch_size")},
            )
            if options["wait"]:
                self._warn_without_worker()
                say = None if options["json"] else self.stderr.write
                run = wait_for(run, say=say)
        self._print(run, as_json=options["json"], waited=options["wait"])
        if options["wait"] and run.state != RunState.SUCCEEDED:
            raise CommandError(f"{run.ref} {run.get_state_display()}: {run.reason}", returncode=1)

    def _warn_without_worker(self) -> None:
        """Say that nobody is there to run it, which need not stay so."""
        recently = database_now() - timedelta(seconds=settings.LEASE_SECONDS)
        if not Worker.objects.usable().seen_since(recently).exists():
            self.stderr.write(
                "No worker was heard of lately; the run waits until one connects. "
                "Ctrl-C stops the waiting, not the run."
            )

    def _print(self, run: Run, *, as_json: bool, waited: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(result_of(run), indent=2))
            return
        address = settings.PUBLIC_URL + run.get_absolute_url()
        self.stdout.write(f"{run.ref} {run.get_state_display()}: {address}")
        if not waited:
            self.stdout.write("It runs as soon as a worker is free; add --wait to wait for it.")
        for task, metrics in result_of(run)["tasks"].items():
            for metric, found in metrics.items():
                low, high = found["interval"]
                self.stdout.write(
                    f"  {task:<24} {metric:<14} {found['value']:.4f}  "
                    f"95 % interval {low:.4f} to {high:.4f}  n={found['n']}"
                )


@contextmanager
def _running() -> Iterator[None]:
    """Use the system that runs, whoever its workers are; else start one with a worker."""
    is_running = Presence(Path(settings.OVERSIGHT_VAR)).other() is not None
    try:
        # One that we start takes any free port but keeps the site's own name.
        address = {"PUBLIC_URL": settings.PUBLIC_URL}
        with running_system(worker=not is_running, environment=address):
            yield
    except NotRunningError as error:
        raise CommandError(str(error)) from None


def result_of(run: Run) -> dict[str, Any]:
    """Return a run's reference, state, and metrics with n, standard error and interval."""
    parts = run.task_runs.prefetch_related("aggregates")
    return {
        "run": run.ref,
        "state": run.state,
        "reason": run.reason,
        "suite": run.suite_version.suite.slug,
        "suite_digest": run.suite_version.digest,
        "model": run.model_version.digest,
        "settings": run.settings,
        "tasks": {part.task_name: _metrics(part) for part in parts},
    }


def _metrics(part: TaskRun) -> dict[str, Any]:
    return {
        row.metric: {
            "value": row.mean,
            "n": row.n,
            "stderr": row.stderr,
            "interval": [row.low, row.high],
            "method": row.method,
        }
        for row in part.aggregates.all()
        if not row.group
    }


def _suite(slug: str) -> Suite:
    suite = Suite.objects.filter(slug=slug, versions__isnull=False).first()
    if suite is None:
        known = ", ".join(Suite.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(
            f"There is no suite named {slug}. Published suites: {known}. "
            "Publish one with `python manage.py import_suite FILE --format … --slug …`.",
            returncode=USAGE_ERROR,
        )
    return suite


def _version(directory: Path) -> ModelVersion:
    """Return the registered version of these files, registering them first if they are new."""
    try:
        manifest = manifest_of(directory)
    except ManifestError as error:
        raise CommandError(str(error), returncode=USAGE_ERROR) from None
    _require_model(directory, manifest)
    known = ModelVersion.objects.filter(digest=manifest.digest).first()
    if known:
        return known
    slug = re.sub(r"[^a-z0-9]+", "-", directory.resolve().name.lower()).strip("-")[:50] or "model"
    return register_version(
        by=shell_person(),
        model_slug=slug,
        label=manifest.digest.removeprefix("sha256:")[:12],
        manifest=manifest.as_json(),
        source={"kind": "directory", "path": str(directory.resolve())},
    )


def _require_model(directory: Path, manifest: Manifest) -> None:
    names = {file.name for file in manifest.files}
    if "config.json" not in names:
        raise CommandError(
            f"{directory} holds no config.json, so it is no model directory of transformers. "
            "Give the folder with config.json, the tokenizer and the weights.",
            returncode=USAGE_ERROR,
        )
