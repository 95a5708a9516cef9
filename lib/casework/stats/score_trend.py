"""Whether a score rises with a similarity, over items."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from casework.stats.estimates import Estimate
from casework.stats.leakage import is_binary

FEWEST = 10


@dataclass(frozen=True, slots=True)
class ScoreTrend:
    """How a score goes with a similarity.

    Attributes:
        slope: difference of the score between similarity 1 and 0, on a straight line.
        p: two-sided, of no trend.
    """

    slope: Estimate
    p: float


def score_trend(similarity: ArrayLike, scores: ArrayLike) -> ScoreTrend | None:
    """Fit a straight line, with an interval that holds whatever the spread is (HC3).

    For scores of 0 and 1 the p-value is that of the Cochran-Armitage test (Cochran, Biometrics
    1954; Armitage, Biometrics 1955) with its permutation variance; else that of the slope. Both by
    `statsmodels`.

    Args:
        similarity: of each item, shape (n,).
        scores: of the same.

    Returns:
        None with fewer than ten items, or where all are as similar.
    """
    from statsmodels.api import OLS, add_constant

    x, y = np.asarray(similarity, np.float64), np.asarray(scores, np.float64)
    if len(x) < FEWEST or np.ptp(x) == 0:
        return None
    if np.ptp(y) == 0:
        return ScoreTrend(Estimate(0.0, 0.0, 0.0, len(x)), 1.0)
    fitted = OLS(y, add_constant(x)).fit()
    if fitted.get_influence().hat_matrix_diag.max() > 1 - 1e-9:  # one item alone is the line
        return None
    robust = fitted.get_robustcov_results("HC3", use_t=True)
    low, high = robust.conf_int()[1]
    p = cochran_armitage(x, y) if is_binary(y) else float(robust.pvalues[1])
    return ScoreTrend(Estimate(float(robust.params[1]), float(low), float(high), len(x)), p)


def cochran_armitage(dose: ArrayLike, events: ArrayLike) -> float:
    """P-value, two-sided, of no trend of a share over a dose.

    Args:
        dose: of each unit, shape (n,), not all the same.
        events: 0 or 1 for each, not all the same.
    """
    from statsmodels.stats.contingency_tables import Table

    levels, place = np.unique(np.asarray(dose, np.float64), return_inverse=True)
    hits = np.bincount(place, np.asarray(events, np.float64), len(levels))
    counts = np.column_stack([np.bincount(place, minlength=len(levels)) - hits, hits])
    found = Table(counts, shift_zeros=False).test_ordinal_association(levels, np.arange(2.0))
    return float(found.pvalue)
