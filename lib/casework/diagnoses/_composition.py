"""How the arms differed before exposure, and how much of the lift that explains."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from casework.case import Query
from casework.diagnoses import _cohort_sums as sums
from casework.diagnoses import _cohorts as q
from casework.diagnoses._arms import Comparison
from casework.diagnoses._cohort_balance import Covariate, balance, between_accounts
from casework.diagnoses._cohort_change import Change, change_of
from casework.diagnoses._cohort_classifier import Told, tell_arms
from casework.diagnoses._cohort_strata import SEEN_BEFORE
from casework.diagnoses._dealing import Dealing
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._transport import Everyone, transported
from casework.errors import unknown_name
from casework.stats.composition import standardised_difference
from casework.stats.estimates import Estimate
from casework.stats.lift import Cells, Decomposition, decompose
from casework.stats.rehash import Rehash, rehash_test

_ADJUSTED_FOR = 12


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
        carrier: the covariate that carries most of the composition part.
        everyone: lift weighted to all compared units; None without outcomes.
        change: how the lift of the same units changed; None where too few were seen twice.
        told: whether a classifier tells the arms apart; None without covariates.
        set_apart: staff, test tenants and bots in control and treatment, not compared.
        levels: metric by arm, control first.
        cells, moments: the queries behind the numbers.
    """

    metric: str | None
    is_ratio: bool
    levels: tuple[dict[str, Any], ...]
    set_apart: tuple[int, int]
    covariates: tuple[Covariate, ...] = ()
    rehash: Rehash | None = None
    rehash_everyone: Rehash | None = None
    lift: Decomposition | None = None
    carrier: Covariate | None = None
    everyone: Everyone | None = None
    change: Change | None = None
    told: Told | None = None
    cells: Query | None = None
    moments: Query | None = None

    @property
    def rehash_p(self) -> float:
        """P-value of the re-hash test; 1 where there was nothing to test."""
        return self.rehash.p if self.rehash else 1.0

    @property
    def population(self) -> Estimate | None:
        """The lift for everyone, where it can be estimated."""
        return self.everyone.lift if self.everyone else None

    @property
    def unit(self) -> str:
        """Unit of the lift: percentage points of a ratio, else the metric per unit."""
        return "points" if self.is_ratio else f"{self.metric or 'outcome'} per unit"

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
    sources: tuple[str, ...]
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
    apart = {row["treated"]: row["set_apart"] for row in ask.ask(q.SET_APART, **compared.params)}
    set_apart = (apart.get(False, 0), apart.get(True, 0))
    found = Composition(metric, frame.is_ratio, levels, set_apart)
    covariates = balance(ask, frame.names, frame.params)
    if not frame.sources:
        return found
    change = change_of(ask, frame.params) if frame.has_outcome else None
    known = frame.names, frame.sources
    told = tell_arms(ask, compared, dealing, known, frame.params, seed) if covariates else None
    if frame.has_outcome and "before_value" in frame.sources:
        ask.ask(SEEN_BEFORE, **frame.params)  # while the profile is held
    ask.case.hold(sums.standardised(frame.sources), **frame.params)
    for spent in (sums.PROFILE, sums.OBSERVED, q.EXPOSED):
        ask.case.release(spent)
    accounts = dealing.accounts
    dealt, dealt_all = (accounts.compared, accounts.everyone) if accounts else (None, None)
    rehash = _rehash(ask, frame, dealt, seed, everyone=False)
    if dealt:
        covariates = between_accounts(covariates, frame.names, rehash, sum(dealt))
    everyone = _rehash(ask, frame, dealt_all, seed, everyone=True) if any(set_apart) else None
    found = replace(
        found,
        covariates=covariates,
        change=change,
        told=told,
        rehash=rehash,
        rehash_everyone=everyone,
        cells=sums.cells(frame.sources),
    )
    return _split(ask, found, frame, seed) if frame.has_outcome else found


def _split(ask: Inquiry, found: Composition, frame: _Frame, seed: int) -> Composition:
    """Split the lift into what the covariates explain and the rest, and carry it to everyone."""
    used = _prognostic(ask, frame)
    moments = sums.moments(frame.sources, used, weighted=frame.is_ratio)
    cells = _cells(ask, moments, frame, used)
    if min((cells.n > 0).sum(axis=1)) < 2:
        return found
    units = sum(row["units"] for row in ask.ask(moments, **frame.params))
    split = decompose(cells, seed=seed)
    everyone = transported(ask, frame.params, frame.sources, used, cells, frame.scale)
    return replace(
        found,
        lift=_in_units(split, frame.scale, units),
        carrier=_carrier(found.covariates, [frame.names[i - 1] for i in used], split.parts),
        everyone=everyone,
        moments=moments,
    )


def _frame(
    ask: Inquiry, compared: Comparison, dealing: Dealing, metric: str | None, seed: int
) -> tuple[_Frame, tuple[dict[str, Any], ...], str | None]:
    """Settle the metric, hold the profile of each unit, and find the scales of its columns."""
    found = ask.ask(q.METRICS, **compared.params)
    if metric is not None and metric not in [row["metric"] for row in found]:
        raise unknown_name("metric", metric, [row["metric"] for row in found])
    metric = ask.infer("metric", metric, found[0]["metric"] if found else None)
    known = next((row for row in found if row["metric"] == metric), None)
    params = compared.params | {"metric": metric or "", "seed": str(seed)}
    params |= {"dealt_by": dealing.dealt_by, "middle_at": _middle(compared, known)}
    ask.case.hold(sums.OBSERVED, **params)
    params["is_ratio"] = bool(known and known["denominators"] == known["observations"])
    levels = tuple(ask.ask(sums.LEVELS, **params))
    ask.case.hold(sums.PROFILE, **params)
    rows = ask.ask(sums.COVARIATES, **params)
    for i, row in enumerate(rows, start=1):
        params |= {f"name_{i}": row["name"], f"mean_{i}": row["mean"], f"spread_{i}": row["spread"]}
    observed = [row for row in levels if row["observed"]]
    has_outcome = len(observed) == 2 and all(row["observed"] >= 10 for row in observed)
    scale = ask.one(sums.OUTCOME, **params) if has_outcome else {}
    for name, default in (("mean_y", 0.0), ("spread_y", 1.0), ("mean_w", 1.0)):
        params[name] = float(scale.get(name) or default)
    names = [row["name"] for row in rows]
    sources = tuple(sums.source(name, i, metric) for i, name in enumerate(names, start=1))
    return _Frame(params, names, sources, params["spread_y"], has_outcome), levels, metric


def _middle(compared: Comparison, metric: dict[str, Any] | None) -> datetime | None:
    """When half of the window of observation is over."""
    if metric is None or compared.opened_at is None:
        return None
    last: datetime = metric["last"]
    end = min(last, compared.closed_at or last)
    return compared.opened_at + (end - compared.opened_at) / 2


def _rehash(
    ask: Inquiry, frame: _Frame, accounts: tuple[int, int] | None, seed: int, *, everyone: bool
) -> Rehash:
    """Deal anew with the share that was dealt: of the accounts, where these were dealt whole."""
    k = len(frame.names)
    rows = ask.ask(sums.cells(frame.sources), **frame.params, everyone=everyone)
    arms = ask.ask(sums.arm_sums(frame.sources), **frame.params, everyone=everyone)
    by_arm = {row["treated"]: row for row in arms}
    if len(by_arm) < 2:
        return Rehash(1.0, 0.0, 0.0, 0.0, 0.0, 0)
    totals = np.array([[row[f"s{i}"] for i in range(1, k + 1)] for row in rows], np.float64)
    squares = np.array([[row[f"q{i}"] for i in range(1, k + 1)] for row in rows], np.float64)
    observed = [
        standardised_difference(*_moments(by_arm[True], i), *_moments(by_arm[False], i))
        for i in range(1, k + 1)
    ]
    control, treated = accounts or (by_arm[False]["n"], by_arm[True]["n"])
    share = treated / (control + treated)
    counts = [row["n"] for row in rows]
    return rehash_test(
        counts, totals / sums.FIXED, squares / sums.FIXED**2, share, observed, seed=seed
    )


def _moments(row: dict[str, Any], i: int) -> tuple[float, float]:
    n, total, square = row["n"], float(row[f"s{i}"]), float(row[f"q{i}"])
    return total / n, max(0.0, (square - total * total / n) / max(1, n - 1))


def _prognostic(ask: Inquiry, frame: _Frame) -> tuple[int, ...]:
    """The covariates that predict the outcome best within the arms; all where there are few."""
    k = len(frame.names)
    if k <= _ADJUSTED_FOR:
        return tuple(range(1, k + 1))
    arms = ask.ask(sums.arm_sums(frame.sources), **frame.params, everyone=False)
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
    step = sums.WEIGHT if frame.is_ratio else 1
    n = np.zeros((2, sums.GROUPS))
    s = np.zeros((2, sums.GROUPS, d))
    ss = np.zeros((2, sums.GROUPS, d, d))
    for row in ask.ask(query, **frame.params):
        place = int(row["treated"]), row["unit_group"]
        n[place] = row["n"] / step
        for a, left in enumerate(names):
            s[(*place, a)] = row[f"s_{left}"] / (step * sums.FIXED)
            for b in range(a, d):
                product = row[f"p_{left}_{names[b]}"] / (step * sums.FIXED**2)
                ss[(*place, a, b)] = ss[(*place, b, a)] = product
    return Cells(n, s, ss)


def _carrier(
    covariates: tuple[Covariate, ...], names: list[str], parts: tuple[float, ...]
) -> Covariate | None:
    strongest = max(zip(parts, names, strict=True), key=lambda pair: abs(pair[0]))[1]
    return next((c for c in covariates if c.name == strongest), None)


def _in_units(split: Decomposition, scale: float, units: int) -> Decomposition:
    """The split in units of the metric instead of standard deviations, and of units, not weights.

    Args:
        split: of sums over standardised columns; its n is the sum of the weights.
        scale: standard deviation of the metric.
        units: how many were summed.
    """

    def scaled(e: Estimate, scale: float = scale) -> Estimate:
        return Estimate(e.value * scale, e.low * scale, e.high * scale, units)

    return replace(
        split,
        raw=scaled(split.raw),
        adjusted=scaled(split.adjusted),
        composition=scaled(split.composition),
        share=split.share and scaled(split.share, 1.0),
        parts=tuple(part * scale for part in split.parts),
    )
