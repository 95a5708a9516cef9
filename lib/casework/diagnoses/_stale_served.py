"""Which configurations were served, when, and from when on: questions to `requests`.

A configuration is a prompt, its hash, the hash of its parameters and its checkpoint; where there
is no hash, the label of the prompt's version, or the version that was pushed last. Requests are
counted by the minute once, so that what follows reads thousands of rows and not millions. Where
requests and runs name models alike, the name of the model that answered tells them apart too.
"""

from casework.case import Query
from casework.diagnoses._answers import is_answer
from casework.diagnoses._environments import of_environment

REPEATED = Query(
    "repeated",
    """
    SELECT request_id, min(occurred_at) AS first, count(*) AS times
    FROM requests
    WHERE request_id IN (SELECT request_id FROM requests GROUP BY request_id HAVING count(*) > 1)
    GROUP BY request_id
    """,
    "Requests whose id occurs more than once: retries, of which the earliest counts.",
)

HASHES = Query(
    "hashes",
    """
    SELECT coalesce(prompt_name, '') AS prompt_name, count(prompt_hash) AS requests,
           approx_count_distinct(prompt_hash) AS hashes,
           approx_count_distinct(prompt_hash) >= 20
               AND approx_count_distinct(prompt_hash) > count(prompt_hash) / 2 AS one_a_request
    FROM requests GROUP BY coalesce(prompt_name, '') ORDER BY prompt_name
    """,
    "Hashes of each prompt, about. Where nearly every request has its own, the variables were not "
    "masked before hashing, and the hash names no configuration.",
)

PROMPT_HASHES = Query(
    "prompt_hashes",
    "SELECT prompt_hash FROM requests WHERE prompt_hash IS NOT NULL GROUP BY prompt_hash",
    "The hashes of prompts that were served, each once: whatever is asked of a hash is asked of "
    "these, and not of each request.",
)

_DIGITS = "lower(regexp_replace(prompt_hash, '^[A-Za-z0-9]+[:-]', '')) AS digits"
"""SQL: a hash without the name of its algorithm."""

SPELLED = Query(
    "spelled",
    f"""
    SELECT e.prompt_hash, min(q.prompt_hash) AS served
    FROM (SELECT prompt_hash, {_DIGITS}
          FROM (SELECT prompt_hash FROM eval_runs
                EXCEPT SELECT prompt_hash FROM prompt_hashes)) AS e
    JOIN (SELECT prompt_hash, {_DIGITS} FROM prompt_hashes) AS q
      ON left(q.digits, 12) = left(e.digits, 12) AND q.prompt_hash <> e.prompt_hash
     AND (starts_with(q.digits, e.digits) OR starts_with(e.digits, q.digits))
    WHERE length(q.digits) >= 12 AND regexp_full_match(e.digits, '[0-9a-f]{{12,}}')
    GROUP BY e.prompt_hash HAVING count(*) = 1
    """,  # noqa: S608  the text is put together of constants
    "Hashes of runs that no request has, and that are the beginning of one hash of requests, or "
    "the other way round, in small letters and without the name of the algorithm.",
    uses=(PROMPT_HASHES,),
)

IN_COMMON = Query(
    "in_common",
    """
    SELECT part, count(DISTINCT served) AS served, count(DISTINCT evaluated) AS evaluated,
           count(DISTINCT CASE WHEN evaluated = value THEN served END) AS in_common
    FROM (
        SELECT v.part, v.value, v.value AS served, r.value AS evaluated
        FROM (SELECT 'prompt_hash' AS part, prompt_hash AS value FROM prompt_hashes
              UNION SELECT 'params_hash', params_hash FROM requests
              UNION SELECT 'checkpoint', checkpoint FROM requests
              UNION SELECT 'prompt_name', prompt_name FROM requests) AS v
        JOIN (SELECT DISTINCT 'prompt_hash' AS part, coalesce(s.served, e.prompt_hash) AS value
              FROM eval_runs AS e LEFT JOIN spelled AS s ON s.prompt_hash = e.prompt_hash
              UNION SELECT 'params_hash', params_hash FROM eval_runs
              UNION SELECT 'checkpoint', checkpoint FROM eval_runs
              UNION SELECT 'prompt_name', prompt_name FROM eval_runs) AS r
          ON r.part = v.part
        WHERE v.value IS NOT NULL AND r.value IS NOT NULL
    )
    GROUP BY part ORDER BY part
    """,
    "Of each part of a configuration how many values were served, evaluated, and both.",
    uses=(PROMPT_HASHES, SPELLED),
)

PUSHES = Query(
    "pushes",
    """
    SELECT substr(key, 8) AS prompt_name, version, pushed_at,
           lead(pushed_at) OVER (PARTITION BY key ORDER BY pushed_at) AS next_at,
           count(DISTINCT key) OVER () AS prompts
    FROM (
        SELECT key, new_value AS version, occurred_at AS pushed_at
        FROM config_events WHERE key LIKE 'prompt:%'
        UNION ALL
        SELECT key, old_value AS version, TIMESTAMPTZ '1900-01-01 00:00:00+00' AS pushed_at
        FROM config_events WHERE key LIKE 'prompt:%'
        QUALIFY row_number() OVER (PARTITION BY key ORDER BY occurred_at, locator) = 1
            AND old_value IS NOT NULL
    )
    """,
    "Versions of prompts as they were pushed, and before the first push the one that it replaced.",
)


def name_of_model(column: str) -> str:
    """SQL: the name of a model without its provider and the date of its version."""
    return (
        f"regexp_replace(regexp_replace(lower({column}), '^.*/', ''), "
        "'[-@:_](latest|[0-9]{4}-?[0-9]{2}-?[0-9]{2})$', '')"
    )


MODELS = Query(
    "models",
    f"""
    SELECT response_model, model
    FROM (
        SELECT response_model, model,
               bool_or(model IN (SELECT {name_of_model("endpoint")} FROM eval_runs
                                 WHERE endpoint IS NOT NULL)) OVER () AS alike
        FROM (SELECT response_model, {name_of_model("response_model")} AS model
              FROM requests WHERE response_model IS NOT NULL GROUP BY response_model)
    )
    WHERE alike
    """,  # noqa: S608  the text is put together of constants
    "Models that answered, where requests and runs have a name of one in common.",
)

LABELLED = Query(
    "labelled",
    f"""
    SELECT q.occurred_at, q.account_id, q.lane, q.decision, q.endpoint, q.params_hash, q.checkpoint,
           a.model,
           coalesce(q.prompt_name, o.only_name, '') AS prompt_name,
           CASE WHEN NOT h.one_a_request THEN q.prompt_hash END AS prompt_hash,
           coalesce(q.prompt_version, p.version) AS label
    FROM requests AS q
    CROSS JOIN (SELECT CASE WHEN max(prompts) = 1 THEN max(prompt_name) END AS only_name
                FROM pushes) AS o
    JOIN hashes AS h ON h.prompt_name = coalesce(q.prompt_name, '')
    LEFT JOIN repeated AS d ON d.request_id = q.request_id
    LEFT JOIN models AS a ON a.response_model = q.response_model
    LEFT JOIN pushes AS p
      ON p.prompt_name = CASE WHEN q.prompt_version IS NULL
             AND (q.prompt_hash IS NULL OR h.one_a_request)
             THEN coalesce(q.prompt_name, o.only_name) END
     AND q.occurred_at >= p.pushed_at AND (p.next_at IS NULL OR q.occurred_at < p.next_at)
    WHERE (d.request_id IS NULL OR q.occurred_at = d.first)
      AND {of_environment("q.environment")} AND {is_answer("q.operation")}
    """,  # noqa: S608  the text is put together of constants
    "The requests that customers made, each with the configuration that it names; calls for "
    "embeddings and rankings have no prompt.",
    uses=(REPEATED, HASHES, PUSHES, MODELS),
)

MINUTES = Query(
    "minutes",
    """
    SELECT prompt_name, prompt_hash, params_hash, checkpoint, model, label, lane,
           CAST(floor(epoch(occurred_at) / 60) AS BIGINT) AS minute,
           count(*) AS requests, min(occurred_at) AS first, max(occurred_at) AS last
    FROM labelled
    GROUP BY prompt_name, prompt_hash, params_hash, checkpoint, model, label, lane,
             CAST(floor(epoch(occurred_at) / 60) AS BIGINT)
    """,
    "Requests by configuration and minute.",
    uses=(LABELLED,),
)

CONFIGS = Query(
    "configs",
    """
    SELECT row_number() OVER (ORDER BY min(first), prompt_name, prompt_hash, own_label,
                              params_hash, checkpoint, model) AS config,
           prompt_name, prompt_hash, params_hash, checkpoint, model,
           own_label AS label, max(label) AS version,
           CAST(sum(requests) AS BIGINT) AS requests,
           min(first) AS first_served, max(last) AS last_served, min(minute) AS first_minute,
           max(minute) AS last_minute
    FROM (SELECT prompt_name, prompt_hash, params_hash, checkpoint, model, requests, first, last,
                 minute, label, CASE WHEN prompt_hash IS NULL THEN label END AS own_label
          FROM minutes WHERE prompt_hash IS NOT NULL OR label IS NOT NULL)
    GROUP BY prompt_name, prompt_hash, params_hash, checkpoint, model, own_label
    """,
    "The configurations that were served.",
    uses=(MINUTES,),
)

SERVED = Query(
    "served",
    """
    SELECT c.config, c.prompt_name, m.label, m.lane, m.minute, m.requests, m.first, m.last
    FROM minutes AS m
    JOIN configs AS c
      ON c.prompt_name = m.prompt_name
     AND c.prompt_hash IS NOT DISTINCT FROM m.prompt_hash
     AND c.params_hash IS NOT DISTINCT FROM m.params_hash
     AND c.checkpoint IS NOT DISTINCT FROM m.checkpoint
     AND c.model IS NOT DISTINCT FROM m.model
     AND c.label IS NOT DISTINCT FROM CASE WHEN m.prompt_hash IS NULL THEN m.label END
    """,
    "Requests of each configuration by the minute.",
    uses=(MINUTES, CONFIGS),
)

TRAFFIC = Query(
    "traffic",
    """
    SELECT prompt_name, minute, requests,
           sum(requests) OVER (PARTITION BY prompt_name ORDER BY minute) AS so_far,
           lead(first) OVER (PARTITION BY prompt_name ORDER BY minute) AS next_request
    FROM (SELECT prompt_name, minute, sum(requests) AS requests, min(first) AS first
          FROM served GROUP BY prompt_name, minute)
    """,
    "Requests of each prompt by the minute, whatever its configuration.",
    uses=(SERVED,),
)

VERSIONS = Query(
    "version_traffic",
    """
    SELECT prompt_name, label, minute,
           sum(sum(requests)) OVER (PARTITION BY prompt_name, label ORDER BY minute) AS so_far
    FROM served WHERE label IS NOT NULL GROUP BY prompt_name, label, minute
    """,
    "Requests of each version of a prompt up to each minute.",
    uses=(SERVED,),
)

STARTS = Query(
    "starts",
    """
    SELECT s.* EXCLUDE (first_minute),
           s.odds * (coalesce(v.so_far, 0) - coalesce(w.so_far, 0)) >= 20 AS began_later
    FROM (
        SELECT c.config, c.prompt_name, c.prompt_hash, c.params_hash, c.checkpoint, c.model,
               c.label, c.version, c.requests, c.first_served, c.last_served, c.first_minute,
               b.so_far - b.requests AS others_before,
               c.requests / greatest(e.so_far - b.so_far + b.requests - c.requests, 1) AS odds,
               (SELECT max(p.pushed_at)
                FROM pushes AS p
                JOIN (SELECT DISTINCT config, label FROM served) AS l
                  ON l.label = p.version OR p.version = c.prompt_hash
                WHERE l.config = c.config AND p.prompt_name = c.prompt_name
                  AND p.pushed_at <= c.first_served + INTERVAL 1 SECOND * $clock_error_s
                  AND p.pushed_at >= c.first_served - INTERVAL 1 SECOND * $push_lead_s) AS pushed_at
        FROM configs AS c
        JOIN traffic AS b ON b.prompt_name = c.prompt_name AND b.minute = c.first_minute
        JOIN traffic AS e ON e.prompt_name = c.prompt_name AND e.minute = c.last_minute
    ) AS s
    ASOF LEFT JOIN version_traffic AS v
      ON v.prompt_name = s.prompt_name AND v.label = s.version AND s.first_minute > v.minute
    ASOF LEFT JOIN version_traffic AS w
      ON w.prompt_name = s.prompt_name AND w.label = s.version
     AND CAST(floor(epoch(s.pushed_at) / 60) AS BIGINT) > w.minute
    """,
    "When each configuration began: its push, its first request, and how much of the prompt's "
    "traffic went before it. It began later than its push where others of that version were served "
    "first, so much that twenty requests of it would be expected.",
    uses=(PUSHES, CONFIGS, SERVED, TRAFFIC, VERSIONS),
)
