"""What `threshold_drift` asks about relevance: judged documents that pass, and outcomes."""

from casework.case import Query
from casework.diagnoses._gate_pairs import JUDGED
from casework.diagnoses._gate_rows import OFFERED, PERIOD_SUMS

GAIN = Query(
    "gain",
    f"""
    SELECT {PERIOD_SUMS} FROM (
        SELECT r.query_id, r.old * i.ideal AS n0, coalesce(g.old, 0) AS y0,
               r.new * i.ideal AS n1, coalesce(g.new, 0) AS y1
        FROM (SELECT query_id, count(*) FILTER (WHERE place = 1 AND NOT is_after) AS old,
                     count(*) FILTER (WHERE place = 1 AND is_after) AS new
              FROM offered GROUP BY query_id) AS r
        JOIN (SELECT query_id, CAST(sum(CAST(round(1000 * grade) AS BIGINT)) AS BIGINT) AS ideal
              FROM judgments WHERE grade > 0 AND NOT isnan(grade)
              GROUP BY query_id) AS i ON i.query_id = r.query_id
        LEFT JOIN (
            SELECT query_id,
                   CAST(sum(CAST(round(1000 * grade) AS BIGINT)) FILTER (
                       WHERE NOT is_after AND score >= $gate_old) AS BIGINT) AS old,
                   CAST(sum(CAST(round(1000 * grade) AS BIGINT)) FILTER (
                       WHERE is_after AND score >= $gate_new) AS BIGINT) AS new
            FROM judged WHERE grade > 0 GROUP BY query_id) AS g ON g.query_id = r.query_id
        WHERE $same_queries = FALSE OR (r.old > 0 AND r.new > 0))
    """,  # noqa: S608  the text is put together of constants
    "Judged relevance that passes, of all that was judged for the query, before at one threshold "
    "and after at another, as sums over queries.",
    uses=(OFFERED, JUDGED),
)

REPLAY = Query(
    "replay",
    """
    SELECT CAST(md5_number_lower(r.query_id) % 128 AS INTEGER) AS query_group,
           count(DISTINCT r.query_id) AS queries,
           sum(CASE WHEN r.is_after THEN 0 ELSE i.ideal END) AS ideal_old,
           sum(CASE WHEN r.is_after THEN i.ideal ELSE 0 END) AS ideal_new,
           sum(g00) AS g00, sum(g01) AS g01, sum(g10) AS g10, sum(g11) AS g11
    FROM (
        SELECT o.query_id, o.is_after,
               count(*) FILTER (WHERE o.place = 1) AS retrievals
        FROM offered AS o WHERE $same_queries = FALSE OR o.is_shared
        GROUP BY o.query_id, o.is_after) AS r
    JOIN (SELECT query_id, CAST(sum(CAST(round(1000 * grade) AS BIGINT)) AS BIGINT) AS ideal
          FROM judgments WHERE grade > 0 AND NOT isnan(grade) GROUP BY query_id) AS i
      ON i.query_id = r.query_id
    LEFT JOIN (
        SELECT query_id, is_after,
               sum(CAST(round(1000 * grade) AS BIGINT)) FILTER (
                   WHERE NOT is_after AND score >= $gate) AS g00,
               sum(CAST(round(1000 * grade) AS BIGINT)) FILTER (
                   WHERE NOT is_after AND score >= $gate_new) AS g01,
               sum(CAST(round(1000 * grade) AS BIGINT)) FILTER (
                   WHERE is_after AND score >= $gate) AS g10,
               sum(CAST(round(1000 * grade) AS BIGINT)) FILTER (
                   WHERE is_after AND score >= $gate_new) AS g11
        FROM judged WHERE grade > 0 GROUP BY query_id, is_after) AS g
      ON g.query_id = r.query_id AND g.is_after = r.is_after
    GROUP BY query_group ORDER BY query_group
    """,
    "Replay: judged relevance that passes the old and the restoring threshold, among the "
    "candidates before and after, by group of queries.",
    uses=(OFFERED, JUDGED),
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
              AND (occurred_at >= $changed_at OR occurred_at < date_trunc('day', $ended_at)))
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
    """
    SELECT count(*) AS accounts,
           CAST(sum(CAST(round(100 * revenue) AS HUGEINT)) AS DOUBLE) / 100 AS revenue
    FROM accounts
    WHERE revenue IS NOT NULL AND account_id IN (
        SELECT account_id FROM requests
        WHERE request_id IN (SELECT request_id FROM offered WHERE is_after))
    """,
    "Revenue of the accounts that asked after the change.",
    uses=(OFFERED,),
)
