"""How the arms differed before exposure, and how much of the lift that explains."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from casework.case import Query
from casework.diagnoses import _cohorts as q
from casework.diagnoses._arms import Comparison
from casework.diagnoses._dealing import Dealing
from casework.diagnoses._inquiry import Inquiry
from casework.stats.composition import (
    kish_from_sums,
    standardised_difference,
    standardised_interval,
    transport_interval,
)
from casework.stats.estimates import Estimate
from casework.stats.lift import Cells, Decomposition, decompose, difference_of_means
from casework.stats.rehash import Rehash, rehash_test

_ADJUSTED_FOR = 12


@dataclass(frozen=True, slots=True)
class Covariate:
    """One covariate: its name, and its standardised difference, treatment against control."""

    name: str
    difference: Estimate


@dataclass(frozen=True, slots=True)
class Composition:
    """What was found before exposure, and what it explains.

    Attributes:
        covariates: the largest difference first.
        rehash: the test of all of them at once; None without covariates.
        rehash_everyone: the same with nobody set apart; None where nobody is.
        metric: the metric of the lift, None without outcomes.
        is_ratio: whether it is a ratio of sums.
        lift: raw, adjusted, composition and share, in units of the metric.
        population: lift weighted to all compared units; None where a stratum lacks treated ones.
        n_eff: effective number of treated units after that weighting.
        change: how the lift of the same units changed from the first half to the second.
        levels: metric by arm, control first.
        cells, moments, strata: the queries behind the numbers.
    """

    covariates: tuple[Covariate, ...]
    rehash: Rehash | None
    rehash_everyone: Rehash | None
    metric: str | None
    is_ratio: bool
    lift: Decomposition | None
    population: Estimate | None
    n_eff: float | None
    change: Estimate | None
    levels: tuple[dict[str, Any], ...]
    cells: Query | None
    moments: Query | None
    strata: Query | None

    @property
    def rehash_p(self) -> float:
        """P-value of the re-hash test; 1 where there was nothing to test."""
        return self.rehash.p if self.rehash else 1.0

    def explains(self, material: float) -> bool:
        """Whether composition explains more than a material share, and the lift shrinks with it."""
        lift = self.lift
        if lift is None or lift.share is None:
            return False
        return lift.share.low > material and lift.adjusted.excludes(lift.raw.value)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Parameters of the standardised columns: the names of covariates and the metric's scale."""

    params: dict[str, Any]
    names: list[str]
    scale: float
    has_outcome: bool

    @property
    def is_ratio(self) -> bool:
        """Whether the metric is a ratio of sums."""
        return bool(self.params["is_ratio"])


def compare(
    ask: Inquiry, compared: Comparison, dealing: Dealing, metric: str | None, seed: int
) -> Composition:
    """Compare the arms before exposure and split the lift."""
    frame, levels, metric = _frame(ask, compared, dealing, metric, seed)
    k = len(frame.names)
    if not k:
        return Composition(
            (), None, None, metric, frame.is_ratio, None, None, None, None, levels, None, None, None
        )
    ask.case.hold(q.standardised(k), **frame.params)
    apart = sum(row["set_apart"] for row in ask.ask(q.SET_APART, **compared.params))
    rehash = _rehash(ask, compared, frame, seed, everyone=False)
    everyone = _rehash(ask, compared, frame, seed, everyone=True) if apart else None
    covariates = _covariates(ask, frame)
    lift = population = n_eff = change = None
    moments = strata = None
    if frame.has_outcome:
        used = _prognostic(ask, frame)
        moments, strata = q.moments(k, used), q.strata(k, used)
        split = decompose(_cells(ask, moments, frame, used), seed=seed)
        population, n_eff = _transport(ask, frame, used, split.slopes)
        lift = _in_units(split, frame.scale)
        change = _change(ask, frame)
    return Composition(
        covariates, rehash, everyone, metric, frame.is_ratio, lift, population, n_eff, change,
        levels, q.cells(k), moments, strata,
    )  # fmt: skip


def _frame(
    ask: Inquiry, compared: Comparison, dealing: Dealing, metric: str | None, seed: int
) -> tuple[_Frame, tuple[dict[str, Any], ...], str | None]:
    """Settle the metric, hold the profile of each unit, and find the scales of its columns."""
    found = ask.ask(q.METRICS)
    metric = ask.infer("metric", metric, found[0]["metric"] if found else None)
    known = next((row for row in found if row["metric"] == metric), None)
    params = compared.params | {"metric": metric or "", "seed": str(seed)}
    params |= {"dealt_by": dealing.dealt_by, "middle_at": _middle(compared, known)}
    ask.case.hold(q.EXPOSED, **params)
    ask.case.hold(q.OBSERVED, **params)
    levels = tuple(ask.ask(q.LEVELS, **params))
    is_ratio = bool(known and known["denominators"] == known["observations"])
    params |= _ratios(levels, is_ratio)
    ask.case.hold(q.PROFILE, **params)
    rows = ask.ask(q.COVARIATES, **params)
    for i, row in enumerate(rows, start=1):
        params |= {f"name_{i}": row["name"], f"mean_{i}": row["mean"], f"spread_{i}": row["spread"]}
    observed = [row for row in levels if row["observed"]]
    has_outcome = len(observed) == 2 and all(row["observed"] >= 10 for row in observed)
    scale = _spread(ask, params) if has_outcome else {"mean_y": 0.0, "spread_y": 1.0}
    params |= scale
    names = [row["name"] for row in rows]
    return _Frame(params, names, scale["spread_y"], has_outcome), levels, metric


def _spread(ask: Inquiry, params: dict[str, Any]) -> dict[str, float]:
    row = ask.one(q.OUTCOME, **params)
    return {"mean_y": float(row["mean_y"]), "spread_y": float(row["spread_y"] or 1.0)}


def _middle(compared: Comparison, metric: dict[str, Any] | None) -> datetime | None:
    """When the window of observation is split: where the ramp was raised, else half-way."""
    if compared.raised_at or metric is None or compared.opened_at is None:
        return compared.raised_at
    last: datetime = metric["last"]
    end = min(last, compared.closed_at or last)
    return compared.opened_at + (end - compared.opened_at) / 2


def _ratios(levels: tuple[dict[str, Any], ...], is_ratio: bool) -> dict[str, Any]:
    """The ratio of each arm and its mean denominator, for the linearised outcome (delta method)."""
    found: dict[str, Any] = {"is_ratio": is_ratio}
    for arm, treated in (("c", False), ("t", True)):
        row = next((r for r in levels if r["treated"] == treated), None)
        usable = is_ratio and row and row["denominator"] and row["observed"]
        found[f"ratio_{arm}"] = row["value"] / row["denominator"] if usable and row else 0.0
        found[f"mean_{arm}"] = row["denominator"] / row["observed"] if usable and row else 1.0
    return found


def _rehash(
    ask: Inquiry, compared: Comparison, frame: _Frame, seed: int, *, everyone: bool
) -> Rehash:
    k = len(frame.names)
    rows = ask.ask(q.cells(k), **frame.params, everyone=everyone)
    arms = ask.ask(q.arm_sums(k), **frame.params, everyone=everyone)
    by_arm = {row["treated"]: row for row in arms}
    if len(by_arm) < 2:
        return Rehash(1.0, 0.0, 0.0, 0.0, 0.0, 0)
    sums = np.array([[row[f"s{i}"] for i in range(1, k + 1)] for row in rows], np.float64)
    squares = np.array([[row[f"q{i}"] for i in range(1, k + 1)] for row in rows], np.float64)
    observed = [
        standardised_difference(*_moments(by_arm[True], i), *_moments(by_arm[False], i))
        for i in range(1, k + 1)
    ]
    share = by_arm[True]["n"] / sum(row["n"] for row in arms)
    counts = [row["n"] for row in rows]
    return rehash_test(counts, sums / q.FIXED, squares / q.FIXED**2, share, observed, seed=seed)


def _moments(row: dict[str, Any], i: int) -> tuple[float, float]:
    n, total, square = row["n"], float(row[f"s{i}"]), float(row[f"q{i}"])
    return total / n, max(0.0, (square - total * total / n) / max(1, n - 1))


def _covariates(ask: Inquiry, frame: _Frame) -> tuple[Covariate, ...]:
    """Standardised differences, each over the units whose value is known."""
    rows = {(row["name"], row["treated"]): row for row in ask.ask(q.BALANCE, **frame.params)}
    found = []
    for name in frame.names:
        control, treated = rows.get((name, False)), rows.get((name, True))
        if control and treated:
            d = standardised_difference(
                treated["mean"], treated["variance"], control["mean"], control["variance"]
            )
            found.append(
                Covariate(name, standardised_interval(d, treated["known"], control["known"]))
            )
    return tuple(sorted(found, key=lambda c: -abs(c.difference.value)))


def _prognostic(ask: Inquiry, frame: _Frame) -> tuple[int, ...]:
    """The covariates that predict the outcome best within the arms; all where there are few."""
    k = len(frame.names)
    if k <= _ADJUSTED_FOR:
        return tuple(range(1, k + 1))
    arms = ask.ask(q.arm_sums(k), **frame.params, everyone=False)
    strength = [
        sum(
            abs(float(row[f"r{i}"]) - float(row[f"s{i}"]) * float(row["sy"]) / row["n"])
            for row in arms
        )
        for i in range(1, k + 1)
    ]
    order = sorted(range(k), key=lambda i: -strength[i])[:_ADJUSTED_FOR]
    return tuple(sorted(i + 1 for i in order))


def _cells(ask: Inquiry, query: Query, frame: _Frame, used: tuple[int, ...]) -> Cells:
    names = [*(f"z{i}" for i in used), "y"]
    d = len(names)
    n = np.zeros((2, q.GROUPS))
    s = np.zeros((2, q.GROUPS, d))
    ss = np.zeros((2, q.GROUPS, d, d))
    for row in ask.ask(query, **frame.params):
        place = int(row["treated"]), row["unit_group"]
        n[place] = row["n"]
        for a, left in enumerate(names):
            s[(*place, a)] = row[f"s_{left}"] / q.FIXED
            for b in range(a, d):
                product = row[f"p_{left}_{names[b]}"] / q.FIXED**2
                ss[(*place, a, b)] = ss[(*place, b, a)] = product
    return Cells(n, s, ss)


def _transport(
    ask: Inquiry, frame: _Frame, used: tuple[int, ...], slopes: tuple[float, ...]
) -> tuple[Estimate | None, float | None]:
    """Weight the lift of each stratum of the predicted outcome to all compared units."""
    k = len(frame.names)
    params = frame.params | {
        f"slope_{i}": float(f"{slope:.6g}") for i, slope in zip(used, slopes, strict=True)
    }
    cuts = ask.one(q.edges(k, used), **params)
    rows = ask.ask(q.strata(k, used), **params, **cuts)
    effects, weights = [], []
    treated_units = sum_squares = 0.0
    for stratum in sorted({row["stratum"] for row in rows}):
        arms = {row["treated"]: row for row in rows if row["stratum"] == stratum}
        size = sum(row["units"] for row in arms.values())
        if len(arms) < 2 or min(row["observed"] for row in arms.values()) < 2:
            return None, None
        effects.append(_effect(arms[False], arms[True], frame.scale / q.FIXED))
        weights.append(size)
        treated_units += size
        sum_squares += size**2 / arms[True]["observed"]
    if not effects:
        return None, None
    return transport_interval(weights, effects), kish_from_sums(treated_units, sum_squares)


def _effect(control: dict[str, Any], treated: dict[str, Any], scale: float) -> Estimate:
    """Lift within a stratum; the rows hold sums of what the covariates leave."""
    n = (control["observed"], treated["observed"])
    mean = (control["total"] / n[0] * scale, treated["total"] / n[1] * scale)
    squares = (control["squares"] * scale**2, treated["squares"] * scale**2)
    variances = [max(0.0, (squares[i] - n[i] * mean[i] ** 2) / (n[i] - 1)) for i in (0, 1)]
    return difference_of_means(n, mean, (variances[0], variances[1]))


def _change(ask: Inquiry, frame: _Frame) -> Estimate | None:
    """Lift of the second half minus that of the first, within the same units."""
    rows = {row["treated"]: row for row in ask.ask(q.CHANGE, **frame.params)}
    if len(rows) < 2 or min(row["units"] for row in rows.values()) < 10:
        return None
    control, treated = rows[False], rows[True]
    return difference_of_means(
        (control["units"], treated["units"]),
        (control["mean"], treated["mean"]),
        (control["variance"], treated["variance"]),
    )


def _in_units(split: Decomposition, scale: float) -> Decomposition:
    """The split in units of the metric instead of standard deviations."""

    def scaled(e: Estimate) -> Estimate:
        return Estimate(e.value * scale, e.low * scale, e.high * scale, e.n)

    return Decomposition(
        raw=scaled(split.raw),
        adjusted=scaled(split.adjusted),
        composition=scaled(split.composition),
        share=split.share,
        raw_excludes_zero=split.raw_excludes_zero,
        parts=tuple(part * scale for part in split.parts),
        slopes=split.slopes,
    )
