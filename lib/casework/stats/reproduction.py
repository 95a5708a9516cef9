"""Which candidate made an answer: prior by traffic, likelihood by what it shows, replays.

Replays of one candidate are independent trials. Nothing is decided by the largest probability
alone: all candidates are kept with theirs (METHODS section 7).
"""

import math
from collections.abc import Mapping


def attempts_to_exclude(rate: float, level: float = 0.95) -> int:
    """Replays without a reproduction that exclude a rate: the least k with (1 - rate)^k <= 1-level.

    Raises:
        ValueError: rate or level is not between 0 and 1.
    """
    if not (0 < rate < 1 and 0 < level < 1):
        raise ValueError("rate and level must lie between 0 and 1")
    return math.ceil(math.log(1 - level) / math.log1p(-rate) - 1e-9)


def posterior(weights: Mapping[str, float], *likelihoods: Mapping[str, float]) -> dict[str, float]:
    """Probability of each candidate by Bayes' rule.

    Args:
        weights: prior weight of each candidate, at least one above zero; they need not sum to one.
        likelihoods: how likely what was seen is under each candidate; one that is not named in a
            mapping is left as it is.

    Raises:
        ValueError: no candidate has a weight.
    """
    found = {
        name: weight * math.prod(one.get(name, 1.0) for one in likelihoods)
        for name, weight in weights.items()
    }
    total = sum(found.values())
    if not total > 0:
        raise ValueError("no candidate has a weight")
    return {name: value / total for name, value in found.items()}


def chance_of(seen: int, n: int) -> float:
    """Chance of an outcome that was seen so often in n trials, never zero or one (Jeffreys)."""
    return (seen + 0.5) / (n + 1)
