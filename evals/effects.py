"""What a decision does to the evaluation floor, inside the decision's own transaction.

Called by the deciding floor while it holds the lock on the body: a body has one budget at a time.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from evals.choices import Leaf
from evals.models import ComputeBudget
from oversight.accounts.models import Body
from oversight.ledger import services as ledger
from oversight.web.clock import stamp
from oversight.web.refusals import Conflict


def allocate(
    *,
    actor: str,
    decision_ref: str,
    body: Body,
    hours: int,
    starts_at: datetime,
    until: datetime,
) -> ComputeBudget:
    """Put a budget in force in place of the one that stands; what that has not used is gone.

    Raises:
        Conflict: the decision has already allocated one.
    """
    if ComputeBudget.objects.filter(decision_ref=decision_ref).exists():
        raise Conflict(
            _("Decision %(decision_ref)s has already taken effect.")
            % {
                "decision_ref": decision_ref,
            }
        )
    for earlier in ComputeBudget.objects.filter(body=body, ended_at=None):
        _end(earlier, actor=actor, by=decision_ref, at=starts_at)
    leaf = ledger.append(
        type=Leaf.BUDGET_ALLOCATED,
        actor=actor,
        subject=f"budget:{decision_ref}",
        facts={
            "body": body.slug,
            "hours": hours,
            "starts_at": stamp(starts_at),
            "until": stamp(until),
        },
    )
    return ComputeBudget.objects.create(
        body=body,
        decision_ref=decision_ref,
        hours=hours,
        starts_at=starts_at,
        until=until,
        leaf_id=leaf.id,
    )


def annul(*, actor: str, decision_ref: str, by: str, at: datetime) -> list[ComputeBudget]:
    """Take back what a decision allocated, and let stand again what it had replaced.

    Returns what changed; nothing where another decision has replaced it since.
    """
    row = ComputeBudget.objects.filter(decision_ref=decision_ref, ended_at=None).first()
    if row is None:
        return []
    _end(row, actor=actor, by=by, at=at)
    replaced = ComputeBudget.objects.filter(ended_by=decision_ref).first()
    if replaced is None:
        return [row]
    replaced.ended_at, replaced.ended_by = None, ""
    replaced.save(update_fields=["ended_at", "ended_by"])
    ledger.append(
        type=Leaf.BUDGET_RESTORED,
        actor=actor,
        subject=replaced.subject,
        facts={"by": f"decision:{by}"},
    )
    return [row, replaced]


def _end(row: ComputeBudget, *, actor: str, by: str, at: datetime) -> None:
    row.ended_at, row.ended_by = at, by
    row.save(update_fields=["ended_at", "ended_by"])
    ledger.append(
        type=Leaf.BUDGET_ENDED, actor=actor, subject=row.subject, facts={"by": f"decision:{by}"}
    )
