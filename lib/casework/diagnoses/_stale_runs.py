"""Which configurations were evaluated, by which run, and how that is known."""

from casework.case import Query
from casework.diagnoses._stale_served import (
    CONFIGS,
    IN_COMMON,
    MODELS,
    PROMPT_HASHES,
    PUSHES,
    SERVED,
    SPELLED,
    STARTS,
    name_of_model,
)

RUNS = Query(
    "runs",
    f"""
    SELECT r.run_id, r.suite, r.started_at, r.ended_at, r.loaded_at, r.prompt_name, r.prompt_hash,
           r.params_hash, r.checkpoint, r.model, r.dataset_hash, r.score, r.n_items,
           r.prompt_version AS declared,
           CASE WHEN r.prompt_version IS NULL OR r.is_cached THEN p.version
                ELSE r.prompt_version END AS label,
           (r.prompt_version IS NULL OR r.is_cached) AND p.version IS NOT NULL AS by_process,
           r.is_cached, r.has_end
    FROM (
        SELECT e.run_id, e.suite, e.started_at,
               CASE WHEN e.n_items IS NULL OR e.n_items > 0 THEN coalesce(e.ended_at,
                    CASE WHEN e.score IS NOT NULL AND w.ends = 0 THEN e.started_at END)
                    END AS ended_at, e.ended_at IS NOT NULL AS has_end,
               coalesce(e.config_loaded_at, e.process_started_at) AS loaded_at,
               CASE WHEN i.names_apart AND s.prompt_hash IS NOT NULL THEN NULL
                    ELSE coalesce(e.prompt_name, o.only_name) END AS prompt_name,
               coalesce(h.served, e.prompt_hash) AS prompt_hash,
               CASE WHEN i.params_apart THEN NULL ELSE e.params_hash END AS params_hash,
               a.model, e.checkpoint, e.dataset_hash, e.score, e.n_items, e.prompt_version,
               e.prompt_hash IS NULL AND f.pushed_at IS NOT NULL
                   AND coalesce(e.config_loaded_at, e.process_started_at) < f.pushed_at
                   AND e.started_at >= f.pushed_at AS is_cached
        FROM eval_runs AS e
        CROSS JOIN (SELECT count(*) FILTER (WHERE part = 'params_hash') > 0 AS params_apart,
                           count(*) FILTER (WHERE part = 'prompt_name') > 0 AS names_apart
                    FROM in_common WHERE in_common = 0) AS i
        JOIN (SELECT harness, count(ended_at) AS ends FROM eval_runs GROUP BY harness) AS w
          ON w.harness IS NOT DISTINCT FROM e.harness
        LEFT JOIN spelled AS h ON h.prompt_hash = e.prompt_hash
        LEFT JOIN prompt_hashes AS s
          ON s.prompt_hash = coalesce(h.served, e.prompt_hash)
        LEFT JOIN (SELECT DISTINCT model FROM models) AS a
          ON a.model = {name_of_model("e.endpoint")}
        CROSS JOIN (SELECT CASE WHEN max(prompts) = 1 THEN max(prompt_name) END AS only_name
                    FROM pushes) AS o
        LEFT JOIN (SELECT prompt_name, version, min(pushed_at) AS pushed_at
                   FROM pushes GROUP BY prompt_name, version) AS f
          ON f.prompt_name = coalesce(e.prompt_name, o.only_name) AND f.version = e.prompt_version
    ) AS r
    LEFT JOIN pushes AS p
      ON p.prompt_name = r.prompt_name AND r.loaded_at >= p.pushed_at
     AND (p.next_at IS NULL OR r.loaded_at < p.next_at)
    """,  # noqa: S608  the text is put together of constants
    "The eval runs. A run that declares a version which was pushed after its process read its "
    "configuration had the version before in memory. Hashes of parameters of which none occurs "
    "among the requests are set aside, and so are names of prompts where a hash does; a hash that "
    "was cut short stands for the whole one. A run with a score by a harness that records no end "
    "was complete at its start at the earliest.",
    uses=(PUSHES, MODELS, PROMPT_HASHES, SPELLED, IN_COMMON),
)

IN_SERVICE = Query(
    "in_service",
    """
    SELECT r.run_id, p.prompt_name, p.part, CASE WHEN count(*) = 1 THEN max(p.value) END AS alone
    FROM (
        SELECT prompt_name, part, value, min(first) AS first, max(last) AS last,
               min(min(first)) OVER (PARTITION BY prompt_name, part) AS first_of_all,
               max(max(last)) OVER (PARTITION BY prompt_name, part) AS last_of_all
        FROM (SELECT prompt_name, 'params_hash' AS part, params_hash AS value,
                     first_served AS first, last_served AS last FROM configs
              UNION ALL SELECT prompt_name, 'checkpoint', checkpoint, first_served, last_served
              FROM configs)
        WHERE value IS NOT NULL
        GROUP BY prompt_name, part, value
    ) AS p
    JOIN runs AS r
      ON (r.prompt_name IS NULL OR p.prompt_name = '' OR r.prompt_name = p.prompt_name)
     AND CASE p.part WHEN 'checkpoint' THEN r.checkpoint ELSE r.params_hash END IS NULL
     AND p.first <= greatest(r.started_at, p.first_of_all)
     AND (p.last >= r.started_at OR p.last = p.last_of_all)
    WHERE r.ended_at IS NOT NULL
    GROUP BY r.run_id, p.prompt_name, p.part
    """,
    "Which parameters and which checkpoint were in service alone when a run that names none was "
    "started.",
    uses=(CONFIGS, RUNS),
)

MANY_HASHES = Query(
    "many_hashes",
    """
    SELECT s.prompt_name, s.label
    FROM (SELECT c.prompt_name, l.label, count(DISTINCT c.prompt_hash) AS hashes
          FROM configs AS c JOIN served AS l ON l.config = c.config
          WHERE l.label IS NOT NULL GROUP BY c.prompt_name, l.label) AS s
    JOIN runs AS r
      ON r.declared = s.label AND r.prompt_hash IS NOT NULL
     AND (r.prompt_name IS NULL OR s.prompt_name = '' OR r.prompt_name = s.prompt_name)
    WHERE s.hashes >= 3
    GROUP BY s.prompt_name, s.label HAVING count(DISTINCT r.prompt_hash) >= 3
    """,
    "Labels under which three hashes or more were served, and three or more evaluated: each may be "
    "one template with a date, a customer or a language filled in.",
    uses=(CONFIGS, SERVED, RUNS),
)

_EXACT = """r.ended_at IS NOT NULL
      AND (r.prompt_name IS NULL OR c.prompt_name = '' OR r.prompt_name = c.prompt_name)
      AND (r.params_hash IS NULL OR c.params_hash IS NULL OR r.params_hash = c.params_hash)
      AND (r.checkpoint IS NULL OR c.checkpoint IS NULL OR r.checkpoint = c.checkpoint)"""
"""SQL: whether nothing that a run and a configuration both name tells them apart."""

MATCHES = Query(
    "matches",
    f"""
    SELECT m.config, m.run_id, m.suite, m.started_at, m.ended_at, m.known_by,
           CASE WHEN m.other_hash THEN 'hash'
                WHEN m.checkpoint IS NOT NULL AND m.run_checkpoint IS NULL
                     AND k.alone IS DISTINCT FROM m.checkpoint THEN 'checkpoint'
                WHEN m.params_hash IS NOT NULL AND m.run_params IS NULL
                     AND p.alone IS DISTINCT FROM m.params_hash THEN 'parameters'
                WHEN m.run_model <> m.model
                     AND (m.checkpoint IS NULL OR m.run_checkpoint IS NULL) THEN 'model'
                WHEN NOT m.has_end THEN 'end'
           END AS doubt
    FROM (
        SELECT c.*, r.run_id, r.suite, r.started_at, r.ended_at, 'rendered_hash' AS known_by,
               r.params_hash AS run_params, r.checkpoint AS run_checkpoint, r.model AS run_model,
               r.has_end, FALSE AS other_hash
        FROM configs AS c
        JOIN runs AS r ON r.prompt_hash = c.prompt_hash
        WHERE {_EXACT}
        UNION ALL
        SELECT DISTINCT c.*, r.run_id, r.suite, r.started_at, r.ended_at, 'rendered_hash',
               r.params_hash, r.checkpoint, r.model, r.has_end, TRUE
        FROM configs AS c
        JOIN (SELECT DISTINCT config, label FROM served) AS l ON l.config = c.config
        JOIN many_hashes AS h ON h.prompt_name = c.prompt_name AND h.label = l.label
        JOIN runs AS r ON r.declared = h.label AND r.prompt_hash <> c.prompt_hash
        WHERE {_EXACT}
        UNION ALL
        SELECT DISTINCT c.*, r.run_id, r.suite, r.started_at, r.ended_at,
               CASE WHEN r.by_process THEN 'process_start' ELSE 'version_label' END,
               r.params_hash, r.checkpoint, r.model, r.has_end, FALSE
        FROM configs AS c
        JOIN (SELECT DISTINCT config, label FROM served) AS l ON l.config = c.config
        JOIN runs AS r ON r.label = l.label
        WHERE {_EXACT} AND (r.prompt_hash IS NULL OR c.prompt_hash IS NULL)
    ) AS m
    LEFT JOIN in_service AS k
      ON k.run_id = m.run_id AND k.prompt_name = m.prompt_name AND k.part = 'checkpoint'
    LEFT JOIN in_service AS p
      ON p.run_id = m.run_id AND p.prompt_name = m.prompt_name AND p.part = 'params_hash'
    """,  # noqa: S608  the text is put together of constants
    "Completed runs of the configuration that was served, how the identity is known, and what of "
    "it is in doubt: a part that the run does not name where others were in service too, another "
    "name of the model, another hash under a label that has many, or when the run ended.",
    uses=(CONFIGS, SERVED, RUNS, IN_SERVICE, MANY_HASHES),
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
    SELECT s.config, s.prompt_name, s.prompt_hash, s.params_hash, s.checkpoint, s.model, s.label,
           s.version, s.requests, s.first_served, s.last_served, s.pushed_at, g.known_by,
           CASE WHEN s.began_later THEN s.first_served
                ELSE least(s.first_served, s.pushed_at) END AS began_at,
           s.pushed_at IS NOT NULL OR s.others_before * s.odds >= 20 AS began_inside,
           e.first_ended AS runs_from, e.last_ended AS runs_until, m.evaluated_at, m.by_label_at,
           m.known_at, m.doubt, g.known_by = 'rendered_hash' AND e.hashes_apart AS apart,
           m.evaluated_at IS NULL AND NOT coalesce(s.pushed_at IS NOT NULL
               OR s.others_before * s.odds >= 20 OR e.first_ended <= s.first_served, FALSE)
               AS unsettled,
           m.evaluated_at IS NOT NULL AND m.evaluated_at > s.first_served
               AND NOT (s.pushed_at IS NOT NULL OR s.others_before * s.odds >= 20
                        OR e.first_ended <= s.first_served) AS older_than_the_record
    FROM starts AS s
    JOIN grades AS g ON g.config = s.config
    CROSS JOIN (SELECT min(ended_at) AS first_ended, max(ended_at) AS last_ended,
                       (SELECT count(*) > 0 FROM in_common
                        WHERE part = 'prompt_hash' AND in_common = 0) AS hashes_apart
                FROM runs) AS e
    LEFT JOIN (
        SELECT m.config,
               min(m.ended_at) FILTER (WHERE m.known_by = 'rendered_hash'
                                       OR g.known_by <> 'rendered_hash') AS evaluated_at,
               min(m.ended_at) FILTER (WHERE m.doubt IS NULL
                                       AND (m.known_by = 'rendered_hash'
                                            OR g.known_by <> 'rendered_hash')) AS known_at,
               min(m.doubt) AS doubt,
               min(m.ended_at) FILTER (WHERE m.known_by <> 'rendered_hash'
                                       AND g.known_by = 'rendered_hash') AS by_label_at
        FROM matches AS m JOIN grades AS g ON g.config = m.config
        GROUP BY m.config
    ) AS m ON m.config = s.config
    WHERE g.known_by IS NOT NULL
    """,
    "When each configuration began to be served, when a run that may be of it was first complete, "
    "and when one that is known to be.",
    uses=(IN_COMMON, STARTS, GRADES, MATCHES, RUNS),
)

UNIDENTIFIED = Query(
    "unidentified",
    """
    SELECT count(*) AS runs, count(*) FILTER (WHERE ended_at IS NULL) AS not_completed,
           count(*) FILTER (WHERE prompt_hash IS NULL AND label IS NULL) AS unidentified,
           count(*) FILTER (WHERE is_cached) AS cached,
           count(*) FILTER (WHERE NOT has_end AND ended_at IS NOT NULL) AS without_end
    FROM runs
    """,
    "Runs that did not complete, that name no configuration, or that held an older one in memory.",
    uses=(RUNS,),
)

EVALUATED = Query(
    "evaluated",
    """
    SELECT run_id, ended_at, label, config, until
    FROM (
        SELECT *, lead(ended_at) OVER by_end AS until
        FROM (SELECT r.run_id, r.ended_at, r.label,
                     max(m.config) FILTER (WHERE m.doubt IS NULL) AS config
              FROM runs AS r LEFT JOIN matches AS m ON m.run_id = r.run_id
              WHERE r.ended_at IS NOT NULL
                AND (r.prompt_name IS NULL OR $prompt = '' OR r.prompt_name = $prompt)
              GROUP BY r.run_id, r.ended_at, r.label)
        WINDOW by_end AS (ORDER BY ended_at, run_id)
    )
    WHERE epoch(ended_at) <= $shown_until AND (until IS NULL OR epoch(until) >= $shown_from)
    ORDER BY ended_at DESC, run_id DESC LIMIT 500
    """,
    "Completed runs of the prompt in the time that is shown, and which configuration each is known "
    "to have scored (at most 500, the latest first).",
    uses=(RUNS, MATCHES),
)
