"""Whether an effect follows its dose, over runs that were each given another."""

import math

import numpy as np
from numpy.typing import ArrayLike

from casework.stats.estimates import Estimate

FEWEST_DOSES = 3
"""Different doses below which a line cannot be told from a step."""
FEWEST_RUNS = 4


def dose_slope(dose: ArrayLike, effect: ArrayLike) -> Estimate | None:
    """Slope of the effect over the dose by least squares, with Student's interval (SciPy).

    Args:
        dose: of each run, shape (n,).
        effect: of each run, shape (n,); runs are independent.

    Returns:
        effect per unit of dose, `n` are runs; None with fewer than four runs or three different
        doses. Runs that lie on a line by themselves tell no spread: then the interval has no ends.
    """
    from scipy.stats import linregress
    from scipy.stats import t as student

    doses, effects = np.asarray(dose, np.float64), np.asarray(effect, np.float64)
    n = len(doses)
    if n < FEWEST_RUNS or len(np.unique(doses)) < FEWEST_DOSES:
        return None
    found = linregress(doses, effects)
    slope, se = float(found.slope), float(found.stderr)
    tiny = 1e-9 * max(1e-300, float(np.abs(effects).max())) / float(np.ptp(doses))
    half = float(student.ppf(0.975, n - 2)) * se if se > tiny else math.inf
    return Estimate(slope, slope - half, slope + half, n)
