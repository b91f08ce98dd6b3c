"""Checks a pasted receipt in named steps, each with what it shows, for people and programs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from oversight.ledger import checkpoint, merkle, note, proof, queries
from oversight.ledger.choices import Outcome
from oversight.ledger.copied import set_anew
from oversight.ledger.encoding import from_digest
from oversight.ledger.models import Checkpoint, LedgerEntry
from oversight.ledger.tiles import TileNodes


class StepFailed(Exception):  # noqa: N818 - an answer to the reader, not a fault
    """A step that does not hold; the message is shown as it is."""


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One step of a check: a stable name, a title, how it came out, and why."""

    name: str
    title: str
    outcome: Outcome
    explanation: str

    @property
    def ok(self) -> bool:
        """Whether the step holds."""
        return self.outcome == Outcome.OK


@dataclass(frozen=True, slots=True)
class ReceiptCheck:
    """The whole answer: the steps in order, and the entry that the receipt is about, if known."""

    steps: tuple[CheckStep, ...]
    entry: LedgerEntry | None
    tree_size: int | None

    @property
    def ok(self) -> bool:
        """Whether every step holds."""
        return all(step.ok for step in self.steps)


@dataclass
class _Found:
    """What the steps have established so far."""

    receipt: proof.TlogProof = field(default_factory=lambda: proof.TlogProof(0, (), ""))
    newest: Checkpoint | None = None
    head: checkpoint.TreeHead | None = None
    entry: LedgerEntry | None = None


_Step = Callable[[str, _Found], str]


def check_receipt(text: str) -> ReceiptCheck:
    """Check a receipt against this log: form, signature, entry, place in the tree, still there.

    Never raises on bad input: the step that fails says what is wrong, later steps are not reached.
    """
    found = _Found(newest=queries.newest_checkpoint())
    steps = tuple(_run(text.replace("\r\n", "\n"), found))
    return ReceiptCheck(steps, found.entry, found.head.size if found.head else None)


def _run(text: str, found: _Found) -> Iterator[CheckStep]:
    failed = False
    for name, title, step in _STEPS:
        if failed:
            yield CheckStep(name, title, Outcome.SKIPPED, "Not reached: an earlier step failed.")
            continue
        try:
            yield CheckStep(name, title, Outcome.OK, step(text, found))
        except StepFailed as error:
            failed = True
            yield CheckStep(name, title, Outcome.FAILED, str(error))


def _parse(text: str, found: _Found) -> str:
    cleaned = text.strip("\n \t") + "\n"
    try:
        found.receipt = _parsed(cleaned)
    except proof.ReceiptError as error:
        raise StepFailed(
            f"{error} Paste the whole receipt, from its first line to its last."
        ) from None
    return f"The text is a receipt for the entry at index {found.receipt.index}."


def _parsed(text: str) -> proof.TlogProof:
    """Return the parts of a receipt, be it copied from a printed report."""
    anew = set_anew(text)
    try:
        return proof.parse(text if anew == text else anew)
    except proof.ReceiptError:
        # What is wrong is said of the text as it was pasted.
        return proof.parse(text)


def _verify_signature(text: str, found: _Found) -> str:  # noqa: ARG001
    if found.newest is None:
        raise StepFailed("This log has not signed any checkpoint yet.")
    keys = queries.keys_of_log()
    try:
        found.head = found.receipt.tree_head(keys)
    except (proof.ReceiptError, UnicodeEncodeError) as error:
        raise StepFailed(f"{error} Expected the signature of {keys[0].format()}.") from None
    signed = f"{keys[0].name} signed a tree of {found.head.size} entries"
    witnesses = _cosigners(found.receipt)
    if not witnesses:
        return f"{signed}."
    return f"{signed}; so did {_listed(witnesses)}, who had seen nothing that contradicts it."


def _cosigners(receipt: proof.TlogProof) -> list[str]:
    """Return the names of the witnesses of today's policy that cosigned the receipt's tree."""
    signed = note.parse(receipt.signed_checkpoint.encode())
    return sorted(queries.witness_policy().cosigners(signed.text, signed.signatures))


def _listed(names: list[str]) -> str:
    """Return the names as a sentence has them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _know_entry(text: str, found: _Found) -> str:  # noqa: ARG001
    found.entry = LedgerEntry.objects.filter(index=found.receipt.index).first()
    if found.entry is None:
        raise StepFailed(f"There is no entry at index {found.receipt.index} on this record.")
    return f"Entry {found.entry.index} is {found.entry.type} about {found.entry.subject}."


def _verify_inclusion(text: str, found: _Found) -> str:  # noqa: ARG001
    assert found.entry is not None  # noqa: S101 - an earlier step established it
    assert found.head is not None  # noqa: S101
    leaf = merkle.leaf_hash(bytes(found.entry.body))
    receipt = found.receipt
    try:
        merkle.verify_inclusion(
            receipt.index, found.head.size, leaf, receipt.hashes, found.head.root
        )
    except merkle.ProofError as error:
        raise StepFailed(
            f"The entry shown here is not the one that the receipt was given for. {error}"
        ) from None
    return f"{len(receipt.hashes)} hashes lead from the entry to the signed root."


def _verify_continuity(text: str, found: _Found) -> str:  # noqa: ARG001
    assert found.head is not None  # noqa: S101 - an earlier step established it
    assert found.newest is not None  # noqa: S101
    old, new = found.head, found.newest
    if new.size < old.size:
        raise StepFailed(
            f"The receipt is under a tree of {old.size} entries, but this log now shows only "
            f"{new.size}: entries have disappeared."
        )
    try:
        path = merkle.prove_consistency(old.size, new.size, TileNodes(queries.read_tiles))
        merkle.verify_consistency(old.size, new.size, old.root, from_digest(new.root), path)
    except merkle.ProofError as error:
        raise StepFailed(f"The record has been changed since the receipt. {error}") from None
    return f"Today's record of {new.size} entries continues the one of the receipt unchanged."


_STEPS: tuple[tuple[str, str, _Step], ...] = (
    ("format", "It is a receipt", _parse),
    ("signature", "This log signed it", _verify_signature),
    ("entry", "The entry is on the record", _know_entry),
    ("inclusion", "The receipt proves this entry", _verify_inclusion),
    ("continuity", "Nothing was changed since", _verify_continuity),
)
