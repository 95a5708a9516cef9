"""What `debug_feedback` concludes of one training set."""

from casework.diagnoses._debug_classes import Agreement, Classes
from casework.diagnoses._debug_origins import Origins
from casework.diagnoses._debug_rivals import GATES, PICKED, Limits, exceeds
from casework.findings import Falsifier, Primary, Rival, Verdict
from casework.stats.estimates import p_above

_ALPHA = 0.05


def conclude(
    origins: Origins,
    classes: Classes | None,
    agreement: Agreement,
    rivals: tuple[Rival, ...],
    falsifier: Falsifier,
    limits: Limits,
    primary: Primary | None,
) -> Verdict:
    """The verdict, from where the rows came from, what they are, and which rivals stay open."""
    if classes is None and origins.is_unknown:
        return "not_testable"
    if classes is None or not agreement.carries(limits.contamination):
        seen = origins.suspect > limits.suspect
        seen |= origins.screened("flagged") > limits.contamination
        return "supported" if seen else "inconclusive"
    share, most = classes.contamination, classes.suspect_at_most
    if exceeds(share, classes.suspect, limits):
        gates = [rival for rival in rivals if rival.explanation in GATES]
        settled = all(rival.outcome == "excluded" for rival in gates)
        settled &= primary is None or primary.p < primary.alpha
        return "confirmed" if settled and not falsifier.falsified else "supported"
    picked = any(r.outcome == "not_excluded" for r in rivals if r.explanation == PICKED)
    below = most is not None and most.high < limits.suspect
    if share.high < limits.contamination and below and not picked:
        return "clean"
    return "supported" if share.value > limits.contamination else "inconclusive"


def primary_of(classes: Classes | None, limits: Limits, sets: int = 1) -> Primary | None:
    """Test that neither share is above its limit: twice the smaller of both p-values.

    Args:
        classes: the shares; None where no row is labelled.
        limits: the shares that matter.
        sets: of how many sets this is the one that tells most; each could have been it.
    """
    if classes is None or classes.census:
        return None
    p = p_above(classes.contamination, limits.contamination)
    if classes.suspect:
        p = min(p, p_above(classes.suspect, limits.suspect))
    return Primary(min(1.0, 2 * sets * p), _ALPHA)
