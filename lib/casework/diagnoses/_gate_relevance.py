"""What `threshold_drift` asks about relevance: judged documents that pass, and outcomes."""

from casework.case import Query
from casework.diagnoses._gate_pairs import JUDGED
from casework.diagnoses._gate_rows import OFFERED, PERIOD_SUMS
from casework.diagnoses._in_order import in_order

IDEAL = Query(
    "ideal",
    """
    SELECT query_id, CAST(sum(CAST(round(1000 * grade) AS BIGINT)) AS BIGINT) AS ideal
    FROM judgments WHERE grade > 0 AND NOT isnan(grade) GROUP BY query_id
    """,
    "Relevance that was judged for each query, in thousandths of a grade.",
)

ASKED = Query(
    "asked",
    """
    SELECT query_id, count(*) FILTER (WHERE place = 1 AND NOT is_after) AS old,
           count(*) FILTER (WHERE place = 1 AND is_after) AS new
    FROM offered GROUP BY query_id
    """,
    "How often each query was asked.",
    uses=(OFFERED,),
)

PASSING = Query(
    "passing",
    """
    SELECT query_id,
           coalesce(sum(grade) FILTER (WHERE NOT is_after AND score >= $gate), 0) AS g00,
           coalesce(sum(grade) FILTER (WHERE NOT is_after AND score >= $gate_new), 0) AS g01,
           coalesce(sum(grade) FILTER (WHERE is_after AND score >= $gate), 0) AS g10,
           coalesce(sum(grade) FILTER (WHERE is_after AND score >= $gate_new), 0) AS g11
    FROM (SELECT query_id, is_after, score, CAST(round(1000 * grade) AS BIGINT) AS grade
          FROM judged WHERE grade > 0)
    GROUP BY query_id
    """,
    "Judged relevance that passes two thresholds, by query and period.",
    uses=(JUDGED,),
)

REPLAYED = Query(
    "replayed",
    """
    SELECT a.query_id, CASE WHEN a.old > 0 THEN i.ideal ELSE 0 END AS ideal_old,
           CASE WHEN a.new > 0 THEN i.ideal ELSE 0 END AS ideal_new,
           CAST(round(coalesce(p.g00, 0) / greatest(a.old, 1)) AS BIGINT) AS g00,
           CAST(round(coalesce(p.g01, 0) / greatest(a.old, 1)) AS BIGINT) AS g01,
           CAST(round(coalesce(p.g10, 0) / greatest(a.new, 1)) AS BIGINT) AS g10,
           CAST(round(coalesce(p.g11, 0) / greatest(a.new, 1)) AS BIGINT) AS g11
    FROM asked AS a JOIN ideal AS i ON i.query_id = a.query_id
    LEFT JOIN passing AS p ON p.query_id = a.query_id
    WHERE $same_queries = FALSE OR (a.old > 0 AND a.new > 0)
    """,
    "Judged relevance that passes, of all that was judged, for one asking of each query.",
    uses=(ASKED, IDEAL, PASSING),
)

GAIN = Query(
    "gain",
    f"""
    SELECT {PERIOD_SUMS} FROM (
        SELECT query_id, ideal_old AS n0, g00 AS y0, ideal_new AS n1, g11 AS y1 FROM replayed)
    """,  # noqa: S608  the text is put together of constants
    "Judged relevance that passes before, and after at the threshold in force then, as sums.",
    uses=(REPLAYED,),
)

REPLAY = Query(
    "replay",
    """
    SELECT CAST(md5_number_lower(query_id) % 128 AS INTEGER) AS query_group,
           count(*) AS queries, sum(ideal_old) AS ideal_old, sum(ideal_new) AS ideal_new,
           sum(g00) AS g00, sum(g01) AS g01, sum(g10) AS g10, sum(g11) AS g11
    FROM replayed GROUP BY query_group ORDER BY query_group
    """,
    "Replay: judged relevance that passes the old and the restoring threshold, among the "
    "candidates before and after, by group of queries.",
    uses=(REPLAYED,),
)

RELEVANT_DROPS = Query(
    "relevant_drops",
    f"""
    SELECT {PERIOD_SUMS} FROM (
        SELECT query_id, count(*) FILTER (WHERE NOT is_after) AS n0,
               count(*) FILTER (WHERE NOT is_after AND is_lost) AS y0,
               count(*) FILTER (WHERE is_after) AS n1,
               count(*) FILTER (WHERE is_after AND is_lost) AS y1
        FROM (SELECT query_id, is_after, score < $gate AND grade > 0 AS is_lost FROM judged)
        GROUP BY query_id)
    """,  # noqa: S608
    "Judged candidates, and those of them that are relevant and dropped, as sums over queries.",
    uses=(JUDGED,),
)

METRICS = Query(
    "metrics",
    """
    SELECT metric, count(*) AS observations, count(denominator) AS denominators,
           count(*) FILTER (WHERE unit_id IN (SELECT query_id FROM offered)) AS of_queries
    FROM outcomes GROUP BY metric ORDER BY of_queries DESC, observations DESC, metric
    """,
    "Metrics in the case, and whether their units are queries.",
    uses=(OFFERED,),
)

OUTCOME = Query(
    "outcome",
    f"""
    SELECT {PERIOD_SUMS} FROM (
        SELECT unit_id,
               coalesce(sum(n) FILTER (WHERE NOT is_after), 0) AS n0,
               coalesce(sum(y) FILTER (WHERE NOT is_after), 0) AS y0,
               coalesce(sum(n) FILTER (WHERE is_after), 0) AS n1,
               coalesce(sum(y) FILTER (WHERE is_after), 0) AS y1
        FROM (
            SELECT unit_id, occurred_at >= $changed_at AS is_after,
                   CAST(round(10000 * value) AS BIGINT) AS y,
                   CASE WHEN $is_ratio THEN CAST(round(10000 * denominator) AS BIGINT)
                        ELSE 10000 END AS n
            FROM outcomes
            WHERE metric = $metric AND NOT isnan(value)
              AND occurred_at >= coalesce($since, TIMESTAMPTZ '-infinity')
              AND occurred_at < coalesce($until, TIMESTAMPTZ 'infinity')
              AND (occurred_at >= $changed_at
                   OR occurred_at < date_trunc('day', CAST($ended_at AS TIMESTAMPTZ))))
        GROUP BY unit_id HAVING count(DISTINCT is_after) = 2 AND sum(n) > 0)
    """,  # noqa: S608
    "The metric by unit before and after, of units observed at both times, as sums.",
)

REACH = Query(
    "reach",
    """
    SELECT count(DISTINCT o.request_id) AS requests, count(DISTINCT r.account_id) AS accounts,
           count(DISTINCT o.query_id) AS queries,
           count(DISTINCT date_trunc('day', o.occurred_at)) AS days,
           count(*) FILTER (WHERE NOT o.passed) AS dropped
    FROM (SELECT query_id, request_id, occurred_at, passed FROM offered WHERE is_after) AS o
    LEFT JOIN (
        SELECT DISTINCT request_id, account_id FROM requests
        WHERE account_id IS NOT NULL
          AND request_id IN (SELECT request_id FROM offered WHERE is_after)) AS r
      ON r.request_id = o.request_id
    """,
    "Requests, accounts and days after the change.",
    uses=(OFFERED,),
)

REVENUE = Query(
    "revenue",
    f"""
    SELECT count(*) AS accounts,
           {in_order("sum", "revenue")} AS revenue
    FROM accounts
    WHERE revenue IS NOT NULL AND account_id IN (
        SELECT account_id FROM requests
        WHERE request_id IN (SELECT request_id FROM offered WHERE is_after))
    """,  # noqa: S608  the text is put together of constants
    "Revenue of the accounts that asked after the change.",
    uses=(OFFERED,),
)
