"""Several tests at once: which of them count, and by how much each p-value grows.

Holm for claims that must all hold (safety categories, audit claims, the primaries of several
diagnoses), Benjamini and Hochberg for slices that are looked through.
"""

from collections.abc import Sequence


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p-values that keep the chance of any false claim (Holm, Scand. J. Stat. 1979).

    Args:
        p: p-values, in any order; the answer is in theirs. None are needed.
    """
    # statsmodels has this too, at the price of its import and a full garbage collection a call
    ordered = sorted(range(len(p)), key=p.__getitem__)
    adjusted = [0.0] * len(p)
    largest = 0.0
    for rank, i in enumerate(ordered):
        largest = max(largest, (len(p) - rank) * p[i])
        adjusted[i] = min(1.0, largest)
    return adjusted


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Adjusted p-values that keep the share of false claims (Benjamini & Hochberg, JRSSB 1995).

    Args:
        p: p-values, in any order; the answer is in theirs. None are needed.
    """
    from scipy.stats import false_discovery_control

    return [float(value) for value in false_discovery_control(list(p))] if p else []
