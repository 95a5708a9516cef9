"""The lift in each regime of the substrate, whether the lifts agree, and what ships."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from casework.diagnoses import _substrate_sums as q
from casework.diagnoses._inquiry import Inquiry
from casework.stats.estimates import Estimate
from casework.stats.regimes import (
    Agreement,
    ArmSums,
    Lifts,
    contrast,
    lifts,
    misfit,
    pairs,
    pooled_and_stretches,
)

FEW_UNITS = 10
"""Units that each arm needs in a regime for a lift."""

A_DAY = timedelta(days=1)
"""A shorter regime has a lift, and no say in whether the lifts agree: its hours may be special."""


@dataclass(frozen=True, slots=True)
class Regime:
    """A stretch between changes: from `start` to before `end`, with the lift if there is one."""

    start: datetime
    end: datetime
    lift: Estimate | None
    treated_share: float | None

    @property
    def is_short(self) -> bool:
        """Whether it saw no whole day."""
        return self.end - self.start < A_DAY


@dataclass(frozen=True, slots=True)
class Effects:
    """The lifts of one metric.

    Attributes:
        metric, is_ratio: which.
        regimes: in the order of time.
        known: numbers of the regimes that have a lift.
        pooled: the lift over all of them, as read out.
        shipping_gap: lift of the last regime minus the pooled one; None where either is unknown.
        agreement: whether the lifts of regimes of a day or more agree; None with fewer than two.
        gaps: of each such regime with a lift, lift minus the pooled one.
        joint: pooled lift first, then those of the known regimes, with their covariance.
    """

    metric: str
    is_ratio: bool
    regimes: tuple[Regime, ...]
    known: tuple[int, ...]
    pooled: Estimate | None
    shipping_gap: Estimate | None
    agreement: Agreement | None
    gaps: tuple[Estimate, ...]
    query: Any
    joint: Lifts | None = None
    cuts: tuple[tuple[datetime, datetime], ...] = field(default=())

    @property
    def unit(self) -> str:
        """Unit of the lift."""
        return "points" if self.is_ratio else f"{self.metric} per observation"

    def pairs(self) -> list[tuple[int, int, Estimate, float]]:
        """Regimes by number, the later minus the earlier, with p-values by Holm."""
        if self.joint is None:
            return []
        found = pairs(self.joint.without_first())
        return [(self.known[i], self.known[j], e, p) for i, j, e, p in found]

    @property
    def shipping(self) -> Estimate | None:
        """The lift in the last regime."""
        return self.regimes[-1].lift


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric with the steps in which it is summed, and when it was observed."""

    name: str
    is_ratio: bool
    value_step: float
    denominator_step: float
    first: datetime
    last: datetime

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the queries."""
        return {
            "metric": self.name,
            "is_ratio": self.is_ratio,
            "value_step": self.value_step,
            "denominator_step": self.denominator_step,
        }


def metric_of(ask: Inquiry, row: dict[str, Any]) -> Metric:
    """Find the steps of a metric that was seen."""
    scale = ask.one(q.SCALE, metric=row["metric"])
    whole = scale["fractional"] == 0
    return Metric(
        row["metric"],
        row["denominators"] == row["observations"],
        (scale["spread"] or 1.0) / q.STEPS_OF_SD,
        1.0 if whole else (scale["denominator_spread"] or 1.0) / q.STEPS_OF_SD,
        row["first"],
        row["last"],
    )


def effects_of(
    ask: Inquiry,
    params: dict[str, Any],
    metric: Metric,
    cuts: Sequence[tuple[datetime, datetime]],
    assigned_by: datetime | None = None,
) -> Effects:
    """Estimate the lift in each stretch; observations between the ends of a cut are left out.

    Args:
        ask: the inquiry.
        params: parameters of the compared units.
        metric: which.
        cuts: for each change the end of the stretch before and the start of the one after.
        assigned_by: only units that were assigned before this instant.
    """
    query = q.sums(len(cuts))
    used = params | metric.params | {"assigned_by": assigned_by}
    for i, (end, start) in enumerate(cuts):
        used |= {f"end_{i}": end, f"start_{i}": start}
    rows = {row["treated"]: row for row in ask.ask(query, **used)}
    edges = [metric.first, *(start for _, start in cuts)]
    ends = [*(end for end, _ in cuts), metric.last]
    if len(rows) < 2:
        regimes = tuple(Regime(a, b, None, None) for a, b in zip(edges, ends, strict=True))
        return Effects(metric.name, metric.is_ratio, regimes, (), None, None, None, (), query)
    scale = metric.value_step / (metric.denominator_step if metric.is_ratio else 1.0)
    arms = [_arm(rows[treated], len(cuts) + 1, scale) for treated in (False, True)]
    enough = np.minimum(arms[0].active, arms[1].active) >= FEW_UNITS
    known = tuple(int(i) for i in np.flatnonzero(enough))
    total = arms[0].n + arms[1].n
    shares = [float(t / n) if n else None for t, n in zip(arms[1].n, total, strict=True)]
    return _effects(metric, arms, known, edges, ends, shares, query, tuple(cuts))


def _effects(
    metric: Metric, arms: list[ArmSums], known: tuple[int, ...], edges: list[datetime],
    ends: list[datetime], shares: list[float | None], query: Any,
    cuts: tuple[tuple[datetime, datetime], ...],
) -> Effects:  # fmt: skip
    if not known:
        regimes = tuple(Regime(a, b, None, None) for a, b in zip(edges, ends, strict=True))
        return Effects(metric.name, metric.is_ratio, regimes, (), None, None, None, (), query)
    choose = np.eye(len(edges))[list(known)]
    control, treatment = arms[0].of(choose), arms[1].of(choose)
    joint, each = pooled_and_stretches(control, treatment), lifts(control, treatment)
    by_number = {number: each.estimate(i) for i, number in enumerate(known)}
    regimes = tuple(
        Regime(a, b, by_number.get(i), shares[i])
        for i, (a, b) in enumerate(zip(edges, ends, strict=True))
    )
    long = [i for i, number in enumerate(known) if not regimes[number].is_short]
    last = len(edges) - 1
    ships = known[-1] == last and last > 0
    return Effects(
        metric=metric.name,
        is_ratio=metric.is_ratio,
        regimes=regimes,
        known=known,
        pooled=joint.estimate(0),
        shipping_gap=contrast(joint, len(known), 0) if ships else None,
        agreement=each.of(long).agreement(),
        gaps=tuple(contrast(joint, i + 1, 0) for i in long),
        query=query,
        joint=joint,
        cuts=cuts,
    )


def _arm(row: dict[str, Any], r: int, scale: float) -> ArmSums:
    def vector(name: str, by: float = 1.0) -> Any:
        return by * np.array([float(row[f"{name}_{i}"] or 0) for i in range(r)])

    def matrix(name: str, by: float = 1.0) -> Any:
        same = name[0] == name[1]
        places = [[(min(i, j), max(i, j)) if same else (i, j) for j in range(r)]
                  for i in range(r)]  # fmt: skip
        return by * np.array(
            [[float(row[f"{name}_{i}_{j}"] or 0) for i, j in line] for line in places]
        )

    return ArmSums(
        row["units"], vector("active"), vector("n"), vector("y", scale),
        matrix("nn"), matrix("ny", scale), matrix("yy", scale**2),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trend:
    """Whether a steady course of the lift fits as well as steps at the changes.

    Attributes:
        steps: misfit of steps, with two for each of their parameters (Akaike).
        steady: the same of the better of a straight course and one that wears off.
        within: change from the first half of the regimes to the second, all regimes together.
    """

    steps: float
    steady: float
    within: Estimate


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
    )


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
    half = 1.96 * float(weights @ each.covariance @ weights) ** 0.5
    return Estimate(value, value - half, value + half, min(each.units))
