"""`manage.py evaluate --model DIR --suite SLUG`: an evaluator's run from the shell."""

import json
import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from evals.choices import ResourceClass, RunState
from evals.models import Run, Suite, TaskRun, Worker
from evals.run_settings import BACKENDS, DEVICES, DTYPES
from evals.run_settings import DEFAULTS as SETTINGS
from evals.services.runs import request_run
from evals.waiting import wait_for
from oversight.accounts.services import shell_person
from oversight.embedded.presence import Presence
from oversight.embedded.session import NotRunningError, running_system
from oversight.registry.hashing import ManifestError
from oversight.registry.manifest import Manifest, manifest_of
from oversight.registry.models import ModelVersion, RegisteredModel
from oversight.registry.origin import card_of
from oversight.registry.services import note_source, register_version
from oversight.web.clock import database_now
from oversight.web.commands import USAGE_ERROR, ServiceCommand

WEIGHTS = (".safetensors", ".bin", ".gguf", ".pt", ".pth")


class Command(ServiceCommand):
    """Registers the model's files if they are new, queues the run, and waits if asked to."""

    help = "Evaluate a model directory by a suite."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take model, suite and settings."""
        parser.add_argument(
            "--model",
            type=Path,
            required=True,
            help="directory with weights, or the address name or digest of a registered model",
        )
        parser.add_argument("--suite", required=True, help="the suite's address name")
        parser.add_argument(
            "--limit", type=_positive, default=None, help="first N items of each task"
        )
        parser.add_argument("--dtype", choices=DTYPES, default="float32")
        parser.add_argument("--batch-size", type=_positive, default=16)
        parser.add_argument("--backend", choices=BACKENDS, default="hf")
        parser.add_argument("--gpu", action="store_true", help="run on a host with GPUs")
        parser.add_argument("--device", choices=DEVICES, default="auto")
        parser.add_argument("--devices", type=_positive, default=1, help="GPUs for the one model")
        parser.add_argument(
            "--device-memory-gb", type=_positive, default=None, help="needed of each GPU"
        )
        parser.add_argument("--fresh", action="store_true", help="compute everything anew")
        parser.add_argument(
            "--endpoint", type=_object, default=None, help='JSON: {"slug": …, "model": …}'
        )
        parser.add_argument(
            "--budget", type=_object, default=None, help="JSON: requests, tokens, money"
        )
        parser.add_argument("--wait", action="store_true", help="wait for the result")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def act(self, **options: Any) -> None:
        """Queue the run; with --wait start the embedded system if none is up."""
        suite = _suite(options["suite"])
        version = _version(options["model"])
        with ExitStack() as parts:
            if options["wait"] and settings.DATABASE_IS_EMBEDDED:
                parts.enter_context(running(say=self.stderr.write))
            run = request_run(
                by=shell_person(),
                suite_version=suite.current,
                model_version=version,
                settings={name: options[name] for name in SETTINGS},
                resource_class=ResourceClass.GPU if options["gpu"] else ResourceClass.CPU,
                device_memory_bytes=_bytes(options["device_memory_gb"]),
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


def _bytes(gigabytes: int | None) -> int | None:
    return None if gigabytes is None else gigabytes * 10**9


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"this is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ArgumentTypeError("this is no JSON object.")
    return value


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ArgumentTypeError(f"{text} is no whole number from 1.")
    return int(text)


@contextmanager
def running(*, say: Callable[[str], object]) -> Iterator[None]:
    """Use the system that runs, whoever its workers are; else start one with a worker."""
    is_running = Presence(Path(settings.OVERSIGHT_VAR)).other() is not None
    if not is_running:
        say("Nothing runs here yet: starting the system for as long as this takes.")
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
        known = list(Suite.objects.values_list("slug", flat=True))
        near = get_close_matches(slug, known, n=3)
        words = f"Did you mean {' or '.join(near)}?" if near else f"Published: {_some(known)}."
        raise CommandError(
            f"There is no suite named {slug}. {words} "
            "Publish one with `python manage.py import_suite FILE --format … --slug …`.",
            returncode=USAGE_ERROR,
        )
    return suite


def _some(names: list[str]) -> str:
    """Return up to ten names as words."""
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(names[:10]) + more if names else "none yet"


def _version(directory: Path) -> ModelVersion:
    """Return the version meant: a registered one by name or digest, or that of a folder's files.

    Files that are new are registered first.
    """
    if not directory.exists() and (named := _registered(str(directory))):
        return named
    if not directory.exists():
        raise CommandError(_unknown_model(str(directory)), returncode=USAGE_ERROR)
    try:
        manifest = manifest_of(directory)
    except ManifestError as error:
        raise CommandError(str(error), returncode=USAGE_ERROR) from None
    _require_model(directory, manifest)
    place = {"kind": "directory", "path": str(directory.resolve())}
    known = ModelVersion.objects.filter(digest=manifest.digest).first()
    if known and known.source.get("kind", "directory") == "directory":
        # The files may have moved since; workers look where they were seen last.
        return note_source(by=shell_person(), version=known, source=place)
    if known:
        return known
    _require_unchanged(directory, manifest, place)
    slug = re.sub(r"[^a-z0-9]+", "-", directory.resolve().name.lower()).strip("-")[:50] or "model"
    return register_version(
        by=shell_person(),
        model_slug=slug,
        label=manifest.digest.removeprefix("sha256:")[:12],
        manifest=manifest.as_json(),
        card=card_of(directory),
        source=place,
    )


def _unknown_model(name: str) -> str:
    known = list(
        RegisteredModel.objects.filter(versions__isnull=False)
        .distinct()
        .values_list("slug", flat=True)
    )
    near = get_close_matches(name, known, n=3)
    words = f"Did you mean {' or '.join(near)}?" if near else f"Registered: {_some(known)}."
    return (
        f"There is neither a folder {name} nor a registered model of that name. {words} "
        "Register one with `python manage.py register_model DIR --slug … --label …`."
    )


def _registered(name: str) -> ModelVersion | None:
    """Return a version by its digest, or the newest version of a model by its address name."""
    if name.startswith("sha256:"):
        return ModelVersion.objects.filter(digest=name).first()
    return ModelVersion.objects.filter(model__slug=name).order_by("pk").last()


def _require_unchanged(directory: Path, manifest: Manifest, place: dict[str, str]) -> None:
    """Refuse files that took the place of registered ones: it may be a mistake or worse."""
    before = ModelVersion.objects.filter(source=place).order_by("-pk").first()
    if before is None:
        return
    was = {row["name"]: row["sha256"] for row in before.manifest}
    now = {file.name: file.sha256 for file in manifest.files}
    changed = sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    raise CommandError(
        f"The files in {directory} are no longer those registered as {before} "
        f"({before.digest[:19]}…): {', '.join(changed[:3])}{more} differ. Restore them, or "
        "register what is there now as a version of its own: "
        f"python manage.py register_model {directory} --slug {before.model.slug} --label …",
        returncode=USAGE_ERROR,
    )


def _require_model(directory: Path, manifest: Manifest) -> None:
    names = {file.name for file in manifest.files}
    if "config.json" not in names:
        raise CommandError(
            f"{directory} holds no config.json, so it is no model directory of transformers. "
            "Give the folder with config.json, the tokenizer and the weights.",
            returncode=USAGE_ERROR,
        )
    if not any(name.endswith(WEIGHTS) for name in names):
        raise CommandError(
            f"{directory} holds no weights: none of its files ends in {', '.join(WEIGHTS)}. "
            "Complete the folder, or give another.",
            returncode=USAGE_ERROR,
        )
