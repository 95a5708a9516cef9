"""How an approval compares with the time that reading takes and with other approvals.

These numbers say where there is no evidence of review. They do not say that there was none.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

WORDS_PER_MINUTE = 238.0
"""Mean silent reading of non-fiction in English: Brysbaert, J. Mem. Lang. 2019;109:104047."""


def reading_time_s(words: float, words_per_minute: float = WORDS_PER_MINUTE) -> float:
    """Seconds that reading so many words once takes.

    Raises:
        ValueError: if there are fewer than zero words or the speed is not positive.
    """
    if words < 0 or words_per_minute <= 0:
        raise ValueError("needs a count of words and a positive speed")
    return 60 * words / words_per_minute


def rank_p_each(values: Sequence[float]) -> list[float]:
    """Chance that one of an exchangeable set is as small as each: (1 + #{others <= x}) / n.

    Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 2010;9:39. Never zero. Where everything that
    an approver does is quick, a quick approval is not unusual: read it beside an absolute floor.

    Args:
        values: the one in question among the others, shape (n,).
    """
    ordered = sorted(values)
    return [bisect_right(ordered, value) / len(ordered) for value in values]


def unusual_hour_p(hours: Sequence[float]) -> list[float]:
    """Chance that an hour is as far from the usual one as each of these, shape (n,).

    Hours of one person lie on a circle of 24. The usual hour is the circular mean of the others,
    and the p-value is the rank of the distance from it among theirs. 1 where the others have no
    mean direction.

    Args:
        hours: local hours with fractions, 0 to 24, shape (n,).
    """
    angles = [2 * math.pi * hour / 24 for hour in hours]
    cosines, sines = sum(map(math.cos, angles)), sum(map(math.sin, angles))
    distances = []
    for angle in angles:
        x, y = cosines - math.cos(angle), sines - math.sin(angle)
        directed = math.hypot(x, y) > 1e-9 * len(angles)
        gap = abs(angle - math.atan2(y, x)) % (2 * math.pi)
        distances.append(min(gap, 2 * math.pi - gap) if directed else 0.0)
    ordered = sorted(distances)
    n = len(ordered)
    return [(n - bisect_left(ordered, distance - 1e-9)) / n for distance in distances]


def top_share(counts: Sequence[int]) -> float | None:
    """Share of the most frequent one; None where nothing is counted."""
    return max(counts) / sum(counts) if counts and sum(counts) else None
