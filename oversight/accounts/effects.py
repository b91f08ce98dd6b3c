"""What a decision does on the accounts floor, inside the decision's own transaction."""

from datetime import datetime

from django.db import connection
from django.utils.translation import gettext as _

from oversight.accounts.choices import Leaf
from oversight.accounts.models import Body, EvaluatorAdmission, Organisation
from oversight.ledger import services as ledger
from oversight.web.refusals import Impossible

_ADMISSION_LOCK = 0x61646D69  # any constant: keeps this advisory lock apart from others


def admit_evaluator(
    *,
    actor: str,
    decision_ref: str,
    body: Body,
    slug: str,
    name: str,
    website: str,
    at: datetime,
) -> EvaluatorAdmission:
    """Admit an organisation as the body's evaluator; one that is not known yet is made.

    The caller holds the lock on the body.

    Raises:
        Impossible: it is the body's evaluator already.
    """
    _require_transaction()
    with connection.cursor() as cursor:
        # Two bodies may admit the same new organisation at the same moment.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADMISSION_LOCK])
    organisation = Organisation.objects.filter(slug=slug).first()
    if organisation is None:
        made = ledger.append(
            type=Leaf.ORGANISATION_ADMITTED, actor=actor, subject=f"organisation:{slug}"
        )
        organisation = Organisation.objects.create(
            slug=slug, name=name, website=website, leaf_id=made.id
        )
    if body.evaluators.filter(organisation=organisation, ended_at=None).exists():
        raise Impossible(
            "admitted-already",
            _("%(organisation)s is an evaluator of %(body)s already.")
            % {
                "organisation": organisation,
                "body": body,
            },
        )
    leaf = ledger.append(
        type=Leaf.EVALUATOR_ADMITTED,
        actor=actor,
        subject=organisation.subject,
        facts={"body": body.slug},
    )
    return EvaluatorAdmission.objects.create(
        body=body,
        organisation=organisation,
        decision_ref=decision_ref,
        admitted_at=at,
        leaf_id=leaf.id,
    )


def end_admission(*, actor: str, decision_ref: str, at: datetime) -> EvaluatorAdmission | None:
    """End what a decision had admitted; None where it has ended before."""
    _require_transaction()
    rows = EvaluatorAdmission.objects.select_for_update(of=("self",))
    row = (
        rows.select_related("organisation", "body")
        .filter(decision_ref=decision_ref, ended_at=None)
        .first()
    )
    if row is None:
        return None
    row.ended_at = at
    row.save(update_fields=["ended_at"])
    ledger.append(
        type=Leaf.EVALUATOR_ENDED,
        actor=actor,
        subject=row.organisation.subject,
        facts={"body": row.body.slug},
    )
    return row


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("An effect belongs into the transaction of its decision.")
