"""Were the arms dealt at random? Randomisation inference by dealing the units again.

Under the null hypothesis the assignment is a hash of fresh salt and unit, so a new salt would
have given arms as likely as the ones seen. The test draws many such salts, rebuilds the arms and
asks how often their most unbalanced covariate is as unbalanced as the observed one. It needs no
distribution and counts all covariates as one test.

Hashing every unit anew for each draw is too dear for millions of units. The caller therefore
hashes them once, with a fresh salt, into K micro-buckets, and a draw deals whole micro-buckets:
a share q of them, drawn without replacement. This keeps the variance of the unit-level deal.
Dealing units gives the treated sum of a centred covariate x the variance q(1-q) sum x_i^2;
dealing qK of K micro-buckets with sums S_k gives q(1-q) K/(K-1) sum S_k^2 (a sum over a simple
random sample). Two units share a micro-bucket with chance 1/K, so that over the salt

    E sum S_k^2 = sum x_i^2 + (1/K) sum_{i != j} x_i x_j = (1 - 1/K) sum x_i^2

for sum x_i = 0, and the two variances agree. So do those of the arm sizes; tossing a coin for
each micro-bucket instead would scatter them by the factor sqrt(n/K) too much. For a given salt
sum S_k^2 scatters by a relative sqrt(2/K): take K of 1,000 or more, and enough of them that the
smaller arm gets 30.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BLOCK = 128
"""Draws per matrix product; bounds the memory to BLOCK x K numbers."""

TIE = 1e-9
"""Relative difference below which two statistics are one value, computed in another order."""


@dataclass(frozen=True, slots=True)
class Rehash:
    """How unbalanced the arms are, against arms dealt at random.

    Attributes:
        p: (1 + draws as extreme as the observed arms) / (1 + draws), which is never 0
            (Phipson & Smyth 2010).
        observed: largest absolute standardised difference over the covariates.
        median: of the same in random arms.
        q95: 95 % quantile: a single covariate beyond it is unbalanced after allowing for
            having looked at all of them.
        q99: 99 % quantile.
        draws: number of random deals.
        reach: 95 % quantile of each covariate's own absolute difference, over the draws whose
            arms can be compared: the half-width of an interval by randomisation inference, for
            units that were dealt in groups (Rosenbaum, Observational Studies, 2002, chapter 2).
    """

    p: float
    observed: float
    median: float
    q95: float
    q99: float
    draws: int
    reach: tuple[float, ...] = ()


def rehash_test(
    counts: ArrayLike,
    sums: ArrayLike,
    squares: ArrayLike,
    share: float,
    observed: ArrayLike,
    draws: int = 999,
    seed: int = 0,
) -> Rehash:
    """Test the largest standardised difference by dealing micro-buckets to the treatment arm.

    Args:
        counts: units per micro-bucket, shape (K,); or shape (K, p), the units whose covariate
            is known, where some are missing.
        sums: sums of the covariates, shape (K, p). Standardise them over both arms first
            (subtract the mean, divide by the standard deviation): see the module.
        squares: sums of the squared covariates, shape (K, p).
        share: chance of a unit to be treated under the intended allocation, between 0 and 1.
        observed: standardised differences of the arms as they are, shape (p,).
        draws: random deals; 999 resolve p to 0.001.
        seed: of the random deals; the same seed gives the same result.

    Raises:
        ValueError: if shapes differ, the share is not a chance, or `observed` holds no number.
    """
    s, q, seen = (np.asarray(a, np.float64) for a in (sums, squares, observed))
    n = np.asarray(counts, np.float64)
    n = n if n.ndim == 2 else np.repeat(n[:, None], s.shape[1], axis=1)
    if not n.shape == s.shape == q.shape or seen.shape != s.shape[1:] or np.isnan(seen).any():
        raise ValueError("needs (K, p) sums and squares, (K,) counts and (p,) observed numbers")
    if not 0 < share < 1 or not seen.size:
        raise ValueError("needs a share between 0 and 1 and at least one covariate")
    buckets = np.stack([n, s, q], axis=1).reshape(len(s), -1)
    totals = buckets.sum(axis=0)
    rng = np.random.default_rng(seed)
    null = np.empty((draws, len(seen)))
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start)
        treated = _deal(rng, size, len(s), share) @ buckets
        null[start : start + size] = _differences(treated, totals - treated)
    return _compared(float(np.abs(seen).max()), null)


def _deal(rng: np.random.Generator, draws: int, k: int, share: float) -> Floats:
    """Draw which of k micro-buckets are treated, shape (draws, k): share x k of them on average."""
    whole = int(share * k)
    order = np.argpartition(rng.random((draws, k)), whole, axis=1)
    treated = np.zeros((draws, k))
    np.put_along_axis(treated, order[:, :whole], 1.0, axis=1)
    # where share x k is no integer, one more in that fraction of the draws
    more = np.flatnonzero(rng.random(draws) < share * k - whole)
    treated[more, order[more, whole]] = 1.0
    return treated


def _compared(largest: float, null: Floats) -> Rehash:
    """The largest difference of the arms as they are against those of the draws, (draws, p)."""
    most, draws = null.max(axis=1), len(null)
    extreme = int((most >= largest * (1 - TIE)).sum())
    # a quantile that exists among the draws: interpolation towards an infinite one is NaN
    median, q95, q99 = np.quantile(most, [0.5, 0.95, 0.99], method="higher").tolist()
    p = (1 + extreme) / (1 + draws)
    return Rehash(p, largest, median, q95, q99, draws, _reach(null))


def _reach(null: Floats) -> tuple[float, ...]:
    """95 % quantile of the finite differences of each covariate, infinite where there is none."""
    finite = [column[np.isfinite(column)] for column in null.T]
    quantiles = (np.quantile(c, 0.95, method="higher") if len(c) else np.inf for c in finite)
    return tuple(float(quantile) for quantile in quantiles)


def _differences(treated: Floats, control: Floats) -> Floats:
    """Absolute standardised differences, (draws, p), from (draws, 3 p) sums of each arm.

    A draw that leaves an arm with fewer than two units cannot be compared; it counts as extreme,
    which can only enlarge p.
    """
    mean_t, var_t, n_t = _moments(treated)
    mean_c, var_c, n_c = _moments(control)
    with np.errstate(divide="ignore", invalid="ignore"):
        smd = np.abs(mean_t - mean_c) / np.sqrt((var_t + var_c) / 2)
    smd[np.isnan(smd)] = 0.0  # no difference and no variation
    smd[(n_t < 2) | (n_c < 2)] = np.inf
    differences: Floats = smd
    return differences


def _moments(arm: Floats) -> tuple[Floats, Floats, Floats]:
    n, s, q = np.moveaxis(arm.reshape(len(arm), 3, -1), 1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = s / n
        variance = np.maximum(q - s * mean, 0.0) / (n - 1)
    return mean, variance, n
