"""How far several raters of the same rows agree, and how labels stand to what was given before.

Classes are names without an order. Rows are given by their tallies: how many raters put the row
into each class. Equal tallies are counted together, so that a million rows cost no more than a
hundred.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casework.stats.estimates import Estimate, upper_if_none

USABLE = 0.667
"""Below this alpha no conclusion should rest on the labels (Krippendorff, Content Analysis)."""

_DRAWS = 1_999

Floats = NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval", "ratio"]


@dataclass(frozen=True, slots=True)
class Tallies:
    """Distinct tallies, shape (patterns, classes), and how many rows have each."""

    counts: Floats
    rows: NDArray[np.int64]


def tallies(counts: ArrayLike, rows: ArrayLike | None = None) -> Tallies:
    """Tallies of rows that at least two raters labelled; the others say nothing of agreement.

    Args:
        counts: raters by class, shape (patterns, classes).
        rows: how many rows have each pattern; else one each.
    """
    table = np.atleast_2d(np.asarray(counts, np.float64))
    many = np.ones(len(table), np.int64) if rows is None else np.asarray(rows, np.int64)
    several = table.sum(axis=1) >= 2
    if not several.any():
        return Tallies(table[several], many[several])
    patterns, place = np.unique(table[several], axis=0, return_inverse=True)
    rows_of = np.bincount(place.ravel(), many[several]).astype(np.int64)
    return Tallies(patterns, rows_of)


def krippendorff_alpha(found: Tallies, seed: int = 0) -> Estimate | None:
    """Krippendorff's alpha for classes without order, with a bootstrap interval over rows, 95 %.

    Hayes & Krippendorff, Communication Methods and Measures 2007. The value is that of the package
    `krippendorff`; the draws need its formula alone. Where raters never differ, the draws do not
    either, and the lower end is that of as many rows with a difference as so few may lack.

    Returns:
        The estimate, or None where there are no two classes, so that chance agrees always.
    """
    from krippendorff import alpha

    if not len(found.rows) or (found.counts.sum(axis=0) > 0).sum() < 2:
        return None
    every = np.repeat(found.counts, found.rows, axis=0)
    value = float(alpha(value_counts=every, level_of_measurement="nominal"))
    n, patterns = int(found.rows.sum()), found.rows / found.rows.sum()
    drawn = np.random.default_rng(seed).multinomial(n, patterns, size=_DRAWS)
    values = _alphas(found.counts, drawn.astype(np.float64))
    low, high = np.quantile(values[np.isfinite(values)], (0.025, 0.975))
    if not disagreement(found):
        totals = found.rows @ found.counts
        differ = 1 - float(totals @ totals) / float(totals.sum()) ** 2
        return Estimate(value, _never_apart(n, differ), value, n)
    return Estimate(value, min(float(low), value), max(float(high), value), n)


def _never_apart(rows: int, differ: float) -> float:
    """Lower end of agreement beyond chance where raters differ in none of these rows.

    They may differ in as large a share of all rows as none of these would show (rule of three:
    Hanley & Lippman-Hand, JAMA 1983); by chance they would in a share `differ`.
    """
    return max(-1.0, 1 - upper_if_none(rows, 0.975) / differ)


def _alphas(counts: Floats, rows: Floats) -> Floats:
    """Alpha for each line of `rows`, how often each pattern was drawn; NaN with a single class."""
    raters = counts.sum(axis=1)
    apart = (raters**2 - (counts**2).sum(axis=1)) / (raters - 1)
    totals = rows @ counts
    n = totals.sum(axis=1)
    expected = n**2 - (totals**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - (n - 1) * (rows @ apart) / expected, np.float64)


def level_alpha(ratings: Sequence[Sequence[float | None]], level: Level) -> float:
    """Krippendorff's alpha of values at a level of measurement, by the package `krippendorff`.

    Args:
        ratings: one line a rater, None where a unit was not rated.
        level: what the values are.
    """
    from krippendorff import alpha

    data = np.array([[np.nan if x is None else x for x in line] for line in ratings], np.float64)
    return float(alpha(reliability_data=data, level_of_measurement=level))


def cohen_kappa(table: ArrayLike) -> Estimate | None:
    """Cohen's kappa of two raters from their square table of counts (statsmodels).

    A row may be counted in parts, which add up to one.

    Returns:
        The estimate with its asymptotic interval, or None where chance agrees always. Raters who
        never differ have none; then the lower end is that of `krippendorff_alpha`.
    """
    from statsmodels.stats.inter_rater import cohens_kappa

    counts = np.asarray(table, np.float64)
    n = counts.sum()
    chance = (counts.sum(axis=0) * counts.sum(axis=1)).sum() / n**2 if n else 1.0
    if chance >= 1:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):  # of its z, where chance has no spread
        found = cohens_kappa(counts)
    low, high = max(-1.0, float(found.kappa_low)), min(1.0, float(found.kappa_upp))
    rows = round(float(n))
    if math.isclose(counts.trace(), n):
        low = _never_apart(rows, 1 - float(chance))
    return Estimate(float(found.kappa), low, high, rows)


def fleiss_kappa(found: Tallies) -> float | None:
    """Fleiss' kappa; every row needs the same number of raters (statsmodels).

    Returns:
        The value, or None where the numbers of raters differ or chance agrees always.
    """
    from statsmodels.stats.inter_rater import fleiss_kappa as fleiss

    raters = found.counts.sum(axis=1)
    if not len(raters) or np.ptp(raters) or (found.counts.sum(axis=0) > 0).sum() < 2:
        return None
    return float(fleiss(np.repeat(found.counts, found.rows, axis=0), method="fleiss"))


def disagreement(found: Tallies) -> float | None:
    """Share of pairs of raters, row by row, that put the row into different classes."""
    raters = found.counts.sum(axis=1)
    if not len(raters):
        return None
    pairs = raters * (raters - 1)
    apart = (raters**2 - (found.counts**2).sum(axis=1)) / pairs
    return float(np.average(apart, weights=found.rows))


def calibrated_joint(joint_counts: ArrayLike, given_totals: ArrayLike | None = None) -> Floats:
    """Shares of rows by given class (lines) and true class (columns), from a part that was counted.

    Each line of counts is scaled to what the given class has among all rows (Northcutt, Jiang &
    Chuang, Confident Learning, JAIR 2021, equation 3).

    Args:
        joint_counts: rows counted, shape (given, true).
        given_totals: all rows of each given class; else those counted.

    Returns:
        Shares that add up to one over the given classes of which at least one row was counted.
    """
    counts = np.asarray(joint_counts, np.float64)
    counted = counts.sum(axis=1)
    totals = counted if given_totals is None else np.asarray(given_totals, np.float64)
    seen = np.where(counted > 0, counted, 1.0)
    scaled = counts / seen[:, None] * np.where(counted > 0, totals, 0.0)[:, None]
    whole = scaled.sum()
    return np.asarray(scaled / whole if whole else scaled, np.float64)
