# ruff: noqa: S608  the text varies with the number of stretches, never with data
"""What `substrate_rotation` asks about outcomes, by stretches of time between changes."""

from casework.case import Query
from casework.diagnoses._cohorts import DEALT, MOVES

STEPS_OF_SD = 1_000
"""Values are summed as whole steps of a thousandth of their standard deviation: exact sums."""

COMPARED = Query(
    "compared",
    """
    SELECT d.unit_id, d.arm = $treatment AS treated, d.assigned_at, m.moved_at
    FROM dealt AS d LEFT JOIN units AS u ON u.unit_id = d.unit_id
    LEFT JOIN moves AS m ON m.unit_id = d.unit_id
    WHERE d.arm IN ($control, $treatment)
      AND NOT (coalesce(u.is_internal, FALSE) OR coalesce(u.is_bot, FALSE))
    """,
    "The units that are compared; staff, test tenants and bots are set apart.",
    uses=(DEALT, MOVES),
)

SEEN = Query(
    "seen",
    """
    SELECT o.metric, count(*) AS observations, count(o.denominator) AS denominators,
           count(DISTINCT o.unit_id) AS units, min(o.occurred_at) AS first,
           max(o.occurred_at) AS last
    FROM outcomes AS o JOIN compared AS c ON c.unit_id = o.unit_id
    WHERE o.occurred_at >= coalesce(c.assigned_at, $opened_at, o.occurred_at)
      AND (c.moved_at IS NULL OR o.occurred_at < c.moved_at)
      AND ($closed_at IS NULL OR o.occurred_at < $closed_at)
    GROUP BY o.metric ORDER BY observations DESC, o.metric
    """,
    "Metrics of the compared units while the experiment ran.",
    uses=(COMPARED,),
)

SCALE = Query(
    "scale",
    """
    SELECT stddev_samp(value) AS spread, stddev_samp(denominator) AS denominator_spread,
           max(abs(denominator - round(denominator))) AS fractional
    FROM outcomes WHERE metric = $metric
    """,
    "Spread of the metric.",
)

WATCH = Query(
    "watch",
    """
    SELECT c.unit_id, c.treated, c.assigned_at, o.occurred_at,
           CAST(round(o.value / $value_step) AS BIGINT) AS y,
           CASE WHEN $is_ratio THEN CAST(round(o.denominator / $denominator_step) AS BIGINT)
                ELSE 1 END AS n
    FROM outcomes AS o JOIN compared AS c ON c.unit_id = o.unit_id
    WHERE o.metric = $metric AND NOT isnan(o.value)
      AND o.occurred_at >= coalesce(c.assigned_at, $opened_at, o.occurred_at)
      AND (c.moved_at IS NULL OR o.occurred_at < c.moved_at)
      AND ($closed_at IS NULL OR o.occurred_at < $closed_at)
    """,
    "Observations of the metric after exposure, in whole steps.",
    uses=(COMPARED,),
)


def stretch(cuts: int) -> str:
    """SQL for the number of the stretch that an observation is in; NULL between two ends.

    Stretch i ends before `$end_i` and the next begins at `$start_i`.
    """
    parts = [
        f"WHEN occurred_at < $end_{i} THEN {i} WHEN occurred_at < $start_{i} THEN NULL"
        for i in range(cuts)
    ]
    return f"CASE {' '.join(parts)} ELSE {cuts} END" if parts else "0"


def by_unit(cuts: int) -> Query:
    """Sums over each unit, for `cuts` + 1 stretches of time."""
    per_unit = ", ".join(
        f"coalesce(sum({x}) FILTER (WHERE stretch = {i}), 0) AS {x}{i}"
        for i in range(cuts + 1) for x in "ny"
    )  # fmt: skip
    return Query(
        f"by_unit_{cuts}",
        f"""
    SELECT unit_id, treated, {per_unit}
    FROM (SELECT unit_id, treated, y, n, {stretch(cuts)} AS stretch
          FROM watch
          WHERE $assigned_by IS NULL OR assigned_at < $assigned_by)
    WHERE stretch IS NOT NULL
    GROUP BY unit_id, treated ORDER BY unit_id
    """,
        "Sums of the metric over each unit, by stretch.",
        uses=(WATCH,),
    )


def sums(cuts: int) -> Query:
    """Sums and products over units by arm, for `cuts` + 1 stretches of time."""
    r = range(cuts + 1)
    plain = [f"CAST(sum({x}{i}) AS DOUBLE) AS {x}_{i}" for i in r for x in "ny"]
    active = [f"count(*) FILTER (WHERE n{i} > 0) AS active_{i}" for i in r]
    largest = f"CAST(max({' + '.join(f'n{i}' for i in r)}) AS DOUBLE) AS largest"
    products = [
        f"CAST(sum(CAST({a}{i} AS HUGEINT) * {b}{j}) AS DOUBLE) AS {a}{b}_{i}_{j}"
        for i in r for j in r for a, b in ("nn", "ny", "yy") if a != b or i <= j
    ]  # fmt: skip
    return Query(
        f"sums_{cuts}",
        f"""
    SELECT treated, count(*) AS units, {", ".join([largest, *active, *plain, *products])}
    FROM by_unit_{cuts}
    GROUP BY treated ORDER BY treated
    """,
        "Sums of the metric over units, and of products within a unit, by arm and stretch.",
        uses=(by_unit(cuts),),
    )
