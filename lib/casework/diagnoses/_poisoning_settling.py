"""How many accounts would tell the gap in coverage from the smallest that matters."""

import math

from casework.diagnoses._poisoning_coverage import Coverage
from casework.words import count, number, spread


def settled_by(found: Coverage, sesoi: float) -> str:
    """The end of a headline: accounts that would settle it, where they would."""
    gap, needed = found.gap.difference, _accounts_needed(found, sesoi)
    if gap.low > sesoi or gap.high < sesoi or needed is None:
        return ""
    return (
        f"; about {count(needed, 'accounts')} of theirs would tell it from "
        f"{spread(sesoi, None, 'points')}, and there are {number(found.gap.second.n)}"
    )


def more_accounts(found: Coverage, sesoi: float) -> str:
    """What it takes to part the gap from the smallest one that matters."""
    needed = _accounts_needed(found, sesoi)
    if needed is None:
        return (
            "The gap is as large as the smallest that matters; more accounts would not part them."
        )
    return (
        f"To tell the gap from {spread(sesoi, None, 'points')} takes about "
        f"{count(needed, 'accounts')} of the target; there are {number(found.gap.second.n)}."
    )


def _accounts_needed(found: Coverage, sesoi: float) -> int | None:
    """By the spread of the gap itself; None where it is just as large."""
    gap, accounts = found.gap.difference, found.gap.second.n
    half, distance = (gap.high - gap.low) / 2, abs(gap.value - sesoi)
    if not math.isfinite(half) or distance < 1e-3:
        return None
    return max(accounts, math.ceil(accounts * (half / distance) ** 2))
