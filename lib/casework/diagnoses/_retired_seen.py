"""What tickets say of the answer that they report: its request, or the window in which it was."""

from casework.case import Query
from casework.diagnoses._answers import is_answer
from casework.diagnoses._grading import grading_of

LAGS = Query(
    "lags",
    """
    SELECT count(*) AS tickets,
           quantile_cont(epoch(reported_at) - epoch(observed_at), 0.99) AS lag_p99_s
    FROM tickets WHERE observed_at IS NOT NULL AND observed_at <= reported_at
    """,
    "How long after they were seen tickets were filed: the 99th percentile.",
)

NAMES = Query(
    "endpoint_names",
    f"""
    SELECT endpoint FROM requests WHERE endpoint IS NOT NULL AND {is_answer("operation")}
    UNION SELECT alias FROM alias_events
    """,  # noqa: S608  the text is put together of constants
    "The endpoints that requests and the alias log name, those of embeddings and rankings aside.",
)

SPELLED = Query(
    "spelled",
    """
    SELECT lower(trim(endpoint)) AS key, min(endpoint) AS endpoint
    FROM endpoint_names
    GROUP BY lower(trim(endpoint)) HAVING count(*) = 1
    """,
    "The endpoints as the records spell them: people write them with other capitals.",
    uses=(NAMES,),
)

ENDPOINTS = Query(
    "endpoints",
    """
    SELECT count(*) AS endpoints, max(endpoint) AS endpoint FROM endpoint_names
    """,
    "The endpoints of the case: tickets that name none are about the one, where there is one.",
    uses=(NAMES,),
)

SEEN = Query(
    "seen",
    """
    SELECT ticket_id, reported_at, observed_at, endpoint, request_id, account_id, prompt, output,
           locator, only_a_date, is_zoneless, is_contradicted,
           CASE WHEN observed_at IS NULL OR is_contradicted
                THEN reported_at - INTERVAL 1 SECOND * $lag_s ELSE observed_at END
               - CASE WHEN only_a_date OR is_zoneless THEN INTERVAL 14 HOUR
                      ELSE INTERVAL 0 HOUR END
               - INTERVAL 1 SECOND * $clock_error_s AS window_from,
           CASE WHEN observed_at IS NULL OR is_contradicted THEN reported_until
                ELSE least(reported_until, observed_at
                           + CASE WHEN only_a_date THEN INTERVAL 36 HOUR
                                  WHEN is_zoneless THEN INTERVAL 12 HOUR
                                  ELSE INTERVAL 0 HOUR END)
                END + INTERVAL 1 SECOND * $clock_error_s AS window_until
    FROM (SELECT *,
                 reported_at + CASE WHEN is_reported_by_day THEN INTERVAL 36 HOUR
                                    WHEN is_zoneless THEN INTERVAL 12 HOUR
                                    ELSE INTERVAL 0 HOUR END AS reported_until,
                 observed_at > reported_at + CASE WHEN is_reported_by_day THEN INTERVAL 36 HOUR
                                                  ELSE INTERVAL 0 HOUR END AS is_contradicted
          FROM (SELECT ticket_id, reported_at, observed_at, request_id, account_id, prompt, output,
                       locator, coalesce(s.endpoint, t.endpoint, nullif($endpoint, '')) AS endpoint,
                       CAST(epoch(coalesce(observed_at, reported_at)) AS BIGINT) % 86400 = 0
                           AS only_a_date,
                       CAST(epoch(reported_at) AS BIGINT) % 86400 = 0 AS is_reported_by_day,
                       strpos($zoneless, exhibit_id) > 0 AS is_zoneless
                FROM tickets AS t LEFT JOIN spelled AS s ON s.key = lower(trim(t.endpoint))))
    """,
    "Each ticket with the window in which its answer was given: the instant at which it was seen, "
    "not that of the report, with the error of the clocks. A date alone is a day in any time zone, "
    "that of a report too; an instant without a zone may be in any; where nobody says when it was "
    "seen, the window reaches back from the report by the lag.",
    uses=(SPELLED,),
)

BY_ID = Query(
    "by_id",
    """
    SELECT t.ticket_id, q.request_id, count(*) AS records
    FROM seen AS t JOIN requests AS q ON q.request_id = t.request_id
    GROUP BY t.ticket_id, q.request_id
    """,
    "Requests that tickets name by their id.",
    uses=(SEEN,),
)

BY_TRACE = Query(
    "by_trace",
    f"""
    SELECT t.ticket_id, q.request_id, count(*) AS records
    FROM seen AS t JOIN requests AS q ON q.trace_id = t.request_id
    WHERE t.ticket_id NOT IN (SELECT ticket_id FROM by_id) AND {is_answer("q.operation")}
    GROUP BY t.ticket_id, q.request_id
    """,  # noqa: S608  the text is put together of constants
    "Requests that other tickets name by the id of their trace, embeddings and rankings aside.",
    uses=(SEEN, BY_ID),
)

LINKS = Query(
    "links",
    """
    SELECT ticket_id, request_id, 'id' AS linked_by, records FROM by_id
    UNION ALL
    SELECT ticket_id, request_id, 'id', records FROM by_trace
    UNION ALL
    SELECT t.ticket_id, q.request_id, 'text', count(*)
    FROM seen AS t
    JOIN requests AS q
      ON q.output_text = t.output AND (t.endpoint IS NULL OR q.endpoint = t.endpoint)
     AND (t.prompt IS NULL OR q.input_text IS NULL OR q.input_text = t.prompt)
     AND q.occurred_at <= t.window_until
    WHERE t.output IS NOT NULL AND t.output <> ''
      AND t.ticket_id NOT IN (SELECT ticket_id FROM by_id)
      AND t.ticket_id NOT IN (SELECT ticket_id FROM by_trace)
    GROUP BY t.ticket_id, q.request_id
    """,
    "Requests that tickets name by their id or that of their trace, else those whose answer is the "
    "same text, at any time before: an answer may have been kept by the client.",
    uses=(SEEN, BY_ID, BY_TRACE),
)

NAMED = Query(
    "named",
    """
    SELECT q.request_id, q.occurred_at, q.ended_at, q.endpoint, q.region, q.replica, q.checkpoint,
           q.fingerprint, q.lane, q.decision, q.prompt_hash, q.params_hash,
           CAST(floor(epoch(q.occurred_at) / 86400) AS BIGINT) AS day
    FROM requests AS q
    JOIN (SELECT DISTINCT request_id FROM links) AS l ON l.request_id = q.request_id
    QUALIFY row_number() OVER (PARTITION BY q.request_id ORDER BY q.occurred_at, q.locator) = 1
    """,
    "The requests that tickets lead to, of each id the earliest record.",
    uses=(LINKS,),
)

NAMED_MATCHED, NAMED_CROSSED, NAMED_GRADED = grading_of(NAMED, "named_")

PLACES = Query(
    "places",
    """
    SELECT ticket_id, NOT has_inside AS is_of_other_times,
           CASE WHEN count(DISTINCT coalesce(region, '')) = 1 THEN max(region) END AS region,
           CASE WHEN count(DISTINCT coalesce(lane, '')) = 1 THEN max(lane) END AS lane
    FROM (SELECT *, bool_or(is_inside) OVER (PARTITION BY ticket_id) AS has_inside
          FROM (SELECT t.ticket_id, q.region, q.lane,
                       q.occurred_at >= t.window_from
                           AND q.occurred_at <= t.window_until AS is_inside
                FROM seen AS t
                JOIN requests AS q
                  ON q.account_id = t.account_id
                 AND (t.endpoint IS NULL OR q.endpoint = t.endpoint)
                WHERE t.ticket_id NOT IN (SELECT ticket_id FROM links)))
    WHERE is_inside OR NOT has_inside
    GROUP BY ticket_id, has_inside
    """,
    "Region and lane of the account's own requests in the window, or where it has none there, of "
    "all its requests, where they are all of one.",
    uses=(SEEN, LINKS),
)

WINDOWS = Query(
    "windows",
    """
    SELECT t.ticket_id, t.endpoint, p.region, p.lane, t.window_from, t.window_until
    FROM seen AS t LEFT JOIN places AS p ON p.ticket_id = t.ticket_id
    WHERE t.ticket_id NOT IN (SELECT ticket_id FROM links)
    """,
    "Tickets that lead to no request, with endpoint, region, lane and window.",
    uses=(SEEN, LINKS, PLACES),
)

HOURS = Query(
    "hours",
    """
    SELECT d.endpoint, d.region, d.lane, d.checkpoint, d.hour,
           coalesce(h.requests, 0) AS requests,
           sum(coalesce(h.requests, 0)) OVER (
               PARTITION BY d.endpoint, d.region, d.lane, d.checkpoint ORDER BY d.hour
           ) - coalesce(h.requests, 0) AS so_far
    FROM (
        SELECT p.endpoint, p.region, p.lane, p.checkpoint,
               unnest(generate_series(p.first_hour, p.last_hour)) AS hour
        FROM (SELECT endpoint, coalesce(region, '') AS region, coalesce(lane, '') AS lane,
                     coalesce(checkpoint, '') AS checkpoint,
                     CAST(floor(min(epoch(w.first)) / 3600) AS BIGINT) AS first_hour,
                     CAST(floor(max(epoch(w.last)) / 3600) AS BIGINT) AS last_hour
              FROM requests
              CROSS JOIN (SELECT min(occurred_at) AS first, max(occurred_at) AS last
                          FROM requests) AS w
              WHERE endpoint IN (SELECT endpoint FROM windows)
              GROUP BY endpoint, coalesce(region, ''), coalesce(lane, ''),
                       coalesce(checkpoint, '')) AS p
    ) AS d
    LEFT JOIN (SELECT endpoint, coalesce(region, '') AS region, coalesce(lane, '') AS lane,
                      coalesce(checkpoint, '') AS checkpoint,
                      CAST(floor(epoch(occurred_at) / 3600) AS BIGINT) AS hour,
                      count(*) AS requests
               FROM requests WHERE endpoint IN (SELECT endpoint FROM windows)
               GROUP BY endpoint, coalesce(region, ''), coalesce(lane, ''),
                        coalesce(checkpoint, ''),
                        CAST(floor(epoch(occurred_at) / 3600) AS BIGINT)) AS h
      ON h.endpoint = d.endpoint AND h.region = d.region AND h.lane = d.lane
     AND h.checkpoint = d.checkpoint AND h.hour = d.hour
    """,
    "Requests by endpoint, region, lane, stamped checkpoint and hour, and how many before.",
    uses=(WINDOWS,),
)
