"""Does the lift run a steady course that knows no change?"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from casework.case import Query
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate_lifts import Effects, Metric, effects_of
from casework.stats.estimates import Z95, Estimate
from casework.stats.regimes import Agreement, Lifts, misfit


@dataclass(frozen=True, slots=True)
class Trend:
    """Whether a steady course of the lift fits as well as steps at the changes.

    Attributes:
        steps: misfit of steps, with two for each of their parameters (Akaike).
        steady: the same of the better of a straight course and one that wears off.
        within: change from the first half of the regimes to the second, all regimes together.
        late: lifts of the second halves of the regimes with a say, by number of the regime.
        settled: whether those agree; None with fewer than two.
        query: by which the halves were summed.
    """

    steps: float
    steady: float
    within: Estimate
    late: dict[int, Estimate]
    settled: Agreement | None
    query: Query


def trend_of(
    ask: Inquiry, params: dict[str, Any], metric: Metric, effects: Effects
) -> Trend | None:
    """Split every regime in two halves, and compare steps with courses that know no change."""
    cuts = list(effects.cuts)
    edges = [metric.first, *(start for _, start in cuts)]
    ends = [*(end for end, _ in cuts), metric.last + timedelta(seconds=1)]
    halves: list[tuple[datetime, datetime]] = []
    for number, (a, b) in enumerate(zip(edges, ends, strict=True)):
        middle = a + (b - a) / 2
        halves.append((middle, middle))
        halves += [cuts[number]] if number < len(cuts) else []
    found = effects_of(ask, params, metric, halves)
    if found.joint is None or len(found.known) < 4:
        return None
    each = found.joint.without_first()
    regime = np.array([number // 2 for number in found.known])
    late = np.array([number % 2 for number in found.known])
    middles = [found.regimes[number] for number in found.known]
    days = np.array([
        ((r.start - metric.first) + (r.end - r.start) / 2).total_seconds() / 86_400
        for r in middles
    ])  # fmt: skip
    numbers = np.unique(regime)
    steps = (regime[:, None] == numbers).astype(float)
    one = np.ones(len(days))
    span = max(float(days.max()), 1e-9)
    courses = [np.column_stack([one, days])]
    courses += [np.column_stack([one, np.exp(-days / (span * part))]) for part in (0.1, 0.25, 0.5)]
    return Trend(
        steps=misfit(each, steps) + 2 * len(numbers),
        steady=min(misfit(each, course) for course in courses) + 2 * 2,
        within=_within(each, regime, late),
        **_settled(each, regime, late, effects),
        query=found.query,
    )


def _settled(each: Lifts, regime: Any, late: Any, effects: Effects) -> dict[str, Any]:
    """The second halves alone: what a change still wore in, or left over, lies in the first."""
    says = [i for i in np.flatnonzero(late == 1).tolist()
            if not effects.regimes[int(regime[i])].is_short]  # fmt: skip
    agreement = each.of(says).agreement()
    if agreement:
        agreement = replace(agreement, p=min(1.0, agreement.p * effects.tests))
    return {"late": {int(regime[i]): each.estimate(i) for i in says}, "settled": agreement}


def _within(each: Lifts, regime: Any, late: Any) -> Estimate:
    """Mean change from first to second half over the regimes, weighted by precision."""
    weights = np.zeros(len(regime))
    for number in np.unique(regime):
        a, b = (
            np.flatnonzero((regime == number) & (late == 0)),
            np.flatnonzero((regime == number) & (late == 1)),
        )
        if len(a) and len(b):
            c = each.covariance
            variance = c[a[0], a[0]] + c[b[0], b[0]] - 2 * c[a[0], b[0]]
            if variance > 0:
                weights[b[0]], weights[a[0]] = 1 / variance, -1 / variance
    total = np.abs(weights).sum() / 2
    weights = weights / total if total else weights
    value = float(weights @ each.values)
    half = Z95 * float(weights @ each.covariance @ weights) ** 0.5
    return Estimate(value, value - half, value + half, min(each.units))
