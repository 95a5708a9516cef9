"""What made a gate drop more: the same pairs scored otherwise, other documents, other queries."""

from typing import Any

from casework.case import Query
from casework.diagnoses._gate import Found
from casework.diagnoses._gate_pairs import BY_QUERY
from casework.diagnoses._gate_rows import OFFERED
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.estimates import Estimate
from casework.stats.rate_parts import RateParts, rate_parts
from casework.words import share, spread

COLUMNS = ("n0", "y0", "n1", "y1", "query0", "query1", "same0", "same1")

PARTS = Query(
    "parts",
    """
    SELECT CAST(md5_number_lower(query_id) % 128 AS INTEGER) AS query_group, count(*) AS queries,
           CAST(sum(n0) AS BIGINT) AS n0, CAST(sum(y0) AS BIGINT) AS y0,
           CAST(sum(n1) AS BIGINT) AS n1, CAST(sum(y1) AS BIGINT) AS y1,
           CAST(sum(CAST(round(1e6 * n0 * change) AS BIGINT)) AS BIGINT) AS query0,
           CAST(sum(CAST(round(1e6 * n1 * change) AS BIGINT)) AS BIGINT) AS query1,
           CAST(sum(CAST(round(1e6 * n0 * same) AS BIGINT)) AS BIGINT) AS same0,
           CAST(sum(CAST(round(1e6 * n1 * same) AS BIGINT)) AS BIGINT) AS same1
    FROM (SELECT query_id, n0, y0, n1, y1,
                 CASE WHEN n0 > 0 AND n1 > 0 THEN y1 / n1 - y0 / n0 ELSE 0 END AS change,
                 CASE WHEN n0 > 0 AND n1 > 0 THEN (same0 / n0 + same1 / n1) / 2 ELSE 0 END AS same
          FROM by_query
          UNION ALL
          SELECT query_id, count(*) FILTER (WHERE NOT is_after),
                 count(*) FILTER (WHERE NOT is_after AND score < $gate),
                 count(*) FILTER (WHERE is_after),
                 count(*) FILTER (WHERE is_after AND score < $gate), 0, 0
          FROM offered WHERE NOT is_shared AND score IS NOT NULL GROUP BY query_id)
    GROUP BY query_group ORDER BY query_group
    """,
    "Candidates and drops at the old threshold before and after by group of queries, and in "
    "millionths what the same queries, and of these the same documents, make up of the change, "
    "counted as often as before and as after.",
    uses=(OFFERED, BY_QUERY),
)


def parts_of(ask: Inquiry, params: dict[str, Any], seed: int) -> RateParts | None:
    """Split the change of the drop rate at the old threshold; None where nothing is compared."""
    rows = ask.ask(PARTS, **params)
    table = [[row[name] * (1.0 if name[0] in "ny" else 1e-6) for name in COLUMNS] for row in rows]
    return rate_parts(table, sum(row["queries"] for row in rows), seed=seed) if rows else None


def told(parts: RateParts) -> list[tuple[str, Estimate]]:
    """Each part in words."""
    return [
        ("the same pairs, scored otherwise", parts.same_things),
        ("other documents for the same queries", parts.other_things),
        ("other queries", parts.other_groups),
    ]


def parts_found(
    ask: Inquiry, found: Found, params: dict[str, Any], seed: int
) -> tuple[Finding, ...]:
    """Record and state what the change of the drop rate is made of, where queries are paired."""
    if not found.levels[False]["of_shared_queries"]:
        return ()
    parts = parts_of(ask, params, seed)
    if parts is None:
        return ()
    ask.measure(
        "drop_parts",
        [{"part": name, "change": e.value, "low": e.low, "high": e.high}
         for name, e in told(parts)],
        "table", PARTS, n=parts.total.n,
    )  # fmt: skip
    if found.fixed.before == found.fixed.after:
        return ()
    drop = found.fixed.difference
    total = spread(drop.value, (drop.low, drop.high), "points", signed=True)
    each = "; ".join(
        f"{name} {spread(e.value, (e.low, e.high), 'points', signed=True)}"
        for name, e in told(parts)
    )
    return (
        Finding(
            f"The share dropped at the threshold of before changed by {total}. That is made up of: "
            f"{each}.{_unpaired(found)}",
            ("drop_parts", "drop_change"),
            (ask.evidence_id(PARTS),),
        ),
    )


def _unpaired(found: Found) -> str:
    """Say so where most candidates are of queries that were asked in one period alone."""
    before, after = (
        1 - level["of_shared_queries"] / level["candidates"]
        for level in (found.levels[False], found.levels[True])
    )
    if max(before, after) <= 0.5:
        return ""
    return (
        f" Candidates of queries asked in one period alone, {share(before)} before and "
        f"{share(after)} after, count as other queries, whatever became of their scores."
    )
