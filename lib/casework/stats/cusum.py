"""When a running sum of departures from a level would have raised an alarm (Page, Biometrika 1954).

The tabular form of Montgomery, Introduction to Statistical Quality Control: a sum for each
direction, less a reference value at every step, and never below nought.
"""

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


def alarm_chance(
    base: int, watched: int, reference: float = REFERENCE, limit: float = LIMIT,
    draws: int = 4_000, seed: int = 0,
) -> float:  # fmt: skip
    """Share of series of noise that raise an alarm, where earlier values tell level and deviation.

    A level told by few values is off by a part of the deviation, and the sum takes that for a step;
    run lengths of tables hold for a level that is known (Jones, Champ & Rigdon, Journal of Quality
    Technology 2004). Of independent normal values, by simulation.

    Args:
        base: values that tell level and deviation.
        watched: values after them that are looked at.
        reference: that is taken off at every step, in standard deviations.
        limit: in standard deviations.
        draws: series.
        seed: of the draws.

    Raises:
        ValueError: fewer than two values tell the deviation.
    """
    if base < 2:
        raise ValueError("needs two values before")
    rng = np.random.default_rng(seed)
    level = rng.normal(size=draws) / base**0.5
    sd = np.sqrt(rng.chisquare(base - 1, size=draws) / (base - 1))
    high, low, told = np.zeros(draws), np.zeros(draws), np.zeros(draws, bool)
    for values in rng.normal(size=(watched, draws)):
        z = (values - level) / sd
        high, low = np.maximum(0, high + z - reference), np.maximum(0, low - z - reference)
        told |= np.maximum(high, low) > limit
    return float(told.mean())
