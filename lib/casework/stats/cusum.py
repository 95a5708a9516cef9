"""When a running sum of departures from a level would have raised an alarm (Page, Biometrika 1954).

The tabular form of Montgomery, Introduction to Statistical Quality Control: a sum for each
direction, less a reference value at every step, and never below nought.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

REFERENCE, LIMIT = 0.5, 5.0
"""In standard deviations: half of the step to be found, and where the alarm is raised."""


def first_alarm(
    values: ArrayLike, level: float, sd: float, reference: float = REFERENCE, limit: float = LIMIT
) -> int | None:
    """Index of the first value at which either sum exceeds the limit; None where neither does.

    Args:
        values: in the order of time.
        level: that they depart from.
        sd: standard deviation around it.
        reference: that is taken off at every step, in standard deviations.
        limit: in standard deviations.

    Raises:
        ValueError: unless the standard deviation is positive.
    """
    if sd <= 0:
        raise ValueError("needs a positive standard deviation")
    high = low = 0.0
    for index, z in enumerate(((np.asarray(values, np.float64) - level) / sd).tolist()):
        high, low = max(0.0, high + z - reference), max(0.0, low - z - reference)
        if max(high, low) > limit:
            return index
    return None


def run_length(step: float = 0.0, reference: float = REFERENCE, limit: float = LIMIT) -> float:
    """Mean number of normal values until the alarm, of both sums, after a step of so many SD.

    Siegmund, Sequential Analysis, 1985: within some percent of the exact one.
    """
    rates = sum(1 / _one_sided(drift, limit) for drift in (step - reference, -step - reference))
    return 1 / rates


def _one_sided(drift: float, limit: float) -> float:
    b = limit + 1.166
    if abs(drift) < 1e-9:
        return b * b
    return (math.exp(-2 * drift * b) + 2 * drift * b - 1) / (2 * drift**2)
