"""Weights that make a sample stand for a population: inverse chances, and raking to margins."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def horvitz_thompson(y: ArrayLike, chance: ArrayLike) -> float:
    """Total of the population, sum of y / chance (Horvitz & Thompson, JASA 1952).

    Args:
        y: values of those seen, shape (n,).
        chance: how likely each was to be seen, above 0 and at most 1, shape (n,).

    Raises:
        ValueError: a chance is not above 0 and at most 1.
    """
    values, chances = _seen(y, chance)
    return float((values / chances).sum())


def hajek(y: ArrayLike, chance: ArrayLike) -> float:
    """Mean of the population, where those seen were so likely to be seen (Hájek 1971).

    It is right where being seen depends on nothing but the chance (missing at random).

    Raises:
        ValueError: a chance is not above 0 and at most 1.
    """
    values, chances = _seen(y, chance)
    return float((values / chances).sum() / (1 / chances).sum())


def rake(
    columns: Mapping[str, Sequence[str]],
    targets: Mapping[str, Mapping[str, float]],
    weights: ArrayLike | None = None,
) -> Floats:
    """Weights whose sums by each column are the targets (Deming & Stephan 1940), by `svy`.

    Args:
        columns: for each margin the level of every unit.
        targets: for each margin the total of every level; totals agree between margins.
        weights: to begin with; all one where absent. None may be zero.

    Returns:
        weights of shape (units,).

    Raises:
        ValueError: a level with a positive target has no unit, or the margins cannot be met.
    """
    import polars as pl
    import svy

    for margin, levels in targets.items():
        unseen = {level for level, total in levels.items() if total > 0} - {*columns[margin]}
        if unseen:
            raise ValueError(f"no unit has {margin} {sorted(unseen)[0]!r}: positivity fails")
    n = len(next(iter(columns.values())))
    start = np.ones(n) if weights is None else np.asarray(weights, np.float64)
    kept = np.array([all(targets[m].get(columns[m][i], 0) > 0 for m in targets) for i in range(n)])
    frame = {f"m{j}": np.asarray(columns[m], object)[kept].tolist() for j, m in enumerate(targets)}
    controls: dict[str, dict[str | int | float | bool, int | float]] = {
        f"m{j}": {level: float(total) for level, total in levels.items() if total > 0}
        for j, levels in enumerate(targets.values())
    }
    sample = svy.Sample(pl.DataFrame({**frame, "w": start[kept]}), svy.Design(wgt="w"))
    try:
        raked = sample.weighting.rake(controls=controls, tol=1e-9, max_iter=1000)
    except svy.SvyError as error:
        raise ValueError(f"the margins cannot be met together: {error.code}") from error
    found = np.zeros(n)
    table = raked.data
    if isinstance(table, pl.LazyFrame):
        table = table.collect()
    found[kept] = table["rk_wgt"].to_numpy()
    return found


def _seen(y: ArrayLike, chance: ArrayLike) -> tuple[Floats, Floats]:
    values, chances = np.asarray(y, np.float64), np.asarray(chance, np.float64)
    if not ((chances > 0) & (chances <= 1)).all():
        raise ValueError("the chance of being seen must be above 0 and at most 1")
    return values, chances
