"""The example council: five seats and a clerk, named by what they stand for."""

from dataclasses import dataclass
from pathlib import Path

from oversight.accounts.choices import BodyRole, OrganisationRole
from oversight.accounts.models import Body, Membership, Organisation, Person
from oversight.accounts.services import (
    admit_organisation,
    affiliate,
    appoint,
    found_body,
    register_person,
    shell_person,
)
from oversight.embedded.secrets import read_or_create
from proposals.charter import usual
from proposals.models import Charter
from proposals.services.charters import adopt_charter

BODY = "example-council"
LABORATORY = "example-laboratory"
OPERATOR = "example-computing-centre"
SEATS = (
    ("chair", "Chair", BodyRole.CHAIR),
    ("social-affairs", "Member for social affairs", BodyRole.MEMBER),
    ("education", "Member for education", BodyRole.MEMBER),
    ("health", "Member for health", BodyRole.MEMBER),
    ("data-protection", "Member for data protection", BodyRole.MEMBER),
    ("clerk", "Clerk of the council", BodyRole.CLERK),
)


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody the example needs."""

    body: Body
    members: list[Person]
    clerk: Person
    evaluator: Person
    operator: Person
    computing_centre: Organisation

    @property
    def chair(self) -> Person:
        """The member who proposes."""
        return self.members[0]


def assemble(var: Path) -> Cast:
    """Return the cast, making whoever is not there yet.

    Everybody's password lies in `secrets/demo-password` below `var`.
    """
    password = read_or_create(var, "demo-password")
    shell = shell_person()
    body = Body.objects.filter(slug=BODY).first() or found_body(
        by=shell,
        slug=BODY,
        name="Example Council",
        summary="Decides which AI models serve the public in an invented town.",
    )
    if not Charter.objects.filter(body=body).exists():
        adopt_charter(by=shell, body=body, document=_charter())
    people = {slug: _person(slug, name, password) for slug, name, _ in SEATS}
    for slug, _, seat in SEATS:
        if not Membership.objects.in_term().filter(body=body, person=people[slug]).exists():
            appoint(by=shell, body=body, person=people[slug], role=seat)
    laboratory = _organisation(shell, LABORATORY, "Example Laboratory")
    centre = _organisation(shell, OPERATOR, "Example Computing Centre")
    evaluator = _person("evaluator", "Evaluator", password)
    operator = _person("operator", "Operator", password)
    for person, organisation, role in (
        (evaluator, laboratory, OrganisationRole.EVALUATOR),
        (operator, centre, OrganisationRole.OPERATOR),
    ):
        if not person.affiliations.in_term().filter(organisation=organisation).exists():
            affiliate(by=shell, person=person, organisation=organisation, role=role)
    members = [people[slug] for slug, _, seat in SEATS if seat != BodyRole.CLERK]
    return Cast(body, members, people["clerk"], evaluator, operator, centre)


def _charter() -> dict[str, object]:
    """Return a charter under which one afternoon suffices: no minimum deliberation."""
    document = usual()
    for rules in document.values():
        rules["deliberation_hours"] = 0
    return document


def _person(slug: str, name: str, password: str) -> Person:
    email = f"{slug}@example.org"
    return Person.objects.filter(email=email).first() or register_person(
        email=email, display_name=name, password=password
    )


def _organisation(shell: Person, slug: str, name: str) -> Organisation:
    return Organisation.objects.filter(slug=slug).first() or admit_organisation(
        by=shell, slug=slug, name=name
    )
