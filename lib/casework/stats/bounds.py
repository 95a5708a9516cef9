"""What can be said of those who were not seen: from nothing, and from how different they are."""


def manski(
    seen: float, mean: float, lowest: float = 0.0, highest: float = 1.0
) -> tuple[float, float]:
    """Bounds of a mean where only a share of the population was seen (Manski 1990).

    Args:
        seen: share of the population that was seen.
        mean: mean among those.
        lowest: least value that the others can have.
        highest: greatest value that the others can have.

    Raises:
        ValueError: `seen` is no share, or `mean` lies outside the range.
    """
    if not 0 <= seen <= 1 or not lowest <= mean <= highest:
        raise ValueError(f"a share {seen} with mean {mean} in [{lowest}, {highest}] cannot be")
    return seen * mean + (1 - seen) * lowest, seen * mean + (1 - seen) * highest


def tipping_point(gain: float, seen: float) -> float | None:
    """How much lower the unseen must be, than is assumed, for a gain to vanish.

    A shift `d` of the unseen lowers the mean of all by (1 - seen) d. None where all were seen.
    """
    return gain / (1 - seen) if seen < 1 else None
