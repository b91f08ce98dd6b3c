"""What an answer of the gate shows for itself: the acts it rests on with their receipts, signed.

Nothing here judges, but for one thing: a yes whose acts are not under a signed checkpoint yet
becomes a no that says so. Everything is read under one checkpoint.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings

from oversight.ledger import queries
from oversight.ledger.models import Checkpoint, LedgerEntry, PendingLeaf
from oversight.registry.choices import GateCode
from oversight.registry.effects import digest_of_conditions
from oversight.registry.gate import inputs, keys, statement
from oversight.registry.gate.deciding import GateAnswer
from oversight.registry.models import Authorisation
from oversight.web.clock import stamp


@dataclass(frozen=True, slots=True)
class Act:
    """One act on the record that the answer rests on."""

    index: int
    type: str
    leaf: str
    leaf_hash: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Proof:
    """All that an answer rests on, under one checkpoint."""

    checkpoint: Checkpoint | None
    acts: tuple[Act, ...]
    inputs: inputs.Inputs
    is_key_known: bool
    """Whether the record has adopted the key that is to sign, and not retired it."""

    @property
    def size(self) -> int:
        """How many entries the checkpoint covers; 0 without one."""
        return self.checkpoint.size if self.checkpoint else 0


def proven(found: GateAnswer, key: keys.GateKey) -> tuple[GateAnswer, Proof]:
    """Return the answer with its proof; a yes without one becomes a no.

    All that is read of the database is read here, so that a replica can be asked for all of it.
    """
    checkpoint = queries.newest_checkpoint()
    is_known = checkpoint is not None and keys.may_sign(key, checkpoint.size)
    row = found.authorisation
    if row is None or checkpoint is None:
        proof = Proof(checkpoint, (), inputs.Inputs(), is_known)
        return _refused_unless_proven(found, is_settled=False), proof
    rests_on = inputs.of_decision(row.decision_ref)
    acts = _acts(row, rests_on, checkpoint.size)
    is_settled = any(act.type.endswith(".granted") for act in acts) and not _is_moving(
        row, checkpoint.size
    )
    proof = Proof(checkpoint, acts, rests_on, is_known)
    return _refused_unless_proven(found, is_settled=is_settled), proof


def _refused_unless_proven(found: GateAnswer, *, is_settled: bool) -> GateAnswer:
    if found.allowed and not is_settled:
        return replace(found, code=GateCode.NOT_ON_RECORD)
    return found


def _is_moving(row: Authorisation, size: int) -> bool:
    """Say whether an act about the authorisation is not under the checkpoint yet."""
    return (
        PendingLeaf.objects.filter(subject=row.subject).exists()
        or LedgerEntry.objects.about(row.subject).filter(index__gte=size).exists()
    )


def _acts(row: Authorisation, rests_on: inputs.Inputs, size: int) -> tuple[Act, ...]:
    """Return what granted the authorisation, what changed it last, and the decision itself."""
    about = list(LedgerEntry.objects.about(row.subject).filter(index__lt=size))
    entries = {entry.index: entry for entry in [*about[:1], *about[-1:]]}
    if rests_on.leaf_id is not None:
        decided = LedgerEntry.objects.filter(leaf_id=rests_on.leaf_id, index__lt=size).first()
        entries |= {decided.index: decided} if decided else {}
    acts = []
    for index in sorted(entries):
        receipt = queries.receipt_at(index, size)
        if receipt is not None:
            entry = entries[index]
            leaf = bytes(entry.body).decode()
            acts.append(Act(index, entry.type, leaf, receipt.leaf_hash, receipt.text))
    return tuple(acts)


def body(
    found: GateAnswer, proof: Proof, key: keys.GateKey, *, not_after: datetime, by_replica: bool
) -> bytes:
    """Return the answer as JSON: what it says, what it rests on, and the signed statement."""
    row = found.authorisation
    content = {
        "allowed": found.allowed,
        "result": "PASSED" if found.allowed else "FAILED",
        "code": str(found.code),
        "reason": found.reason,
        "checked_at": stamp(found.checked_at),
        "not_after": stamp(not_after),
        "subject": found.subject,
        "deployment": found.deployment_slug,
        "model": str(found.version) if found.version else None,
        "weights": _weights(found),
        "authorisation": _authorisation(row, found) if row else None,
        "record": _record(proof),
        "answered_by": "replica" if by_replica else "writer",
        "statement": statement.sign(_statement(found, proof, not_after), key),
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _weights(found: GateAnswer) -> dict[str, Any] | None:
    version = found.version
    if version is None:
        return None
    return {
        "model": version.model.slug,
        "label": version.label,
        "digest": version.digest,
        "bytes": version.total_bytes,
        "manifest": f"{settings.PUBLIC_URL}/api/v1/versions/{version.digest}/",
    }


def _authorisation(row: Authorisation, found: GateAnswer) -> dict[str, Any]:
    state = row.state_at(found.checked_at)
    return {
        "decision": row.decision_ref,
        "state": str(state),
        "starts_at": stamp(row.starts_at),
        "ends_at": stamp(row.ends_at) if row.ends_at else None,
        "suspended_until": stamp(row.suspended_until)
        if row.suspended_until and state == "suspended"
        else None,
        "conditions": row.conditions,
        "conditions_digest": digest_of_conditions(row.conditions) if row.conditions else None,
    }


def _record(proof: Proof) -> dict[str, Any] | None:
    if proof.checkpoint is None:
        return None
    return {
        "origin": settings.LEDGER_ORIGIN,
        "size": proof.checkpoint.size,
        "root": proof.checkpoint.root,
        "acts": [
            {
                "index": act.index,
                "type": act.type,
                "leaf_hash": act.leaf_hash,
                "leaf": act.leaf,
                "receipt": act.receipt,
            }
            for act in proof.acts
        ],
    }


def _statement(found: GateAnswer, proof: Proof, not_after: datetime) -> dict[str, Any]:
    site, row = settings.PUBLIC_URL, found.authorisation
    predicate: dict[str, Any] = {
        "verifier": {"id": f"{site}/api/v1/gate/"},
        "timeVerified": stamp(found.checked_at),
        "notAfter": stamp(not_after),
        "resourceUri": f"{site}/deployments/{found.deployment_slug}/",
        "deployment": found.deployment_slug,
        "verificationResult": "PASSED" if found.allowed else "FAILED",
        "code": str(found.code),
        "inputAttestations": _attestations(proof),
    }
    if proof.inputs.rules:
        predicate["policy"] = _reference(proof.inputs.rules)
    if row is not None:
        predicate["authorisation"] = _authorisation(row, found)
    if proof.checkpoint is not None:
        predicate["log"] = {
            "origin": settings.LEDGER_ORIGIN,
            "size": proof.checkpoint.size,
            "root": proof.checkpoint.root,
        }
    return statement.statement(site=site, subject=found.subject, predicate=predicate)


def _attestations(proof: Proof) -> list[dict[str, Any]]:
    acts = [
        {
            "uri": f"{settings.PUBLIC_URL}/log/proof/{act.index}",
            "digest": statement.sha256(act.leaf_hash),
        }
        for act in proof.acts
    ]
    return acts + [_reference(each) for each in proof.inputs.evidence]


def _reference(each: inputs.Input) -> dict[str, Any]:
    return {
        "uri": f"{settings.PUBLIC_URL}{each.path}",
        "digest": statement.sha256(each.digest),
        "kind": each.kind,
    }
