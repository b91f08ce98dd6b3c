"""What a starting sequencer does about three accounts of the log that may disagree.

The signer's state, the database and the published files are kept apart on purpose: whoever changes
one of them shows up in the others. Free of Django; `docs/explanation/record.md` has the table too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

ReadRoot = Callable[[int], bytes]
"""Returns the root of the database's tree at an earlier size."""


class Act(StrEnum):
    """What to do before the first batch."""

    REFUSE = "refuse"
    CATCH_UP = "let the signer catch up"
    REPUBLISH = "republish"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class Known:
    """How large the tree is by one account, and its root (32 bytes)."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Accounts:
    """The three accounts: last signed, stored, published; and the database's newest checkpoint."""

    signed: Known | None
    stored: Known
    published: Known | None
    checkpointed: Known | None
    stored_root_at: ReadRoot

    def contradicts(self, other: Known | None) -> bool:
        """Return whether the stored tree does not begin with that one."""
        if other is None or other.size > self.stored.size:
            return False
        if other.size == self.stored.size:
            return other.root != self.stored.root
        return self.stored_root_at(other.size) != other.root

    def signed_size(self) -> int:
        """Return the size that was last signed; -1 without any state."""
        return self.signed.size if self.signed else -1

    def newest_checkpoint_size(self) -> int:
        """Return the size of the largest signed checkpoint that is known; -1 without any."""
        return max((k.size for k in (self.published, self.checkpointed) if k), default=-1)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: the first whose case holds is followed."""

    case: str
    holds: Callable[[Accounts], bool]
    act: Act
    advice: str = ""


_RESTORED = (
    "The database was probably restored from an older backup. Restore a newer backup or replay "
    "the write-ahead log, or bring the entries back with `python manage.py log recover`. Never "
    "delete the signer's state or the published files to get past this: the log would contradict "
    "receipts that people hold."
)
_CHANGED = (
    "Entries were changed or replaced. Run `python manage.py log_fsck` to find the first bad "
    "entry, and restore the database from before it."
)

RULES = (
    Rule(
        "published newer than the database",
        lambda a: a.published is not None and a.published.size > a.stored.size,
        Act.REFUSE,
        _RESTORED,
    ),
    Rule(
        "signed newer than the database",
        lambda a: a.signed_size() > a.stored.size,
        Act.REFUSE,
        _RESTORED,
    ),
    Rule(
        "a checkpoint in the database newer than its entries",
        lambda a: a.checkpointed is not None and a.checkpointed.size > a.stored.size,
        Act.REFUSE,
        _RESTORED,
    ),
    Rule(
        "published at the same size with another root, or no beginning of the stored tree",
        lambda a: a.contradicts(a.published),
        Act.REFUSE,
        _CHANGED,
    ),
    Rule(
        "signed at the same size with another root, or no beginning of the stored tree",
        lambda a: a.contradicts(a.signed),
        Act.REFUSE,
        _CHANGED,
    ),
    Rule(
        "no signer's state, but entries",
        lambda a: a.signed is None and a.stored.size > 0,
        Act.REFUSE,
        "The signer's state is missing. Restore that file from its backup. If it is lost for good, "
        "compare the record with the newest checkpoint that anyone holds, then run `python "
        "manage.py sequencer --adopt` once.",
    ),
    Rule(
        "signed older than a checkpoint that bears the signer's own signature",
        lambda a: a.signed is not None and a.signed_size() < a.newest_checkpoint_size(),
        Act.CATCH_UP,
    ),
    Rule(
        "published older than the database's newest checkpoint, or missing",
        lambda a: (
            a.checkpointed is not None
            and (a.published is None or a.published.size < a.checkpointed.size)
        ),
        Act.REPUBLISH,
    ),
    Rule("all agree, or the database has entries to sign", lambda a: True, Act.CONTINUE),  # noqa: ARG005
)


def decide(accounts: Accounts) -> Rule:
    """Return the first rule whose case holds."""
    return next(rule for rule in RULES if rule.holds(accounts))


def describe(accounts: Accounts) -> str:
    """Return the three sizes in words, for a message."""
    published = "nothing" if accounts.published is None else f"{accounts.published.size}"
    signed = "nothing" if accounts.signed is None else f"{accounts.signed.size}"
    return (
        f"signed up to {signed}, the database holds {accounts.stored.size} entries, "
        f"published up to {published}"
    )
