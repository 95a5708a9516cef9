"""Shares that an imperfect test counted, corrected for its errors, and how sure that is.

A screen that misses some and flags others gives an apparent share. With its sensitivity and
specificity known from labels of people the true one follows (Rogan & Gladen); with labels of people
on a part of the same samples, the mean error on that part is added (prediction-powered inference).
Both the sample and the validation are uncertain, and the interval holds both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casework.stats.estimates import Estimate
from casework.stats.repeats import Repeats

_DRAWS = 20_000
# Jeffreys' prior of a share; for several cells the same weight, spread over them.
_HALF = 0.5

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How a test did against labels of people.

    Attributes:
        found: positives that it called positive.
        positives: all positives.
        cleared: negatives that it called negative.
        negatives: all negatives.

    Raises:
        ValueError: counts do not fit together, or there is no positive or no negative.
    """

    found: int
    positives: int
    cleared: int
    negatives: int

    def __post_init__(self) -> None:
        if not (0 <= self.found <= self.positives and 0 <= self.cleared <= self.negatives):
            raise ValueError(f"{self} does not count a validation")
        if not (self.positives and self.negatives):
            raise ValueError("sensitivity and specificity need a positive and a negative")

    @property
    def sensitivity(self) -> float:
        """Share of positives that it called positive."""
        return self.found / self.positives

    @property
    def specificity(self) -> float:
        """Share of negatives that it called negative."""
        return self.cleared / self.negatives

    @property
    def share_right(self) -> float:
        """Share of all that it called rightly."""
        return (self.found + self.cleared) / (self.positives + self.negatives)

    def __add__(self, other: "Accuracy") -> "Accuracy":
        """Both validations as one."""
        return Accuracy(
            self.found + other.found,
            self.positives + other.positives,
            self.cleared + other.cleared,
            self.negatives + other.negatives,
        )


@dataclass(frozen=True, slots=True)
class Errors:
    """A test against labels of people on a part of the samples: `missed`, `flagged`, and of `n`.

    These are samples of so many `items`, each its own item unless said. Samples of one item err
    alike, so that all of them count as one.
    """

    missed: int
    flagged: int
    n: int
    items: int | None = None

    @property
    def units(self) -> int:
        """Items that were labelled."""
        return self.n if self.items is None else self.items

    @property
    def mean(self) -> float:
        """Label of the person minus that of the test, on average."""
        return (self.missed - self.flagged) / self.n


@dataclass(frozen=True, slots=True)
class Corrected:
    """Both shares and their difference, second minus first, with the errors taken out."""

    first: Estimate
    second: Estimate
    change: Estimate


def rogan_gladen(apparent: float, sensitivity: float, specificity: float) -> float:
    """True share behind an apparent one (Rogan & Gladen, Am. J. Epidemiology 1978).

    Raises:
        ValueError: the test is no better than chance.
    """
    if sensitivity + specificity <= 1:
        raise ValueError("the test is no better than chance: nothing follows from it")
    found = (apparent + specificity - 1) / (sensitivity + specificity - 1)
    return min(1.0, max(0.0, found))


def corrected_by_accuracy(
    repeats: Repeats, validations: Sequence[tuple[Accuracy, Accuracy]], seed: int = 1
) -> Corrected:
    """Correct both shares by Rogan and Gladen, with 95 % intervals by simulation.

    Each draw takes one of the validations, so that differences between them widen the interval.
    Where a draw would put a true share outside 0 to 1, either it lies at that end, or the test errs
    less here than in the validation and it lies between the end and the share without errors. The
    interval holds both readings: cutting draws off at the end alone would feign certainty there.

    Args:
        repeats: the pairs as the test counted them.
        validations: accuracies of the test at the first and at the second time; the same object
            twice where one validation serves both, whose error is then shared.
        seed: of the simulation.
    """
    rng = np.random.default_rng(seed)
    shares = _apparent(repeats, rng)
    which = rng.integers(0, len(validations), _DRAWS)
    true = np.zeros((2, 2, _DRAWS))
    for number, (first, second) in enumerate(validations):
        known = _accuracy(first, rng)
        other = known if second is first else _accuracy(second, rng)
        for arm, (se, sp) in enumerate((known, other)):
            found = _true(shares[arm], se, sp, rng)
            true[:, arm] = np.where(which == number, found, true[:, arm])
    points = [
        rogan_gladen(share, accuracy.sensitivity, accuracy.specificity)
        for share, accuracy in (
            (repeats.first, _pooled([first for first, _ in validations])),
            (repeats.second, _pooled([second for _, second in validations])),
        )
    ]
    return _summary(points, true, repeats.n)


def corrected_by_errors(
    repeats: Repeats, first: Errors, second: Errors, seed: int = 1
) -> Corrected:
    """Add the mean error on the part that people labelled, with 95 % intervals by simulation.

    The difference estimator of prediction-powered inference (Angelopoulos et al., Science 2023).
    The labelled part must be a random one of the samples at its time.

    Raises:
        ValueError: nothing was labelled at one of the times.
    """
    if not (first.n and second.n):
        raise ValueError("labels of people are needed at both times")
    rng = np.random.default_rng(seed)
    shares = _apparent(repeats, rng)
    draws = np.stack(
        [np.clip(share + _error(errors, rng), 0.0, 1.0)
         for share, errors in zip(shares, (first, second), strict=True)]
    )[None]  # fmt: skip
    points = [
        min(1.0, max(0.0, share + errors.mean))
        for share, errors in ((repeats.first, first), (repeats.second, second))
    ]
    return _summary(points, draws, repeats.n)


def _true(share: Floats, se: Floats, sp: Floats, rng: np.random.Generator) -> Floats:
    """True shares behind apparent ones, cut off at the ends, and drawn away from them instead."""
    found = (share + sp - 1) / np.maximum(se + sp - 1, 1e-9)
    place = rng.beta(_HALF, _HALF, len(found))
    most = np.minimum(share / se, 1.0)  # if nothing was wrongly called
    least = np.clip((share + sp - 1) / sp, 0.0, 1.0)  # if nothing was missed
    drawn = np.where(found < 0, place * most, found)
    drawn = np.where(found > 1, least + place * (1 - least), drawn)
    return np.stack([np.clip(found, 0.0, 1.0), drawn])


def _pooled(validations: Sequence[Accuracy]) -> Accuracy:
    first, *rest = validations
    for other in rest:
        first = first + other
    return first


def _apparent(repeats: Repeats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw both apparent shares together, so that their dependence is kept."""
    neither = repeats.n - repeats.both - repeats.only_first - repeats.only_second
    cells = np.array([repeats.both, repeats.only_first, repeats.only_second, max(0.0, neither)])
    drawn = rng.dirichlet(cells * repeats.n_eff / repeats.n + _HALF / 2, _DRAWS)
    return drawn[:, 0] + drawn[:, 1], drawn[:, 0] + drawn[:, 2]


def _accuracy(accuracy: Accuracy, rng: np.random.Generator) -> tuple[Floats, Floats]:
    missed = accuracy.positives - accuracy.found
    flagged = accuracy.negatives - accuracy.cleared
    return (
        rng.beta(accuracy.found + _HALF, missed + _HALF, _DRAWS),
        rng.beta(accuracy.cleared + _HALF, flagged + _HALF, _DRAWS),
    )


def _error(errors: Errors, rng: np.random.Generator) -> Floats:
    right = errors.n - errors.missed - errors.flagged
    cells = np.array([errors.missed, errors.flagged, right]) * errors.units / errors.n
    drawn = rng.dirichlet(cells + _HALF * np.array([0.5, 0.5, 1.0]), _DRAWS)
    return np.asarray(drawn[:, 0] - drawn[:, 1])


def _summary(points: list[float], draws: Floats, n: int) -> Corrected:
    """Estimates from draws of shape (readings, 2, draws); an interval holds every reading."""
    first, second = (_estimate(points[arm], draws[:, arm], n) for arm in (0, 1))
    change = _estimate(points[1] - points[0], draws[:, 1] - draws[:, 0], n)
    return Corrected(first, second, change)


def _estimate(point: float, draws: Floats, n: int) -> Estimate:
    low, high = np.quantile(draws, [0.025, 0.975], axis=-1)
    return Estimate(point, min(point, float(low.min())), max(point, float(high.max())), n)
