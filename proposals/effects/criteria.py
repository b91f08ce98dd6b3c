"""The standing criteria of a body: adopted by a decision, dropped by another."""

from datetime import datetime
from typing import Any

from evals.models import SuiteVersion
from oversight.accounts.models import Body
from oversight.ledger import services as ledger
from proposals.choices import Leaf
from proposals.digests import digest_of
from proposals.effects.carried import Carried
from proposals.models import Decision, SuiteAdoption


def adopt_suite(carried: Carried) -> dict[str, Any]:
    """Ask criteria of a suite from now on, in place of those asked of the suite before."""
    body = Body.objects.select_for_update().get(pk=carried.proposal.body_id)
    version = SuiteVersion.objects.select_related("suite").get(digest=carried.terms["suite"])
    criteria = carried.terms["criteria"]
    for earlier in SuiteAdoption.objects.filter(body=body, suite=version.suite, ended_at=None):
        _drop(earlier, actor=carried.actor, by=carried.proposal.ref, at=carried.decided_at)
    if criteria:
        _, digest = digest_of(criteria)
        leaf = ledger.append(
            type=Leaf.SUITE_ADOPTED,
            actor=carried.actor,
            subject=body.subject,
            digests={"suite": version.digest, "criteria": digest},
            facts={"criteria": len(criteria)},
        )
        SuiteAdoption.objects.create(
            body=body,
            suite=version.suite,
            version=version,
            criteria=criteria,
            decision_ref=carried.proposal.ref,
            adopted_at=carried.decided_at,
            leaf_id=leaf.id,
        )
    return {"suite": version.digest, "criteria": criteria}


def _drop(row: SuiteAdoption, *, actor: str, by: str, at: datetime) -> None:
    row.ended_at, row.ended_by = at, by
    row.save(update_fields=["ended_at", "ended_by"])
    ledger.append(
        type=Leaf.SUITE_DROPPED,
        actor=actor,
        subject=row.body.subject,
        digests={"suite": row.version.digest},
        facts={"adopted_by": f"decision:{row.decision_ref}"},
    )


def unadopt_suite(decision: Decision, by: str, at: datetime) -> list[str]:
    """Ask the criteria that the decision adopted no more."""
    Body.objects.select_for_update().get(pk=decision.proposal.body_id)
    standing = SuiteAdoption.objects.select_related("body", "version__suite")
    row = standing.filter(decision_ref=decision.ref, ended_at=None).first()
    if row is None:
        return []
    _drop(row, actor=f"decision:{by}", by=by, at=at)
    return [f"suite:{row.version.digest}"]
