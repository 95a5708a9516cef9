"""How complete the record of an artifact's inputs is, as a weighted score of their states.

The score is for trends. What decides is the worst critical link, whatever the score: an artifact
whose code is gone cannot be rebuilt from data that are pinned ever so well.
"""

from collections.abc import Iterable, Mapping

CRITICAL = ("train_data", "base_checkpoint", "code", "hyperparameters")
"""Kinds of input without which nothing can be rebuilt."""

WEIGHTS: Mapping[str, float] = {
    "train_data": 3,
    "base_checkpoint": 3,
    "code": 2,
    "environment": 2,
    "hyperparameters": 2,
    "tokenizer": 1,
    "seed": 1,
    "eval_data": 1,
}
"""Weights of the kinds in the score; hardware and procedure are told and not weighed."""

BROKEN = 0.5
"""A critical link below this state cannot be followed from the record."""

_CONCENTRATION = 20.0
_TAIL = 0.025


def closure_score(states: Mapping[str, float], weights: Mapping[str, float] = WEIGHTS) -> float:
    """Weighted mean of the states; a kind that is weighed and not there counts as 0.

    Args:
        states: from 0 (absent) to 1 (pinned, retrieved and its digest checked), by kind.
        weights: by kind.

    Raises:
        ValueError: if the weights do not sum to more than zero.
    """
    total = sum(weights.values())
    if total <= 0:
        raise ValueError("weights must sum to more than zero")
    return sum(w * states.get(kind, 0.0) for kind, w in weights.items()) / total


def missing_links(states: Mapping[str, float], critical: Iterable[str] = CRITICAL) -> list[str]:
    """Critical kinds that are at most partly there, in alphabetical order."""
    return sorted(kind for kind in critical if states.get(kind, 0.0) <= BROKEN)


def broken_links(states: Mapping[str, float], critical: Iterable[str] = CRITICAL) -> list[str]:
    """Critical kinds that cannot be followed, the worst first: one of them decides."""
    below = [(states.get(kind, 0.0), kind) for kind in critical]
    return [kind for state, kind in sorted(below) if state < BROKEN]


def score_range(
    states: Mapping[str, float],
    weights: Mapping[str, float] = WEIGHTS,
    draws: int = 2_000,
    seed: int = 0,
) -> tuple[float, float]:
    """Central 95 % of the score when the weights are perturbed: how much rests on their choice.

    Weights are drawn from a Dirichlet distribution around the given ones (concentration 20, so
    that a weight of one fifth varies by about 0.09).
    """
    import numpy as np

    share = np.array(list(weights.values()), float)
    state = np.array([states.get(kind, 0.0) for kind in weights])
    drawn = np.random.default_rng(seed).dirichlet(_CONCENTRATION * share / share.sum(), draws)
    low, high = np.quantile(drawn @ state, [_TAIL, 1 - _TAIL]).tolist()
    return float(low), float(high)
