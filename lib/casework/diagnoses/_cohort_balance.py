"""How far each covariate differed between the arms before exposure, and how sure that is."""

import math
from dataclasses import dataclass
from typing import Any

from casework.diagnoses import _cohort_sums as sums
from casework.diagnoses._inquiry import Inquiry
from casework.stats.composition import standardised_difference, standardised_interval
from casework.stats.estimates import Estimate
from casework.stats.rehash import Rehash


@dataclass(frozen=True, slots=True)
class Covariate:
    """One covariate: its name, and its standardised difference, treatment against control."""

    name: str
    difference: Estimate


def balance(ask: Inquiry, names: list[str], params: dict[str, Any]) -> tuple[Covariate, ...]:
    """Standardised differences, each over the units whose value is known."""
    rows = {(row["name"], row["treated"]): row for row in ask.ask(sums.BALANCE, **params)}
    found = []
    for name in names:
        control, treated = rows.get((name, False)), rows.get((name, True))
        if control and treated:
            d = standardised_difference(
                treated["mean"], treated["variance"], control["mean"], control["variance"]
            )
            found.append(
                Covariate(name, standardised_interval(d, treated["known"], control["known"]))
            )
    return tuple(sorted(found, key=lambda c: -abs(c.difference.value)))


def between_accounts(
    covariates: tuple[Covariate, ...], names: list[str], rehash: Rehash, accounts: int
) -> tuple[Covariate, ...]:
    """Intervals by how far accounts dealt anew scatter: colleagues are no draws of their own."""
    units = max(c.difference.n for c in covariates)
    wide = []
    for c in covariates:
        name, d = c.name, c.difference
        half = rehash.reach[names.index(name)] * math.sqrt(units / d.n)
        wide.append(Covariate(name, Estimate(d.value, d.value - half, d.value + half, accounts)))
    return tuple(wide)
