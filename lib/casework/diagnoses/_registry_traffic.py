"""Live traffic by the digest that served it: the questions about requests of `registry_rot`."""

from casework.case import Query
from casework.diagnoses._environments import outside_tests
from casework.diagnoses._in_force import ALIAS_DAYS, ALIAS_SEGMENTS, REPLICA_DAYS
from casework.diagnoses._in_order import in_order

REACH = Query(
    "reach",
    """
    SELECT max(occurred_at) AS last, min(occurred_at) AS first, count(*) AS requests,
           (SELECT max(abs(coalesce(offset_s, 0)) + error_s) FROM clocks) AS clock_error_s
    FROM requests
    """,
    "The time that the requests span, and the error of the clocks.",
)

SET_ASIDE = Query(
    "set_aside",
    f"""
    SELECT count(*) FILTER (WHERE NOT ({outside_tests("environment")})) AS outside_production,
           count(*) FILTER (WHERE coalesce(environment, '') = '') AS without_environment
    FROM requests
    WHERE occurred_at >= CAST($live_from AS TIMESTAMP WITH TIME ZONE)
      AND occurred_at <= CAST($as_of AS TIMESTAMP WITH TIME ZONE)
    """,  # noqa: S608  the text is put together of constants
    "Requests of the live days outside production, and those whose environment is not recorded.",
)

LIVE = Query(
    "decided",
    f"""
    SELECT request_id, occurred_at, ended_at, endpoint, region, replica, checkpoint, account_id,
           CAST(floor(epoch(occurred_at) / 86400) AS BIGINT) AS day
    FROM requests
    WHERE occurred_at >= CAST($live_from AS TIMESTAMP WITH TIME ZONE)
      AND occurred_at <= CAST($as_of AS TIMESTAMP WITH TIME ZONE)
      AND {outside_tests("environment")}
    QUALIFY row_number() OVER (PARTITION BY request_id ORDER BY occurred_at, locator) = 1
    """,  # noqa: S608  the text is put together of constants
    "The live requests: those of the last days in production, of each id the earliest record.",
)

ALIAS_STEPS = Query(
    "alias_steps",
    """
    SELECT d.alias, d.region, d.day, d.starts, d.ends, d.only, n.next_only
    FROM alias_days AS d
    LEFT JOIN (
        SELECT alias, region, starts,
               lead(CASE WHEN len(checkpoints) = 1 AND NOT unknown THEN checkpoints[1] END)
                   OVER (PARTITION BY alias, region ORDER BY starts) AS next_only
        FROM alias_segments
    ) AS n
      ON n.alias = d.alias AND n.region IS NOT DISTINCT FROM d.region AND n.starts = d.starts
    """,
    "The segments of the aliases, day by day, with the digest that follows each.",
    uses=(LIVE, ALIAS_SEGMENTS, ALIAS_DAYS),
)

SERVED = Query(
    "served",
    """
    SELECT d.endpoint, d.account_id,
           coalesce(d.checkpoint, r.only, CASE
               WHEN a.ends <= d.ended_at AND a.next_only IS DISTINCT FROM a.only THEN NULL
               ELSE a.only END) AS checkpoint,
           count(*) AS requests, min(d.occurred_at) AS first, max(d.occurred_at) AS last
    FROM decided AS d
    LEFT JOIN alias_steps AS a
      ON a.alias = d.endpoint AND a.region IS NOT DISTINCT FROM d.region AND a.day = d.day
     AND d.occurred_at >= a.starts AND (a.ends IS NULL OR d.occurred_at < a.ends)
    LEFT JOIN replica_days AS r
      ON r.replica = d.replica AND r.region IS NOT DISTINCT FROM d.region AND r.day = d.day
     AND d.occurred_at >= r.starts AND (r.ends IS NULL OR d.occurred_at < r.ends)
    GROUP BY 1, 2, 3
    """,
    "Live requests by endpoint, account and the digest that served them: on the record, else the "
    "replica's, else that of the alias in force where it is unambiguous.",
    uses=(LIVE, ALIAS_STEPS, REPLICA_DAYS),
)

TRAFFIC = Query(
    "traffic",
    """
    SELECT regexp_replace(lower(checkpoint), '^sha256:', '') AS digest,
           min(checkpoint) AS checkpoint, CAST(sum(requests) AS BIGINT) AS requests,
           count(DISTINCT account_id) AS accounts,
           list_sort(array_agg(DISTINCT endpoint)) AS endpoints,
           min(first) AS first, max(last) AS last
    FROM served GROUP BY 1 ORDER BY requests DESC, digest
    """,
    "Live requests by the digest that served them; without one where it is not known.",
    uses=(SERVED,),
)

BY_ENDPOINT = Query(
    "by_endpoint",
    """
    SELECT endpoint, regexp_replace(lower(checkpoint), '^sha256:', '') AS digest,
           CAST(sum(requests) AS BIGINT) AS requests
    FROM served GROUP BY 1, 2 ORDER BY 1, 2
    """,
    "Live requests by endpoint and digest.",
    uses=(SERVED,),
)

AFFECTED = Query(
    "affected",
    f"""
    SELECT count(*) FILTER (WHERE s.account_id IS NOT NULL) AS accounts,
           min(s.first) AS first, max(s.last) AS last,
           {in_order("sum", "a.revenue")} AS revenue, count(a.revenue) AS priced
    FROM (SELECT account_id, min(first) AS first, max(last) AS last FROM served
          WHERE list_contains($digests, regexp_replace(lower(checkpoint), '^sha256:', ''))
          GROUP BY account_id) AS s
    LEFT JOIN (SELECT account_id, max(revenue) AS revenue FROM accounts GROUP BY account_id) AS a
      ON a.account_id = s.account_id
    """,  # noqa: S608  the text is put together of constants
    "Accounts served by digests without a living record, and the yearly revenue of those of which "
    "it is known.",
    uses=(SERVED,),
)

FIRST_USED = Query(
    "first_used",
    f"""
    SELECT t.digest, min(least(t.first, coalesce(r.first, t.first), coalesce(a.first, t.first)))
               AS first
    FROM traffic AS t
    LEFT JOIN (
        SELECT regexp_replace(lower(checkpoint), '^sha256:', '') AS digest, first
        FROM (SELECT checkpoint, min(occurred_at) AS first FROM requests
              WHERE checkpoint IS NOT NULL AND {outside_tests("environment")}
              GROUP BY checkpoint)
    ) AS r ON r.digest = t.digest
    LEFT JOIN (
        SELECT regexp_replace(lower(checkpoint), '^sha256:', '') AS digest, alias,
               min(valid_from) AS first
        FROM alias_events GROUP BY 1, 2
    ) AS a ON a.digest = t.digest AND list_contains(t.endpoints, a.alias)
    WHERE list_contains($digests, t.digest)
    GROUP BY t.digest ORDER BY t.digest
    """,  # noqa: S608  the text is put together of constants
    "Since when each of these digests is known to have been in use, live days or earlier: by a "
    "request that names it, or an alias of its endpoints that pointed at it.",
    uses=(TRAFFIC,),
)
