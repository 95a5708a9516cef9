"""The lift in each regime of the substrate, whether the lifts agree, and what ships."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from casework.diagnoses import _substrate_sums as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate_units import MOST_DEALT, Weights, units_of, weights_of
from casework.stats.estimates import Estimate
from casework.stats.redealt import UnitSums, redealt
from casework.stats.regimes import (
    Agreement,
    ArmSums,
    Lifts,
    contrast,
    pairs,
    pooled_and_stretches,
)

FEW_UNITS = 5
"""Units that each arm needs in a regime for a lift: fewer can hardly be dealt in other ways."""

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
        weights: how the observations are spread over the units; None where there are too few.
        tests: metrics that were tested alike; the p-value of `agreement` is Holm's over them.
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
    weights: Weights | None = None
    tests: int = 1
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
    """A metric with the steps in which it is summed, and when it was observed.

    Attributes:
        tests: metrics that are tested alike, of which this is one.
        seed: of the deals, where units are few.
    """

    name: str
    is_ratio: bool
    value_step: float
    denominator_step: float
    first: datetime
    last: datetime
    tests: int = 1
    seed: int = 1

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the queries."""
        return {
            "metric": self.name,
            "is_ratio": self.is_ratio,
            "value_step": self.value_step,
            "denominator_step": self.denominator_step,
        }


def metric_of(ask: Inquiry, row: dict[str, Any], seed: int, tests: int = 1) -> Metric:
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
        tests,
        seed,
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
    query = ask.recorded(query, **used)
    edges = [metric.first, *(start for _, start in cuts)]
    ends = [*(end for end, _ in cuts), metric.last]
    none = Effects(metric.name, metric.is_ratio,
                   tuple(Regime(a, b, None, None) for a, b in zip(edges, ends, strict=True)),
                   (), None, None, None, (), query, tests=metric.tests)  # fmt: skip
    if len(rows) < 2:
        return none
    scale = metric.value_step / (metric.denominator_step if metric.is_ratio else 1.0)
    control, treatment = (_arm(rows[arm], len(cuts) + 1, scale) for arm in (False, True))
    known = np.flatnonzero(np.minimum(control.active, treatment.active) >= FEW_UNITS).tolist()
    if not known:
        return none
    long = [i for i in known if not none.regimes[i].is_short]
    weights = weights_of([*rows.values()], (control, treatment), long)
    found = _Sums(control, treatment, known, long, weights)
    if found.weights.are_few and found.weights.units <= MOST_DEALT:
        units = units_of(ask, q.by_unit(len(cuts)), used, len(edges), scale)
        found = found.of_few(units, metric.seed)
    return found.effects(replace(none, cuts=tuple(cuts)))


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums of both arms, numbers of the stretches with a lift, and of those with a say in it."""

    control: ArmSums
    treatment: ArmSums
    known: list[int]
    long: list[int]
    weights: Weights
    p: float | None = None
    widening: tuple[float, ...] | None = None

    def of_few(self, units: UnitSums, seed: int) -> "_Sums":
        """With intervals and the p-value of deals of the units in place of formulas for many."""
        p = redealt(units.of(self.long), seed) if len(self.long) > 1 else None
        wide = redealt(units.of(self.known), seed)
        weights = replace(self.weights, draws=(p or wide).draws)
        return replace(self, weights=weights, p=p.p if p else None, widening=wide.widening)

    def effects(self, none: Effects) -> Effects:
        """Fill in the lifts."""
        choose = np.eye(len(none.regimes))[self.known]
        joint = pooled_and_stretches(self.control.of(choose), self.treatment.of(choose))
        joint = joint.widened(self.widening) if self.widening else joint
        each, place = joint.without_first(), {number: i for i, number in enumerate(self.known)}
        total = self.control.n + self.treatment.n
        regimes = tuple(
            replace(
                regime,
                lift=each.estimate(place[i]) if i in place else None,
                treated_share=float(self.treatment.n[i] / total[i]) if total[i] else None,
            )
            for i, regime in enumerate(none.regimes)
        )
        agreement = each.of([place[i] for i in self.long]).agreement()
        if agreement:
            p = agreement.p if self.p is None else self.p
            agreement = replace(agreement, p=min(1.0, p * none.tests))
        ships = len(regimes) - 1 in place and len(regimes) > 1
        return replace(
            none,
            regimes=regimes,
            known=tuple(self.known),
            pooled=joint.estimate(0),
            shipping_gap=contrast(joint, len(self.known), 0) if ships else None,
            agreement=agreement,
            gaps=tuple(contrast(joint, place[i] + 1, 0) for i in self.long),
            joint=joint,
            weights=self.weights,
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
