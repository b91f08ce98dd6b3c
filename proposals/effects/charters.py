"""The charter of a body: amended by a decision, put back by its annulment."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from oversight.accounts.models import Body
from oversight.ledger import services as ledger
from oversight.web.refusals import Impossible
from proposals.choices import Leaf
from proposals.digests import digest_of
from proposals.effects.carried import Carried
from proposals.models import Charter, Decision


def amend_charter(carried: Carried) -> dict[str, Any]:
    """Put the next charter in force. Votes that are open keep the one they were opened under."""
    body = Body.objects.select_for_update().get(pk=carried.proposal.body_id)
    current = Charter.objects.filter(body=body).order_by("-number")[0]
    if current.number != carried.terms["base"]:
        raise Impossible(
            "charter-changed",
            gettext(
                "It was written against charter %(terms)s; charter %(number)s is in force since."
            )
            % {
                "terms": carried.terms["base"],
                "number": current.number,
            },
        )
    made = _put_in_force(
        body,
        carried.terms["charter"],
        number=current.number + 1,
        actor=carried.actor,
        ref=carried.proposal.ref,
        at=carried.decided_at,
    )
    return {"charter": made.number, "digest": made.digest}


def _put_in_force(
    body: Body, document: dict[str, Any], *, number: int, actor: str, ref: str, at: datetime
) -> Charter:
    """Write a charter's next version; the caller holds the lock on the body."""
    _, digest = digest_of(document)
    leaf = ledger.append(
        type=Leaf.CHARTER_ADOPTED,
        actor=actor,
        subject=body.subject,
        digests={"charter": digest},
        facts={"number": number},
    )
    return Charter.objects.create(
        body=body,
        number=number,
        document=document,
        digest=digest,
        decision_ref=ref,
        adopted_at=at,
        leaf_id=leaf.id,
    )


def unamend_charter(decision: Decision, by: str, at: datetime) -> list[str]:
    """Put the charter before it in force again, unless a later one has replaced it since."""
    body = Body.objects.select_for_update().get(pk=decision.proposal.body_id)
    current, before = Charter.objects.filter(body=body).order_by("-number")[:2]
    if current.decision_ref != decision.ref:
        return []
    made = _put_in_force(
        body,
        before.document,
        number=current.number + 1,
        actor=f"decision:{by}",
        ref=by,
        at=at,
    )
    return [f"charter:{body.slug}:{made.number}"]
