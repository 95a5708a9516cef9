"""Where does the level of a series change, and could so large a change be chance?

Segmentation by `ruptures`, always with jump=1: its default of 5 puts breaks at multiples of five.
It is not there on every Python; then the functions say so by `AVAILABLE`.
"""

import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

AVAILABLE = importlib.util.find_spec("ruptures") is not None
"""Whether `ruptures` is installed: it has an upper bound of Python."""


def pelt(values: ArrayLike, penalty: float | None = None, min_size: int = 3) -> list[int]:
    """Indices at which a new level begins (Killick, Fearnhead & Eckley, JASA 2012).

    Args:
        values: the series, shape (n,) or (n, dimensions).
        penalty: cost of a break; else twice the noise variance times log n for each dimension,
            the noise taken from the differences of neighbours.
        min_size: least length of a segment.
    """
    from ruptures import Pelt

    series = _columns(values)
    if len(series) < 2 * min_size:
        return []
    if penalty is None:
        scaled = series / np.where(noise(series) > 0, noise(series), 1.0)
        series, penalty = scaled, 2 * math.log(len(series)) * series.shape[1]
    found = Pelt(model="l2", min_size=min_size, jump=1).fit(series).predict(pen=penalty)
    return [int(end) for end in found[:-1]]


def pruned(
    values: Sequence[float], places: Sequence[int], alpha: float = 0.05, seed: int = 0
) -> list[int]:
    """The breaks that stand between their neighbours, the weakest taken away first.

    Where noise is not the same everywhere, a penalty from the noise of the whole series splits its
    louder parts. Each break is tested on the stretch between the breaks beside it, at the level
    shared by all of them (Bonferroni).
    """
    kept = sorted(places)
    while kept:
        edges = [0, *kept, len(values)]
        p = [break_with_p(values[edges[i] : edges[i + 2]], seed=seed).p for i in range(len(kept))]
        weakest = max(range(len(kept)), key=lambda i: p[i])
        if p[weakest] < alpha / len(kept):
            break
        kept.pop(weakest)
    return kept


def largest_break(values: ArrayLike) -> int:
    """Index at which the level changes most: the split with the least sum of squares."""
    from ruptures import Dynp

    return int(Dynp(model="l2", min_size=2, jump=1).fit(_columns(values)).predict(n_bkps=1)[0])


def noise(series: ArrayLike) -> Floats:
    """Noise of each column from the differences of neighbours, which breaks do not inflate.

    1.4826 times their median absolute deviation, over the square root of two.
    """
    steps = np.diff(_columns(series), axis=0)
    return np.asarray(1.4826 * np.median(np.abs(steps - np.median(steps, axis=0)), axis=0) / 2**0.5)


@dataclass(frozen=True, slots=True)
class Break:
    """The largest break of a series: its place, and the p-value of a break so large by chance."""

    index: int
    p: float


def break_with_p(values: Sequence[float], draws: int = 999, seed: int = 0, block: int = 3) -> Break:
    """The largest break and its p-value, the search repeated over series without one.

    Circular blocks of the series are put together anew, so that neighbours stay neighbours; each
    such series is searched through as the first one was (Phipson & Smyth 2010 for the p-value).

    Raises:
        ValueError: fewer than four values.
    """
    series = np.asarray(values, np.float64)
    if len(series) < 4:
        raise ValueError("needs four values")
    rng = np.random.default_rng(seed)
    n = len(series)
    found = _largest_gain(series)
    starts = rng.integers(0, n, size=(draws, -(-n // block)))
    places = (starts[:, :, None] + np.arange(block)) % n
    drawn = series[places.reshape(draws, -1)[:, :n]]
    beyond = sum(_largest_gain(row) >= found - 1e-15 for row in drawn)
    return Break(largest_break(series), (1 + beyond) / (1 + draws))


def distribution_break(
    values: ArrayLike, least: int = 5, draws: int = 999, seed: int = 0, block: int = 3
) -> Break:
    """Where the distribution of rows changes most, of any kind, and its p-value.

    Kernel change point detection with the Gaussian kernel of the median distance (Arlot, Celisse &
    Harchaoui, JMLR 2019); blocks of a circle are shuffled, and each such series searched through.

    Args:
        values: shape (n, columns), such as quantiles by day; each column is put on its own scale.
        least: rows on either side of the break.
        draws: of the series without a break.
        seed: of the draws.
        block: rows that stay together.

    Raises:
        ValueError: fewer rows than two sides need.
    """
    rows = _columns(values)
    n = len(rows)
    if n < 2 * least:
        raise ValueError(f"needs {2 * least} rows")
    scaled = rows / np.where(rows.std(axis=0) > 0, rows.std(axis=0), 1.0)
    squares = ((scaled[:, None] - scaled[None]) ** 2).sum(axis=2)
    apart = squares[np.triu_indices(n, 1)]
    width = float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0
    kernel = np.exp(-squares / width)
    gains = _kernel_gains(kernel, least)
    rng = np.random.default_rng(seed)
    places = (_shuffled(n, block, rng) for _ in range(draws))
    found = gains.max() - 1e-12
    beyond = sum(_kernel_gains(kernel[np.ix_(row, row)], least).max() >= found for row in places)
    return Break(int(gains.argmax()) + least, (1 + int(beyond)) / (1 + draws))


def _shuffled(n: int, block: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Numbers up to n on a circle, cut into blocks anywhere, and the blocks shuffled.

    Each comes once: one that came twice would be as near to itself as no other is.
    """
    circle = np.roll(np.arange(n), int(rng.integers(n)))
    blocks = np.array_split(circle, np.arange(block, n, block))
    return np.concatenate([blocks[i] for i in rng.permutation(len(blocks))])


def _kernel_gains(kernel: Floats, least: int) -> Floats:
    """What each split into two parts of so many rows takes off the kernel cost."""
    n = len(kernel)
    within = np.diagonal(kernel.cumsum(axis=0).cumsum(axis=1))
    rows = kernel.sum(axis=1).cumsum()
    left = np.arange(least, n - least + 1)
    first, total = within[left - 1], within[-1]
    last = total - 2 * rows[left - 1] + first
    return np.asarray(first / left + last / (n - left) - total / n)


SPLIT_95 = 7.35
"""Misfit beyond the best that a split may have at 95 % (Hansen, Econometrica 2000, table 1)."""


def splits(gains: ArrayLike) -> tuple[int, int]:
    """Least and greatest number of readings that may stand before a change, at 95 %.

    Args:
        gains: of each reading in the order of time, squared distance from the level before the
            change minus that from the level after it, in noise variances. Shape (n,).
    """
    misfit = np.concatenate([[0.0], np.cumsum(np.asarray(gains, np.float64))])
    held = np.flatnonzero(misfit - misfit.min() <= SPLIT_95)
    return int(held[0]), int(held[-1])


def _largest_gain(series: Floats) -> float:
    """How much of the sum of squares the best split into two levels explains, 0 to 1."""
    centred = series - series.mean()
    total = float(centred @ centred)
    if total <= 0:
        return 0.0
    n = len(series)
    left = np.cumsum(centred)[1:-2]
    sizes = np.arange(2, n - 1)
    return float((left**2 * n / (sizes * (n - sizes))).max()) / total


def _columns(values: ArrayLike) -> Floats:
    series = np.asarray(values, np.float64)
    return series[:, None] if series.ndim == 1 else series
