"""What sets of items would cover that were drawn at random from production, and how that varies.

Which items a random draw takes is chance too. A gap in coverage says that items were chosen only
if it is beyond the gaps that random sets of the same size have.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casework.stats.coverage import drawn_as_traffic

Floats = NDArray[np.float64]

DRAWS = 999
_BLOCK = 250


@dataclass(frozen=True, slots=True)
class RandomSets:
    """Gaps in coverage, others minus target, of sets drawn at random.

    Attributes:
        mean: of the gaps.
        low, high: between which 95 % of them lie.
        p: one-sided, for a random set to have as large a gap as was seen: (1 + as large) / (1 +
            draws) (Phipson & Smyth 2010).
        draws: number of sets.
    """

    mean: float
    low: float
    high: float
    p: float
    draws: int


def compared(gaps: Floats, seen: float) -> RandomSets:
    """Compare the gap of the set that is judged with those of random sets."""
    low, high = np.quantile(gaps, [0.025, 0.975])
    extreme = int((gaps >= seen - 1e-12).sum())
    p = (1 + extreme) / (1 + len(gaps))
    return RandomSets(float(gaps.mean()), float(low), float(high), p, len(gaps))


def gaps_by_likeness(
    near: NDArray[np.bool_],
    is_target: NDArray[np.bool_],
    weights: Floats,
    size: int,
    seed: int,
    draws: int = DRAWS,
) -> Floats:
    """Gaps of random sets where a question is covered by another one that is near, shape (draws,).

    Args:
        near: whether questions from production lie within the radius of each other, shape (n, n),
            never of themselves.
        is_target: whose each question is, shape (n,).
        weights: how much traffic each stands for, shape (n,). Those of weight 0 are never drawn.
        size: items of a set.
        seed: of the draws.
        draws: number of sets.
    """
    rng = np.random.default_rng([seed, len(near), size])
    reach = near.astype(np.float32)
    gaps = []
    for start in range(0, draws, _BLOCK):
        held = np.zeros((len(near), min(_BLOCK, draws - start)), np.float32)
        for column in range(held.shape[1]):
            held[drawn_as_traffic(weights, size, rng), column] = 1
        covered = reach @ held > 0.5
        gaps.append(covered[~is_target].mean(axis=0) - covered[is_target].mean(axis=0))
    return np.concatenate(gaps)


def gaps_by_topic(
    others: Floats, target: Floats, traffic: Floats, size: int, seed: int, draws: int = DRAWS
) -> Floats:
    """Gaps of random sets where a question is covered by any item of its topic, shape (draws,).

    Args:
        others: share of each topic in what others ask, shape (topics,).
        target: the same of the target.
        traffic: the same of all traffic.
        size: items of a set.
        seed: of the draws.
        draws: number of sets.
    """
    rng = np.random.default_rng([seed, len(traffic), size])
    held = rng.multinomial(size, traffic, draws) > 0
    return np.asarray(held @ (others - target), np.float64)
