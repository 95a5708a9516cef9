"""Whether a provider moved behind an alias that did not, as its fingerprints tell."""

from casework.case import Query
from casework.diagnoses._in_force import ALIAS_HISTORY
from casework.diagnoses._retired_seen import SEEN

SHOWN = Query(
    "shown",
    """
    SELECT q.endpoint, q.region, h.checkpoint, q.fingerprint, min(q.hour) AS first_hour,
           max(q.hour) AS last_hour, min(q.first) AS first, max(q.last) AS last,
           sum(q.requests) AS requests
    FROM (
        SELECT endpoint, region, fingerprint,
               CAST(floor(epoch(occurred_at) / 3600) AS BIGINT) AS hour, count(*) AS requests,
               min(occurred_at) AS first, max(occurred_at) AS last
        FROM requests
        WHERE fingerprint IS NOT NULL AND checkpoint IS NULL
          AND endpoint IN (SELECT endpoint FROM seen)
        GROUP BY endpoint, region, fingerprint, CAST(floor(epoch(occurred_at) / 3600) AS BIGINT)
    ) AS q
    JOIN alias_history AS h
      ON h.alias = q.endpoint AND (h.region IS NULL OR q.region IS NULL OR h.region = q.region)
     AND q.first >= greatest(h.valid_from, coalesce(h.rollout_ended_at, h.valid_from))
                    + INTERVAL 1 SECOND * $clock_error_s
     AND (coalesce(h.valid_until, h.next_from) IS NULL
          OR q.last < coalesce(h.valid_until, h.next_from) - INTERVAL 1 SECOND * $clock_error_s)
    GROUP BY q.endpoint, q.region, h.checkpoint, q.fingerprint
    """,
    "Fingerprints of the provider on requests without a digest, by what the alias pointed at, in "
    "hours that lie within it.",
    uses=(SEEN, ALIAS_HISTORY),
)

SILENT_MOVES = Query(
    "silent_moves",
    """
    SELECT endpoint, region, checkpoint, until AS last_before, first AS first_after,
           CAST(requests_before AS BIGINT) AS requests_before,
           CAST(total - requests_before AS BIGINT) AS requests_after
    FROM (
        SELECT *,
               max(last) OVER before AS until, max(last_hour) OVER before AS until_hour,
               min(first_hour) OVER before AS from_hour,
               sum(requests) OVER before AS requests_before,
               sum(requests) OVER (PARTITION BY endpoint, region, checkpoint) AS total,
               max(last_hour) OVER (PARTITION BY endpoint, region, checkpoint) AS end_hour
        FROM shown
        WINDOW before AS (PARTITION BY endpoint, region, checkpoint
                          ORDER BY first_hour, fingerprint
                          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    )
    WHERE until_hour <= first_hour AND from_hour < first_hour AND end_hour > until_hour
      AND requests_before >= 20 AND total - requests_before >= 20
    ORDER BY endpoint, region, first_after LIMIT 1000
    """,
    "Moments at which all fingerprints of an endpoint gave way to others while the alias log names "
    "one checkpoint, with twenty requests and more on either side. Several fingerprints side by "
    "side are machines of one system.",
    uses=(SHOWN,),
)
