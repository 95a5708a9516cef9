"""How much would a lift that was picked for being significant be overstated? Winner's curse."""

import math

from casework.diagnoses._composition import Composition
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.estimates import Z95
from casework.stats.lift import exaggeration
from casework.words import number, spread


def said_winner(ask: Inquiry, found: Composition) -> tuple[Finding, ...]:
    """Say by how much such an experiment overstates a lift as large as that for everyone.

    Gelman & Carlin, Perspectives on Psychological Science 2014;9:641: the mean of the significant
    results over the truth. The interval is that at the ends of the lift for everyone; it has no
    upper end where that may be zero. Nothing where the lift as read out is not significant.
    """
    lift, everyone, by = found.lift, found.population, found.moments
    if lift is None or everyone is None or by is None or not lift.raw.excludes(0):
        return ()
    raw = lift.raw
    se = (raw.high - raw.low) / (2 * Z95)
    ratio = exaggeration(everyone.value, se) if se else 1.0
    least = exaggeration(max(abs(everyone.low), abs(everyone.high)), se) if se else 1.0
    bounded = everyone.excludes(0)
    most = exaggeration(min(abs(everyone.low), abs(everyone.high)), se) if bounded else math.inf
    if math.isfinite(ratio):
        ci95 = (least, most) if math.isfinite(most) else None
        ask.measure("exaggeration_ratio", ratio, "times", by, ci95=ci95, n=raw.n)
    times = spread(ratio, (least, most), "times") if bounded else f"{number(least)} times or more"
    holds = raw.low <= everyone.value <= raw.high
    said = (
        "If the change is worth what it is for everyone, experiments of this size that show a lift "
        f"overstate it {times} on average (exaggeration ratio). The interval of the lift as read "
        f"out {'holds' if holds else 'does not hold'} the lift for everyone, so "
        f"{'luck alone may explain' if holds else 'luck alone does not explain'} what lies between."
    )
    measures = ("exaggeration_ratio",) if math.isfinite(ratio) else ()
    return (Finding(said, measures, (ask.evidence_id(by),)),)
