"""How fast people judged: the questions of `debug_feedback` on the pace of clicks."""

from casework.case import Query

COARSE = Query(
    "coarse",
    """
    SELECT count(*) AS events,
           count(*) FILTER (WHERE occurred_at <> date_trunc('minute', occurred_at)) AS finer
    FROM feedback
    """,
    "Whether times of feedback are finer than a minute, as a test of quick clicks needs.",
)

BURSTS = Query(
    "bursts",
    """
    SELECT DISTINCT feedback_id
    FROM (SELECT feedback_id, occurred_at, about,
                 lag(occurred_at) OVER (PARTITION BY clicker ORDER BY occurred_at, feedback_id)
                     AS before_at,
                 lag(about) OVER (PARTITION BY clicker ORDER BY occurred_at, feedback_id)
                     AS about_before,
                 lead(occurred_at) OVER (PARTITION BY clicker ORDER BY occurred_at, feedback_id)
                     AS after_at,
                 lead(about) OVER (PARTITION BY clicker ORDER BY occurred_at, feedback_id)
                     AS about_after
          FROM (SELECT feedback_id, occurred_at, coalesce(user_id, session_id) AS clicker,
                       coalesce(request_id, correction, comment, feedback_id) AS about
                FROM feedback
                WHERE $fine AND coalesce(user_id, session_id) IS NOT NULL))
    WHERE (about <> about_before AND occurred_at < before_at + INTERVAL 1 SECOND)
       OR (about <> about_after AND after_at < occurred_at + INTERVAL 1 SECOND)
    """,
    "Feedback within one second of other feedback of the same person about something else. A "
    "retry is about the same.",
)
