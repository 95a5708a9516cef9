# ruff: noqa: S608  the text varies with the number of covariates, never with their names
"""What `cohort_skew` asks about units before and after exposure, as sums.

Sums are taken over integers, covariates in steps of 1/10,000 of a standard deviation: they are
exact, so the same case gives the same rows on any number of threads.
"""

from casework.case import Query
from casework.diagnoses._cohorts import EXPOSED

FIXED = 10_000
GROUPS = 512
WEIGHT = 1_000


def significant(sql: str) -> str:
    """Round to six significant digits: sums of doubles differ in their last bits from run to run.

    The numbers serve as scales only; nothing is lost.
    """
    size = f"CAST(floor(log10(greatest(abs({sql}), 1e-9))) AS INTEGER)"
    return f"round({sql}, 5 - {size})"


OBSERVED = Query(
    "observed",
    """
    SELECT e.unit_id,
           sum(e.value) FILTER (WHERE is_after) AS value,
           sum(e.denominator) FILTER (WHERE is_after) AS denominator,
           count(*) FILTER (WHERE is_after) AS times,
           sum(e.value) FILTER (WHERE is_after AND is_late) AS late_value,
           sum(e.denominator) FILTER (WHERE is_after AND is_late) AS late_denominator,
           count(*) FILTER (WHERE is_after AND is_late) AS late_times,
           sum(e.value) FILTER (WHERE is_own AND NOT is_raised) AS first_value,
           sum(e.denominator) FILTER (WHERE is_own AND NOT is_raised) AS first_denominator,
           count(*) FILTER (WHERE is_own AND NOT is_raised) AS first_times,
           sum(e.value) FILTER (WHERE is_own AND is_raised) AS raised_value,
           sum(e.denominator) FILTER (WHERE is_own AND is_raised) AS raised_denominator,
           count(*) FILTER (WHERE is_own AND is_raised) AS raised_times,
           sum(e.value) FILTER (WHERE is_before) AS before_value,
           sum(e.denominator) FILTER (WHERE is_before) AS before_denominator,
           count(*) FILTER (WHERE is_before) AS before_times
    FROM (
        SELECT u.unit_id, o.value, o.denominator,
               o.occurred_at >= coalesce(u.assigned_at, $opened_at)
                   AND (u.moved_at IS NULL OR o.occurred_at < u.moved_at)
                   AND ($closed_at IS NULL OR o.occurred_at < $closed_at) AS is_after,
               o.occurred_at >= $middle_at AS is_late,
               o.occurred_at >= coalesce(u.assigned_at, $opened_at)
                   AND (u.moved_at IS NULL OR o.occurred_at < u.moved_at)
                   AND ($launched_at IS NULL OR o.occurred_at < $launched_at) AS is_own,
               o.occurred_at >= $raised_at AS is_raised,
               o.occurred_at < coalesce(u.assigned_at, $opened_at) AS is_before
        FROM exposed AS u JOIN outcomes AS o ON o.unit_id = u.unit_id
        WHERE o.metric = $metric
    ) AS e
    GROUP BY e.unit_id
    """,
    "The metric of each unit before its exposure, and after it until others were exposed too; and "
    "before and after the share was raised, as long as it kept its own arm.",
    uses=(EXPOSED,),
)

_LEVEL = """CASE WHEN $is_ratio THEN o.{part}value / nullif(o.{part}denominator, 0)
                     ELSE o.{part}value / nullif(o.{part}times, 0) END"""

LEVELS = Query(
    "levels",
    f"""
    SELECT e.treated, count(*) AS units, count(*) FILTER (WHERE o.times > 0) AS observed,
           {significant("sum(o.value)")} AS value,
           {significant("sum(o.denominator)")} AS denominator,
           CAST(sum(o.times) AS BIGINT) AS times,
           CAST(sum(o.late_times) AS BIGINT) AS late_times,
           {significant(f"avg({_LEVEL.format(part='before_')})")} AS before,
           {significant(f"avg({_LEVEL.format(part='')})")} AS after
    FROM exposed AS e LEFT JOIN observed AS o ON o.unit_id = e.unit_id
    WHERE NOT e.set_apart GROUP BY e.treated ORDER BY e.treated
    """,
    "The metric by arm, and how many units it was observed for.",
    uses=(EXPOSED, OBSERVED),
)

PROFILE = Query(
    "profile",
    """
    SELECT e.unit_id, e.treated, e.set_apart,
           CAST(md5_number_lower('casework ' || $seed || ' ' ||
               CASE WHEN $dealt_by = 'account_id' THEN coalesce(e.account_id, e.unit_id)
                    ELSE e.unit_id END) % 4096 AS INTEGER) AS cell,
           e.covariates AS x,
           (epoch(e.assigned_at) - epoch(e.created_at)) / 86400 AS days_since_sign_up,
           CASE WHEN $is_ratio THEN o.before_value / nullif(o.before_denominator, 0)
                ELSE o.before_value / nullif(o.before_times, 0) END AS before_value,
           CASE WHEN $is_ratio THEN o.before_denominator / nullif(o.before_times, 0)
                END AS before_denominator,
           CASE WHEN $is_ratio THEN o.value / nullif(o.denominator, 0)
                ELSE o.value / nullif(o.times, 0) END AS y,
           CASE WHEN $is_ratio THEN o.denominator ELSE 1 END AS w,
           CASE WHEN $is_ratio THEN o.late_value / nullif(o.late_denominator, 0)
                    - (o.value - coalesce(o.late_value, 0))
                      / nullif(o.denominator - coalesce(o.late_denominator, 0), 0)
                ELSE o.late_value / nullif(o.late_times, 0)
                    - (o.value - coalesce(o.late_value, 0)) / nullif(o.times - o.late_times, 0)
           END AS change,
           CASE WHEN $is_ratio THEN o.raised_value / nullif(o.raised_denominator, 0)
                    - o.first_value / nullif(o.first_denominator, 0)
                ELSE o.raised_value / nullif(o.raised_times, 0)
                    - o.first_value / nullif(o.first_times, 0)
           END AS raised_change
    FROM exposed AS e LEFT JOIN observed AS o ON o.unit_id = e.unit_id
    """,
    "Each unit: its cell under a fresh salt, its covariates from before, its outcome with its "
    "weight (the denominator of a ratio), and how the outcome changed in the second half of the "
    "window, and when the share was raised.",
    uses=(EXPOSED, OBSERVED),
)

KNOWN = Query(
    "known",
    """
    SELECT treated, e.key AS name, e.value AS value
    FROM (SELECT treated, unnest(map_entries(x)) AS e FROM profile WHERE NOT set_apart)
    UNION ALL SELECT treated, 'days since sign-up', days_since_sign_up FROM profile
    WHERE NOT set_apart
    UNION ALL SELECT treated, 'before: ' || $metric, before_value FROM profile
    WHERE NOT set_apart
    UNION ALL SELECT treated, 'before: denominator', before_denominator FROM profile
    WHERE NOT set_apart
    """,
    "What is known of the units from before exposure, a row for each unit and covariate.",
    uses=(PROFILE,),
)

COVARIATES = Query(
    "covariates",
    f"""
    SELECT name, count(value) AS known,
           {significant("avg(value)")} AS mean, {significant("stddev_samp(value)")} AS spread
    FROM known GROUP BY name
    HAVING count(value) > 1 AND stddev_samp(value) > greatest(1e-9 * abs(avg(value)), 1e-12)
    ORDER BY name
    """,
    "Covariates from before exposure, over both arms, that vary by more than rounding.",
    uses=(KNOWN,),
)

BALANCE = Query(
    "balance",
    f"""
    SELECT name, treated, count(value) AS known,
           {significant("avg(value)")} AS mean, {significant("var_samp(value)")} AS variance
    FROM known WHERE value IS NOT NULL
    GROUP BY name, treated HAVING count(value) > 1 ORDER BY name, treated
    """,
    "Covariates from before exposure, by arm.",
    uses=(KNOWN,),
)

OUTCOME = Query(
    "outcome",
    f"""
    SELECT {significant("avg(y)")} AS mean_y, {significant("stddev_samp(y)")} AS spread_y,
           {significant("avg(w)")} AS mean_w
    FROM profile WHERE NOT set_apart AND y IS NOT NULL
    """,
    "Scale of the outcome and of its weight.",
    uses=(PROFILE,),
)

CHANGE = Query(
    "change",
    f"""
    SELECT treated, count(change) AS units, {significant("avg(change)")} AS mean,
           {significant("var_samp(change)")} AS variance,
           count(raised_change) AS raised_units, {significant("avg(raised_change)")} AS raised_mean,
           {significant("var_samp(raised_change)")} AS raised_variance
    FROM profile WHERE NOT set_apart GROUP BY treated ORDER BY treated
    """,
    "How the same units changed from the first half of the window to the second, and from before "
    "the share was raised to after it, as long as they kept their own arm.",
    uses=(PROFILE,),
)


def source(name: str, position: int, metric: str | None) -> str:
    """SQL of a covariate: a column of the profile, or its entry in the map, by parameter."""
    own = {
        "days since sign-up": "days_since_sign_up",
        f"before: {metric}": "before_value",
        "before: denominator": "before_denominator",
    }
    return own.get(name, f"x[$name_{position}]")


def standardised(sources: tuple[str, ...]) -> Query:
    """Covariates in steps of 1/10,000 standard deviation, unknown ones at the mean; and y."""
    columns = ",\n           ".join(
        f"CAST(round((coalesce({sql}, $mean_{i}) - $mean_{i}) / $spread_{i} * {FIXED}) "
        f"AS BIGINT) AS z{i}"
        for i, sql in enumerate(sources, start=1)
    )
    return Query(
        "standardised",
        f"""
    SELECT treated, set_apart, cell, before_value IS NOT NULL AS seen_before, {columns},
           CAST(round((y - $mean_y) / $spread_y * {FIXED}) AS BIGINT) AS y,
           CAST(round(w / $mean_w * {WEIGHT}) AS HUGEINT) AS w
    FROM profile
    """,
        uses=(PROFILE,),
    )


def cells(sources: tuple[str, ...]) -> Query:
    """Sums over the cells of a fresh salt, both arms together."""
    sums = ", ".join(
        f"sum(z{i}) AS s{i}, sum(z{i} * z{i}) AS q{i}" for i in range(1, len(sources) + 1)
    )
    return Query(
        "cells",
        f"""
    SELECT cell, count(*) AS n, {sums}
    FROM standardised WHERE $everyone OR NOT set_apart GROUP BY cell ORDER BY cell
    """,
        "Sums of the standardised covariates over 4,096 cells into which a fresh salt deals the "
        "units; random arms are made of whole cells.",
        uses=(standardised(sources),),
    )


def arm_sums(sources: tuple[str, ...]) -> Query:
    """Sums over each arm, those set apart included or not."""
    sums = ", ".join(
        f"sum(z{i}) AS s{i}, sum(z{i} * z{i}) AS q{i}, sum(z{i} * y) AS r{i}"
        for i in range(1, len(sources) + 1)
    )
    return Query(
        "arm_sums",
        f"""
    SELECT treated, count(*) AS n, count(y) AS observed, {sums}, sum(y) AS sy, sum(y * y) AS syy
    FROM standardised WHERE $everyone OR NOT set_apart GROUP BY treated ORDER BY treated
    """,
        "Sums of the standardised covariates and of the outcome by arm.",
        uses=(standardised(sources),),
    )


def moments(sources: tuple[str, ...], used: tuple[int, ...], *, weighted: bool) -> Query:
    """Sums of products of the used covariates and the outcome, by arm and group of units.

    The units of a ratio metric weigh as much as their denominators.
    """
    w = "w * " if weighted else ""
    names = [*(f"z{i}" for i in used), "y"]
    sums = ", ".join(f"sum({w}{name}) AS s_{name}" for name in names)
    products = ", ".join(
        f"sum({w}{a} * {b}) AS p_{a}_{b}" for i, a in enumerate(names) for b in names[i:]
    )
    return Query(
        "moments",
        f"""
    SELECT treated, cell % {GROUPS} AS unit_group, count(*) AS units,
           {"sum(w)" if weighted else "count(*)"} AS n, {sums}, {products}
    FROM standardised WHERE NOT set_apart AND y IS NOT NULL
    GROUP BY treated, unit_group ORDER BY treated, unit_group
    """,
        f"Sums and products over {GROUPS} random groups of units and the arms, for the regression "
        "and its bootstrap.",
        uses=(standardised(sources),),
    )
