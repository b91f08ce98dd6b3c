"""Adopting charters."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext, gettext_lazy

from oversight.accounts.models import Body, Person
from oversight.accounts.policy import is_administrator
from oversight.ledger import services as ledger
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.charter import read
from proposals.charter_rules import CharterError
from proposals.choices import Leaf
from proposals.digests import digest_of
from proposals.models import Charter

FIRST = 1
LATER_CHARTERS = gettext_lazy(
    "{body} has a charter already. An administrator enters only the first one, because whoever "
    "could replace the rules could decide everything; a later charter takes a decision of the body."
)


@transaction.atomic(durable=True)
def adopt_charter(*, by: Person, body: Body, document: dict[str, Any]) -> Charter:
    """Adopt a body's first charter. Every later one is the body's own to decide.

    Raises:
        NotAllowed: the person is no administrator.
        Invalid: a rule is missing or can never be met.
        Conflict: the body has a charter already.
    """
    if not is_administrator(by):
        raise NotAllowed(gettext("Only an administrator enters a body's first charter."))
    try:
        read(document)
    except CharterError as error:
        raise Invalid(str(error), fields={"document": str(error)}) from None
    # The lock on the body makes two first charters wait for each other.
    Body.objects.select_for_update().get(pk=body.pk)
    if Charter.objects.filter(body=body).exists():
        raise Conflict(LATER_CHARTERS.format(body=body))
    _, digest = digest_of(document)
    leaf = ledger.append(
        type=Leaf.CHARTER_ADOPTED,
        actor=by.actor,
        subject=body.subject,
        digests={"charter": digest},
        facts={"number": FIRST},
    )
    return Charter.objects.create(
        body=body, number=FIRST, document=document, digest=digest, leaf_id=leaf.id
    )


def charters_of(bodies: Iterable[int]) -> dict[int, Charter]:
    """Return the charter in force of each body that has one, by the body's key."""
    found = Charter.objects.filter(body__in=list(bodies)).order_by("body_id", "-number")
    return {row.body_id: row for row in found.distinct("body_id")}


def charter_of(body: Body) -> Charter:
    """Return the charter in force.

    Raises:
        Conflict: the body has none yet.
    """
    charter = Charter.objects.filter(body=body).order_by("-number").first()
    if charter is None:
        raise Conflict(
            gettext("%(body)s has no charter yet, so it cannot decide anything.")
            % {
                "body": body,
            }
        )
    return charter
