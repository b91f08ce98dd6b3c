"""The log's tree (RFC 6962, RFC 9162): the root of all entries, and proofs of inclusion."""

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Edge:
    """The right edge of a growing tree: enough to add leaves and to know the root."""

    def __init__(self) -> None:
        self.size = 0
        self._hashes: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        size = self.size
        while size & 1:
            leaf = node_hash(self._hashes.pop(), leaf)
            size >>= 1
        self._hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        if not self._hashes:
            return EMPTY_ROOT
        result = self._hashes[-1]
        for each in reversed(self._hashes[:-1]):
            result = node_hash(each, result)
        return result


def is_included(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Say whether the path leads from the leaf at `index` to the root (RFC 9162, 2.1.3.2)."""
    if index >= size:
        return False
    fn, sn, result = index, size - 1, leaf
    for each in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            result = node_hash(each, result)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            result = node_hash(result, each)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and result == root
