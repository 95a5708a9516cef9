"""Two shares of independent units: their difference, and whether it may be chance."""

from casework.stats.estimates import Estimate


def difference_of_shares(first: tuple[int, int], second: tuple[int, int]) -> Estimate:
    """Second share minus the first with Newcombe's hybrid score interval, 95 %.

    Newcombe, Statistics in Medicine 1998;17:873, method 10.

    Args:
        first: how many of how many, `(k, n)`.
        second: the same of the others.

    Raises:
        ValueError: unless 0 <= k <= n and n >= 1 in both.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    (k1, n1), (k2, n2) = first, second
    if not (0 <= k1 <= n1 and 0 <= k2 <= n2 and n1 and n2):
        raise ValueError(f"{k1} of {n1} and {k2} of {n2} are no shares")
    low, high = confint_proportions_2indep(k2, n2, k1, n1, method="newcomb")
    return Estimate(k2 / n2 - k1 / n1, float(low), float(high), n1 + n2)


def fisher(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Two-sided p-value of equal shares by Fisher's exact test (`scipy.stats.fisher_exact`)."""
    from scipy.stats import fisher_exact

    (k1, n1), (k2, n2) = first, second
    return float(fisher_exact([[k1, n1 - k1], [k2, n2 - k2]]).pvalue)
