"""Ceremonies of the log's key: hand over to a new one, or close the log for good.

The caller is the only sequencer of the database: the commands take its lock first. Each step can be
repeated after a crash; the docstrings say what a crash leaves.
"""

from django.conf import settings
from django.db import transaction

from oversight.ledger import keys, note, queries, services
from oversight.ledger.choices import Leaf
from oversight.ledger.durable import sync_folder
from oversight.ledger.encoding import to_base64
from oversight.ledger.sequencer import (
    continuation,
    keep_checkpoint,
    make_signer,
    sequence_once,
    store_batch,
    stored_head,
)
from oversight.ledger.signer import Signer, SignerRefusal

ACTOR = "system:operator"


def rotate_key() -> str:
    """Hand over to a new key, which a leaf names under the old one's signature; return its vkey.

    A crash after the leaf leaves the old key signing and the new one waiting beside it; after the
    signer's state was moved, the files are put in place by the next call.

    Raises:
        SignerRefusal: when the key is not a file, or the record must not be continued as it is.
    """
    if settings.LEDGER_KEY or settings.LEDGER_KEY_PKCS11:
        raise SignerRefusal(
            "Only a key in LEDGER_KEY_PATH can be rotated by this command: unset LEDGER_KEY and "
            "LEDGER_KEY_PKCS11."
        )
    path = settings.LEDGER_KEY_PATH
    keys.create_key(keys.next_path(path))
    successor = note.SigningKey(settings.LEDGER_ORIGIN, keys.load_file(keys.next_path(path)))
    vkey = successor.verifier.format()
    try:
        signer = make_signer()
        signer.signed_size()
    except SignerRefusal:
        # The state already knows the new key: only the files were not moved.
        _move_key_files(vkey)
        return vkey
    _hand_over(signer, successor)
    _move_key_files(vkey)
    return vkey


def close_log(*, reason: str, successor: str = "") -> str:
    """Put the closing leaf on the record, sign the last checkpoint, return a signed statement.

    A crash after the leaf leaves a log that says it is closed and goes on when called again.

    Raises:
        SignerRefusal: when the record must not be continued as it is.
    """
    signer = make_signer()
    _sequence_all(signer)
    last = queries.entries_newest_first().filter(type=Leaf.LOG_CLOSED).first()
    if last is None:
        with transaction.atomic():
            facts = {"reason": reason, "successor": successor or None}
            services.append(
                type=Leaf.LOG_CLOSED, actor=ACTOR, subject=_subject(signer), facts=facts
            )
        store_batch()
    head = stored_head()
    text = signer.close(*continuation(head, signer))
    newest = queries.newest_signed_checkpoint()
    if newest is None or newest.size < head.size:
        keep_checkpoint(signer, head, text)
    root = to_base64(bytes.fromhex(head.root.removeprefix("sha256:")))
    lines = [f"closed {signer.origin}", str(head.size), root, reason, successor or "no successor"]
    return signer.state_a_fact("".join(f"{line}\n" for line in lines))


def _hand_over(signer: Signer, successor: note.SigningKey) -> None:
    """Record the new key under the old one, then have both sign, and only the new one later."""
    vkey = successor.verifier.format()
    _sequence_all(signer)
    known = queries.entries_newest_first().filter(type=Leaf.KEY_ROTATED).first()
    if known is None or known.content["facts"]["to"] != vkey:
        with transaction.atomic():
            services.append(
                type=Leaf.KEY_ROTATED,
                actor=ACTOR,
                subject=_subject(signer),
                facts={"from": signer.vkey, "to": vkey},
            )
        store_batch()
    head = stored_head()
    text = signer.rotate(*continuation(head, signer), successor)
    newest = queries.newest_signed_checkpoint()
    if newest is None or newest.size < head.size:
        keep_checkpoint(signer, head, text)


def _sequence_all(signer: Signer) -> None:
    while sequence_once(signer):
        pass


def _subject(signer: Signer) -> str:
    return f"log:{signer.origin}"


def _move_key_files(vkey: str) -> None:
    """Put the new key in the old one's place, and keep the old one under its id."""
    path = settings.LEDGER_KEY_PATH
    old = note.SigningKey(settings.LEDGER_ORIGIN, keys.load_file(path)).verifier
    if old.format() != vkey:
        path.rename(path.with_name(f"{path.stem}.{old.key_id.hex()}{path.suffix}"))
    keys.next_path(path).rename(path)
    sync_folder(path.parent)
