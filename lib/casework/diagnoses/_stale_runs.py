"""Which configurations were evaluated, by which run, and how that is known."""

from casework.case import Query
from casework.diagnoses._stale_served import CONFIGS, PUSHES, SERVED, STARTS

RUNS = Query(
    "runs",
    """
    SELECT r.run_id, r.suite, r.started_at, r.ended_at, r.loaded_at, r.prompt_name, r.prompt_hash,
           r.params_hash, r.checkpoint, r.dataset_hash, r.score, r.n_items,
           r.prompt_version AS declared,
           CASE WHEN r.prompt_version IS NULL OR r.is_cached THEN p.version
                ELSE r.prompt_version END AS label,
           (r.prompt_version IS NULL OR r.is_cached) AND p.version IS NOT NULL AS by_process,
           r.is_cached
    FROM (
        SELECT e.run_id, e.suite, e.started_at,
               CASE WHEN e.n_items IS NULL OR e.n_items > 0 THEN e.ended_at END AS ended_at,
               coalesce(e.config_loaded_at, e.process_started_at) AS loaded_at,
               coalesce(e.prompt_name, o.only_name) AS prompt_name, e.prompt_hash, e.params_hash,
               e.checkpoint, e.dataset_hash, e.score, e.n_items, e.prompt_version,
               e.prompt_hash IS NULL AND f.pushed_at IS NOT NULL
                   AND coalesce(e.config_loaded_at, e.process_started_at) < f.pushed_at
                   AND e.started_at >= f.pushed_at AS is_cached
        FROM eval_runs AS e
        CROSS JOIN (SELECT CASE WHEN max(prompts) = 1 THEN max(prompt_name) END AS only_name
                    FROM pushes) AS o
        LEFT JOIN (SELECT prompt_name, version, min(pushed_at) AS pushed_at
                   FROM pushes GROUP BY prompt_name, version) AS f
          ON f.prompt_name = coalesce(e.prompt_name, o.only_name) AND f.version = e.prompt_version
    ) AS r
    LEFT JOIN pushes AS p
      ON p.prompt_name = r.prompt_name AND r.loaded_at >= p.pushed_at
     AND (p.next_at IS NULL OR r.loaded_at < p.next_at)
    """,
    "The eval runs. A run that declares a version which was pushed after its process read its "
    "configuration had the version before in memory.",
    uses=(PUSHES,),
)

MATCHES = Query(
    "matches",
    """
    SELECT c.config, r.run_id, r.suite, r.started_at, r.ended_at, 'rendered_hash' AS known_by
    FROM configs AS c
    JOIN runs AS r ON r.prompt_hash = c.prompt_hash
    WHERE r.ended_at IS NOT NULL
      AND (r.prompt_name IS NULL OR c.prompt_name = '' OR r.prompt_name = c.prompt_name)
      AND (r.params_hash IS NULL OR c.params_hash IS NULL OR r.params_hash = c.params_hash)
      AND (r.checkpoint IS NULL OR c.checkpoint IS NULL OR r.checkpoint = c.checkpoint)
    UNION ALL
    SELECT DISTINCT c.config, r.run_id, r.suite, r.started_at, r.ended_at,
           CASE WHEN r.by_process THEN 'process_start' ELSE 'version_label' END
    FROM configs AS c
    JOIN (SELECT DISTINCT config, label FROM served) AS l ON l.config = c.config
    JOIN runs AS r ON r.label = l.label
    WHERE r.ended_at IS NOT NULL AND (r.prompt_hash IS NULL OR c.prompt_hash IS NULL)
      AND (r.prompt_name IS NULL OR c.prompt_name = '' OR r.prompt_name = c.prompt_name)
      AND (r.params_hash IS NULL OR c.params_hash IS NULL OR r.params_hash = c.params_hash)
      AND (r.checkpoint IS NULL OR c.checkpoint IS NULL OR r.checkpoint = c.checkpoint)
    """,
    "Completed runs of exactly the configuration that was served, and how the identity is known.",
    uses=(CONFIGS, SERVED, RUNS),
)

GRADES = Query(
    "grades",
    """
    SELECT s.config,
           CASE WHEN s.prompt_hash IS NOT NULL AND (count(r.prompt_hash) > 0
                     OR count(r.run_id) = 0 AND bool_or(a.hashed > 0)) THEN 'rendered_hash'
                WHEN count(r.declared) > 0 THEN 'version_label'
                WHEN count(r.loaded_at) > 0 AND max(s.version) IS NOT NULL THEN 'process_start'
                WHEN count(r.run_id) = 0 AND bool_or(a.declared > 0) THEN 'version_label'
           END AS known_by
    FROM starts AS s
    CROSS JOIN (SELECT count(prompt_hash) AS hashed, count(declared) AS declared FROM runs) AS a
    LEFT JOIN runs AS r
      ON (r.prompt_name IS NULL OR s.prompt_name = '' OR r.prompt_name = s.prompt_name)
     AND (r.ended_at IS NOT NULL OR r.prompt_hash IS NOT NULL OR r.declared IS NOT NULL
          OR r.loaded_at IS NOT NULL)
    GROUP BY s.config, s.prompt_hash
    """,
    "The best evidence by which each served configuration can be compared with the runs.",
    uses=(STARTS, RUNS),
)

FIRSTS = Query(
    "firsts",
    """
    SELECT s.config, s.prompt_name, s.prompt_hash, s.params_hash, s.checkpoint, s.label, s.version,
           s.requests, s.first_served, s.last_served, s.pushed_at, g.known_by,
           least(s.first_served, coalesce(s.pushed_at, s.first_served)) AS began_at,
           s.pushed_at IS NOT NULL OR s.others_before * s.odds >= 20 AS began_inside,
           e.first_ended AS runs_from, e.last_ended AS runs_until, m.evaluated_at, m.by_label_at,
           m.evaluated_at IS NULL AND NOT coalesce(s.pushed_at IS NOT NULL
               OR s.others_before * s.odds >= 20 OR e.first_ended <= s.first_served, FALSE)
               AS unsettled,
           m.evaluated_at IS NOT NULL AND m.evaluated_at > s.first_served
               AND NOT (s.pushed_at IS NOT NULL OR s.others_before * s.odds >= 20
                        OR e.first_ended <= s.first_served) AS older_than_the_record
    FROM starts AS s
    JOIN grades AS g ON g.config = s.config
    CROSS JOIN (SELECT min(ended_at) AS first_ended, max(ended_at) AS last_ended
                FROM runs) AS e
    LEFT JOIN (
        SELECT m.config,
               min(m.ended_at) FILTER (WHERE m.known_by = 'rendered_hash'
                                       OR g.known_by <> 'rendered_hash') AS evaluated_at,
               min(m.ended_at) FILTER (WHERE m.known_by <> 'rendered_hash'
                                       AND g.known_by = 'rendered_hash') AS by_label_at
        FROM matches AS m JOIN grades AS g ON g.config = m.config
        GROUP BY m.config
    ) AS m ON m.config = s.config
    WHERE g.known_by IS NOT NULL
    """,
    "When each configuration began to be served, and when a run of it was first complete.",
    uses=(STARTS, GRADES, MATCHES, RUNS),
)

UNIDENTIFIED = Query(
    "unidentified",
    """
    SELECT count(*) AS runs, count(*) FILTER (WHERE ended_at IS NULL) AS not_completed,
           count(*) FILTER (WHERE prompt_hash IS NULL AND label IS NULL) AS unidentified,
           count(*) FILTER (WHERE is_cached) AS cached
    FROM runs
    """,
    "Runs that did not complete, that name no configuration, or that held an older one in memory.",
    uses=(RUNS,),
)

EVALUATED = Query(
    "evaluated",
    """
    SELECT r.run_id, r.ended_at, r.label, max(m.config) AS config,
           lead(r.ended_at) OVER (ORDER BY r.ended_at, r.run_id) AS until
    FROM runs AS r LEFT JOIN matches AS m ON m.run_id = r.run_id
    WHERE r.ended_at IS NOT NULL
      AND (r.prompt_name IS NULL OR $prompt = '' OR r.prompt_name = $prompt)
    GROUP BY r.run_id, r.ended_at, r.label ORDER BY r.ended_at, r.run_id LIMIT 500
    """,
    "Completed runs of the prompt, and which configuration each had scored (at most 500).",
    uses=(RUNS, MATCHES),
)
