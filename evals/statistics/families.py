"""Many comparisons at once: p-values corrected for how many there are."""

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values adjusted so that any false alarm among them is rarer than the level.

    Sorted ascending, the i-th of m (from 1) becomes the largest of (m − j + 1) · pⱼ for j ≤ i, at
    most 1. Those at or under 0.05 are differences at the 5 % level for the whole suite. Valid
    however the tasks depend on each other. None, a comparison that could not be made, stays None
    and is not counted.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
    Journal of Statistics 6 (1979) 65-70; the same as statsmodels' `multipletests(method="holm")`.

    Raises:
        ValueError: a p-value is not between 0 and 1.
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(known):
        if not 0 <= p <= 1:
            raise ValueError(f"{p} is not a p-value")
        largest = max(largest, min(1.0, (len(known) - rank) * p))
        adjusted[place] = largest
    return adjusted
