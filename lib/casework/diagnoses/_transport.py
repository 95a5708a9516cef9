"""The lift for everyone: that of each stratum, weighted to all units that were compared."""

from typing import Any

from casework.case import Query
from casework.diagnoses._cohort_sums import FIXED
from casework.diagnoses._inquiry import Inquiry
from casework.stats.composition import kish_from_sums, transport_interval
from casework.stats.estimates import Estimate
from casework.stats.lift import difference_of_means


def transported(
    ask: Inquiry,
    params: dict[str, Any],
    edges: Query,
    strata: Query,
    scale: float,
) -> tuple[Estimate | None, float | None]:
    """Weight the lift of each stratum of the predicted outcome to all compared units.

    Args:
        ask: the inquiry.
        params: parameters of the queries, the slopes of the covariates among them.
        edges: where the strata end.
        strata: sums of what the covariates leave of the outcome, by stratum and arm.
        scale: standard deviation of the outcome, in its unit.

    Returns:
        The lift for everyone and the effective number of treated units; None where a stratum
        has no treated unit, so that nothing is known of it.
    """
    cuts = ask.one(edges, **params)
    rows = ask.ask(strata, **params, **cuts)
    effects, weights = [], []
    reached = squares = 0.0
    for stratum in sorted({row["stratum"] for row in rows}):
        arms = {row["treated"]: row for row in rows if row["stratum"] == stratum}
        if len(arms) < 2 or min(row["units"] for row in arms.values()) < 2:
            return None, None
        effects.append(_effect(arms[False], arms[True], scale / FIXED))
        weights.append(arms[False]["w"] + arms[True]["w"])
        size = arms[False]["units"] + arms[True]["units"]
        reached += size
        squares += size**2 / arms[True]["units"]
    if not effects:
        return None, None
    return transport_interval(weights, effects), kish_from_sums(reached, squares)


def _effect(control: dict[str, Any], treated: dict[str, Any], scale: float) -> Estimate:
    """Lift within a stratum: difference of the weighted means of what the covariates leave.

    The variance is that of a ratio of sums over units (delta method, METHODS 0.4), which for
    weights of one is that of a mean.
    """
    units, mean, variance = [], [], []
    for row in (control, treated):
        n, m = row["units"], row["wr"] / row["w"]
        residual = max(0.0, row["wwrr"] - 2 * m * row["wwr"] + m * m * row["ww"])
        units.append(n)
        mean.append(m * scale)
        variance.append(residual / row["w"] ** 2 * n * n / (n - 1) * scale**2)
    return difference_of_means((units[0], units[1]), (mean[0], mean[1]), (variance[0], variance[1]))
