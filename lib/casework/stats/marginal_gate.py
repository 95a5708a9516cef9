"""Which threshold asks of the last that passes what the old one asked: its chance of relevance.

Whoever sets a gate trades what is relevant against what is not at some rate. Of all gates the one
at which the chance of relevance is c / (1 + c) is worth most where a document that is not relevant
costs c of those that are; so the chance at a gate tells the rate at which it trades, and the gate
with the same chance under other scores is the one of the same utility. No costs need be known.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casework.stats.estimates import Estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MarginalGate:
    """The chance of relevance at a gate, and the gate with that chance under other scores.

    Near an end of the scores, where isotonic regression runs to extremes, the interval of that gate
    is too narrow: of 250 judged documents it holds the gate in 7 of 10 cases, of 1,000 in nearly 9.

    Attributes:
        chance: at the gate, under the scores before.
        threshold: the gate with that chance, under the scores after; None where no score has it.
        exceeded: whether the chance after is higher than that at every score.
    """

    chance: Estimate
    threshold: Estimate | None
    exceeded: bool


def marginal_gate(
    judged: ArrayLike, relevant: ArrayLike, scores: ArrayLike, gate: float,
    draws: int = 499, seed: int = 0,
) -> MarginalGate | None:  # fmt: skip
    """Find the gate of the same chance, with 95 % percentile intervals of a bootstrap of groups.

    The chance is isotonic in the score (Ayer et al., Annals of Mathematical Statistics 1955), and
    runs straight from the middle of one of its levels to that of the next. A draw in which no score
    has the chance has its gate at the end of the scores, where all pass or hardly any.

    Args:
        judged: judged documents by period, group of queries and bin of the score, (2, G, B).
        relevant: those of them that are relevant, likewise.
        scores: middle of each bin, rising, shape (B,).
        gate: the threshold before.
        draws: bootstrap draws of the groups.
        seed: of the bootstrap.

    Returns:
        None where nothing was judged in a period, or the gate before lies outside the middles of
        the levels.
    """
    counts, hits = np.asarray(judged, np.float64), np.asarray(relevant, np.float64)
    x = np.asarray(scores, np.float64)
    if not counts.sum(axis=(1, 2)).all():
        return None
    old, new = (_levels(c.sum(axis=0), h.sum(axis=0), x) for c, h in zip(counts, hits, strict=True))
    if not old[0][0] <= gate <= old[0][-1]:
        return None
    rng = np.random.default_rng(seed)
    groups = counts.shape[1]
    chances, gates = [], []
    for weights in rng.multinomial(groups, np.full(groups, 1 / groups), size=draws):
        sums = [(weights @ c, weights @ h) for c, h in zip(counts, hits, strict=True)]
        if not all(c.any() for c, _ in sums):
            continue
        before, after = (_levels(c, h, x) for c, h in sums)
        chances.append(_chance(before, gate))
        gates.append(_score(after, chances[-1], x))
    value = _chance(old, gate)
    chance = _estimate(value, chances, int(counts[0].sum()))
    reached = new[1][0] <= value <= new[1][-1]
    n = int(counts[1].sum())
    threshold = _estimate(_score(new, value, x), gates, n) if reached else None
    return MarginalGate(chance, threshold, exceeded=bool(value < new[1][0]))


def _levels(judged: Floats, relevant: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Middles and chances of the levels of the isotonic regression, both rising."""
    from scipy.optimize import isotonic_regression

    known = judged > 0
    weights, x = judged[known], scores[known]
    fitted = isotonic_regression(relevant[known] / weights, weights=weights)
    starts = fitted.blocks[:-1]
    mass = np.add.reduceat(weights, starts)
    return np.add.reduceat(weights * x, starts) / mass, fitted.x[starts]


def _chance(levels: tuple[Floats, Floats], score: float) -> float:
    return float(np.interp(score, levels[0], levels[1]))


def _score(levels: tuple[Floats, Floats], chance: float, scores: Floats) -> float:
    return float(np.interp(chance, levels[1], levels[0], left=scores[0], right=scores[-1]))


def _estimate(value: float, drawn: list[float], n: int) -> Estimate:
    low, high = np.quantile(drawn or [value], [0.025, 0.975]).tolist()
    return Estimate(value, min(low, value), max(high, value), n)
