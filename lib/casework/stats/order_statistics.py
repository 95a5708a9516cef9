"""Which of the largest values bounds a quantile of all that the sample stands for."""


def upper_rank(n: int, share: float, level: float = 0.95) -> int | None:
    """Rank from the largest of the value that is an upper bound of the quantile `share`.

    The bound of Wilks, Ann. Math. Stat. 1941: whatever the distribution, at least `level` of
    samples have it above the quantile. The 99th percentile needs 299 values, of which it is the
    largest.

    Args:
        n: values, independent of each other.
        share: of the values that lie below the quantile, between 0 and 1.
        level: of the one-sided bound.

    Returns:
        1 for the largest, 2 for the next; None where so few values bound it nowhere.

    Raises:
        ValueError: share or level is not between 0 and 1.
    """
    from scipy.stats import binom

    if not (0 < share < 1 and 0 < level < 1):
        raise ValueError("share and level must lie between 0 and 1")
    # the value of rank r from the top is above where at least r lie beyond the quantile
    rank = int(binom.ppf(1 - level, n, 1 - share))
    while rank > 0 and binom.cdf(rank - 1, n, 1 - share) > 1 - level:
        rank -= 1
    return rank or None
