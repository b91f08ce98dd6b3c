"""`manage.py enroll_worker`: let a machine run evaluations."""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from django.core.management.base import CommandError, CommandParser

from evals.choices import ResourceClass
from evals.models import Worker
from evals.services.workers import enrol_worker, revoke_worker
from oversight.accounts.models import Organisation
from oversight.accounts.services import admit_organisation, digest_of_secret, shell_person
from oversight.web.commands import USAGE_ERROR, ServiceCommand


class Command(ServiceCommand):
    """Enrols a worker by its public key; prints its token once, or takes one from a file."""

    help = "Enrol an evaluation worker by its public key."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the worker's name, organisation and key."""
        parser.add_argument("--name", required=True, type=_name)
        parser.add_argument(
            "--organisation", required=True, help="its address name; made if missing"
        )
        parser.add_argument("--public-key", required=True, type=Path, help="PEM file (Ed25519)")
        parser.add_argument("--token-file", type=Path, help="use the token in this file")
        parser.add_argument("--gpu", action="store_true", help="it takes work for GPUs, too")
        parser.add_argument(
            "--if-missing", action="store_true", help="do nothing when it is enrolled with this key"
        )

    def act(self, **options: Any) -> None:
        """Enrol; with --if-missing a changed key or token replaces the old enrolment."""
        shell = shell_person()
        key = raw_key(options["public_key"])
        token = token_in(options["token_file"])
        organisation = Organisation.objects.filter(slug=options["organisation"]).first()
        if organisation is None:
            slug = options["organisation"]
            name = slug.replace("-", " ").capitalize()
            organisation = admit_organisation(by=shell, slug=slug, name=name)
        known = (
            Worker.objects.usable().filter(organisation=organisation, name=options["name"]).first()
        )
        if known and options["if_missing"]:
            if known.public_key == key and (
                not token or known.token_digest == digest_of_secret(token)
            ):
                self.stdout.write(f"{known} is enrolled already.")
                return
            revoke_worker(by=shell, worker=known)
        classes = [ResourceClass.CPU, *([ResourceClass.GPU] if options["gpu"] else [])]
        worker, secret = enrol_worker(
            by=shell,
            organisation=organisation,
            name=options["name"],
            public_key=key,
            resource_classes=classes,
            token=token,
        )
        self.stdout.write(f"Enrolled {worker} as {worker.actor}.")
        if not token:
            self.stdout.write(f"Its token, shown this once: {secret}")


def _name(text: str) -> str:
    # Here and not only in the service: by then the organisation may have been admitted.
    if not 1 <= len(text) <= 80:
        raise ArgumentTypeError("a worker's name has 1 to 80 characters.")
    return text


def token_in(path: Path | None) -> str:
    """Return the token in a file, or nothing where none is named."""
    if path is None:
        return ""
    try:
        token = path.read_text().strip()
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read: {error}", returncode=USAGE_ERROR) from None
    if len(token) < 32:
        raise CommandError(
            f"{path} holds no token of at least 32 characters.", returncode=USAGE_ERROR
        )
    return token


def raw_key(path: Path) -> str:
    """Return the Ed25519 public key in a PEM file as 64 hexadecimal digits."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CommandError(
            f"{path} cannot be read as a PEM public key: {error}", returncode=USAGE_ERROR
        ) from None
    if not isinstance(key, Ed25519PublicKey):
        raise CommandError(f"{path} is no Ed25519 key.", returncode=USAGE_ERROR)
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
