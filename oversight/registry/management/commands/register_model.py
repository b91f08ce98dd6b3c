"""`manage.py register_model`: register a version by its files, from a directory or from the hub."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from oversight.accounts.services import shell_person
from oversight.embedded.enrolment import NoWorkerError, interpreter
from oversight.embedded.parts import PROJECT
from oversight.registry.hashing import ManifestError, Notes
from oversight.registry.manifest import Manifest, bytes_in, manifest_of
from oversight.registry.meter import Meter
from oversight.registry.model_signing import MOST_BYTES, NAMES
from oversight.registry.models import Endpoint, ModelVersion
from oversight.registry.origin import card_of
from oversight.registry.services import (
    SignatureFile,
    register_served_version,
    register_version,
)
from oversight.web.commands import USAGE_ERROR, ServiceCommand


class Command(ServiceCommand):
    """Hashes the files, registers the version, prints its digest."""

    help = "Register a model version by the files of a directory or of a Hub repository."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where the files are and what is known of the model."""
        parser.add_argument("directory", type=Path, nargs="?", help="directory with the files")
        parser.add_argument("--hub", metavar="OWNER/NAME", help="fetch them from the Hub instead")
        parser.add_argument("--revision", default="main", help="branch, tag or commit on the Hub")
        parser.add_argument(
            "--endpoint", metavar="SLUG", help="weights that nobody shows: as served there"
        )
        parser.add_argument("--served-as", default="", help="the model's name at that endpoint")
        parser.add_argument("--claimed", default="", help="what else its operator says of it")
        parser.add_argument("--slug", required=True, help="the model's address name")
        parser.add_argument("--label", required=True, help="the version's label, such as 1.0")
        parser.add_argument("--name", default="", help="the model's name for people")
        parser.add_argument("--developer", default="")
        parser.add_argument("--summary", default="")
        parser.add_argument("--licence", default="", help="SPDX identifier")
        parser.add_argument(
            "--signed-by",
            type=Path,
            metavar="PEM",
            help="public key or root certificates to verify the files' signature by",
        )
        parser.add_argument(
            "--signature",
            type=Path,
            metavar="FILE",
            help="signature by model-signing; by default model.sig beside the files",
        )

    def act(self, **options: Any) -> None:
        """Register and print one line."""
        if options["endpoint"] is not None:
            version = self._served(options)
            self.stdout.write(f"{version.digest}  {version}")
            return
        directory, source = _files(options["directory"], options["hub"], options["revision"])
        signature = self._signature(directory, options["signature"], options["signed_by"])
        manifest, notes = _hashed(directory)
        version = register_version(
            by=shell_person(),
            model_slug=options["slug"],
            label=options["label"],
            manifest=manifest.as_json(),
            model_name=options["name"],
            developer=options["developer"],
            summary=options["summary"],
            licence=options["licence"],
            card=card_of(directory),
            source=source,
            signature=signature,
        )
        notes.forget()
        self.stdout.write(f"{version.digest}  {version}")

    def _served(self, options: dict[str, Any]) -> ModelVersion:
        """Register what an endpoint serves; there are no files to hash."""
        others = ("directory", "hub", "signature", "signed_by")
        if any(options[name] is not None for name in others):
            raise CommandError(
                "--endpoint goes with no files, no repository and no signature.",
                returncode=USAGE_ERROR,
            )
        endpoint = Endpoint.objects.filter(slug=options["endpoint"]).first()
        if endpoint is None:
            raise CommandError(
                f"There is no endpoint “{options['endpoint']}”.", returncode=USAGE_ERROR
            )
        return register_served_version(
            by=shell_person(),
            model_slug=options["slug"],
            label=options["label"],
            endpoint=endpoint,
            served_as=options["served_as"],
            claimed=options["claimed"],
            model_name=options["name"],
            developer=options["developer"],
            summary=options["summary"],
            licence=options["licence"],
        )

    def _signature(
        self, directory: Path, given: Path | None, signed_by: Path | None
    ) -> SignatureFile | None:
        """Return the signature to verify; one that nobody vouches for is said and passed over."""
        beside = next((directory / name for name in NAMES if (directory / name).is_file()), None)
        path = given or beside
        if signed_by is None:
            if given is not None:
                raise CommandError("Say by whom: --signed-by PEM.", returncode=USAGE_ERROR)
            if path is not None:
                self.stderr.write(f"{path} was not verified: nobody said by whom, --signed-by PEM.")
            return None
        if path is None:
            raise CommandError(
                f"{directory} has no {NAMES[0]}: name the signature with --signature FILE.",
                returncode=USAGE_ERROR,
            )
        return SignatureFile(_bytes(path), _bytes(signed_by), _name_in(directory, path))


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CommandError(
            f"{path} cannot be read: {error.strerror}.", returncode=USAGE_ERROR
        ) from (None)


def _name_in(directory: Path, path: Path) -> str:
    """Return a file's name in the manifest of a directory; empty where it lies elsewhere."""
    root, real = directory.resolve(), path.resolve()
    return real.relative_to(root).as_posix() if real.is_relative_to(root) else ""


def _hashed(directory: Path) -> tuple[Manifest, Notes]:
    """Hash the files, telling the terminal how far it is; what a kill interrupts goes on later."""
    try:
        total = bytes_in(directory)
        notes = Notes.of(directory, Path(settings.OVERSIGHT_VAR) / "hashing")
        with Meter(total, sys.stderr) as meter:
            return manifest_of(directory, progress=meter.count, notes=notes), notes
    except ManifestError as error:
        raise CommandError(str(error), returncode=USAGE_ERROR) from None


def _files(directory: Path | None, hub: str | None, revision: str) -> tuple[Path, dict[str, str]]:
    """Return the folder of the files and where a worker finds them."""
    if (directory is None) == (hub is None):
        raise CommandError(
            "Name either a directory or a repository: register_model DIR …, or register_model "
            "--hub OWNER/NAME …",
            returncode=USAGE_ERROR,
        )
    if directory is not None:
        return directory, {"kind": "directory", "path": str(directory.resolve())}
    found = _fetched(str(hub), revision)
    source = {"repository": found["repository"], "revision": found["revision"]}
    return Path(found["directory"]), {"kind": "hub"} | source


def _fetched(hub: str, revision: str) -> dict[str, str]:
    """Have the worker's environment, which has the Hub's library, fetch the files."""
    try:
        python = interpreter()
    except NoWorkerError as error:
        raise CommandError(str(error)) from None
    out = Path(settings.MODELS_DIR)
    command = [str(python), "-m", "evals.worker.fetch", hub, "--revision", revision]
    done = subprocess.run(  # noqa: S603 (our own module; its arguments are no shell text)
        [*command, "--out", str(out)],
        cwd=PROJECT,
        # The transfer's own progress goes to the terminal's standard error as it happens.
        stdout=subprocess.PIPE,
        stderr=None if os.isatty(2) else subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or "").strip().splitlines()
        raise CommandError(said[-1] if said else f"{hub} could not be fetched; see above.")
    found: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
