"""When events begin to come faster than before: the first of them that departs from a base rate.

Each stretch of events is compared with what the base rate gives (the scan statistic of Naus, JASA
1965, with the likelihood ratio of Kulldorff, Communications in Statistics 1997). A stretch counts
where its Poisson tail, times the number of stretches that were looked at, is below the level.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

_LONGEST = 200
_MOST = 5_000
_SELDOM = 0.1

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Burst:
    """A stretch of events that the base rate does not explain.

    Attributes:
        first: index of its first event.
        last: index of its last event.
        expected: events that the base rate gives in its time, the first set aside.
        p: chance of one such stretch anywhere, corrected for all that were looked at.
    """

    first: int
    last: int
    expected: float
    p: float


def first_burst(times: Sequence[float], rate: float, level: float = 0.05) -> Burst | None:
    """Find the earliest stretch of events that departs from a base rate.

    Args:
        times: when the events were, in order. At most the first 5,000 are looked at, in
            stretches of at most 200.
        rate: events of the base rate per unit of time; above zero.
        level: of the corrected p-value.

    Returns:
        the stretch, or None where the base rate explains all events.

    Raises:
        ValueError: the rate is not positive.
    """
    if rate <= 0:
        raise ValueError("the rate must be positive")
    found, left = None, np.asarray(times[:_MOST], float) * rate
    looked_at = _stretches(len(left))
    while len(left) > 1:
        burst = _densest(left, looked_at)
        if burst.p >= level:
            break
        burst = _from_its_beginning(burst, left)
        found, left = burst, left[: burst.first]
    return found


def _from_its_beginning(burst: Burst, at: Floats) -> Burst:
    """Begin earlier while the base rate would seldom give an event as near as the one before."""
    first = burst.first
    while first and -np.expm1(at[first - 1] - at[first]) < _SELDOM:
        first -= 1
    return replace(burst, first=first, expected=float(at[burst.last] - at[first]))


def _stretches(n: int) -> int:
    longest = min(n - 1, _LONGEST)
    return max(1, sum(n - lag for lag in range(1, longest + 1)))


def _densest(at: Floats, looked_at: int) -> Burst:
    """The stretch with the largest likelihood ratio; `at` is in units of the base rate."""
    from scipy.stats import poisson

    best = (-np.inf, 0, 1)
    for lag in range(1, min(len(at) - 1, _LONGEST) + 1):
        expected = np.maximum(at[lag:] - at[:-lag], 1e-9)
        events = lag + 1
        ratio = np.where(
            events > expected, events * np.log(events / expected) - (events - expected), 0.0
        )
        start = int(np.argmax(ratio))
        if ratio[start] > best[0]:
            best = (float(ratio[start]), start, lag)
    _, start, lag = best
    # a stretch begins with an event by how it was chosen, so the others alone speak against chance
    expected_there = float(at[start + lag] - at[start])
    tail = float(poisson.sf(lag - 1, expected_there))
    return Burst(start, start + lag, expected_there, min(1.0, tail * looked_at))


def expected_so_far(
    at_hours: Sequence[float], by_hour: Sequence[int], span_hours: float
) -> npt.NDArray[np.float64]:
    """Events that a base rate would have given up to each time, from some time long before.

    The rate is the events of the base plus one over its time, so that few of them make no alarm.
    Where the base covers two days and more, it follows the hours of the day.

    Args:
        at_hours: times in hours since 1970, UTC.
        by_hour: events of the base in each of the 24 hours of the day.
        span_hours: how long the base was observed; above zero.
    """
    seen = np.asarray(by_hour, float)
    rate = (seen.sum() + 1) / span_hours
    weights = (seen + 1) / (seen.sum() + 24) * 24 if span_hours >= 48 else np.ones(24)
    before = np.concatenate([[0.0], np.cumsum(weights)])
    days, hour = np.divmod(np.asarray(at_hours, float), 24)
    whole = hour.astype(int)
    return np.asarray(rate * (24 * days + before[whole] + (hour - whole) * weights[whole]))
