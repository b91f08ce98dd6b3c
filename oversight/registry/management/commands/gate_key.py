"""`manage.py gate_key`: the key that signs the gate's answers, shown, made, handed over."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from oversight.registry.gate import ceremony, keys
from oversight.web.commands import USAGE_ERROR, ServiceCommand


class Command(ServiceCommand):
    """Prints the public key; each change is a leaf, so the log's key vouches for the gate's."""

    help = "Shows the gate's public key; --create and --rotate put a key on the record."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        act = parser.add_mutually_exclusive_group()
        act.add_argument("--create", action="store_true", help="make and adopt a key, once")
        act.add_argument("--rotate", action="store_true", help="hand over to a new key")
        parser.add_argument(
            "--compromised",
            action="store_true",
            help="with --rotate: nothing that the old key ever signed counts any more",
        )

    def act(self, **options: Any) -> None:
        """Do the one thing that was asked, and print the key that signs from now on."""
        if options["compromised"] and not options["rotate"]:
            raise CommandError("--compromised goes with --rotate.", returncode=USAGE_ERROR)
        try:
            public = self._do(options)
        except keys.NoGateKey as error:
            raise CommandError(str(error), returncode=USAGE_ERROR) from None
        self.stdout.write(public)

    def _do(self, options: dict[str, Any]) -> str:
        if options["create"]:
            return ceremony.adopt_key()
        if options["rotate"]:
            return ceremony.rotate_key(is_compromised=options["compromised"])
        return keys.current().public
