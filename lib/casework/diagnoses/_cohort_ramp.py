"""The lift of those who were newly exposed at each stage of a ramp, in that stage.

Stages differ in allocation and in who comes: they are compared, and never pooled (Crook et al.,
Seven pitfalls, KDD 2009). A lift that shrinks from stage to stage, while that of the first units
stays, is one of who was in the arms.
"""

from dataclasses import astuple
from typing import Any, NamedTuple

from casework.case import Query
from casework.diagnoses import _cohorts as q
from casework.diagnoses._arms import Comparison
from casework.diagnoses._cohort_sums import significant
from casework.diagnoses._composition import Composition
from casework.diagnoses._dealing import Dealing
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.estimates import Z95
from casework.stats.lift import Difference, RatioSums, ratio_difference
from casework.stats.strata import Heterogeneity, cochran_q
from casework.visible import shorten
from casework.words import count, number, p_value, share, spread

_FEWEST = 10
_MOST = 100_000
"""Units beyond which a part is looked at, by the digests of their ids."""
_NAMED = 6
_DIFFER = 0.05

STAGE_LIFTS = Query(
    "stage_lifts",
    f"""
    SELECT stage, treated, count(*) AS units, {significant("avg(y)")} AS y,
           {significant("avg(d)")} AS d, {significant("var_samp(y)")} AS yy,
           {significant("covar_samp(y, d)")} AS yd, {significant("var_samp(d)")} AS dd
    FROM (
        SELECT a.stage, a.treated, a.starts,
               CASE WHEN $is_ratio THEN sum(o.value) ELSE avg(o.value) END AS y,
               CASE WHEN $is_ratio THEN sum(o.denominator) ELSE 1.0 END AS d
        FROM (
            SELECT e.unit_id, e.stage, e.arm = $treatment AS treated, e.assigned_at, s.starts,
                   s.ends, m.moved_at
            FROM dealt AS e LEFT JOIN moves AS m ON m.unit_id = e.unit_id JOIN (
                SELECT stage, min(assigned_at) AS starts,
                       lead(min(assigned_at)) OVER (ORDER BY min(assigned_at)) AS ends
                FROM dealt WHERE stage IS NOT NULL GROUP BY stage
            ) AS s ON s.stage = e.stage
            WHERE e.arm IN ($control, $treatment)
                AND left(md5(e.unit_id), 3) < $below
                AND e.unit_id NOT IN (SELECT unit_id FROM units WHERE is_internal OR is_bot)
        ) AS a JOIN outcomes AS o ON o.unit_id = a.unit_id
        WHERE o.metric = $metric AND o.occurred_at >= a.assigned_at
            AND (a.ends IS NULL OR o.occurred_at < a.ends)
            AND (a.moved_at IS NULL OR o.occurred_at < a.moved_at)
            AND ($launched_at IS NULL OR o.occurred_at < $launched_at)
        GROUP BY a.unit_id, a.stage, a.treated, a.starts
    )
    WHERE d > 0 GROUP BY stage, treated, starts ORDER BY starts, stage, treated
    """,  # noqa: S608  the text is put together of constants
    "The metric of the units that were dealt in each stage, from their assignment to the next "
    "stage or until they were moved, by arm: means over units, variances and covariance.",
    uses=(q.DEALT, q.MOVES),
)


class Stage(NamedTuple):
    """The lift of the units that were dealt in one stage, and the sums of control and treatment."""

    name: str
    lift: Difference
    sums: tuple[RatioSums, RatioSums]


def said_ramp(
    ask: Inquiry, compared: Comparison, dealing: Dealing, found: Composition
) -> tuple[Finding, ...]:
    """Record and draw the lift by stage, and say whether the stages differ; nothing without a ramp.

    Accounts that were dealt whole are left out: their units are no draws of their own.
    """
    logged = next(row["stages"] for row in ask.ask(q.EXPERIMENTS)
                  if row["experiment"] == compared.experiment)  # fmt: skip
    if logged < 2 or found.lift is None:
        return ()
    arms = ask.ask(q.ARMS, experiment=compared.experiment)
    if dealing.accounts:
        return _untold("accounts were dealt whole")
    if len({row["stage"] for row in arms if row["stage"] is not None}) < 2:
        return _untold("units were newly dealt in one stage alone")
    units = sum(row["units"] for row in arms)
    params = compared.params | {
        "metric": found.metric, "is_ratio": found.is_ratio, "below": _below(units),
    }  # fmt: skip
    lifts = _lifts(ask.ask(STAGE_LIFTS, **params))
    if len(lifts) < 2:
        return _untold(f"fewer than two stages have {_FEWEST} units of each arm that were observed")
    differ = cochran_q([s.lift.value for s in lifts], [s.lift.se**2 for s in lifts])
    rows = [{"stage": s.name, "lift": s.lift.value, "low": s.lift.low, "high": s.lift.high,
             "units": s.lift.n} for s in lifts]  # fmt: skip
    n = sum(s.lift.n for s in lifts)
    ask.measure("lift_by_stage", rows, "table", STAGE_LIFTS, n=n)
    ask.measure("stage_heterogeneity_p", differ.p, "p", STAGE_LIFTS, n=n)
    said = _said(found, lifts, differ)
    _draw(ask, found, lifts, said)
    measures = ("lift_by_stage", "stage_heterogeneity_p")
    return (Finding(said, measures, (ask.evidence_id(STAGE_LIFTS),), ("ramp",)),)


def _untold(why: str) -> tuple[Finding, ...]:
    return (Finding(f"The lift by stage of the ramp is not told: {why}."),)


def _below(units: int) -> str:
    """Three hexadecimal digits below which the digests of the looked at lie; `g` is above all."""
    return "g" if units <= _MOST else f"{4096 * _MOST // units:03x}"


def _lifts(rows: list[dict[str, Any]]) -> list[Stage]:
    """Stages of which ten units of each arm were seen, and varied."""
    lifts = []
    for name in dict.fromkeys(row["stage"] for row in rows):
        arms = {row["treated"]: row for row in rows if row["stage"] == name}
        if len(arms) == 2 and min(row["units"] for row in arms.values()) >= _FEWEST:
            sums = _sums(arms[False]), _sums(arms[True])
            lift = ratio_difference(*sums)
            if lift.se > 0:
                lifts.append(Stage(str(name), lift, sums))
    return lifts


def _sums(row: dict[str, Any]) -> RatioSums:
    """Sums from means and variances, which have six digits and lose none to each other."""
    n, y, d = row["units"], row["y"], row["d"]
    products = [(n - 1) * row[name] + n * mean
                for name, mean in (("yy", y * y), ("yd", y * d), ("dd", d * d))]  # fmt: skip
    return RatioSums(n, n * y, n * d, *products)


def _said(found: Composition, lifts: list[Stage], within: Heterogeneity) -> str:
    named = [f"{shorten(s.name, 40)}: {_spread(found, s.lift)} of {count(s.lift.n, 'units')}"
             for s in lifts[:_NAMED]]  # fmt: skip
    more = f" and {number(len(lifts) - _NAMED)} more" if len(lifts) > _NAMED else ""
    differ = "differ beyond chance" if within.p < _DIFFER else "do not differ beyond chance"
    return (
        f"The lift of those dealt in each stage, until the next one: {'; '.join(named)}{more}. The "
        f"stages {differ} (Cochran's Q, {p_value(within.p)}; I² {share(within.i2)})."
        f"{_said_pooled(found, lifts, within)}"
    )


def _said_pooled(found: Composition, lifts: list[Stage], within: Heterogeneity) -> str:
    """Say where throwing the stages together turns the sign (Simpson's paradox)."""
    arms = [RatioSums(*map(sum, zip(*(astuple(s.sums[i]) for s in lifts), strict=True)))
            for i in (0, 1)]  # fmt: skip
    pooled = ratio_difference(*arms)
    half = Z95 * within.se
    if not pooled.excludes(0) or pooled.value * within.pooled >= 0 or abs(within.pooled) < half:
        return ""
    apart = (within.pooled - half, within.pooled + half)
    return (
        f" Thrown together the stages show {_spread(found, pooled)}, within them the lift is "
        f"{spread(within.pooled, apart, found.unit, signed=True)}: the sum over stages with other "
        "shares turns its sign (Simpson's paradox), and is no lift."
    )


def _spread(found: Composition, lift: Difference) -> str:
    return spread(lift.value, (lift.low, lift.high), found.unit, signed=True)


def _draw(ask: Inquiry, found: Composition, lifts: list[Stage], said: str) -> None:
    rows = [{"label": s.name, "value": s.lift.value, "low": s.lift.low, "high": s.lift.high,
             "role": "after"} for s in lifts]  # fmt: skip
    unit = f"{found.metric}, percentage points" if found.is_ratio else found.unit
    ask.chart(
        "ramp",
        "intervals",
        "The lift of those newly exposed, by stage of the ramp",
        "Difference of treatment and control among the units dealt in the stage, until the next "
        "one, with 95 % intervals.",
        said,
        rows,
        {"x_title": f"difference in {unit}", "zero": True, "rules": [], "unit": found.unit},
        STAGE_LIFTS,
    )
