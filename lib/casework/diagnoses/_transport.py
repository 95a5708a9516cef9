"""The lift for everyone: that of each stratum, weighted to all units that were compared.

Arms that were not dealt at random differ in more than the covariates show: what these leave of the
lift is not all lift. Where the metric of the units was seen before exposure, its gap between the
arms holds all that differs and lasts, seen or not, and is taken off as it stands (difference in
differences; Angrist & Pischke, Mostly Harmless Econometrics, 2009, chapter 5). A regression on it
would take off too little, since it is noisy (Lord, Psychological Bulletin 1967;68:304). Strata are
then of the other covariates: units picked by a noisy value would fall back to their mean.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from casework.case import Query
from casework.diagnoses._cohort_strata import SEEN_BEFORE, Plan, edges, strata
from casework.diagnoses._cohort_sums import FIXED
from casework.diagnoses._inquiry import Inquiry
from casework.stats.composition import kish_from_sums, transport_interval
from casework.stats.estimates import Estimate
from casework.stats.lift import Cells, difference_of_means, slopes

_SEEN = 0.9
"""Share of the units in each arm whose metric must have been seen before exposure."""


class Everyone(NamedTuple):
    """The lift for everyone, the effective number of treated units, and the query behind them.

    Both are None where a stratum has no treated unit, so that nothing is known of it. `own` says
    whether the metric before exposure was taken off.
    """

    lift: Estimate | None
    n_eff: float | None
    query: Query
    own: bool


def transported(
    ask: Inquiry,
    params: dict[str, Any],
    sources: tuple[str, ...],
    used: Sequence[int],
    cells: Cells,
    scale: float,
) -> Everyone:
    """Weight the lift of each stratum of the predicted outcome to all compared units.

    Args:
        ask: the inquiry.
        params: parameters of the queries.
        sources: the covariates.
        used: numbers of those that predict the outcome.
        cells: their sums with the outcome, in the order of `used`.
        scale: standard deviation of the outcome, in its unit.
    """
    at = sources.index("before_value") + 1 if "before_value" in sources else None
    growth = _growth(ask, params) if at else None
    own = at if growth is not None else None
    sorted_by = tuple(i for i in used if i != own)
    grouped = params["dealt_by"] == "account_id"
    plan = Plan(sources, sorted_by, own, bool(params["is_ratio"]), grouped)
    kept = [k for k, i in enumerate(used) if i != own]
    told = {f"slope_{i}": s for i, s in zip(sorted_by, _slopes(cells, kept), strict=True)}
    if own and growth is not None:
        told["own"] = _short(growth * params[f"spread_{own}"] / params["spread_y"])
    query = strata(plan)
    cuts = ask.one(edges(plan), **params, **told)
    rows = ask.ask(query, **params, **told, **cuts)
    lift, n_eff = _weighted(_whole(rows), scale / FIXED)
    if grouped and lift:
        lift = _between_groups(lift, rows, scale / FIXED)
    return Everyone(lift, n_eff, query, bool(own))


def _growth(ask: Inquiry, params: dict[str, Any]) -> float | None:
    """How the control arm's metric grew by itself; None where too few were seen before.

    Amounts grow with the season by a factor; a rate is taken to move by as many points everywhere.
    """
    rows = {row["treated"]: row for row in ask.ask(SEEN_BEFORE, **params)}
    if len(rows) < 2 or any(row["seen"] < _SEEN * row["observed"] for row in rows.values()):
        return None
    if params["is_ratio"]:
        return 1.0
    before, after = rows[False]["before"], rows[False]["after"]
    return after / before if before and after and after / before > 0 else 1.0


def _slopes(cells: Cells, kept: list[int]) -> list[float]:
    """Slopes of the outcome on some of the covariates, within the arms."""
    if not kept:
        return []
    columns = [*kept, -1]
    s, ss = cells.s[..., columns], cells.ss[..., columns, :][..., columns]
    return [_short(slope) for slope in slopes(replace(cells, s=s, ss=ss))]


def _short(number: float) -> float:
    """Six digits: more would differ from run to run."""
    return float(f"{number:.6g}")


def _weighted(rows: list[dict[str, Any]], scale: float) -> tuple[Estimate | None, float | None]:
    effects, weights = [], []
    reached = squares = 0.0
    for stratum in sorted({row["stratum"] for row in rows}):
        arms = {row["treated"]: row for row in rows if row["stratum"] == stratum}
        if len(arms) < 2 or min(row["units"] for row in arms.values()) < 2:
            return None, None
        effects.append(_effect(arms[False], arms[True], scale))
        weights.append(arms[False]["w"] + arms[True]["w"])
        size = arms[False]["units"] + arms[True]["units"]
        reached += size
        squares += size**2 / arms[True]["units"]
    if not effects:
        return None, None
    return transport_interval(weights, effects), kish_from_sums(reached, squares)


def _whole(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each stratum and arm as one row, all groups of units together."""
    joined: dict[tuple[int, bool], dict[str, Any]] = {}
    for row in rows:
        known = joined.setdefault((row["stratum"], row["treated"]), dict.fromkeys(row, 0))
        summed = {name: known[name] + row[name] for name in row}
        known.update(summed, stratum=row["stratum"], treated=row["treated"])
    return list(joined.values())


def _between_groups(lift: Estimate, rows: list[dict[str, Any]], scale: float) -> Estimate:
    """The lift with the interval of groups that were dealt whole, by what each adds to it.

    A group adds, over the strata, its residuals about the mean of stratum and arm, as a share of
    the arm's weight there: linearisation, with groups as the units (METHODS 0.4). It is taken where
    it is the wider one: that of the units counts how few of them a stratum has.
    """
    whole = {(row["stratum"], row["treated"]): row for row in _whole(rows)}
    total = sum(row["w"] for row in whole.values())
    added: dict[bool, dict[int, float]] = {False: {}, True: {}}
    for row in rows:
        arm = whole[row["stratum"], row["treated"]]
        reached = sum(whole[row["stratum"], treated]["w"] for treated in (False, True)) / total
        residual = (row["wr"] - arm["wr"] / arm["w"] * row["w"]) / arm["w"] * reached * scale
        sums = added[row["treated"]]
        sums[row["unit_group"]] = sums.get(row["unit_group"], 0.0) + residual
    groups = (len(added[False]), len(added[True]))
    if min(groups) < 2:
        return lift
    # the variance of a sum over groups, in the form of a mean over as many
    spread = [g * g / (g - 1) * sum(v * v for v in added[arm].values())
              for arm, g in zip((False, True), groups, strict=True)]  # fmt: skip
    wide = difference_of_means(groups, (0.0, lift.value), (spread[0], spread[1]))
    return wide if wide.high - wide.low > lift.high - lift.low else lift


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
