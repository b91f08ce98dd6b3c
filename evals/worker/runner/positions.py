"""Which positions of a batch are scored: only there are the vocabulary's probabilities needed.

The harness asks for them at every position and then looks at those of the continuation. For a long
question with short choices that is most of the memory and much of the time, for nothing.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any


class Positions:
    """For one call of the harness: from where on its requests are scored, by their length."""

    def __init__(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], max_length: int
    ) -> None:
        """Note lengths as the harness cuts them: the last token is not read, only scored."""
        found = sorted(
            _span(len(context), len(answer), max_length) for _, context, answer in requests
        )
        self._lengths = [length for length, _ in found]
        self._starts = [start for _, start in found]

    def needed(self, shortest: int, longest: int) -> int:
        """Return how many last positions of a batch padded on the right hold all that is scored.

        Args:
            shortest: length of the batch's shortest request, or less.
            longest: the batch's width.
        """
        low, high = bisect_left(self._lengths, shortest), bisect_right(self._lengths, longest)
        return longest - min(self._starts[low:high], default=0)


def _span(context: int, answer: int, max_length: int) -> tuple[int, int]:
    length = min(context + answer, max_length + 1) - 1
    return length, max(0, length - answer)
