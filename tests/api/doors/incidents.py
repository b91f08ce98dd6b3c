"""Incidents: reported by anybody, handled by some."""

from typing import Any

from oversight.accounts.choices import Scope
from oversight.incidents.models import Incident, IncidentFile, IncidentLink
from tests.api.conftest import World
from tests.api.doors.door import Door, whole
from tests.api.doors.scenes import a_file
from tests.incidents import made


def a_report(world: World) -> Incident:
    """Return a report that nobody has looked at."""
    return Incident.objects.filter(status="received").first() or made.make_report()[0]


def an_incident(world: World) -> Incident:
    """Return an incident that was triaged, about the world's deployment."""
    found = Incident.objects.filter(status="triaged").first()
    if found is None:
        found = made.make_incident(world.cast.clerk, deployments=[world.deployment])
    return found


def of_report(world: World) -> tuple[object, ...]:
    return (a_report(world).ref,)


def of_incident(world: World) -> tuple[object, ...]:
    world.cast.clerk.refresh_from_db()
    # Whose account is closed handles nothing, and is not let in either.
    if not world.cast.clerk.is_active:
        return ("INC-2026-001",)
    return (an_incident(world).ref,)


def a_report_body(world: World) -> dict[str, Any]:
    return {"form": made.form(), "text": "It named a person."}


def a_secret(world: World) -> dict[str, Any]:
    return {"secret": made.make_report()[1]}


def a_link(world: World) -> tuple[object, ...]:
    parts = of_incident(world)
    link = IncidentLink.objects.filter(incident__ref=parts[0]).first()
    return (*parts, link.pk if link else 1)


JUDGED = {"severity": "hazard", "category": "privacy", "harm": "rights"}
PUBLIC_TEXT = {"title": "It named a person", "text": "A resident was named."}
INCIDENT_READS = (
    Door("api-incidents", "GET"),
    Door("api-incident-form", "GET"),
    Door("api-incident-statistics", "GET"),
    Door("api-incident", "GET", of_report),
    Door("api-incident-oecd", "GET", of_incident),
)
OPEN_WRITES = (
    Door("api-incidents", "POST", status=201, body=a_report_body),
    Door("api-incident-follow", "POST", body=a_secret),
    Door("api-incident-add", "POST", status=201, body=lambda w: a_secret(w) | {"text": "More."}),
)
"""What anybody may send, without an account."""

OPEN_FORMS = (
    Door(
        "api-incident-files",
        "POST",
        status=201,
        body=lambda w: a_secret(w) | {"text": "See this."} | a_file(w),
        is_form=True,
    ),
)
HANDLED = tuple(
    Door(
        f"api-incident-{name}",
        method,
        parts,
        whole("clerk"),
        status=status,
        body=None if body is None else lambda w, body=body: body,  # type: ignore[misc]
        owner="clerk",
        scope=Scope.INCIDENTS_WRITE,
    )
    for name, method, parts, status, body in (
        ("triage", "POST", of_report, 200, JUDGED | PUBLIC_TEXT),
        ("judgement", "POST", of_incident, 200, JUDGED),
        ("state", "POST", of_incident, 200, {"to": "investigating"}),
        ("text", "POST", of_incident, 200, PUBLIC_TEXT),
        ("notes", "POST", of_incident, 201, {"text": "Looked at."}),
        ("answers", "POST", of_incident, 201, {"text": "When?"}),
        ("link", "DELETE", a_link, 204, None),
        ("moderation", "POST", of_incident, 200, {"act": "hide", "reason": "A name."}),
    )
)
HANDLED = (
    *HANDLED,
    Door(
        "api-incident-links",
        "POST",
        of_incident,
        whole("clerk"),
        status=201,
        body=lambda w: {"to": w.version.digest},
        owner="clerk",
        scope=Scope.INCIDENTS_WRITE,
    ),
    Door(
        "api-incident-suspension",
        "POST",
        of_incident,
        whole("clerk"),
        status=201,
        body=lambda w: {"decision": w.decision.ref, "reason": "It names people."},
        owner="clerk",
        scope=Scope.INCIDENTS_WRITE,
    ),
    Door(
        "api-incident-review",
        "POST",
        of_incident,
        whole("member"),
        status=201,
        body=lambda w: {"type": "fitting"},
        scope=Scope.INCIDENTS_WRITE,
    ),
)
PRIVATE_READS = tuple(
    Door(
        name,
        "GET",
        parts,
        whole("clerk", "auditor", "administrator"),
        owner="clerk",
        scope=Scope.INCIDENTS_WRITE,
    )
    for name, parts in (
        ("api-incident-report", of_report),
        ("api-incident-file", lambda w: a_file_of_a_report()),
    )
)


def a_file_of_a_report() -> tuple[object, ...]:
    file = IncidentFile.objects.select_related("incident").first()
    if file is None:
        incident, _ = made.make_report(files=[("a.txt", b"words")])
        file = incident.files.get()
    return (file.incident.ref, file.pk)
