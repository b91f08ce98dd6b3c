"""The registry as it follows from the log alone; pure, so that anyone can repeat it.

What is registered and what decisions made of it is a fold over the acts of this floor: no act says
less than the row that it made. Names and words for people are not on the log, and not compared.
"""

from collections.abc import Iterable, Mapping
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
        _, kind, word = act["type"].split(".")
        subject, facts = act["subject"], act.get("facts", {})
        if kind == "gate_key":
            continue  # how the gate signs is no row of the registry
        if kind == "description":
            rows[subject] = {**rows[subject], "description": act["digests"]["description"]}
        elif kind != "authorisation":
            rows[subject] = {name: facts[name] for name in _KEPT[kind]} | {"description": None}
            if kind == "version":
                rows[subject] |= {
                    "model_signing": act["digests"].get("model_signing"),
                    "signed_by": facts.get("signed_by"),
                }
        elif word == "granted":
            rows[subject] = _granted(act, facts)
        else:
            # A new row each time: what a reader has in hand does not change under them.
            rows[subject] = {**rows[subject], "state": _STATES[word], "until": facts.get("until")}
    return rows


_KEPT = {
    "model": (),
    "version": ("model", "label", "licence"),
    "endpoint": ("operator",),
    "deployment": ("endpoint",),
}
"""What the acts say of what is registered, beside its name."""


def _granted(act: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": act["digests"]["version"],
        "conditions": act["digests"].get("conditions"),
        "deployment": facts["deployment"],
        "starts_at": facts["starts_at"],
        "ends_at": facts["ends_at"],
        "state": "granted",
        "until": None,
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
