"""Whether a reported percentage can come from so many items (GRIM).

Brown & Heathers, The GRIM test, Social Psychological and Personality Science 2017;8:363.
"""

import math

SINGLE = 2.0**-23
"""The most that single precision and its shortest text move a number, as a share of it."""


def possible_counts(percent: float, n: int, decimals: int) -> list[int]:
    """Counts `k` of `n` items whose percentage, rounded, is the reported one.

    A half may be rounded up, down or to even; each is allowed. An empty answer means that no
    count of `n` items gives this percentage.

    Args:
        percent: as reported, 0 to 100.
        n: items.
        decimals: decimals of the report.

    Raises:
        ValueError: if there are no items, or `decimals` is negative.
    """
    if n < 1 or decimals < 0:
        raise ValueError("needs at least one item, and decimals of at least zero")
    # half a unit of the last decimal, and a little for the rounding of binary numbers
    slack = 0.5 * 10.0**-decimals * (1 + 1e-9) + 1e-12
    low = max(0, math.ceil((percent - slack) * n / 100))
    high = min(n, math.floor((percent + slack) * n / 100))
    return list(range(low, high + 1))


def is_possible_share(share: float, n: int) -> bool:
    """Whether some count of `n` items gives this share, rounded in percent as it is written.

    A share that was kept in single precision has more decimals than were ever right, and is
    rounded as that rounds.

    Args:
        share: as reported, 0 to 1; its decimals are those that it has, ten in percent at most.
        n: items, at least one.
    """
    _, _, decimals = f"{100 * share:.10f}".rstrip("0").partition(".")
    nearest = round(share * n) / n
    single = abs(share - nearest) <= SINGLE * nearest
    return single or bool(possible_counts(100 * share, n, len(decimals)))
