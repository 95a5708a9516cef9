"""What came of it: tickets, the first valid run against the run before, and what was done."""

from casework.case import Query
from casework.diagnoses._stale_blind import EXPOSURE
from casework.diagnoses._stale_runs import FIRSTS, MATCHES, RUNS
from casework.diagnoses._stale_served import LABELLED, PUSHES

_ABOUT = """
    FROM tickets AS t
    CROSS JOIN (SELECT began_at FROM firsts WHERE config = $config) AS w
    WHERE (t.observed_at IS NULL OR t.reported_at < w.began_at OR t.observed_at >= w.began_at)
      AND (t.endpoint IS NULL OR $endpoint = '' OR t.endpoint = $endpoint)
"""

ENDPOINT = Query(
    "endpoint",
    """
    SELECT max(q.endpoint) AS endpoint, count(DISTINCT q.endpoint) AS endpoints
    FROM labelled AS q
    JOIN firsts AS f ON f.prompt_name = q.prompt_name
    WHERE f.config = $config AND q.occurred_at <= f.last_served
      AND q.occurred_at >= f.first_served
    """,
    "The endpoint of the configuration's prompt, where there is one alone.",
    uses=(LABELLED, FIRSTS),
)

BASE_RATE = Query(
    "base_rate",
    f"""
    SELECT CAST(floor(epoch(t.reported_at) / 3600) AS BIGINT) % 24 AS hour, count(*) AS tickets,
           min(t.reported_at) AS first
    {_ABOUT} AND t.reported_at < w.began_at
    GROUP BY CAST(floor(epoch(t.reported_at) / 3600) AS BIGINT) % 24 ORDER BY hour
    """,
    "Tickets before the configuration began, by hour of the day, UTC.",
    uses=(FIRSTS,),
)

TICKETS_AFTER = Query(
    "tickets_after",
    f"""
    SELECT t.ticket_id, t.reported_at, t.account_id, w.began_at
    {_ABOUT} AND t.reported_at >= w.began_at
    ORDER BY t.reported_at, t.ticket_id LIMIT 5000
    """,
    "Tickets after the configuration began (at most 5,000, the earliest first).",
    uses=(FIRSTS,),
)

TICKETS_SHOWN = Query(
    "tickets_shown",
    """
    SELECT t.ticket_id, t.reported_at
    FROM tickets AS t
    CROSS JOIN (SELECT min(began_at) AS began_at, max(coalesce(evaluated_at, last_served)) AS until
                FROM firsts WHERE config = $config) AS w
    WHERE t.reported_at >= w.began_at - INTERVAL 1 DAY
      AND t.reported_at <= w.until + INTERVAL 1 DAY
    ORDER BY abs(epoch(t.reported_at) - epoch(w.until)), t.ticket_id LIMIT 400
    """,
    "Tickets from a day before the configuration began to a day after its first valid run (at "
    "most 400).",
    uses=(FIRSTS,),
)

COMPLAINTS = Query(
    "complaints",
    """
    SELECT count(DISTINCT e.account_id) AS accounts,
           count(DISTINCT t.account_id) AS complained
    FROM (SELECT account_id FROM exposure
          WHERE config = $config AND blind > 0 AND account_id IS NOT NULL) AS e
    CROSS JOIN (SELECT began_at FROM firsts WHERE config = $config) AS w
    LEFT JOIN tickets AS t
      ON t.account_id = e.account_id AND coalesce(t.observed_at, t.reported_at) >= w.began_at
    """,
    "Accounts that met the configuration before it was evaluated, and those of them that wrote a "
    "ticket after it began.",
    uses=(FIRSTS, EXPOSURE),
)

COMPARED = Query(
    "compared",
    """
    SELECT v.run_id AS valid_run, v.suite, v.score AS score_after, v.n_items AS items_after,
           v.dataset_hash, v.ended_at AS valid_at,
           b.run_id AS run_before, b.score AS score_before, b.n_items AS items_before,
           b.params_hash = v.params_hash AS same_params,
           b.checkpoint = v.checkpoint AS same_checkpoint
    FROM firsts AS f
    JOIN matches AS m ON m.config = f.config AND m.ended_at = f.evaluated_at
    JOIN runs AS v ON v.run_id = m.run_id
    JOIN runs AS b
      ON b.suite = v.suite AND b.run_id <> v.run_id AND b.ended_at <= v.ended_at
     AND (b.prompt_name IS NULL OR f.prompt_name = '' OR b.prompt_name = f.prompt_name)
     AND (b.dataset_hash IS NULL OR v.dataset_hash IS NULL OR b.dataset_hash = v.dataset_hash)
    LEFT JOIN matches AS same ON same.config = f.config AND same.run_id = b.run_id
    WHERE f.config = $config AND same.run_id IS NULL
    ORDER BY b.ended_at DESC, v.run_id, b.run_id LIMIT 1
    """,
    "The first valid run of the configuration and the last run before it of another one, on the "
    "same suite.",
    uses=(FIRSTS, MATCHES, RUNS),
)

PAIRS = Query(
    "pairs",
    """
    SELECT a.item_id, b.score AS first, a.score AS second
    FROM (SELECT item_id, avg(score) AS score FROM eval_samples
          WHERE run_id = $valid_run AND score IS NOT NULL
            AND (condition IS NULL OR condition IN ('as_run', 'replay')) GROUP BY item_id) AS a
    JOIN (SELECT item_id, avg(score) AS score FROM eval_samples
          WHERE run_id = $run_before AND score IS NOT NULL
            AND (condition IS NULL OR condition IN ('as_run', 'replay')) GROUP BY item_id) AS b
      ON b.item_id = a.item_id
    ORDER BY a.item_id
    """,
    "Scores of the same items in both runs.",
)

ACTED = Query(
    "acted",
    """
    SELECT p.pushed_at, p.version
    FROM pushes AS p
    JOIN firsts AS f ON f.prompt_name = p.prompt_name OR f.prompt_name = ''
    WHERE f.config = $config AND f.evaluated_at IS NOT NULL AND p.pushed_at >= f.evaluated_at
      AND p.version IS DISTINCT FROM f.version
    ORDER BY p.pushed_at, p.version LIMIT 1
    """,
    "The first push of another version after the first valid run.",
    uses=(PUSHES, FIRSTS),
)

SCORES = Query(
    "scores",
    """
    SELECT r.run_id, r.suite, r.ended_at, r.score, r.n_items, r.label,
           m.config IS NOT NULL AS is_of_config
    FROM runs AS r
    LEFT JOIN matches AS m ON m.run_id = r.run_id AND m.config = $config
    CROSS JOIN (SELECT evaluated_at FROM firsts WHERE config = $config) AS f
    WHERE r.score IS NOT NULL AND r.ended_at IS NOT NULL AND r.suite = $suite
    ORDER BY abs(epoch(r.ended_at) - epoch(f.evaluated_at)), r.run_id LIMIT 500
    """,
    "Scores of the suite over time, and which of them are of the configuration (at most 500, those "
    "nearest to its first valid run first).",
    uses=(RUNS, MATCHES, FIRSTS),
)

FROZEN = Query(
    "frozen",
    """
    SELECT r.suite, r.run_before, r.run_id, r.crosses_push, r.reloaded, count(*) AS items,
           count(*) FILTER (WHERE a.output_text = b.output_text) AS identical
    FROM (
        SELECT suite, run_id, ended_at,
               lag(run_id) OVER next_one AS run_before,
               EXISTS (SELECT 1 FROM pushes AS p WHERE p.pushed_at > o.before_started
                       AND p.pushed_at <= o.started_at) AS crosses_push,
               label IS DISTINCT FROM lag(label) OVER next_one AS reloaded
        FROM (SELECT *, lag(started_at) OVER (PARTITION BY suite ORDER BY ended_at, run_id)
                     AS before_started FROM runs WHERE ended_at IS NOT NULL) AS o
        WINDOW next_one AS (PARTITION BY suite ORDER BY ended_at, run_id)
    ) AS r
    JOIN eval_samples AS a ON a.run_id = r.run_id
    JOIN eval_samples AS b
      ON b.run_id = r.run_before AND b.item_id = a.item_id
     AND b.epoch IS NOT DISTINCT FROM a.epoch AND b.condition IS NOT DISTINCT FROM a.condition
    WHERE a.output_text IS NOT NULL AND b.output_text IS NOT NULL
    GROUP BY r.suite, r.run_before, r.run_id, r.crosses_push, r.reloaded
    ORDER BY r.suite, r.run_id
    """,
    "Answers that are the same byte by byte in two runs one after the other, across a push or not, "
    "and with a configuration read anew or not.",
    uses=(PUSHES, RUNS),
)
