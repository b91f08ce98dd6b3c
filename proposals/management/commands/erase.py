"""`manage.py erase`: erase a person's data; every proof of the record stays valid."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Q

from oversight.accounts.models import Person
from oversight.web.commands import ServiceCommand
from proposals.services.erasure import erase_person


class Command(ServiceCommand):
    """Asks once more unless told not to; says what was erased."""

    help = "Erase a person's name, address, sign-in and words. It cannot be taken back."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the person by e-mail address or public id."""
        parser.add_argument("person", help="e-mail address or public id")
        parser.add_argument("--yes", action="store_true", help="do not ask again")

    def act(self, **options: Any) -> None:
        """Erase, and print one line."""
        wanted = options["person"].removeprefix("person:")
        person = Person.objects.filter(Q(email__iexact=wanted) | Q(public_id=wanted)).first()
        if person is None:
            raise CommandError(f"Nobody has the address or public id {wanted!r}.")
        if not options["yes"] and input(f"Erase {person} for good? Type yes: ") != "yes":
            raise CommandError("Nothing was erased.")
        erased = erase_person(person=person)
        self.stdout.write(
            f"Erased: the account of person:{erased.public_id}, {erased.comments} texts, "
            f"{erased.openings} openings. The erasure is on the record."
        )
