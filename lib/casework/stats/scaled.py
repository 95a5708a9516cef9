"""A share of a set that a model labelled, put right by labels of people on a part of it.

What a model calls a row is no label of a person: it misses some and flags others. Where people
labelled a random part of the same rows, the mean of their label minus the model's is added to what
the model says of all (the difference estimator of prediction-powered inference: Angelopoulos et
al., Science 2023; two-phase sampling: Cochran, Sampling Techniques, 12.9), stratum by stratum.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casework.stats.estimates import Estimate

FEWEST = 10
"""Effective rows below which a stratum takes the errors of all such strata together."""

_DRAWS = 20_000
_HALF = 0.5  # Jeffreys' prior of each cell

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scaled:
    """One stratum: what the model says of it, and how it did on rows that people labelled too.

    Attributes:
        weight: of all rows of the stratum.
        apparent: share of the weight that the model calls positive, of the rows it labelled.
        effective: effective rows behind that share; infinite where it labelled all.
        both: effective rows that people labelled too.
        missed: of these, positives that the model did not call so.
        flagged: of these, negatives that it called positive.
    """

    weight: float
    apparent: float
    effective: float
    both: float
    missed: float
    flagged: float


def scaled_share(
    strata: Sequence[Scaled], whole: float | None = None, seed: int = 1
) -> Estimate | None:
    """Share of positives over all strata, with a 95 % interval by simulation.

    The interval holds both samples: the rows that the model labelled, and those that people did.
    A stratum of which it labelled nothing may hold any share: its weight widens the interval by
    itself (Manski), and the value takes it to be as the others are.

    Args:
        strata: those of which the model labelled at least one row.
        whole: weight of all strata; else that of those given.
        seed: of the simulation.

    Returns:
        The share, `n` the effective rows that people labelled; None where there are none, or
        nothing weighs.
    """
    held = [s for s in strata if s.weight > 0]
    weighed, both = sum(s.weight for s in held), sum(s.both for s in held)
    if not held or both <= 0:
        return None
    rng = np.random.default_rng(seed)
    few = [s for s in held if s.both < FEWEST]
    pooled = few if sum(s.both for s in few) >= FEWEST else held
    value, drawn = 0.0, np.zeros(_DRAWS)
    for part, judged in [([s], [s]) for s in held if s.both >= FEWEST] + [(few, pooled)]:
        n, missed, flagged = (sum(c) for c in zip(*((s.both, s.missed, s.flagged) for s in judged),
                                                  strict=True))  # fmt: skip
        weight = sum(s.weight for s in part) / weighed
        value += weight * (missed - flagged) / n
        drawn += weight * _error(n, missed, flagged, rng)
    for s in held:
        value += s.weight / weighed * s.apparent
        drawn += s.weight / weighed * _apparent(s, rng)
    value = min(1.0, max(0.0, value))
    low, high = np.quantile(np.clip(drawn, 0.0, 1.0), (0.025, 0.975))
    seen = 1.0 if whole is None else min(1.0, weighed / whole)
    lowest, highest = seen * float(low), seen * float(high) + 1 - seen
    return Estimate(value, min(value, lowest), max(value, highest), round(both))


def _error(n: float, missed: float, flagged: float, rng: np.random.Generator) -> Floats:
    """Draws of the mean of the label of a person minus that of the model."""
    right = max(0.0, n - missed - flagged)
    drawn = rng.dirichlet(np.array([missed, flagged, right]) + _HALF, _DRAWS)
    return np.asarray(drawn[:, 0] - drawn[:, 1])


def _apparent(s: Scaled, rng: np.random.Generator) -> Floats | float:
    """Draws of what the model says of the whole stratum."""
    if math.isinf(s.effective):
        return s.apparent
    yes = s.apparent * s.effective
    return rng.beta(yes + _HALF, s.effective - yes + _HALF, _DRAWS)
