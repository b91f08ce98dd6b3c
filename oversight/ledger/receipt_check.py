"""Checks a pasted receipt in named steps, each with what it shows, for people and programs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext, gettext_noop

from oversight.ledger import checkpoint, merkle, note, proof, queries
from oversight.ledger.choices import Outcome
from oversight.ledger.copied import set_anew
from oversight.ledger.encoding import from_digest
from oversight.ledger.models import Checkpoint, LedgerEntry
from oversight.ledger.tiles import TileNodes
from oversight.web.languages import spoken


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
    for name, english, step in _STEPS:
        title = gettext(english)
        if failed:
            yield CheckStep(
                name, title, Outcome.SKIPPED, gettext("Not reached: an earlier step failed.")
            )
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
        words = gettext("%(problem)s Paste the whole receipt, from its first line to its last.")
        raise StepFailed(words % {"problem": _problem(error)}) from None
    words = gettext("The text is a receipt for the act at index %(index)s.")
    return words % {"index": found.receipt.index}


def _problem(error: Exception) -> str:
    """Return what the pure modules say is wrong, in the language that is spoken."""
    if isinstance(error, UnicodeEncodeError):
        return gettext("The receipt holds a character that no text can have.")
    return spoken(error.args[0])


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
        raise StepFailed(gettext("This log has not signed any checkpoint yet."))
    keys = queries.keys_of_log()
    try:
        found.head = found.receipt.tree_head(keys)
    except (proof.ReceiptError, UnicodeEncodeError) as error:
        words = gettext("%(problem)s Expected the signature of %(key)s.")
        found_wrong = {"problem": _problem(error), "key": keys[0].format()}
        raise StepFailed(words % found_wrong) from None
    witnesses = _cosigners(found.receipt)
    words = (
        gettext(
            "%(name)s signed a tree of %(size)s acts; so did %(witnesses)s, who had seen "
            "nothing that contradicts it."
        )
        if witnesses
        else gettext("%(name)s signed a tree of %(size)s acts.")
    )
    return words % {
        "name": keys[0].name,
        "size": found.head.size,
        "witnesses": _listed(witnesses),
    }


def _cosigners(receipt: proof.TlogProof) -> list[str]:
    """Return the names of the witnesses of today's policy that cosigned the receipt's tree."""
    signed = note.parse(receipt.signed_checkpoint.encode())
    return sorted(queries.witness_policy().cosigners(signed.text, signed.signatures))


def _listed(names: list[str]) -> str:
    """Return the names as a sentence has them."""
    if len(names) < 2:
        return "".join(names)
    return gettext("%(items)s and %(last)s") % {"items": ", ".join(names[:-1]), "last": names[-1]}


def _know_entry(text: str, found: _Found) -> str:  # noqa: ARG001
    found.entry = LedgerEntry.objects.filter(index=found.receipt.index).first()
    if found.entry is None:
        words = gettext("There is no act at index %(index)s on this record.")
        raise StepFailed(words % {"index": found.receipt.index})
    words = gettext("Act %(index)s is %(type)s about %(subject)s.")
    entry = found.entry
    return words % {"index": entry.index, "type": entry.type, "subject": entry.subject}


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
        words = gettext(
            "The act shown here is not the one that the receipt was given for. %(problem)s"
        )
        raise StepFailed(words % {"problem": _problem(error)}) from None
    words = gettext("%(number)s hashes lead from the act to the signed root.")
    return words % {"number": len(receipt.hashes)}


def _verify_continuity(text: str, found: _Found) -> str:  # noqa: ARG001
    assert found.head is not None  # noqa: S101 - an earlier step established it
    assert found.newest is not None  # noqa: S101
    old, new = found.head, found.newest
    if new.size < old.size:
        words = gettext(
            "The receipt is under a tree of %(before)s acts, but this log now shows only "
            "%(now)s: acts have disappeared."
        )
        raise StepFailed(words % {"before": old.size, "now": new.size})
    try:
        path = merkle.prove_consistency(old.size, new.size, TileNodes(queries.read_tiles))
        merkle.verify_consistency(old.size, new.size, old.root, from_digest(new.root), path)
    except merkle.ProofError as error:
        words = gettext("The record has been changed since the receipt. %(problem)s")
        raise StepFailed(words % {"problem": _problem(error)}) from None
    words = gettext("Today's record of %(size)s acts continues the one of the receipt unchanged.")
    return words % {"size": new.size}


_STEPS: tuple[tuple[str, str, _Step], ...] = (
    ("format", gettext_noop("It is a receipt"), _parse),
    ("signature", gettext_noop("This log signed it"), _verify_signature),
    ("entry", gettext_noop("The act is on the record"), _know_entry),
    ("inclusion", gettext_noop("The receipt proves this act"), _verify_inclusion),
    ("continuity", gettext_noop("Nothing was changed since"), _verify_continuity),
)
