"""Do two groups of clustered points lie in different places? By whose their neighbours are."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

DRAWS = 499
_NEIGHBOURS = 10


def neighbours_p(
    distances: Floats, is_first: ArrayLike, cluster: ArrayLike, seed: int, draws: int = DRAWS
) -> float:
    """One-sided p-value: nearest the ten nearest are more often of the same group than by chance.

    The nearest-neighbour test (Schilling, JASA 1986; Henze, Annals of Statistics 1988). Neighbours
    are sought in other clusters only, and whole clusters are dealt to the groups anew;
    p = (1 + as extreme) / (1 + draws) (Phipson & Smyth 2010).

    Args:
        distances: between points, shape (n, n).
        is_first: the group of each point, the same in a cluster, shape (n,).
        cluster: of each point, shape (n,).
        seed: of the draws.
        draws: number of deals.
    """
    _, place = np.unique(np.asarray(cluster), return_inverse=True)
    away = np.where(place[:, None] == place[None, :], np.inf, distances)
    k = max(1, min(_NEIGHBOURS, len(place) - int(np.bincount(place).max())))
    nearest = np.argpartition(away, k - 1, axis=1)[:, :k]
    group = np.zeros(int(place.max()) + 1, bool)
    group[place] = np.asarray(is_first, bool)
    rng = np.random.default_rng([seed, len(place)])
    seen = _same(group, place, nearest)
    extreme = sum(
        _same(rng.permutation(group), place, nearest) >= seen - 1e-12 for _ in range(draws)
    )
    return (1 + extreme) / (1 + draws)


def _same(group: NDArray[np.bool_], place: NDArray[np.int64], nearest: NDArray[np.int64]) -> float:
    """Share of neighbours of the same group, summed over both groups."""
    mine = group[place]
    same = (mine[:, None] == mine[nearest]).mean(axis=1)
    return float(sum(same[part].mean() for part in (mine, ~mine) if part.any()))
