"""Draws lots that anyone can draw again: the seed and the names fix the whole order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Self

from proposals.tally.errors import InputError

MAX_SEED_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot drawn by a seed.

    The key of a name is SHA-256 over the UTF-8 bytes of the seed followed directly by those of
    the name. Names in ascending order of their keys are the lot order; the earlier a name stands
    in it, the luckier it is. `printf '%s%s' SEED NAME | sha256sum` gives the same keys.
    """

    seed: str

    def __post_init__(self) -> None:
        if len(self.seed) > MAX_SEED_CHARACTERS:
            raise InputError(
                "lot_seed", f"longer than {MAX_SEED_CHARACTERS} characters; shorten it"
            )
        try:
            self.seed.encode()
        except UnicodeEncodeError:
            raise InputError("lot_seed", "is not valid UTF-8 text; use plain characters") from None

    @classmethod
    def revealed(cls, seed: str, commitment: str) -> Self:
        """Returns the lot of a seed that was committed to before anyone could vote.

        Args:
            seed: as revealed after the close.
            commitment: as published before the opening, with or without `sha256:` before it.

        Raises:
            InputError: when the seed is not the one that was committed to.
        """
        lot = cls(seed)
        published = commitment.removeprefix("sha256:").encode(errors="replace")
        if not compare_digest(commit(seed).encode(), published):
            raise InputError("lot_seed", "is not the seed that was committed to; reveal that one")
        return lot

    def key(self, name: str) -> bytes:
        """Returns the 32 bytes that place a name in the lot order."""
        return sha256(self.seed.encode() + name.encode()).digest()

    def order(self, names: Iterable[str]) -> list[str]:
        """Returns the names, luckiest first."""
        return sorted(names, key=lambda name: (self.key(name), name))

    def best(self, tied: Sequence[str], number: int) -> tuple[str, ...]:
        """Returns the luckiest `number` of the tied, luckiest first."""
        return tuple(self.order(tied)[:number])


def commit(seed: str) -> str:
    """Returns the commitment to a seed: SHA-256 over its UTF-8 bytes, in lower-case hexadecimal.

    A seed short enough to guess is no secret: draw 32 random bytes, written in hexadecimal.
    """
    return sha256(Lot(seed).seed.encode()).hexdigest()


DEFAULT_LOT = Lot("oversight")
"""The lot of a count that cannot go on without one and was given no seed."""
