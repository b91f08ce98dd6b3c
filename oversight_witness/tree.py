"""Merkle trees of RFC 6962 on the watcher's side: hashes, roots, consistency (RFC 9162)."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()


class Inconsistent(ValueError):  # noqa: N818 - the finding that this program exists for
    """A proof that does not show that one tree continues the other."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Edge:
    """The right edge of a growing tree: enough to add leaves and to know the root."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """Take the size and its perfect subtrees' hashes, the largest first."""
        self.size = size
        self.hashes = list(hashes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        size = self.size
        while size & 1:
            leaf = node_hash(self.hashes.pop(), leaf)
            size >>= 1
        self.hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        if not self.hashes:
            return EMPTY_ROOT
        result = self.hashes[-1]
        for each in reversed(self.hashes[:-1]):
            result = node_hash(each, result)
        return result


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Accept only if the tree of `new` leaves begins with the tree of `old` leaves.

    Raises:
        Inconsistent: when the proof does not show it.
    """
    if old > new:
        raise Inconsistent("the old tree is larger than the new one")
    if old in (0, new):
        if proof or (old == new and old_root != new_root):
            raise Inconsistent("another root for the same size, or a proof where none belongs")
        return
    if not proof:
        raise Inconsistent("the proof is empty")
    # A tree of a power of two is itself a subtree of the new one; the proof leaves it out.
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if _follow(path, old, new) != (old_root, new_root):
        raise Inconsistent("the proof does not lead from the one root to the other")


def _follow(path: Sequence[bytes], old: int, new: int) -> tuple[bytes, bytes]:
    """Return the roots of the old and the new tree that the path leads to (2.1.4.2)."""
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for each in path[1:]:
        if sn == 0:
            raise Inconsistent("the proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(each, fr), node_hash(each, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, each)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise Inconsistent("the proof is too short")
    return fr, sr
