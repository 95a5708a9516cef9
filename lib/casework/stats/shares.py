"""A share of clustered counts: requests within endpoints, answers within accounts."""

import math
from collections.abc import Sequence

from casework.stats.estimates import Estimate, clopper_pearson


def clustered_share(clusters: Sequence[tuple[float, float]]) -> Estimate | None:
    """Share sum Y / sum N over clusters, with the interval of the ratio estimator.

    Residuals e = Y - R N, Var(R) = sum e^2 / ((m - 1) m mean(N)^2), Student's t with m - 1 degrees
    of freedom (Cochran, Sampling Techniques, 1977, section 6.4; delta method). The interval is cut
    at 0 and 1; `n` counts the clusters. With few clusters of unequal size it is a rough one, and
    too narrow. Where all clusters have the same share nothing varies; then it is the exact one for
    as many units as there are clusters.

    Args:
        clusters: pairs `(y, n)` with 0 <= y <= n; clusters without units are left out.

    Returns:
        The share, or None with fewer than two clusters.
    """
    from scipy.special import stdtrit

    held = [(y, n) for y, n in clusters if n > 0]
    m = len(held)
    if m < 2:
        return None
    total = sum(n for _, n in held)
    share = sum(y for y, _ in held) / total
    squares = sum((y - share * n) ** 2 for y, n in held)
    if squares <= 1e-18 * total * total:
        exact = clopper_pearson(round(share * m), m)
        return Estimate(share, min(share, exact.low), max(share, exact.high), m)
    se = math.sqrt(squares / ((m - 1) * m)) / (total / m)
    half = float(stdtrit(m - 1, 0.975)) * se
    return Estimate(share, max(0.0, share - half), min(1.0, share + half), m)
