"""Do the lifts of several stretches agree, where units are few or one outweighs the others?

The variance of a ratio by the delta method needs some 40 units of like weight in each arm. With
fewer, the statistics of the lifts are held against those of the same units dealt to the arms
anew: randomisation inference, exact where the treatment moves every unit alike (Fisher). They are
studentised, which keeps the level where it does not (Wu & Ding, JASA 2021).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from casework.stats.estimates import Z95
from casework.stats.regimes import ArmSums

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ENOUGH = 40.0
"""Units of equal weight in an arm from which on the delta method holds (METHODS, 0.4)."""
DRAWS = 1_999
_CELLS = 2_000_000
"""Units times deals that are held at once."""


@dataclass(frozen=True, slots=True)
class UnitSums:
    """What was observed of each of U units, in R stretches of time.

    Attributes:
        treated: shape (U,).
        n, y: denominators and numerators, shape (U, R).
    """

    treated: Bools
    n: Floats
    y: Floats

    def of(self, which: list[int]) -> "UnitSums":
        """Some of the stretches, and the units that were observed in them."""
        seen = (self.n[:, which] > 0).any(axis=1)
        return UnitSums(self.treated[seen], self.n[seen][:, which], self.y[seen][:, which])


@dataclass(frozen=True, slots=True)
class Redealt:
    """What dealing the units again says of the lifts.

    Attributes:
        p: of lifts that agree; 1 with fewer than two stretches.
        widening: factors to the normal intervals of the pooled lift and those of the stretches, at
            which they and their gaps hold no effect in 95 % of the deals; each 1 or more.
        draws: deals that left both arms two units in each stretch, and so count.
    """

    p: float
    widening: tuple[float, ...]
    draws: int


def redealt(units: UnitSums, seed: int = 0, draws: int = DRAWS) -> Redealt:
    """Deal the units to the arms anew, and compare lifts that can differ by chance alone.

    What the treatment adds, taken as the pooled lift in every stretch, is first taken off the
    treated. p = (1 + as extreme) / (1 + draws) (Phipson & Smyth 2010).

    Args:
        units: of both arms, at least two of each in every stretch.
        seed: of the deals.
        draws: how many.
    """
    seen = _lifts(units, units.treated[None, :])
    added = seen.values[0, 0] * units.n * units.treated[:, None]
    base = replace(units, y=units.y - added)
    disagreement = float(seen.disagreement[0])
    extreme, kept, sizes = 0, 0, []
    for dealt in _deals(units.treated, seed, draws):
        found = _lifts(base, dealt)
        extreme += int((found.disagreement >= disagreement * (1 - 1e-9)).sum())
        kept += len(found.values)
        sizes.append(found.sizes)
    r = units.n.shape[1]
    p = (1 + extreme) / (1 + kept) if r > 1 else 1.0
    widest = np.quantile(np.concatenate(sizes), 0.95, axis=0) if kept else np.ones(2 * r + 1)
    widest[1 : r + 1] = np.maximum(widest[1 : r + 1], widest[r + 1 :])
    return Redealt(p, tuple(np.maximum(1.0, widest[: r + 1] / Z95).tolist()), kept)


def _deals(treated: Bools, seed: int, draws: int) -> Iterator[Bools]:
    """Which units would be treated, shape (deals, U), in blocks that bound the memory."""
    rng = np.random.default_rng([seed, len(treated)])
    block = max(1, _CELLS // len(treated))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        yield rng.permuted(np.broadcast_to(treated, (size, len(treated))), axis=1)


@dataclass(frozen=True, slots=True)
class _Lifts:
    """The pooled lift and those of the stretches, (deals, 1 + R), with their covariance."""

    values: Floats
    covariance: Floats

    @property
    def disagreement(self) -> Floats:
        """Wald statistic of the stretches against each other."""
        r = self.values.shape[1] - 1
        if r < 2:
            return np.zeros(len(self.values))
        contrasts = np.hstack([np.zeros((r - 1, 1)), np.eye(r - 1), -np.ones((r - 1, 1))])
        gap = self.values @ contrasts.T
        inverse = np.linalg.pinv(contrasts @ self.covariance @ contrasts.T, hermitian=True)
        return np.asarray(np.einsum("bi,bij,bj->b", gap, inverse, gap))

    @property
    def sizes(self) -> Floats:
        """Studentised sizes of the lifts, and of the gaps between stretches and pooled lift."""
        r = self.values.shape[1] - 1
        gaps = np.hstack([-np.ones((r, 1)), np.eye(r)])
        which = np.vstack([np.eye(r + 1), gaps])
        variance = np.diagonal(which @ self.covariance @ which.T, axis1=1, axis2=2)
        value = np.abs(self.values @ which.T)
        return np.asarray(np.where(value > 1e-12, value / np.sqrt(np.maximum(variance, 1e-24)), 0))


def _lifts(units: UnitSums, dealt: Bools) -> _Lifts:
    """Lifts of each deal, shape (deals, U), that leaves both arms two units in each stretch."""
    r = units.n.shape[1]
    join = np.vstack([np.ones(r), np.eye(r)])
    # not the total less the treatment: that leaves rounding where an arm has no variance
    control, treatment = _sums(units, ~dealt), _sums(units, dealt)
    valid = np.asarray((np.minimum(control.active, treatment.active) >= 2).all(axis=1))
    a, b = _of(control, valid).of(join), _of(treatment, valid).of(join)
    return _Lifts(b.ratio - a.ratio, a.covariance + b.covariance)


def _sums(units: UnitSums, chosen: Bools) -> ArmSums:
    """Sums over the chosen units of each deal."""
    n, y = units.n, units.y
    many, r = n.shape
    products = [(a[:, :, None] * b[:, None, :]).reshape(many, r * r)
                for a, b in ((n, n), (n, y), (y, y))]  # fmt: skip
    sums = chosen.astype(np.float64) @ np.hstack([n > 0, n, y, *products])
    active, below, above = np.split(sums[:, : 3 * r], 3, axis=1)
    nn, ny, yy = (part.reshape(-1, r, r) for part in np.split(sums[:, 3 * r :], 3, axis=1))
    return ArmSums(int(chosen[0].sum()), active, below, above, nn, ny, yy)


def _of(arm: ArmSums, which: Bools) -> ArmSums:
    """Some of the deals."""
    parts = (arm.active, arm.n, arm.y, arm.nn, arm.ny, arm.yy)
    return ArmSums(arm.units, *(part[which] for part in parts))
