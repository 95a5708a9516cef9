"""The questions that `reproducibility_closure` asks of a case."""

from casework.case import Query
from casework.diagnoses._in_order import in_order

NAMES = Query(
    "names",
    """
    SELECT DISTINCT name
    FROM (
        SELECT CAST($artifact AS VARCHAR) AS name
        UNION ALL
        SELECT unnest(names)
        FROM (SELECT list_value(checkpoint, run_id, 'runs:/' || run_id, model || ':' || version,
                                model || '/' || version, 'models:/' || model || '/' || version)
                         AS names
              FROM model_versions)
        WHERE list_contains(names, $artifact)
    )
    WHERE name IS NOT NULL ORDER BY name
    """,
    "The names of the artifact: its digest, its version in the registry, its training run, the "
    "last two also as MLflow writes their addresses.",
)

INPUTS = Query(
    "inputs",
    """
    SELECT i.artifact, i.kind, i.uri, i.digest, i.pin, i.retrievable, i.verified_at, i.owner,
           CASE
               WHEN b.base <> i.noted OR (
                       NOT starts_with(i.found, i.noted) AND NOT starts_with(i.noted, i.found)
                       AND (length(i.found) = length(i.noted)
                            OR NOT regexp_matches(i.found, '^[0-9a-f]{32,}$')
                            OR NOT regexp_matches(i.noted, '^[0-9a-f]{32,}$')))
                   THEN 'mismatched'
               WHEN i.is_hosted AND i.digest IS NULL THEN 'unpinnable'
               WHEN i.pin = 'absent' THEN 'absent'
               WHEN i.uri IS NULL AND i.digest IS NULL AND NOT i.is_written THEN 'absent'
               WHEN i.pin = 'floating' OR i.is_loose THEN 'floating'
               WHEN i.pin IS NULL AND i.digest IS NULL AND NOT i.is_written THEN 'floating'
               WHEN NOT i.retrievable AND i.is_erased AND i.digest IS NOT NULL THEN 'erased'
               WHEN NOT i.retrievable THEN 'gone'
               WHEN i.retrievable IS NULL AND i.is_written THEN 'on record'
               WHEN i.retrievable IS NULL THEN 'not tried'
               WHEN i.verified_at IS NULL OR i.digest IS NULL THEN 'unverified'
               ELSE 'pinned'
           END AS state
    FROM (
        SELECT *,
               regexp_replace(lower(digest), '^[a-z0-9]+:', '') AS noted,
               regexp_replace(lower(coalesce(
                   json_extract_string(attributes, '$.observed_digest'),
                   json_extract_string(attributes, '$.found_digest'),
                   json_extract_string(attributes, '$.computed_digest'))), '^[a-z0-9]+:', '')
                   AS found,
               kind IN ('base_checkpoint', 'tokenizer')
                   AND (regexp_matches(lower(coalesce(uri, '')),
                       '^(openai|azure|anthropic|bedrock|vertex_?ai|cohere|mistral)[:/]')
                        OR regexp_matches(lower(coalesce(uri, '')),
                       '(^|[/:])(gpt-[0-9]|claude-|gemini-)')
                        OR json_extract_string(attributes, '$.hosted') = 'true') AS is_hosted,
               regexp_matches(lower(coalesce(CAST(attributes AS VARCHAR), '')),
                   'privacy|gdpr|erasure|erased|data protection|right to be forgotten')
                   AS is_erased,
               digest IS NULL AND coalesce(regexp_matches(lower(uri),
                   '[@:#](latest|main|master|head|trunk|develop)$|/latest$|[<>~]=|[.]ipynb$'
                   || '|/(tree|blob)/(main|master)(/|$)'), false) AS is_loose,
               kind IN ('hyperparameters', 'seed') AND (
                   coalesce(uri LIKE '%=%' AND uri NOT LIKE '%://%', false) OR regexp_matches(
                   coalesce(CAST(attributes AS VARCHAR), ''), '"(params|values|config)"'))
                   AS is_written
        FROM artifact_inputs
        WHERE list_contains($names, artifact)
    ) AS i
    LEFT JOIN (
        SELECT checkpoint,
               min(regexp_replace(lower(base_checkpoint), '^[a-z0-9]+:', '')) AS base
        FROM checkpoints
        WHERE regexp_matches(lower(base_checkpoint), '^[a-z0-9]*:?[0-9a-f]{32,64}$')
        GROUP BY checkpoint HAVING count(DISTINCT lower(base_checkpoint)) = 1
    ) AS b
      ON i.kind = 'base_checkpoint' AND list_contains($names, b.checkpoint)
     AND length(b.base) = length(i.noted)
    ORDER BY i.kind, i.uri, i.digest, i.artifact
    """,
    "The inputs on record, with the state in which each is. A digest is compared with one of the "
    "same length, or with the beginning of one. An address without a digest that names a branch, "
    "the latest, a range or a notebook is floating, whatever the record calls it.",
)

KINDS = Query(
    "kinds",
    "SELECT kind, count(DISTINCT artifact) AS artifacts FROM artifact_inputs GROUP BY kind "
    "ORDER BY kind",
    "Kinds of input that are on record, for any artifact.",
)

ELSEWHERE = Query(
    "elsewhere",
    """
    SELECT 'base_checkpoint' AS kind, c.base_checkpoint AS found
    FROM checkpoints AS c
    JOIN (SELECT checkpoint, "exists" AS is_there, row_number() OVER (
              PARTITION BY checkpoint, uri ORDER BY verified_at DESC NULLS LAST, locator) AS nth
          FROM checkpoints) AS b
      ON b.checkpoint = c.base_checkpoint AND b.nth = 1 AND b.is_there
    WHERE list_contains($names, c.checkpoint)
    UNION
    SELECT 'train_data', t.dataset
    FROM (SELECT DISTINCT dataset FROM training_rows) AS t
    JOIN artifact_inputs AS i
      ON i.kind = 'train_data' AND (i.uri = t.dataset OR i.digest = t.dataset)
    WHERE list_contains($names, i.artifact)
    ORDER BY kind, found
    """,
    "Critical inputs that another record names and holds after all, as last checked.",
)

NOW = Query(
    "now",
    """
    SELECT greatest((SELECT max(verified_at) FROM artifact_inputs),
                    (SELECT max(occurred_at) FROM engagements),
                    (SELECT max(occurred_at) FROM requests)) AS last
    """,
    "The last instant that the case tells of.",
)

OWNERS = Query(
    "owners",
    """
    SELECT o.owner,
           CASE WHEN p.person IS NULL THEN 'not on the list'
                WHEN p.present THEN 'present'
                WHEN p.left_at IS NULL THEN 'not there yet' ELSE 'left' END AS standing,
           p.left_at, p.timezone, coalesce(w.times, 0) AS touched
    FROM (SELECT min(owner) AS owner
          FROM (SELECT owner FROM artifact_inputs WHERE list_contains($names, artifact)
                UNION ALL
                SELECT owner FROM model_versions WHERE list_contains($names, checkpoint))
          WHERE owner IS NOT NULL GROUP BY lower(owner)) AS o
    LEFT JOIN (
        SELECT lower(person) AS person, max(timezone) AS timezone,
               max(active_until) FILTER (
                   WHERE active_until <= CAST($as_of AS TIMESTAMP WITH TIME ZONE)) AS left_at,
               bool_or((active_from IS NULL
                        OR active_from <= CAST($as_of AS TIMESTAMP WITH TIME ZONE))
                   AND (active_until IS NULL
                        OR active_until > CAST($as_of AS TIMESTAMP WITH TIME ZONE))) AS present
        FROM people GROUP BY lower(person)
    ) AS p ON p.person = lower(o.owner)
    LEFT JOIN (
        SELECT lower(e.person) AS person, count(*) AS times
        FROM engagements AS e
        WHERE lower(e.kind) <> 'view' AND (
            list_contains($names, e.object) OR e.object IN (
                SELECT uri FROM artifact_inputs WHERE list_contains($names, artifact)
                UNION ALL
                SELECT digest FROM artifact_inputs WHERE list_contains($names, artifact)))
        GROUP BY lower(e.person)
    ) AS w ON w.person = lower(o.owner)
    ORDER BY o.owner
    """,
    "Who owns the artifact or an input, whether they are there, and how often they ran or changed "
    "it.",
)

SHARED = Query(
    "shared",
    """
    SELECT item_id FROM reruns WHERE list_contains($names, artifact) AND item_id IS NOT NULL
    GROUP BY item_id HAVING bool_or(is_original IS TRUE) AND bool_or(is_original IS NOT TRUE)
    """,
    "Items that both the shipped weights and a rebuild were scored on.",
)

SCORED = Query(
    "scored",
    """
    SELECT * FROM reruns
    WHERE list_contains($names, artifact)
      AND (item_id IS NULL OR item_id IN (SELECT item_id FROM shared)
           OR NOT EXISTS (SELECT 1 FROM shared))
    """,
    "The scores that are compared: of items only those that both the shipped weights and a rebuild "
    "were scored on, where there are such.",
    uses=(SHARED,),
)

LEFT_OUT = Query(
    "left_out",
    """
    SELECT count(DISTINCT item_id) AS items,
           count(DISTINCT item_id) FILTER (WHERE is_original) AS unmatched
    FROM reruns
    WHERE list_contains($names, artifact) AND item_id NOT IN (SELECT item_id FROM shared)
      AND EXISTS (SELECT 1 FROM shared)
    """,
    "Items that only the shipped weights or only rebuilds were scored on, and are left out; of "
    "them those of the shipped weights.",
    uses=(SHARED,),
)

_OF_ITEM = "CASE WHEN item_id IS NOT NULL THEN score END"
_OF_ALL = "CASE WHEN item_id IS NULL AND segment IS NULL THEN score END"
_SCORE = f"""coalesce({in_order("avg", _OF_ALL)}, {in_order("avg", _OF_ITEM)},
                    {in_order("avg", "score")})"""
"""SQL: the score of a run, as it is on record for all items, else the mean of what is."""

RUNS = Query(
    "runs",
    f"""
    SELECT rerun_id, coalesce(bool_or(is_original), false) AS is_original, min(seed) AS seed,
           {_SCORE} AS score,
           count(DISTINCT item_id) AS items, min(score) AS least, max(score) AS most,
           bool_and(score IN (0, 100)) FILTER (WHERE item_id IS NOT NULL) AS is_percent,
           {in_order("stddev_samp", _OF_ITEM)} AS spread
    FROM scored GROUP BY rerun_id ORDER BY is_original DESC, seed, rerun_id
    """,  # noqa: S608  the text is put together of constants
    "The score of each rebuild and of the shipped weights, scored again.",
    uses=(SCORED,),
)

CONTROL = Query(
    "control",
    f"""
    SELECT rerun_id, {_SCORE} AS score, count(DISTINCT item_id) AS items
    FROM reruns WHERE list_contains($names, artifact) AND is_original
    GROUP BY rerun_id ORDER BY rerun_id
    """,  # noqa: S608  the text is put together of constants
    "The score of the shipped weights, scored again, on all items that they were scored on.",
)

SEGMENTS = Query(
    "segments",
    f"""
    SELECT segment, rerun_id, coalesce(bool_or(is_original), false) AS is_original,
           coalesce({in_order("avg", "CASE WHEN item_id IS NULL THEN score END")},
                    {in_order("avg", _OF_ITEM)}) AS score,
           count(DISTINCT item_id) AS items
    FROM scored WHERE segment IS NOT NULL
    GROUP BY segment, rerun_id ORDER BY segment, rerun_id
    """,  # noqa: S608  the text is put together of constants
    "The same by segment.",
    uses=(SCORED,),
)

PAIRED = Query(
    "paired",
    """
    SELECT round(rebuilt - shipped, 6) AS difference, count(*) AS items
    FROM (
        SELECT item_id, avg(score) FILTER (WHERE is_original) AS shipped,
               avg(score) FILTER (WHERE is_original IS NOT TRUE) AS rebuilt
        FROM reruns WHERE list_contains($names, artifact) AND item_id IS NOT NULL
        GROUP BY item_id
    )
    WHERE rebuilt IS NOT NULL AND shipped IS NOT NULL
    GROUP BY 1 ORDER BY 1
    """,
    "Items by how much the mean of the rebuilds differs from the shipped weights on them.",
)

CHANGED = Query(
    "changed",
    """
    SELECT count(*) AS pairs,
           count(*) FILTER (WHERE shipped IN (1, 100) AND rebuilt IN (1, 100)) AS both,
           count(*) FILTER (WHERE shipped IN (1, 100) AND rebuilt = 0) AS only_shipped,
           count(*) FILTER (WHERE shipped = 0 AND rebuilt IN (1, 100)) AS only_rebuilt,
           count(*) FILTER (WHERE shipped = 0 AND rebuilt = 0) AS neither
    FROM (
        SELECT item_id, max(score) FILTER (WHERE is_original) AS shipped,
               max(score) FILTER (WHERE is_original IS NOT TRUE) AS rebuilt
        FROM reruns WHERE list_contains($names, artifact) AND item_id IS NOT NULL
        GROUP BY item_id
    )
    WHERE shipped IS NOT NULL AND rebuilt IS NOT NULL
    """,
    "Items by right and wrong, with the shipped weights and with the one rebuild.",
)

CHURN = Query(
    "churn",
    f"""
    SELECT {in_order("avg", "variance")} AS variance, count(*) AS items
    FROM (
        SELECT item_id, {in_order("var_samp", "score")} AS variance
        FROM reruns
        WHERE list_contains($names, artifact) AND item_id IS NOT NULL AND is_original IS NOT TRUE
        GROUP BY item_id HAVING count(*) > 1
    )
    """,  # noqa: S608  the text is put together of constants
    "How much the score of one item varies from rebuild to rebuild, on average.",
)
