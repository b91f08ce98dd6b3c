"""Merkle trees of RFC 6962 over SHA-256: hashes, roots, proofs made and proofs checked.

Proof generation reads stored hashes through a callable, so it never needs the whole tree.
Verification follows RFC 9162 section 2.1.3.2 and 2.1.4.2 step by step and shares no code with
generation, so that a mistake in one is caught by the other.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from oversight.web.marks import Said
from oversight.web.marks import gettext_noop as _

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


class ProofError(ValueError):
    """A proof that does not show what it claims; the message says at which step it failed."""


@dataclass(frozen=True, slots=True)
class Node:
    """The perfect subtree over the `2**level` leaves that begin at leaf `index * 2**level`."""

    level: int
    index: int


ReadNodes = Callable[[Sequence[Node]], Sequence[bytes]]
"""Returns the hash of each asked node, in the asked order."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash under which the entry `data` stands in the tree."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above `left` and `right`."""
    return sha256(b"\x01" + left + right).digest()


def cover(start: int, end: int) -> list[Node]:
    """Return the perfect subtrees over the leaves `start` to `end` (excluded), left to right.

    `start` must be a multiple of the smallest power of two that is not below `end - start`; every
    range that occurs in a tree or a proof is of that kind.
    """
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return nodes


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over perfect subtrees of falling size, given left to right."""
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root of the tree with these leaf hashes."""
    edge = RightEdge()
    for each in leaf_hashes:
        edge.append(each)
    return edge.root()


@dataclass
class RightEdge:
    """The hashes along the right side of a tree: all that is needed to extend it and know its root.

    `hashes[i]` is the i-th perfect subtree of `cover(0, size)`, so there is one for each bit set in
    `size`.
    """

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash at the right."""
        completed = leaf
        # Each trailing one bit of the old size is a perfect subtree that the new leaf completes.
        trailing_ones = (~self.size & (self.size + 1)).bit_length() - 1
        for _bit in range(trailing_ones):
            completed = node_hash(self.hashes.pop(), completed)
        self.hashes.append(completed)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the tree as it stands.

        Raises:
            ProofError: when the number of hashes does not fit the size.
        """
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ProofError(f"{len(self.hashes)} hashes cannot be the right edge of {self.size}.")
        return fold(self.hashes)


def right_edge(size: int, read: ReadNodes) -> RightEdge:
    """Return the right edge of the tree of `size`, read from stored hashes."""
    return RightEdge(size, list(read(cover(0, size))))


def prove_inclusion(index: int, size: int, read: ReadNodes) -> list[bytes]:
    """Return the proof that leaf `index` is in the tree of `size`: its sibling first.

    Raises:
        ValueError: when there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"There is no leaf {index} in a tree of {size}.")
    ranges = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return _hashes_of_ranges(ranges[::-1], read)


def prove_consistency(old: int, new: int, read: ReadNodes) -> list[bytes]:
    """Return the proof that the tree of `new` leaves begins with the tree of `old` leaves.

    Raises:
        ValueError: when `old` is negative or larger than `new`.
    """
    if not 0 <= old <= new:
        raise ValueError(f"A tree of {new} cannot extend a tree of {old}.")
    if old in (0, new):
        return []
    ranges = []
    start, end = 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start > 0:
        # Without a step to the right the old tree is a subtree that the verifier already knows.
        ranges.append((start, end))
    return _hashes_of_ranges(ranges[::-1], read)


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected_root: bytes
) -> None:
    """Accept only if `leaf` is the leaf hash at `index` in the tree of `size` with that root.

    Raises:
        ProofError: when the proof does not show it.
    """
    _require_hashes(leaf, expected_root, *proof)
    if not 0 <= index < size:
        raise ProofError(
            Said(
                _("There is no leaf %(index)s in a tree of %(size)s."),
                index=str(index),
                size=str(size),
            )
        )
    fn, sn, result = index, size - 1, leaf
    for each in proof:
        if sn == 0:
            raise ProofError(
                Said(_("The inclusion proof is too long for this index and tree size."))
            )
        if fn & 1 or fn == sn:
            result = node_hash(each, result)
            fn, sn = _past_left_turns(fn, sn)
        else:
            result = node_hash(result, each)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofError(Said(_("The inclusion proof is too short for this index and tree size.")))
    if result != expected_root:
        raise ProofError(Said(_("The inclusion proof leads to another root.")))


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Accept only if the tree of `new` leaves begins with the tree of `old` leaves.

    From the empty tree the empty proof is accepted, as witnesses need it; some libraries refuse.

    Raises:
        ProofError: when the proof does not show it.
    """
    if not 0 <= old <= new:
        raise ProofError(
            Said(
                _("A tree of %(new)s cannot extend a tree of %(old)s."), new=str(new), old=str(old)
            )
        )
    if old in (0, new):
        if proof:
            raise ProofError(Said(_("The consistency proof must be empty for these tree sizes.")))
        if old == new and old_root != new_root:
            words = _("Two different roots are claimed for the tree size %(size)s.")
            raise ProofError(Said(words, size=str(new)))
        return
    _require_hashes(old_root, new_root, *proof)
    if not proof:
        raise ProofError(Said(_("The consistency proof is empty.")))
    found_old, found_new = _replay_consistency(old, new, old_root, proof)
    if found_old != old_root:
        raise ProofError(Said(_("The consistency proof does not lead to the old root.")))
    if found_new != new_root:
        raise ProofError(Said(_("The consistency proof does not lead to the new root.")))


def _replay_consistency(
    old: int, new: int, old_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Return the old and the new root that the proof leads to (RFC 9162 section 2.1.4.2)."""
    path = iter(_with_known_start(old, old_root, proof))
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    found_old = found_new = next(path)
    for each in path:
        if sn == 0:
            raise ProofError(Said(_("The consistency proof is too long for these tree sizes.")))
        if fn & 1 or fn == sn:
            found_old = node_hash(each, found_old)
            found_new = node_hash(each, found_new)
            fn, sn = _past_left_turns(fn, sn)
        else:
            found_new = node_hash(found_new, each)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofError(Said(_("The consistency proof is too short for these tree sizes.")))
    return found_old, found_new


def _with_known_start(old: int, old_root: bytes, proof: Sequence[bytes]) -> Iterator[bytes]:
    if old & (old - 1) == 0:
        # A tree of a power of two is itself a subtree of the new one, so the proof leaves it out.
        yield old_root
    yield from proof


def _past_left_turns(fn: int, sn: int) -> tuple[int, int]:
    """Skip the levels at which the path has no sibling because the tree ends there."""
    while fn and not fn & 1:
        fn, sn = fn >> 1, sn >> 1
    return fn, sn


def _split(count: int) -> int:
    """Return the largest power of two below `count` (at least 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def _hashes_of_ranges(ranges: Sequence[tuple[int, int]], read: ReadNodes) -> list[bytes]:
    """Return the subtree hash of each range, reading all needed nodes in one call."""
    covers = [cover(start, end) for start, end in ranges]
    stored = iter(read([node for nodes in covers for node in nodes]))
    return [fold([next(stored) for _ in nodes]) for nodes in covers]


def _require_hashes(*hashes: bytes) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofError(f"Every hash must be {HASH_BYTES} bytes.")
