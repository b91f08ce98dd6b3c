"""The registry as it follows from the log alone; pure, so that anyone can repeat it.

What is registered and what decisions made of it is a fold over the acts of this floor: no act says
less than the row that it made. Names and words for people are not on the log, and not compared.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Rows = dict[str, dict[str, Any]]
"""By the subject of the acts about it, what a row says."""

_STATES = {
    "granted": "granted",
    "restored": "granted",
    "suspended": "suspended",
    "revoked": "revoked",
    "superseded": "superseded",
}


def rebuild(acts: Iterable[Mapping[str, Any]]) -> Rows:
    """Return every row of the registry from the acts of the log, in its order.

    Args:
        acts: the contents of entries; those of other floors are passed over.
    """
    rows: Rows = {}
    for act in acts:
        if not act["type"].startswith("registry."):
            continue
        kind = act["type"].split(".")[1]
        subject, row = _FOLDS.get(kind, _registered)(act, rows)
        if row is not None:
            # A new row each time: what a reader has in hand does not change under them.
            rows[subject] = row
    return rows


_KEPT = {
    "model": (),
    "version": ("model", "label", "licence"),
    "endpoint": ("operator",),
    "deployment": ("endpoint",),
}
"""What the acts say of what is registered, beside its name."""

Folded = tuple[str, dict[str, Any] | None]
"""The row that an act is about, and what it says afterwards; None where it is no row's."""


def _registered(act: Mapping[str, Any], rows: Rows) -> Folded:  # noqa: ARG001 - all are called alike
    kind, facts = act["type"].split(".")[1], act.get("facts", {})
    row = {name: facts[name] for name in _KEPT[kind]} | {"description": None}
    if kind == "version":
        row["model_signing"] = act["digests"].get("model_signing")
        row["signed_by"] = facts.get("signed_by")
    return act["subject"], row


def _described(act: Mapping[str, Any], rows: Rows) -> Folded:
    row = rows[act["subject"]] | {"description": act["digests"]["description"]}
    return act["subject"], row


def _descended(act: Mapping[str, Any], rows: Rows) -> Folded:  # noqa: ARG001
    subject = f"{act['subject']} from version:{act['digests']['parent']}"
    return subject, {"kind": act["facts"]["kind"], "data": act["digests"].get("data")}


def _authorised(act: Mapping[str, Any], rows: Rows) -> Folded:
    word, facts = act["type"].split(".")[2], act.get("facts", {})
    if word != "granted":
        changed = {"state": _STATES[word], "until": facts.get("until")}
        return act["subject"], rows[act["subject"]] | changed
    return act["subject"], {
        "version": act["digests"]["version"],
        "conditions": act["digests"].get("conditions"),
        "deployment": facts["deployment"],
        "starts_at": facts["starts_at"],
        "ends_at": facts["ends_at"],
        "state": "granted",
        "until": None,
    }


def _no_row(act: Mapping[str, Any], rows: Rows) -> Folded:  # noqa: ARG001
    return act["subject"], None


_FOLDS: dict[str, Callable[[Mapping[str, Any], Rows], Folded]] = {
    "authorisation": _authorised,
    "descent": _descended,
    "description": _described,
    "gate_key": _no_row,  # how the gate signs is no row of the registry
}


def differences(from_log: Rows, from_tables: Rows) -> list[str]:
    """Return what the tables say otherwise than the log, one line each; empty when they agree."""
    lines = []
    for subject in sorted(from_log.keys() | from_tables.keys()):
        logged, stored = from_log.get(subject), from_tables.get(subject)
        if logged is None:
            lines.append(f"{subject} is in the registry and not on the log")
        elif stored is None:
            lines.append(f"{subject} is on the log and not in the registry")
        else:
            lines += [
                f"{subject}: {name} is {stored.get(name)!r}, and {logged[name]!r} by the log"
                for name in logged
                if stored.get(name) != logged[name]
            ]
    return lines
