"""What a change may leave behind: lifts that settle, units that carry something over."""

from typing import Any

from casework.case import Query
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate_lifts import Effects, Metric
from casework.diagnoses._substrate_sums import COMPARED, WATCH
from casework.diagnoses._substrate_trend import Trend
from casework.diagnoses._substrate_words import said
from casework.findings import Finding
from casework.stats.interactions import interaction
from casework.stats.lift import Difference, RatioSums, ratio_difference
from casework.stats.redealt import ENOUGH
from casework.words import count, number, p_value

CARRIED = Query(
    "carried",
    """
    SELECT fresh, treated, count(*) AS units, CAST(sum(n) AS DOUBLE) AS n,
           CAST(sum(y) AS DOUBLE) AS y, CAST(sum(CAST(n AS HUGEINT) * n) AS DOUBLE) AS nn,
           CAST(sum(CAST(n AS HUGEINT) * y) AS DOUBLE) AS ny,
           CAST(sum(CAST(y AS HUGEINT) * y) AS DOUBLE) AS yy,
           coalesce(min(y / nullif(n, 0)) < max(y / nullif(n, 0)), FALSE) AS varies
    FROM (SELECT unit_id, treated, min(assigned_at) >= $started AS fresh,
                 CAST(sum(n) AS BIGINT) AS n, CAST(sum(y) AS BIGINT) AS y
          FROM watch WHERE occurred_at >= $started AND assigned_at IS NOT NULL
            AND (SELECT max(assigned_at) FROM compared) >= $started
          GROUP BY unit_id, treated)
    GROUP BY fresh, treated ORDER BY fresh, treated
    """,
    "Sums of the metric in the last regime over units, by arm and whether assigned in it, and "
    "whether the units differ; none where no unit was.",
    uses=(COMPARED, WATCH),
)


def settled_found(
    ask: Inquiry, effects: Effects, trend: Trend | None
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """State the lifts without the first half of each regime, or say why they cannot be told.

    The half is a washout after each change.
    """
    if len(effects.regimes) < 2:
        return (), ()
    few = effects.weights is not None and effects.weights.are_few
    if trend is None or trend.settled is None or few:
        why = (
            "units are few or unequal" if few
            else "fewer than two regimes of a day or more have lifts in both halves"
        )  # fmt: skip
        return (), (f"The lifts without the first half of each regime cannot be told: {why}.",)
    last = trend.late.get(len(effects.regimes) - 1)
    ask.measure("heterogeneity_p_washout", trend.settled.p, "p", trend.query,
                n=effects.pooled.n if effects.pooled else None)  # fmt: skip
    ask.estimate("lift_shipping_washout", last, effects.unit, trend.query)
    each = ", ".join(
        f"regime {number + 1} {said(effects, lift)}" for number, lift in trend.late.items()
    )
    return (
        Finding(
            "Without the first half of each regime, over which a change may wear in and habits "
            f"wear off, the lifts are: {each} ({p_value(trend.settled.p)} of equal lifts).",
            ("heterogeneity_p_washout", "lift_shipping_washout"),
            (ask.evidence_id(trend.query),),
        ),
    ), ()


def carried_found(
    ask: Inquiry, params: dict[str, Any], metric: Metric, effects: Effects
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Compare the lift in the last regime between units from before it and those that came in it.

    Units that lived under the former substrate may carry over what they got used to. Nobody dealt
    them when to come, so the two may differ in other ways.
    """
    if len(effects.regimes) < 2 or effects.regimes[-1].is_short:
        return (), ()
    used = params | metric.params | {"started": effects.regimes[-1].start}
    rows = {(row["fresh"], row["treated"]): row for row in ask.ask(CARRIED, **used)}
    least = min((_equal(row) for row in rows.values()), default=0.0) if len(rows) == 4 else 0.0
    if least < ENOUGH:
        new = sum(row["units"] for (fresh, _), row in rows.items() if fresh)
        return (), (
            "Whether units carry over what they got used to cannot be told: "
            f"{count(new, 'units')} are known to have been assigned in the last regime, and each "
            f"arm needs {number(ENOUGH)} of equal weight from it and from before it.",
        )
    if len({fresh for (fresh, _), row in rows.items() if row["varies"]}) < 2:
        return (), (
            "Whether units carry over what they got used to cannot be told: in the last regime "
            "the metric does not vary in units from before it, or in those that came in it.",
        )
    scale = metric.value_step / (metric.denominator_step if metric.is_ratio else 1.0)
    fresh, stayed = (_lift(rows, scale, fresh=fresh) for fresh in (True, False))
    apart = interaction((stayed.value, stayed.se), (fresh.value, fresh.se), fresh.n + stayed.n)
    by = ask.recorded(CARRIED, **used)
    ask.estimate("carry_over", apart, effects.unit, by)
    ask.measure("carry_over_p", apart.p, "p", by, n=apart.n)
    text = (
        f"Under what ships the lift is {said(effects, stayed)} in {count(stayed.n, 'units')} that "
        f"were there before the change and {said(effects, fresh)} in {count(fresh.n, 'units')} "
        f"that came after it, a difference of {said(effects, apart)} ({p_value(apart.p)}). What "
        "units got used to would make one; so would other users, and a shorter time in the "
        "experiment."
    )
    return (Finding(text, ("carry_over", "carry_over_p"), (ask.evidence_id(by),)),), ()


def _equal(row: dict[str, Any]) -> float:
    """Units of equal weight that would be as precise (Kish)."""
    return float(row["n"] ** 2 / row["nn"]) if row["nn"] else 0.0


def _lift(rows: dict[Any, dict[str, Any]], scale: float, *, fresh: bool) -> Difference:
    arms = [
        RatioSums(row["units"], scale * row["y"], row["n"], scale**2 * row["yy"],
                  scale * row["ny"], row["nn"])
        for row in (rows[fresh, False], rows[fresh, True])
    ]  # fmt: skip
    return ratio_difference(*arms)
