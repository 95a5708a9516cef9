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
    return _adjusted(p, "holm")


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Adjusted p-values that keep the share of false claims (Benjamini & Hochberg, JRSSB 1995).

    Args:
        p: p-values, in any order; the answer is in theirs. None are needed.
    """
    return _adjusted(p, "fdr_bh")


def _adjusted(p: Sequence[float], method: str) -> list[float]:
    from statsmodels.stats.multitest import multipletests

    if not p:
        return []
    return [float(value) for value in multipletests(list(p), method=method)[1]]
