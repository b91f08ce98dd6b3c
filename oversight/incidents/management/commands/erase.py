"""`manage.py erase`: erase a person's data, or a report's; every proof stays valid."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Q

from oversight.accounts.models import Person
from oversight.incidents.choices import Leaf
from oversight.incidents.models import Incident
from oversight.incidents.services.erasing import erase_report, reports_by_mail
from oversight.web.commands import ServiceCommand
from proposals.services.erasure import erase_person


class Command(ServiceCommand):
    """Asks once more unless told not to; says what was erased."""

    help = (
        "Erase a person's name, address, sign-in and words, and the private part of incidents they "
        "reported under that address; or of one incident. It cannot be taken back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the person by e-mail address or public id, or an incident by its reference."""
        parser.add_argument("whom", help="e-mail address, public id, or an incident: INC-2026-001")
        parser.add_argument("--yes", action="store_true", help="do not ask again")

    def act(self, **options: Any) -> None:
        """Erase, and print a line for each thing."""
        wanted = options["whom"].removeprefix("person:").removeprefix("incident:")
        person = Person.objects.filter(Q(email__iexact=wanted) | Q(public_id=wanted)).first()
        reports = [*Incident.objects.filter(ref=wanted), *reports_by_mail(wanted)]
        if person is None and not reports:
            raise CommandError(f"Nobody has the address or public id {wanted!r}.")
        names = [str(person)] if person else []
        names += [f"the private part of {each.ref}" for each in reports]
        question = f"Erase {', '.join(names)} for good? Type yes: "
        if not options["yes"] and input(question) != "yes":
            raise CommandError("Nothing was erased.")
        for each in reports:
            gone = erase_report(incident=each)
            self.stdout.write(
                f"Erased: the private part of {gone.ref}, {gone.messages} messages, {gone.files} "
                f"files, {gone.openings} openings. The erasure is on the record."
            )
        if person is not None:
            erased = erase_person(person=person, official=frozenset(Leaf.values))
            self.stdout.write(
                f"Erased: the account of person:{erased.public_id}, {erased.comments} texts, "
                f"{erased.openings} openings. The erasure is on the record."
            )
