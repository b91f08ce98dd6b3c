"""What a judge is: whoever can say whether these weights may serve this deployment now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

Pair = tuple[str, str]
"""The digest of weights, and the address name of a deployment."""


class CannotTell(RuntimeError):  # noqa: N818 - an answer, not a fault
    """The judge has no answer; whoever asked must take it for a no. The message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A yes or no that was verified, with what it rests on."""

    allowed: bool
    code: str
    says: str
    decision: str = ""
    ends_at: str = ""
    conditions: Mapping[str, Any] = field(default_factory=dict)
    lasts: float = 0.0
    """Seconds for which it may be kept."""


class Judge(Protocol):
    """Answers about pairs, after verifying what it answers from."""

    @property
    def name(self) -> str:
        """By what it judges, for people."""
        ...

    def ask(self, subject: str, deployment: str) -> Answer:
        """Return the answer for one pair.

        Raises:
            CannotTell: with the reason.
        """
        ...

    def prepare(self, pairs: Iterable[Pair]) -> None:
        """Fetch many answers at once, where that is quicker; failures come out when asked."""
        ...


SAYS = {
    "authorised": "a decision in force allows it",
    "unknown-version": "no registered version has these weights",
    "unknown-deployment": "no deployment has this name",
    "never-decided": "no decision allows these weights there",
    "not-yet": "the authorisation has not begun",
    "expired": "the authorisation has expired",
    "suspended": "the authorisation is suspended",
    "revoked": "the authorisation was revoked",
    "superseded": "a later decision allows another version instead",
    "not-on-record": "the decision is not on the public record yet",
    "clock-in-doubt": "the gate's clocks disagree about whether it is in force",
}
"""The gate's codes in words."""


def moment(text: str) -> datetime:
    """Return a time such as 2026-11-23T10:00:00Z.

    Raises:
        ValueError: it is not one.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text[:40]!r} has no time zone")
    return found.astimezone(UTC)


def said(code: str, decision: str, ends_at: str) -> str:
    """Return an answer in words."""
    words = SAYS.get(code, code)
    if code == "authorised":
        until = f" until {ends_at[:16].replace('T', ' ')} UTC" if ends_at else ""
        return f"allowed by decision {decision}{until}"
    return words + (f" (decision {decision})" if decision else "")


def told(conditions: Mapping[str, Any]) -> tuple[str, ...]:
    """Return conditions in words, one each."""
    return tuple(f"{name.replace('_', ' ')} {_listed(value)}" for name, value in conditions.items())


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
