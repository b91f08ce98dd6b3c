"""Following the log's key: from one that the policy names to the one that signs now.

A rotation is an entry that names both keys. That entry alone proves nothing: whoever signs now
could write it. So bundles and sites give, for each rotation, the first checkpoint over it, which
the key that hands over has signed: the old key itself says of the tree with that entry that it is
the log's.
"""

from collections.abc import Sequence

from oversight_gate import strict_json
from oversight_gate.notes import (
    LOG,
    Key,
    Malformed,
    Policy,
    parse_proof,
    parse_vkey,
    signers,
    stated,
)
from oversight_gate.tree import is_included, leaf_hash

FOLDER = "keys/handovers/"
ROTATED = "ledger.key.rotated"
MOST = 1000
_MALFORMED = (LookupError, TypeError, AttributeError, ValueError)


def handed_over(leaf: str, receipt: str, trusted: Sequence[Key]) -> Key | None:
    """Return the key to which one of the trusted hands over by an entry with its receipt.

    None where it is none of theirs, or where it has not signed the tree with that entry.

    Raises:
        Malformed: the receipt does not lead to the entry.
    """
    try:
        act = strict_json.read(leaf)
        before, after = (parse_vkey(act["facts"][name], LOG) for name in ("from", "to"))
    except _MALFORMED as error:
        raise Malformed(f"a rotation of the log's key has not its form ({error})") from None
    index, path, checkpoint = parse_proof(receipt)
    if (
        act["type"] != ROTATED
        or before not in trusted
        or before not in signers([before], checkpoint)
    ):
        return None
    origin, size, root = stated(checkpoint)
    if not is_included(index, size, leaf_hash(leaf.encode()), path, root) or after.name != origin:
        raise Malformed("the receipt of a rotation of the log's key does not lead to it")
    return after


class Handovers:
    """The signed handovers of a bundle, held against its entries as these are read."""

    def __init__(self, notes: dict[int, bytes]) -> None:
        """Take the signed checkpoints by the size of their tree."""
        self.notes = notes
        self._roots: dict[int, bytes] = {}
        self._rotations: list[tuple[int, Key, Key]] = []

    def take(self, index: int, entry: bytes) -> None:
        """Note a rotation, where an entry is one.

        Raises:
            Malformed: it says it is and names no two keys.
        """
        if b'"type":"ledger.key.rotated"' not in entry:
            return
        try:
            act = strict_json.read(entry)
            if act["type"] != ROTATED:
                return
            before, after = (parse_vkey(act["facts"][name], LOG) for name in ("from", "to"))
        except _MALFORMED as error:
            raise Malformed(f"entry {index} is no rotation of the log's key ({error})") from None
        self._rotations.append((index, before, after))

    def grown(self, size: int, root: bytes) -> None:
        """Note the root that the entries gave at a size that a handover is about."""
        self._roots[size] = root

    def followed(self, policy: Policy) -> list[Key]:
        """Return the keys to which the policy's have handed over, step by step.

        Raises:
            Malformed: a handover that a trusted key has signed is of another tree.
        """
        found: list[Key] = []
        for index, before, after in self._rotations:
            trusted = (*policy.logs, *found)
            size = min((each for each in self.notes if each > index), default=None)
            if size is None or before not in trusted or after in trusted:
                continue
            if before not in signers([before], self.notes[size]):
                continue
            origin, told, root = stated(self.notes[size])
            if (told, root) != (size, self._roots.get(size)) or after.name != origin:
                raise Malformed(f"the handover at {size} entries is of another log than this one")
            found.append(after)
        return found
