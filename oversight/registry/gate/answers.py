"""Signed answers of the gate: made from decisions in force, kept for their short, stated life.

An answer says when the registry was read and until when it may be relied on, which is
`GATE_LIFETIME_SECONDS` later and never beyond the sunset. What is kept here is read again every
second and signed anew when anything of it has changed, when the key has, or when a third of its
life is over. So a revocation holds after a second for who asks here, and for who keeps an answer
after its stated life.

No answer depends on a clock that somebody can set. The database's decides; where this host's
differs, both must say yes. How old a kept answer is, is counted on the larger of the steps that
this host's wall clock and a steady clock have taken.
"""

import hashlib
import random
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.conf import settings

from oversight.registry.choices import GateCode
from oversight.registry.gate import keys, proofs
from oversight.registry.gate.deciding import GateAnswer, answer
from oversight.registry.gate.reading import CannotTell, source, steady

__all__ = ["CannotTell", "Kept", "forget", "ready_answer"]

RECHECK_SECONDS = 1.0
REFUSAL_SECONDS = 5
"""How long a no may be kept: a decision should be seen soon."""
KEPT_ANSWERS = 4096
SKEW_SECONDS = 5.0
"""A difference between clocks that needs no word of its own."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One signed answer as it is sent, with what is needed to know how long."""

    body: bytes
    etag: str
    allowed: bool
    facts: tuple[object, ...]
    key_id: str
    lasts: float
    """Seconds from the reading of the registry on."""
    steady_at: float
    wall_at: float
    checked_at: float

    @property
    def age(self) -> float:
        """Seconds since the registry was read, by the clock that has gone further."""
        return max(steady() - self.steady_at, time.time() - self.wall_at)

    @property
    def remaining(self) -> float:
        """Seconds for which it may still be relied on."""
        return self.lasts - self.age

    @property
    def max_age(self) -> int:
        """The same in whole seconds, as HTTP says it."""
        return max(0, int(self.remaining))


_kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()
_checking: set[tuple[str, str]] = set()
_lock = threading.Lock()


def forget() -> None:
    """Forget every kept answer."""
    with _lock:
        _kept.clear()
        _checking.clear()
        source.down_until, source.seen_size = 0.0, 0


def kept(subject: str, slug: str) -> Kept | None:
    """Return a yes that is kept and may still be sent."""
    found = _kept.get((subject, slug))
    return found if found is not None and found.remaining > 0 else None


def ready_answer(subject: str, slug: str) -> Kept:
    """Return the answer, kept or made anew.

    Raises:
        CannotTell: neither a database that answers nor an answer that is still good.
        keys.NoGateKey: there is no key, or the record does not know it yet.
    """
    pair = (subject, slug)
    held = kept(subject, slug)
    if held is None:
        return _made(pair)
    if steady() - held.checked_at < RECHECK_SECONDS or not _begin(pair):
        return held
    try:
        return _looked_at_again(pair, held)
    except CannotTell:
        # Good until the end of its life, whatever has become of the database.
        return held if held.remaining > 0 else _made(pair)
    finally:
        _checking.discard(pair)


def _spread(moment: float) -> float:
    """Return a moment up to a quarter of a second before, so that not all are read at once."""
    return moment - random.uniform(0, RECHECK_SECONDS / 4)  # noqa: S311 - no secret


def _begin(pair: tuple[str, str]) -> bool:
    """Take the turn of looking again; all others are answered with what is kept meanwhile."""
    with _lock:
        if pair in _checking:
            return False
        _checking.add(pair)
        return True


def _looked_at_again(pair: tuple[str, str], held: Kept) -> Kept:
    began = steady()
    found, _ = source.read(lambda: _judged(*pair))
    is_young = held.age < held.lasts / 3
    if is_young and found.facts == held.facts and keys.current().key_id == held.key_id:
        return _keep(pair, replace(held, checked_at=_spread(began)))
    return _made(pair)


def _made(pair: tuple[str, str]) -> Kept:
    # Before the registry is read: what it says is at least as new as these.
    steady_at, wall_at = steady(), time.time()
    key = keys.current()

    def work() -> tuple[GateAnswer, proofs.Proof]:
        return proofs.proven(_judged(*pair), key)

    (found, proof), by_replica = source.read(work)
    source.seen_size = max(source.seen_size, proof.size)
    if not proof.is_key_known:
        raise keys.NoGateKey(
            "The record does not know the gate's key yet: run python manage.py gate_key --create, "
            "and see that the sequencer runs."
        )
    not_after = _not_after(found, datetime.fromtimestamp(wall_at, UTC))
    body = proofs.body(found, proof, key, not_after=not_after, by_replica=by_replica)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    latest = max(found.checked_at, datetime.fromtimestamp(wall_at, UTC))
    lasts = (not_after - latest).total_seconds()
    made = Kept(
        body,
        etag,
        found.allowed,
        found.facts,
        key.key_id,
        lasts,
        steady_at,
        wall_at,
        _spread(steady_at),
    )
    return _keep(pair, made)


def _judged(subject: str, slug: str) -> GateAnswer:
    """Answer by the database's clock, and refuse where this host's clock would."""
    found = answer(subject=subject, deployment_slug=slug)
    here = datetime.now(UTC)
    other = found.at(here)
    if other.allowed == found.allowed:
        return found
    if abs((here - found.checked_at).total_seconds()) <= SKEW_SECONDS:
        return found if other.allowed else replace(other, checked_at=found.checked_at)
    return replace(found, code=GateCode.CLOCK_IN_DOUBT)


def _not_after(found: GateAnswer, here: datetime) -> datetime:
    """Return until when the answer may be relied on, by the database's clock.

    Where this host's clock is ahead, the sunset comes that much sooner.
    """
    seconds = settings.GATE_LIFETIME_SECONDS if found.allowed else REFUSAL_SECONDS
    until = found.checked_at + timedelta(seconds=seconds)
    row = found.authorisation
    if found.allowed and row is not None and row.ends_at is not None:
        ahead = max(timedelta(0), here - found.checked_at)
        until = min(until, row.ends_at - ahead)
    return max(until, found.checked_at)


def _keep(pair: tuple[str, str], made: Kept) -> Kept:
    """Keep a yes; a no is read anew each time, and so are questions without end."""
    with _lock:
        _kept.pop(pair, None)
        if made.allowed:
            _kept[pair] = made
            if len(_kept) > KEPT_ANSWERS:
                _kept.popitem(last=False)
    return made
