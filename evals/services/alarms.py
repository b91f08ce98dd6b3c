"""Alarms of checks: what is new of them, who is told, and that bodies were told."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from evals.identity import ALARMING
from evals.models import Check
from oversight.accounts.choices import NoticeKind, OrganisationRole
from oversight.accounts.models import Affiliation, Person
from oversight.accounts.queries import AffiliationQuerySet
from oversight.accounts.services import notify
from oversight.registry.models import Endpoint
from oversight.web.clock import database_now
from oversight.web.languages import filled

Alarm = tuple[str, str, str]
"""Kind, endpoint, and beside whom."""


def alarms_of(found: Check | None) -> set[Alarm]:
    """Return what a round raised an alarm about."""
    return {
        (each["kind"], each["endpoint"], each["beside"])
        for each in (found.findings if found else [])
        if each["verdict"] in ALARMING
    }


def raise_alarm(found: Check, before: Check | None) -> None:
    """Tell operators and who planned the checks of what was not so the last time.

    For the service that judges, inside its transaction.
    """
    concerned = newly_alarming(found, before)
    if not concerned:
        return
    roles = _operators_of([each.operator_id for each in concerned])
    operators = Person.objects.filter(affiliations__in=roles)
    _tell(found, concerned, {found.plan.planned_by, *operators})


def newly_alarming(found: Check, before: Check | None) -> list[Endpoint]:
    """Return the endpoints of a round that it raises an alarm about that did not stand before."""
    named = {name for _, *names in alarms_of(found) - alarms_of(before) for name in names}
    parts = found.answerers.exclude(endpoint=None).select_related("endpoint").order_by("id")
    return [part.endpoint for part in parts if part.endpoint and part.name in named]


def untold_checks() -> list[int]:
    """Return the judged rounds of whose alarms no body was told yet."""
    waiting = Check.objects.exclude(judged_at=None).filter(bodies_told_at=None)
    return list(waiting.order_by("judged_at").values_list("pk", flat=True))


def take_untold(check_id: int) -> list[Endpoint]:
    """Mark that bodies are told, and return about which endpoints; for services of upper floors.

    The round's row is locked until the caller's transaction ends: two that look at once tell once.
    """
    with transaction.atomic():
        rows = Check.objects.select_for_update(of=("self",)).select_related("plan__version__model")
        found = rows.get(pk=check_id)
        if found.judged_at is None or found.bodies_told_at is not None:
            return []
        found.bodies_told_at = database_now()
        found.save(update_fields=["bodies_told_at"])
    earlier = found.plan.checks.filter(judged_at__lt=found.judged_at).order_by("-judged_at")
    return newly_alarming(found, earlier.first())


def _tell(found: Check, concerned: Sequence[Endpoint], people: set[Person]) -> None:
    version = found.plan.version
    names = ", ".join(sorted(each.slug for each in concerned))
    notify(
        people=people,
        subject=filled(_("Endpoints of %(version)s do not answer as one"), version=version),
        text=filled(
            _(
                "A check found something new about %(names)s. The endpoint's page says what "
                "was compared, and leads to the runs."
            ),
            names=names,
        ),
        path=concerned[0].get_absolute_url(),
        kind=NoticeKind.ALARM,
        about=version.digest[:30],
    )


def _operators_of(organisations: Sequence[int]) -> AffiliationQuerySet:
    roles = Affiliation.objects.filter(organisation_id__in=organisations)
    return roles.in_term().filter(role=OrganisationRole.OPERATOR)
