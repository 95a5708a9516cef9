"""Which counts a reported percentage may stand for, and whether any does."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal


def counts_of(percent: float, n: int, decimals: int) -> list[int]:
    """All k for which 100 k / n, rounded to so many decimals, is the reported percentage.

    None means that no k of n gives it: the percentage or the n is misreported. A half may have
    been rounded up or to even. Brown & Heathers, Social Psychological and Personality Science
    2017 (GRIM).

    Raises:
        ValueError: n is below 1, or decimals below 0.
    """
    if n < 1 or decimals < 0:
        raise ValueError(f"{n} items and {decimals} decimals describe no percentage")
    step = Decimal(1).scaleb(-decimals)
    reported = Decimal(str(percent)).quantize(step, ROUND_HALF_EVEN)
    middle = int(reported * n / 100)
    reach = int(step * n / 100) + 2
    return [
        k
        for k in range(max(0, middle - reach), min(n, middle + reach) + 1)
        if any(
            (Decimal(100 * k) / n).quantize(step, rounding) == reported
            for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN)
        )
    ]
