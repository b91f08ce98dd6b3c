"""Adopting charters."""

from typing import Any

from django.db import transaction
from django.db.models import Max

from oversight.accounts.models import Body, Person
from oversight.accounts.policy import is_administrator
from oversight.ledger import services as ledger
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.charter import CharterError, read
from proposals.choices import Leaf, Status
from proposals.digests import digest_of
from proposals.models import Charter, Proposal


@transaction.atomic(durable=True)
def adopt_charter(*, by: Person, body: Body, document: dict[str, Any]) -> Charter:
    """Adopt a body's charter, the first or a later version.

    Votes that are open keep the rules frozen in their contracts; a body with an open vote cannot
    change its charter.

    Raises:
        Invalid: a rule is missing or can never be met.
        Conflict: a vote is open.
    """
    if not is_administrator(by):
        raise NotAllowed("Only an administrator enters a body's charter.")
    try:
        read(document)
    except CharterError as error:
        raise Invalid(str(error), fields={"document": str(error)}) from None
    Body.objects.select_for_update().get(pk=body.pk)
    if Proposal.objects.filter(body=body, status=Status.VOTING).exists():
        raise Conflict("A vote of this body is open; its charter can change when it has closed.")
    number = (Charter.objects.filter(body=body).aggregate(latest=Max("number"))["latest"] or 0) + 1
    _, digest = digest_of(document)
    leaf = ledger.append(
        type=Leaf.CHARTER_ADOPTED,
        actor=by.actor,
        subject=body.subject,
        digests={"charter": digest},
        facts={"number": number},
    )
    return Charter.objects.create(
        body=body, number=number, document=document, digest=digest, leaf_id=leaf.id
    )


def charter_of(body: Body) -> Charter:
    """Return the charter in force.

    Raises:
        Conflict: the body has none yet.
    """
    charter = Charter.objects.filter(body=body).order_by("-number").first()
    if charter is None:
        raise Conflict(f"{body} has no charter yet, so it cannot decide anything.")
    return charter
