"""Leaked items beside clean ones in the same run: apart by how much, and by topic and length alike.

No effect: leaked items may be easier. METHODS section 12 has it beside the rerun, and where there
is none.
"""

import math
from dataclasses import dataclass

import numpy as np

from casework.diagnoses._leak_effect import Effect, Floats, topics_of
from casework.diagnoses._leak_references import Questions
from casework.diagnoses._leak_samples import Samples
from casework.stats.estimates import Estimate
from casework.stats.leakage import (
    Adjusted,
    adjusted_score,
    contamination_z,
    is_binary,
    split_score,
)
from casework.stats.lift import difference_of_means
from casework.stats.tokens import Places

_FIFTHS = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True, slots=True)
class Subset:
    """The leaked or the clean items: how many, their score, and its distance from that of all.

    `z` is in standard errors of right and wrong answers; None for other scores.
    """

    name: str
    items: int
    score: float
    z: float | None


@dataclass(frozen=True, slots=True)
class Gap:
    """How much higher leaked items score than clean ones.

    Attributes:
        subsets: the leaked and the clean items.
        crude: as they are, by Newcombe where items are right or wrong, else by Welch.
        p: of equal shares by Fisher, or of equal means by Welch; None where nothing is known of how
            far scores spread.
        alike: over strata of topic and of length; None where no leaked item shares one with a
            clean item.
    """

    subsets: tuple[Subset, ...]
    crude: Estimate
    p: float | None
    alike: Adjusted | None

    @property
    def standardised(self) -> Estimate | None:
        """The gap at the topics and lengths of the leaked items."""
        return None if self.alike is None else self.alike.gap

    @property
    def turns_round(self) -> bool:
        """Whether a gap has the other sign at equal topic and length (Simpson), beyond chance."""
        alike = self.standardised
        if alike is None or not (alike.excludes(0) and self.crude.excludes(0)):
            return False
        return alike.value * self.crude.value < 0

    @property
    def levels_out(self) -> bool:
        """Whether of a gap beyond chance none is left at equal topic and length."""
        alike = self.standardised
        return alike is not None and self.crude.excludes(0) and not alike.excludes(0)


def gap_of(effect: Effect, samples: Samples, asked: Questions) -> Gap | None:
    """Compare leaked and clean items of the run; None where one of both has no score."""
    y, bad = effect.scores["as_run"], effect.leaked
    used = effect.scored & (bad | effect.clean)
    y, bad = y[used], bad[used]
    if not bad.any() or bad.all():
        return None
    length = asked.tokens.lengths[asked.text][used]
    alike = adjusted_score(y, bad, _strata(topics_of(samples)[0][used], length))
    subsets = tuple(
        _subset(name, y[flags], y) for name, flags in (("leaked", bad), ("clean", ~bad))
    )
    if is_binary(y):
        both = ((int(y[flags].sum()), int(flags.sum())) for flags in (bad, ~bad))
        split = split_score(*both)
        return Gap(subsets, split.gap, split.p, alike)
    crude, p = _apart(y[bad], y[~bad])
    return Gap(subsets, crude, p, alike)


def _apart(leaked: Floats, clean: Floats) -> tuple[Estimate, float | None]:
    """Difference of the mean scores; without bounds where nothing shows how far they spread."""
    groups = (clean, leaked)
    n, mean = (len(clean), len(leaked)), (float(clean.mean()), float(leaked.mean()))
    if min(n) < 2 or not any(np.ptp(group) for group in groups):
        return Estimate(mean[1] - mean[0], -math.inf, math.inf, sum(n)), None
    variances = (float(clean.var(ddof=1)), float(leaked.var(ddof=1)))
    found = difference_of_means(n, mean, variances)
    return Estimate(found.value, found.low, found.high, found.n), found.p


def _subset(name: str, scores: Floats, every: Floats) -> Subset:
    mean, expected = float(scores.mean()), float(every.mean())
    told = is_binary(every) and 0 < expected < 1
    z = contamination_z(mean, expected, len(scores)) if told else None
    return Subset(name, len(scores), mean, z)


def _strata(topic: Places, length: Places) -> Places:
    """Topic and fifth of the lengths of each item, as one number."""
    fifth = np.searchsorted(np.quantile(length, _FIFTHS), length)
    strata: Places = topic * (len(_FIFTHS) + 1) + fifth
    return strata
