"""Ceremonies of the gate's key: adopt the first, hand over to another, retire one that was stolen.

Each is a leaf, so whoever trusts the log's key knows the gate's. A hand-over waits for its receipt
before the new key is put in place: no answer is ever signed by a key that the record does not know.
"""

from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from oversight.ledger import keys as files
from oversight.ledger import services as ledger
from oversight.ledger.durable import sync_folder
from oversight.ledger.models import LedgerEntry, PendingLeaf
from oversight.registry.choices import Leaf
from oversight.registry.gate import keys
from oversight.web.refusals import Conflict

ACTOR = "system:operator"


def adopt_key() -> str:
    """Put the gate's key on the record, making one where there is none; return its public half.

    Called again it does nothing: a crash between file and leaf is mended by the next call.
    """
    if not settings.GATE_KEY:
        files.create_key(settings.GATE_KEY_PATH)
    public = keys.current().public
    _adopt(public)
    return public


def rotate_key(*, is_compromised: bool = False, seconds: float = 30.0) -> str:
    """Hand over to a new key and return its public half; the old one is kept under its id.

    Answers that the old one signed before stay good for their short life, unless it is said to be
    compromised: then nothing that it ever signed counts. A crash leaves the old key signing and the
    new one waiting beside it, until this is called again.

    Raises:
        Conflict: the key is not in a file, or the record did not take the leaf in time.
    """
    if settings.GATE_KEY:
        raise Conflict(_("GATE_KEY holds the key: put another there, then run gate_key --create."))
    path: Path = settings.GATE_KEY_PATH
    before = keys.current().public
    waiting = files.next_path(path)
    files.create_key(waiting)
    public = files.load_file(waiting).public_key().public_bytes_raw().hex()
    _wait(_adopt(public), seconds)
    path.rename(path.with_name(f"{path.stem}.{before[:8]}{path.suffix}"))
    waiting.rename(path)
    sync_folder(path.parent)
    retire_key(before, is_compromised=is_compromised)
    return public


@transaction.atomic(durable=True)
def retire_key(public: str, *, is_compromised: bool) -> None:
    """Put on the record that a key signs no more, or, if compromised, that it never counted."""
    ledger.append(
        type=Leaf.GATE_KEY_RETIRED,
        actor=ACTOR,
        subject=keys.subject(),
        facts={"key": public, "compromised": is_compromised},
    )


def _adopt(public: str) -> PendingLeaf | None:
    """Append the leaf that adopts a key, unless there is one."""
    if _is_adopted(public):
        return None
    with transaction.atomic(durable=True):
        return ledger.append(
            type=Leaf.GATE_KEY_ADOPTED, actor=ACTOR, subject=keys.subject(), facts={"key": public}
        )


def _is_adopted(public: str) -> bool:
    """Say whether the record knows the key or will in a moment."""
    about = {"type": Leaf.GATE_KEY_ADOPTED, "subject": keys.subject()}
    rows = [
        *LedgerEntry.objects.filter(**about),
        *PendingLeaf.objects.filter(**about),
    ]
    return any(row.content["facts"]["key"] == public for row in rows)


def _wait(pending: PendingLeaf | None, seconds: float) -> None:
    if pending is not None and ledger.wait_for_receipt(pending.id, seconds) is None:
        raise Conflict(
            _(
                "The record did not take the new key in time; the old one still signs. See that "
                "the sequencer runs, then call this again."
            )
        )
