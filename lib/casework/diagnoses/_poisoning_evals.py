"""What `feedback_poisoning` asks about the eval set, its scores and where its items came from."""

from casework.case import Query
from casework.diagnoses._config_changes import CONFIG_CHANGES

RUNS = Query(
    "graded_runs",
    """
    SELECT run_id, suite, started_at, harness,
           nullif(concat_ws(' ', harness, harness_version, attributes ->> '$.judge',
                            attributes ->> '$.judge_model'), '') AS grader
    FROM eval_runs
    """,
    "Eval runs, and who graded each: harness, version, and judge, as far as they are named.",
)

SOURCES = Query(
    "sources",
    """
    SELECT named.source_event_id, named.request_id, max(f.signal) AS signal,
           max(coalesce(q.account_id, f.account_id)) AS account_id, max(q.tier) AS tier
    FROM (SELECT request_id AS source_event_id, request_id FROM requests
          WHERE request_id IN (SELECT coalesce(source_event_id, item_id) FROM eval_samples)
          UNION
          SELECT feedback_id, request_id FROM feedback
          WHERE feedback_id IN (SELECT source_event_id FROM eval_samples)
            AND request_id IS NOT NULL) AS named
    LEFT JOIN feedback AS f ON f.request_id = named.request_id
    LEFT JOIN (SELECT request_id, min(account_id) AS account_id, min(tier) AS tier FROM requests
               WHERE request_id IN (SELECT coalesce(source_event_id, item_id) FROM eval_samples)
                  OR request_id IN (SELECT request_id FROM feedback WHERE feedback_id IN (
                                        SELECT source_event_id FROM eval_samples))
               GROUP BY request_id) AS q ON q.request_id = named.request_id
    GROUP BY named.source_event_id, named.request_id
    """,
    "Requests that items were made from, by themselves, by their id or by a thumb, with their "
    "account and the thumb they got.",
)

SUITES = Query(
    "suites",
    """
    SELECT r.suite, count(DISTINCT date_trunc('week', r.started_at)) AS weeks,
           count(DISTINCT s.item_id) AS items,
           count(DISTINCT s.item_id) FILTER (
               WHERE s.source_event_id IN (SELECT source_event_id FROM sources)
                  OR s.source_event_id IN (SELECT feedback_id FROM feedback)) AS from_traffic,
           min(r.started_at) AS first, max(r.started_at) AS last,
           min(date_trunc('week', r.started_at)) AS first_week,
           max(date_trunc('week', r.started_at)) AS last_week
    FROM eval_samples AS s JOIN eval_runs AS r ON r.run_id = s.run_id
    WHERE s.score IS NOT NULL AND coalesce(s.condition, 'as_run') = 'as_run'
      AND coalesce(s.kind, 'utility') = 'utility'
    GROUP BY r.suite ORDER BY weeks DESC, items DESC, r.suite
    """,
    "Suites with scored items, over how many weeks, and how many items came from traffic.",
    uses=(SOURCES,),
)

SCORED = Query(
    "scored",
    """
    SELECT s.item_id, date_trunc('week', r.started_at) AS week, round(avg(s.score), 9) AS score,
           max(coalesce(s.topic, s.category)) AS topic, max(s.input_text) AS input_text,
           max(s.account_id) AS account_id, max(lower(trim(coalesce(s.tier, a.tier)))) AS tier,
           max(s.source_event_id) AS source_event_id, min(s.added_at) AS added_at
    FROM eval_samples AS s JOIN eval_runs AS r ON r.run_id = s.run_id
    LEFT JOIN accounts AS a ON a.account_id = s.account_id
    WHERE r.suite = $suite AND s.score IS NOT NULL
      AND coalesce(s.condition, 'as_run') = 'as_run' AND coalesce(s.kind, 'utility') = 'utility'
    GROUP BY s.item_id, week
    """,
    "The score of each item in each week in which it was run.",
)

FIXED = Query(
    "fixed",
    """
    SELECT item_id FROM scored GROUP BY item_id
    HAVING count(*) >= 0.9 * (SELECT count(DISTINCT week) FROM scored)
       AND min(week) = (SELECT min(week) FROM scored)
       AND max(week) = (SELECT max(week) FROM scored)
    """,
    "Items that were in the set from the first week to the last.",
    uses=(SCORED,),
)

WEEKS = Query(
    "weeks",
    """
    SELECT s.week, count(*) AS items, round(avg(s.score), 9) AS score,
           round(stddev_samp(s.score), 9) AS spread,
           count(f.item_id) AS fixed_items,
           round(avg(CASE WHEN f.item_id IS NOT NULL THEN s.score END), 9) AS fixed_score
    FROM scored AS s LEFT JOIN fixed AS f ON f.item_id = s.item_id
    GROUP BY s.week ORDER BY s.week
    """,
    "The eval score by week: of all items, and of those that were there all the time.",
    uses=(SCORED, FIXED),
)

ENDS = Query(
    "ends",
    """
    SELECT item_id, max(topic) AS topic,
           max(CASE WHEN week = $first_week THEN score END) AS first_score,
           max(CASE WHEN week = $last_week THEN score END) AS last_score
    FROM scored WHERE week = $first_week OR week = $last_week
    GROUP BY item_id ORDER BY item_id
    """,
    "Each item of the first and of the last week with its scores in both.",
    uses=(SCORED,),
)

ITEMS = Query(
    "items",
    """
    SELECT s.item_id, s.score, s.topic, s.input_text, s.added_at,
           coalesce(s.tier, lower(trim(coalesce(i.tier, a.tier)))) AS tier,
           coalesce(s.account_id, f.account_id, i.account_id) AS account_id,
           coalesce(f.request_id, g.request_id) AS request_id,
           CASE WHEN f.signal > 0 OR g.signal > 0 THEN 'thumb up'
                WHEN f.signal < 0 OR g.signal < 0 THEN 'thumb down'
                WHEN g.request_id IS NOT NULL THEN 'request'
                ELSE 'unknown' END AS origin
    FROM scored AS s
    LEFT JOIN feedback AS f ON f.feedback_id = s.source_event_id
    LEFT JOIN sources AS g
      ON g.request_id = s.source_event_id AND g.source_event_id = s.source_event_id
    LEFT JOIN (SELECT source_event_id, min(account_id) AS account_id, min(tier) AS tier
               FROM sources GROUP BY source_event_id) AS i
      ON i.source_event_id = s.source_event_id
    LEFT JOIN accounts AS a
      ON a.account_id = coalesce(s.account_id, f.account_id, i.account_id)
    WHERE s.week = $last_week ORDER BY md5(s.item_id), s.item_id
    """,
    "The eval set as it is in the last week: each item, its score, and what it was made from.",
    uses=(SCORED, SOURCES),
)

FRESH = Query(
    "fresh",
    """
    SELECT r.suite, s.item_id, round(avg(s.score), 9) AS score,
           max(coalesce(s.account_id, g.account_id, s.item_id)) AS account,
           min(r.started_at) AS graded_at,
           min(r.harness) AS harness, min(coalesce(r.grader, '')) AS grader,
           max(coalesce(r.grader, '')) AS other_grader,
           max(g.request_id) AS request_id, max(g.signal) AS signal
    FROM eval_samples AS s JOIN graded_runs AS r ON r.run_id = s.run_id
    LEFT JOIN sources AS g ON g.source_event_id = coalesce(s.source_event_id, s.item_id)
    LEFT JOIN accounts AS a ON a.account_id = coalesce(s.account_id, g.account_id)
    WHERE s.score IS NOT NULL AND coalesce(s.kind, 'utility') = 'utility'
      AND r.started_at >= $middle
      AND CASE WHEN $by = 'churned' THEN a.churned_at IS NOT NULL
               ELSE lower(trim(coalesce(s.tier, g.tier, a.tier))) = $target END
      AND ((s.condition = 'replay' AND s.item_id NOT IN (SELECT item_id FROM scored))
           OR (coalesce(s.condition, 'as_run') = 'as_run' AND s.source_event_id IS NOT NULL
               AND g.request_id IS NOT NULL))
    GROUP BY r.suite, s.item_id ORDER BY r.suite, s.item_id
    """,
    "Questions of the target customers that were graded, by suite, with the thumb they got.",
    uses=(SCORED, SOURCES, RUNS),
)

UNTRACED = Query(
    "untraced",
    """
    SELECT count(DISTINCT s.item_id) AS questions
    FROM eval_samples AS s JOIN graded_runs AS r ON r.run_id = s.run_id
    LEFT JOIN sources AS g ON g.source_event_id = s.source_event_id
    LEFT JOIN accounts AS a ON a.account_id = s.account_id
    WHERE s.score IS NOT NULL AND coalesce(s.kind, 'utility') = 'utility'
      AND r.suite <> $suite AND r.started_at >= $middle
      AND CASE WHEN $by = 'churned' THEN a.churned_at IS NOT NULL
               ELSE lower(trim(coalesce(s.tier, a.tier))) = $target END
      AND coalesce(s.condition, 'as_run') = 'as_run' AND g.request_id IS NULL
    """,
    "Questions of the target customers in other suites of which nothing says that they are "
    "requests.",
    uses=(SOURCES, RUNS),
)

GRADED_BY = Query(
    "graded_by",
    """
    SELECT DISTINCT harness, grader FROM graded_runs
    WHERE suite = $suite AND date_trunc('week', started_at) = $last_week
      AND run_id IN (SELECT run_id FROM eval_samples WHERE score IS NOT NULL)
    ORDER BY harness, grader
    """,
    "Who graded the eval of the last week.",
    uses=(RUNS,),
)

GRADERS = Query(
    "graders",
    """
    SELECT occurred_at, what, before, after FROM (
        SELECT occurred_at, key AS what, before, after
        FROM config_changes
        WHERE lower(key) LIKE '%judge%' OR lower(key) LIKE '%grader%'
           OR lower(key) LIKE '%scorer%' OR lower(key) LIKE '%rubric%'
        UNION ALL
        SELECT started_at, 'harness', lag(grader) OVER in_time, grader
        FROM graded_runs WHERE suite = $suite WINDOW in_time AS (ORDER BY started_at, run_id))
    WHERE before IS DISTINCT FROM after AND (what <> 'harness' OR before IS NOT NULL)
      AND occurred_at >= $opened_at AND occurred_at <= $closed_at
    ORDER BY occurred_at, what
    """,
    "Changes of the judge or of the harness while the eval ran.",
    uses=(CONFIG_CHANGES, RUNS),
)
