"""How evenly the observations lie on the units, and what few of them leave of the lifts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from casework.case import Query
from casework.diagnoses._inquiry import Inquiry
from casework.stats.redealt import ENOUGH, UnitSums
from casework.stats.regimes import ArmSums

MOST_DEALT = 10_000
"""More units are not dealt anew: each would be read one by one."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How the observations are spread over the units.

    Attributes:
        units: of both arms.
        n_eff: units of equal weight that would be as precise (Kish), of both arms.
        largest: share of the observations that the largest unit holds.
        least: `n_eff` of the arm and the regime where it is least, of those with a say.
        draws: deals that the p-value of equal lifts rests on; None where it is that of many units.
    """

    units: int
    n_eff: float
    largest: float
    least: float
    draws: int | None = None

    @property
    def are_few(self) -> bool:
        """Whether the formulas for many units do not hold."""
        return self.least < ENOUGH

    @property
    def are_in_the_way(self) -> bool:
        """Whether they do not hold, and nothing stands in for them."""
        return self.are_few and self.draws is None


def weights_of(
    rows: Sequence[Mapping[str, Any]], arms: Sequence[ArmSums], long: Sequence[int]
) -> Weights:
    """Say how evenly the observations lie on the units; `long` are the stretches with a say."""
    n = sum(float(arm.n.sum()) for arm in arms)
    squares = sum(float(arm.nn.sum()) for arm in arms)
    return Weights(
        units=sum(arm.units for arm in arms),
        n_eff=n**2 / squares if squares else 0.0,
        largest=max(row["largest"] for row in rows) / n if n else 0.0,
        least=min(float(arm.effective[list(long)].min()) for arm in arms) if long else 0.0,
    )


def units_of(
    ask: Inquiry, query: Query, params: Mapping[str, Any], stretches: int, scale: float
) -> UnitSums:
    """What was observed of each unit."""
    rows = ask.ask(query, **params)
    n, y = (
        np.array([[float(row[f"{x}{i}"]) for i in range(stretches)] for row in rows]) for x in "ny"
    )
    return UnitSums(np.array([row["treated"] for row in rows], bool), n, scale * y)
