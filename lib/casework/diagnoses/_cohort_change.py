"""How the lift of the same units changed: as others were given the treatment too, or with time."""

from typing import Any, NamedTuple

from casework.diagnoses._cohort_sums import CHANGE
from casework.diagnoses._inquiry import Inquiry
from casework.stats.estimates import Estimate
from casework.stats.lift import difference_of_means

_FEWEST = 10


class Change(NamedTuple):
    """Later lift minus earlier lift.

    With `by_ramp` the two parts meet where the share of the treatment was raised, and a control
    counts until it is given the treatment itself; else they are the halves of the window before
    that.
    """

    lift: Estimate
    by_ramp: bool


def change_of(ask: Inquiry, params: dict[str, Any]) -> Change | None:
    """Compare the same units before and after the ramp was raised, else early and late.

    The ramp is what tells interference from composition; a window from before it can only tell
    novelty. None where fewer than ten units of an arm were seen in both parts of either split.
    """
    rows = {row["treated"]: row for row in ask.ask(CHANGE, **params)}
    if len(rows) < 2:
        return None
    for prefix, by_ramp in (("raised_", True), ("", False)):
        arms = (rows[False], rows[True])
        if min(row[f"{prefix}units"] for row in arms) >= _FEWEST:
            units, means, variances = (
                (arms[0][f"{prefix}{name}"], arms[1][f"{prefix}{name}"])
                for name in ("units", "mean", "variance")
            )
            return Change(difference_of_means(units, means, variances), by_ramp)
    return None
