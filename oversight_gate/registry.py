"""What is authorised, as it follows from the acts of the log alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from oversight_gate.judging import moment

STANDING = ("granted", "suspended")
_STATES = {
    "granted": "granted",
    "restored": "granted",
    "suspended": "suspended",
    "revoked": "revoked",
    "superseded": "superseded",
}


@dataclass(slots=True)
class Authorisation:
    """What one decision allowed, and what became of it."""

    decision: str
    version: str
    deployment: str
    starts: datetime
    ends: datetime | None
    ends_at: str
    index: int
    conditions: str = ""
    """The digest of the conditions; their words are not on the log."""
    state: str = "granted"
    until: datetime | None = None

    def state_at(self, now: datetime) -> str:
        """Return the state at a moment: an emergency suspension lapses by the clock alone."""
        if self.state == "suspended" and self.until is not None and now >= self.until:
            return "granted"
        return self.state

    def code_at(self, now: datetime) -> str:
        """Return the gate's code at a moment."""
        state = self.state_at(now)
        if state != "granted":
            return state
        if now < self.starts:
            return "not-yet"
        return "expired" if self.ends is not None and now >= self.ends else "authorised"


@dataclass(slots=True)
class Registry:
    """All versions, deployments and authorisations that the acts so far amount to."""

    versions: set[str] = field(default_factory=set)
    deployments: set[str] = field(default_factory=set)
    by_decision: dict[str, Authorisation] = field(default_factory=dict)
    gate_keys: dict[str, str] = field(default_factory=dict)
    """Public keys of the gate: `adopted`, `retired` or `compromised`."""

    def take(self, index: int, act: Mapping[str, Any]) -> None:
        """Take the next act of the registry; acts of other kinds are passed over.

        Raises:
            LookupError, TypeError, ValueError: it is not of the form of its kind.
        """
        kind, _, word = act["type"].removeprefix("registry.").partition(".")
        name = act["subject"].partition(":")[2]
        if kind == "version":
            self.versions.add(name)
        elif kind == "deployment":
            self.deployments.add(name)
        elif kind == "authorisation":
            self._authorisation(index, name, word, act)
        elif kind == "gate_key":
            gone = "compromised" if act["facts"].get("compromised") else "retired"
            self.gate_keys[act["facts"]["key"]] = "adopted" if word == "adopted" else gone

    def _authorisation(self, index: int, ref: str, word: str, act: Mapping[str, Any]) -> None:
        facts = act.get("facts", {})
        if word == "granted":
            ends_at = facts["ends_at"] or ""
            self.by_decision[ref] = Authorisation(
                ref,
                act["digests"]["version"],
                facts["deployment"],
                moment(facts["starts_at"]),
                moment(ends_at) if ends_at else None,
                ends_at,
                index,
                act["digests"].get("conditions", ""),
            )
            return
        row = self.by_decision[ref]
        row.state = _STATES[word]
        row.until = moment(facts["until"]) if facts.get("until") else None

    def decides(self, version: str, deployment: str) -> Authorisation | None:
        """Return the authorisation of a pair that decides: the one that stands, else the newest."""
        found = [
            each
            for each in self.by_decision.values()
            if (each.version, each.deployment) == (version, deployment)
        ]
        return max(
            found, key=lambda each: (each.state in STANDING, each.starts, each.index), default=None
        )

    def code(self, version: str, deployment: str, now: datetime) -> str:
        """Return the gate's code for a pair."""
        if deployment not in self.deployments:
            return "unknown-deployment"
        if version not in self.versions:
            return "unknown-version"
        row = self.decides(version, deployment)
        return row.code_at(now) if row else "never-decided"
