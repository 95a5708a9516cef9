# ruff: noqa: S608  the text varies with the number of covariates, never with their names
"""What `cohort_skew` asks to carry the lift to everyone: sums by stratum, and levels before."""

from dataclasses import dataclass

from casework.case import Query
from casework.diagnoses._cohort_sums import GROUPS, PROFILE, significant, standardised

SEEN_BEFORE = Query(
    "seen_before",
    f"""
    SELECT treated, count(y) AS observed, count(before_value) FILTER (WHERE y IS NOT NULL) AS seen,
           {significant("avg(y) FILTER (WHERE before_value IS NOT NULL)")} AS after,
           {significant("avg(before_value) FILTER (WHERE y IS NOT NULL)")} AS before
    FROM profile WHERE NOT set_apart GROUP BY treated ORDER BY treated
    """,
    "Units of each arm whose metric was seen before exposure too, and both levels of it.",
    uses=(PROFILE,),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What units are sorted by, and what of their outcome is taken off.

    Attributes:
        sources: the covariates.
        sorted_by: numbers of the covariates whose `$slope_i` predict the outcome.
        own: number of the metric before exposure, `$own` times which is taken off; None where it
            was not seen, so that what the covariates predict is taken off.
        weighted: whether units weigh as much as their denominators.
        grouped: whether accounts were dealt whole, which then stay together in groups of units.
    """

    sources: tuple[str, ...]
    sorted_by: tuple[int, ...]
    own: int | None
    weighted: bool
    grouped: bool

    @property
    def score(self) -> str:
        """SQL of the outcome that the covariates predict."""
        return " + ".join(f"$slope_{i} * z{i}" for i in self.sorted_by) or "CAST(0 AS DOUBLE)"

    @property
    def rows(self) -> str:
        """SQL of the rows that count."""
        seen = " AND seen_before" if self.own else ""
        return f"standardised WHERE NOT set_apart AND y IS NOT NULL{seen}"


def strata(plan: Plan) -> Query:
    """Outcome less what is taken off it, by stratum of the outcome that the covariates predict."""
    off = f"$own * z{plan.own}" if plan.own else plan.score
    return Query(
        "strata",
        f"""
    SELECT CAST(score > $edge_1 AS INTEGER) + CAST(score > $edge_2 AS INTEGER)
               + CAST(score > $edge_3 AS INTEGER) + CAST(score > $edge_4 AS INTEGER) AS stratum,
           treated, unit_group, count(rest) AS units, CAST(sum(w) AS DOUBLE) AS w,
           CAST(sum(w * w) AS DOUBLE) AS ww, CAST(sum(w * rest) AS DOUBLE) AS wr,
           CAST(sum(w * w * rest) AS DOUBLE) AS wwr,
           CAST(sum(w * w * rest * rest) AS DOUBLE) AS wwrr
    FROM (SELECT treated, {f"cell % {GROUPS}" if plan.grouped else "0"} AS unit_group,
                 {"w" if plan.weighted else "1"} AS w, {plan.score} AS score,
                 CAST(round(y - ({off})) AS HUGEINT) AS rest
          FROM {plan.rows})
    GROUP BY stratum, treated, unit_group ORDER BY stratum, treated, unit_group
    """,
        "Units of both arms by fifth of the predicted outcome, with their outcome less "
        + ("that from before exposure." if plan.own else "what the covariates predict."),
        uses=(standardised(plan.sources),),
    )


def edges(plan: Plan) -> Query:
    """Where the fifths of the predicted outcome end."""
    cuts = ", ".join(
        f"{significant(f'quantile_cont(score, 0.{2 * i})')} AS edge_{i}" for i in range(1, 5)
    )
    return Query(
        "edges",
        f"""
    SELECT {cuts} FROM (SELECT {plan.score} AS score FROM {plan.rows})
    """,
        "Fifths of the outcome that the covariates predict.",
        uses=(standardised(plan.sources),),
    )
