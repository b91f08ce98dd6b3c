"""The first thing a sequencer does: compare signer, database and published files, then act.

The rules are `startup.RULES`; here are the facts that they judge, and the acts.
"""

from collections.abc import Callable

from oversight.ledger import checkpoint, merkle, note, queries, startup
from oversight.ledger.encoding import from_digest
from oversight.ledger.models import Checkpoint
from oversight.ledger.public_folder import PublicFolder
from oversight.ledger.sequencer import stored_head
from oversight.ledger.signer import Signer, SignerRefusal
from oversight.ledger.startup import Accounts, Act, Known
from oversight.ledger.tiles import TileNodes


def begin(signer: Signer, folder: PublicFolder, say: Callable[[str], None]) -> startup.Rule:
    """Bring the three accounts of the log into agreement and return the last rule that applied.

    Raises:
        SignerRefusal: when they contradict each other; nothing was changed.
    """
    rule = _next_rule(signer, folder)
    if rule.act is Act.CATCH_UP:
        size = _catch_up(signer, folder)
        say(f"signer had an older state; by its own signature it had signed {size} entries")
        rule = _next_rule(signer, folder)
    if rule.act is Act.REPUBLISH:
        say(f"publishing the files of {folder.publish() or 0} entries again")
    return rule


def _next_rule(signer: Signer, folder: PublicFolder) -> startup.Rule:
    accounts = _accounts(signer, folder)
    rule = startup.decide(accounts)
    if rule.act is Act.REFUSE:
        raise SignerRefusal(
            f"Refusing to start: {rule.case} ({startup.describe(accounts)}). Nothing was signed. "
            f"{rule.advice}"
        )
    return rule


def _accounts(signer: Signer, folder: PublicFolder) -> Accounts:
    head = stored_head()
    signed = signer.signed_head()
    newest = queries.newest_signed_checkpoint()
    published = _published(signer, folder)
    nodes = TileNodes(queries.read_tiles)
    return Accounts(
        signed=Known(signed.size, signed.root) if signed else None,
        stored=Known(head.size, from_digest(head.root)),
        published=Known(published.size, published.root) if published else None,
        checkpointed=Known(newest.size, from_digest(newest.root)) if newest else None,
        stored_root_at=lambda size: merkle.right_edge(size, nodes).root(),
    )


def _published(signer: Signer, folder: PublicFolder) -> checkpoint.TreeHead | None:
    text = folder.checkpoint()
    if text is None:
        return None
    keys = [*queries.keys_of_log(), note.VerifierKey.parse(signer.vkey)]
    try:
        return checkpoint.open_signed(text.encode(), keys)
    except checkpoint.CheckpointError as error:
        raise SignerRefusal(
            f"Refusing to start: the published checkpoint in LEDGER_PUBLIC_DIR is not this log's: "
            f"{error} If the folder belongs to another log, name another; if the file was damaged, "
            "move it away after looking at it: it is written again from the database."
        ) from None


def _catch_up(signer: Signer, folder: PublicFolder) -> int:
    """Show the signer the largest checkpoint that bears its signature; return its size."""
    newest: Checkpoint | None = queries.newest_signed_checkpoint()
    text = folder.checkpoint()
    size = newest.size if newest else -1
    published = _published(signer, folder)
    if newest is not None and (published is None or size >= published.size):
        text = newest.note
    elif published is not None:
        size = published.size
    nodes = TileNodes(queries.read_tiles)
    path = merkle.prove_consistency(signer.signed_size(), size, nodes)
    signer.catch_up(merkle.right_edge(size, nodes), path, text or "")
    return size
