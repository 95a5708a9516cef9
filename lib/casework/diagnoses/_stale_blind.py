"""What was served before it was evaluated: requests, customers, time, with the clocks' error."""

from casework.case import Query
from casework.diagnoses._in_order import in_order
from casework.diagnoses._retrieval import RETRIEVAL_MOVES
from casework.diagnoses._stale_runs import FIRSTS, MATCHES, RUNS
from casework.diagnoses._stale_served import CONFIGS, LABELLED, PUSHES, SERVED, TRAFFIC

_EARLIEST = "TIMESTAMPTZ '1900-01-01 00:00:00+00'"
_LATEST = "TIMESTAMPTZ '9999-12-31 00:00:00+00'"
"""SQL: before and after all that is recorded."""

EXPOSURE = Query(
    "exposure",
    f"""
    SELECT f.config, q.account_id, count(*) AS requests, count(q.decision) AS decisions,
           count(*) FILTER (WHERE q.occurred_at < f.blind_until) AS blind,
           count(q.decision) FILTER (WHERE q.occurred_at < f.blind_until) AS blind_decisions,
           count(*) FILTER (WHERE q.occurred_at < f.least_until) AS blind_least,
           count(*) FILTER (WHERE q.occurred_at < f.most_until) AS blind_most,
           count(*) FILTER (WHERE q.occurred_at >= f.doubt_from
                            AND q.occurred_at < f.doubt_until) - blind_most AS doubtful,
           count(*) FILTER (WHERE q.occurred_at < f.record_until) AS before_the_record
    FROM labelled AS q
    JOIN (
        SELECT *,
               CASE WHEN NOT older_than_the_record THEN coalesce(evaluated_at, {_LATEST})
                    ELSE {_EARLIEST} END AS blind_until,
               CASE WHEN NOT older_than_the_record AND NOT unsettled AND NOT apart
                    THEN coalesce(evaluated_at - INTERVAL 1 SECOND * $clock_error_s, {_LATEST})
                    ELSE {_EARLIEST} END AS least_until,
               CASE WHEN NOT older_than_the_record
                    THEN coalesce(evaluated_at + INTERVAL 1 SECOND * $clock_error_s, {_LATEST})
                    ELSE {_EARLIEST} END AS most_until,
               CASE WHEN NOT older_than_the_record THEN {_EARLIEST}
                    WHEN known_at IS DISTINCT FROM evaluated_at THEN evaluated_at
                    ELSE {_LATEST} END AS doubt_from,
               CASE WHEN evaluated_at IS NULL THEN {_LATEST}
                    ELSE coalesce(known_at + INTERVAL 1 SECOND * $clock_error_s, {_LATEST})
                    END AS doubt_until,
               CASE WHEN older_than_the_record THEN evaluated_at
                    ELSE {_EARLIEST} END AS record_until
        FROM firsts
    ) AS f
      ON f.prompt_name = q.prompt_name
     AND f.prompt_hash IS NOT DISTINCT FROM q.prompt_hash
     AND f.params_hash IS NOT DISTINCT FROM q.params_hash
     AND f.checkpoint IS NOT DISTINCT FROM q.checkpoint
     AND f.model IS NOT DISTINCT FROM q.model
     AND f.label IS NOT DISTINCT FROM CASE WHEN q.prompt_hash IS NULL THEN q.label END
    GROUP BY f.config, q.account_id
    """,  # noqa: S608  the text is put together of constants
    "Requests by configuration and account, and those before its first completed run: as the "
    "clocks say, at least and at most; then those for which no run before is known to be of it.",
    uses=(LABELLED, FIRSTS),
)

BY_CONFIG = Query(
    "by_config",
    """
    SELECT f.config, f.prompt_name, f.version, f.prompt_hash, f.params_hash, f.checkpoint,
           f.model, f.known_at, f.doubt, f.apart, CAST(x.doubtful AS BIGINT) AS doubtful,
           f.known_by, f.began_at, f.first_served, f.last_served, f.evaluated_at, f.by_label_at,
           f.unsettled, f.older_than_the_record, f.runs_until,
           CAST(x.requests AS BIGINT) AS requests, CAST(x.blind AS BIGINT) AS blind,
           CAST(x.blind_least AS BIGINT) AS blind_least, CAST(x.blind_most AS BIGINT) AS blind_most,
           x.blind_accounts, CAST(x.before_the_record AS BIGINT) AS before_the_record
    FROM firsts AS f
    JOIN (SELECT config, sum(requests) AS requests, sum(blind) AS blind,
                 sum(blind_least) AS blind_least, sum(blind_most) AS blind_most,
                 count(DISTINCT account_id) FILTER (WHERE blind > 0) AS blind_accounts,
                 sum(doubtful) AS doubtful, sum(before_the_record) AS before_the_record
          FROM exposure GROUP BY config) AS x ON x.config = f.config
    ORDER BY blind DESC, f.began_at, f.config LIMIT 2000
    """,
    "Each configuration with its requests, those before its first completed run, and when both "
    "began (at most 2,000, those with most blind requests first).",
    uses=(FIRSTS, EXPOSURE),
)

TOTALS = Query(
    "totals",
    """
    SELECT c.configs, c.never_evaluated, c.unsettled_only, t.records AS served,
           CAST(coalesce(x.requests, 0) AS BIGINT) AS requests,
           CAST(coalesce(x.blind, 0) AS BIGINT) AS blind,
           CAST(coalesce(x.blind_least, 0) AS BIGINT) AS blind_least,
           CAST(coalesce(x.blind_most, 0) AS BIGINT) AS blind_most,
           CAST(coalesce(x.hashed_least, 0) AS BIGINT) AS hashed_least,
           CAST(coalesce(x.blind_decisions, 0) AS BIGINT) AS blind_decisions,
           CAST(coalesce(x.before_the_record, 0) AS BIGINT) AS before_the_record,
           CAST(coalesce(x.doubtful, 0) AS BIGINT) AS doubtful,
           x.accounts, x.blind_accounts
    FROM (SELECT count(*) AS configs,
                 count(*) FILTER (WHERE evaluated_at IS NULL) AS never_evaluated,
                 count(*) FILTER (WHERE unsettled) AS unsettled_only
          FROM firsts) AS c
    CROSS JOIN (SELECT CAST(coalesce(sum(requests), 0) AS BIGINT) AS records FROM minutes) AS t
    CROSS JOIN (
        SELECT sum(e.requests) AS requests, sum(e.blind) AS blind,
               sum(e.blind_least) AS blind_least, sum(e.blind_most) AS blind_most,
               sum(e.blind_least) FILTER (WHERE f.known_by = 'rendered_hash') AS hashed_least,
               sum(e.blind_decisions) AS blind_decisions,
               sum(e.before_the_record) AS before_the_record, sum(e.doubtful) AS doubtful,
               count(DISTINCT e.account_id) AS accounts,
               count(DISTINCT e.account_id) FILTER (WHERE e.blind > 0) AS blind_accounts
        FROM exposure AS e JOIN firsts AS f ON f.config = e.config
    ) AS x
    """,
    "Configurations, requests and accounts in all, and those that were not evaluated before.",
    uses=(SERVED, FIRSTS, EXPOSURE),
)

_PACE = """greatest({own} - 2 * sqrt({own}), 0) / greatest({all} - {own}, 1)"""

GAPS = Query(
    "gaps",
    f"""
    SELECT config, prompt_name, minute, requests, first, last, next_request,
           so_far - traffic - so_far_before AS others,
           {_PACE.format(own="own_before", all="(so_far_before - so_far_start)")} AS pace_before,
           {_PACE.format(own="own_after", all="(so_far_end - so_far + traffic)")} AS pace_after
    FROM (
        SELECT m.config, m.prompt_name, m.minute, m.requests, m.first, m.last, t.next_request,
               t.requests AS traffic, t.so_far,
               lag(t.so_far) OVER by_minute AS so_far_before,
               first_value(t.so_far - t.requests) OVER by_minute AS so_far_start,
               max(t.so_far) OVER (PARTITION BY m.config) AS so_far_end,
               sum(m.requests) OVER by_minute - m.requests AS own_before,
               sum(m.requests) OVER (PARTITION BY m.config)
                   - sum(m.requests) OVER by_minute + m.requests AS own_after
        FROM (SELECT config, prompt_name, minute, sum(requests) AS requests,
                     min(first) AS first, max(last) AS last
              FROM served GROUP BY config, prompt_name, minute) AS m
        JOIN traffic AS t ON t.prompt_name = m.prompt_name AND t.minute = m.minute
        WINDOW by_minute AS (PARTITION BY m.config ORDER BY m.minute)
    )
    """,  # noqa: S608  the text is put together of constants
    "Each minute in which a configuration was served, the traffic of its prompt that went on "
    "without it since the minute before, and its share before and after, at the lower end of what "
    "chance allows.",
    uses=(SERVED, TRAFFIC),
)

SPELLS = Query(
    "spells",
    """
    SELECT config, prompt_name, starts_at, last_served, requests,
           greatest(last_served, least(coalesce(next_push, next_request, last_served),
                                       coalesce(next_request, next_push, last_served)))
               AS ends_at
    FROM (
        SELECT g.config, g.prompt_name, min(g.first) AS starts_at, max(g.last) AS last_served,
               CAST(sum(g.requests) AS BIGINT) AS requests,
               max_by(g.next_request, g.minute) AS next_request,
               (SELECT min(u.pushed_at) FROM pushes AS u
                WHERE u.prompt_name = g.prompt_name AND u.pushed_at > max(g.last)) AS next_push
        FROM (SELECT *, sum(CASE WHEN others * least(pace_before, pace_after) >= 20 THEN 1
                                 ELSE 0 END)
                        OVER (PARTITION BY config ORDER BY minute) AS spell
              FROM gaps) AS g
        GROUP BY g.config, g.prompt_name, g.spell
    )
    ORDER BY config, starts_at
    """,
    "When each configuration was served. A spell ends where traffic of its prompt went on without "
    "it, so much that twenty requests of it would be expected, and lasts until the next push or "
    "the next request of the prompt.",
    uses=(PUSHES, GAPS),
)

OTHER_NAMES = Query(
    "other_names",
    """
    SELECT f.config, r.run_id, r.suite, r.prompt_name, r.ended_at,
           coalesce(r.params_hash = f.params_hash, TRUE)
               AND coalesce(r.checkpoint = f.checkpoint, TRUE) AS is_whole,
           count(*) OVER (PARTITION BY f.config, is_whole) AS runs
    FROM firsts AS f
    JOIN runs AS r ON r.prompt_hash = f.prompt_hash
    LEFT JOIN matches AS m ON m.config = f.config AND m.run_id = r.run_id
    WHERE m.run_id IS NULL AND NOT f.older_than_the_record
      AND (f.evaluated_at IS NULL OR f.evaluated_at > f.first_served)
      AND r.ended_at IS NOT NULL AND r.ended_at <= f.last_served
      AND (f.evaluated_at IS NULL OR r.ended_at < f.evaluated_at)
    QUALIFY row_number() OVER (PARTITION BY f.config, is_whole ORDER BY r.ended_at, r.run_id) = 1
    ORDER BY is_whole DESC, f.config
    """,
    "Completed runs with the prompt of a blind configuration, before its first valid run: how "
    "many, and the first, under another prompt name where nothing else is known to differ, and "
    "with other parameters or another checkpoint.",
    uses=(FIRSTS, RUNS, MATCHES),
)

RUNS_IN_WINDOW = Query(
    "runs_in_window",
    """
    SELECT count(*) AS runs, count(r.prompt_hash) AS hashed, max(r.ended_at) AS last_ended,
           count(*) FILTER (WHERE r.prompt_hash IS NOT NULL OR r.label IS NOT NULL) AS identified,
           count(*) FILTER (WHERE w.prompt_name <> '' AND r.prompt_name <> w.prompt_name)
               AS of_another
    FROM (SELECT min(began_at) AS began_at, min(prompt_name) AS prompt_name,
                 max(coalesce(evaluated_at, last_served)) AS until
          FROM firsts WHERE config = $config) AS w
    JOIN runs AS r ON r.ended_at >= w.began_at AND r.ended_at < w.until
    """,
    "Runs that were completed between the beginning of the configuration and its first valid run.",
    uses=(FIRSTS, RUNS),
)

CADENCE = Query(
    "cadence",
    """
    SELECT count(*) AS runs, max(ended_at) AS last_ended,
           max(epoch(ended_at) - epoch(before)) AS longest_gap_s
    FROM (SELECT ended_at, lag(ended_at) OVER (ORDER BY ended_at) AS before
          FROM runs WHERE ended_at IS NOT NULL)
    """,
    "How regularly runs were completed: the longest time between two of them.",
    uses=(RUNS,),
)

ALL_ROWS = Query(
    "all_rows",
    "SELECT count(*) AS rows, count(DISTINCT environment) AS environments FROM requests",
    "All records of requests, retries and other environments included.",
)

REVENUE = Query(
    "revenue",
    f"""
    SELECT CAST(count(*) AS BIGINT) AS accounts, {in_order("sum", "a.revenue")} AS revenue
    FROM (SELECT account_id FROM exposure WHERE blind > 0 AND account_id IS NOT NULL
          GROUP BY account_id) AS e
    JOIN accounts AS a ON a.account_id = e.account_id WHERE a.revenue IS NOT NULL
    """,  # noqa: S608  the text is put together of constants
    "Revenue of the accounts that met a configuration before it was evaluated.",
    uses=(EXPOSURE,),
)

INDEX_MOVED = Query(
    "index_moved",
    """
    SELECT CAST(coalesce(sum(requests), 0) AS BIGINT) AS requests,
           count(DISTINCT config) AS configs, min(moved_at) AS first_moved
    FROM (
        SELECT config, requests, max(moved_at) OVER so_far AS moved_at,
               max(run_started) OVER so_far AS run_started
        FROM (
            SELECT config, last AS moment, requests, CAST(NULL AS TIMESTAMPTZ) AS moved_at,
                   CAST(NULL AS TIMESTAMPTZ) AS run_started
            FROM served WHERE last >= (SELECT min(occurred_at) FROM retrieval_moves)
            UNION ALL
            SELECT c.config, e.occurred_at, 0, e.occurred_at, NULL
            FROM (SELECT config, last_served,
                         min(first_served) OVER (PARTITION BY prompt_name, params_hash) AS since
                  FROM configs) AS c
            JOIN retrieval_moves AS e
              ON e.occurred_at > c.since AND e.occurred_at <= c.last_served
            UNION ALL
            SELECT config, ended_at, 0, NULL, started_at FROM matches
        )
        WINDOW so_far AS (PARTITION BY config ORDER BY moment)
    )
    WHERE run_started < moved_at AND requests > 0
    """,
    "Requests that met a scored configuration after index or tools had changed and before it was "
    "scored again. A change counts where parameters of the same hash were served on both sides of "
    "it, so that the hash does not hold it.",
    uses=(CONFIGS, SERVED, MATCHES, RETRIEVAL_MOVES),
)
