"""The questions about records that `registry_rot` asks of a case."""

from casework.case import Query
from casework.diagnoses._registry_traffic import TRAFFIC

PRESENCE = Query(
    "presence",
    """
    SELECT p.person,
           bool_or((p.active_from IS NULL
                    OR p.active_from <= CAST($as_of AS TIMESTAMP WITH TIME ZONE))
               AND (p.active_until IS NULL
                    OR p.active_until > CAST($as_of AS TIMESTAMP WITH TIME ZONE))) AS present,
           max(p.active_until) AS left_at, max(p.timezone) AS timezone, max(p.team) AS team
    FROM (SELECT lower(person) AS person, active_from, active_until, timezone, team
          FROM people) AS p
    GROUP BY p.person
    """,
    "Each person of the staff list: whether active now, and until when at last.",
)

SEEN_AFTER = Query(
    "seen_after",
    """
    SELECT p.person, max(e.occurred_at) AS seen_at
    FROM presence AS p
    JOIN engagements AS e ON lower(e.person) = p.person AND e.occurred_at > p.left_at
    WHERE NOT p.present
    GROUP BY p.person
    """,
    "People whom the staff list lets go, and who did something afterwards.",
    uses=(PRESENCE,),
)

TEAMS = Query(
    "teams",
    """
    SELECT lower(team) AS team, bool_or(present) AS present
    FROM presence WHERE team IS NOT NULL GROUP BY lower(team)
    """,
    "Teams, and whether anyone of them is active now: a role account stands for its team.",
    uses=(PRESENCE,),
)

EVALUATED = Query(
    "evaluated",
    """
    SELECT DISTINCT regexp_replace(lower(checkpoint), '^sha256:', '') AS digest,
           regexp_replace(lower(suite), '[-_./: ]', '', 'g') AS suite, dataset_hash
    FROM eval_runs
    WHERE checkpoint IS NOT NULL AND (ended_at IS NOT NULL OR score IS NOT NULL)
    """,
    "Digests with a completed eval run, and on which suite.",
)

SUCCESSORS = Query(
    "successors",
    """
    SELECT DISTINCT name, successor
    FROM (
        WITH RECURSIVE led AS (
            SELECT regexp_replace(lower(benchmark), '[-_./: ]', '', 'g') AS name,
                   regexp_replace(lower(superseded_by), '[-_./: ]', '', 'g') AS successor
            FROM benchmarks WHERE superseded_by IS NOT NULL
            UNION
            SELECT l.name, regexp_replace(lower(b.superseded_by), '[-_./: ]', '', 'g')
            FROM led AS l
            JOIN benchmarks AS b
              ON regexp_replace(lower(b.benchmark), '[-_./: ]', '', 'g') = l.successor
            WHERE b.superseded_by IS NOT NULL
        )
        SELECT name, successor FROM led
    )
    WHERE successor NOT IN (
        SELECT regexp_replace(lower(benchmark), '[-_./: ]', '', 'g') FROM benchmarks GROUP BY 1
        HAVING bool_and(coalesce(
            deprecated_at <= CAST($as_of AS TIMESTAMP WITH TIME ZONE), false)))
    """,
    "Which benchmark in force took the place of each, at once or by others between.",
)

BENCHMARK_STATES = Query(
    "benchmark_states",
    """
    SELECT b.benchmark, regexp_replace(lower(b.benchmark), '[-_./: ]', '', 'g') AS name,
           b.deprecated_at, b.superseded_by,
           b.deprecated_at IS NOT NULL
               AND b.deprecated_at <= CAST($as_of AS TIMESTAMP WITH TIME ZONE) AS retired,
           coalesce(regexp_replace(lower(b.superseded_by), '[-_./: ]', '', 'g')
                    = regexp_replace(lower(b.benchmark), '[-_./: ]', '', 'g'), false)
               OR EXISTS (
                   SELECT 1 FROM evaluated AS o JOIN evaluated AS n
                     ON n.dataset_hash = o.dataset_hash
                   JOIN successors AS s ON s.name = o.suite AND s.successor = n.suite
                   WHERE o.suite = regexp_replace(lower(b.benchmark), '[-_./: ]', '', 'g'))
               AS renamed
    FROM benchmarks AS b
    """,
    "Benchmarks, whether retired by now, and whether only the name changed: the same name in "
    "other spelling, or the same items under both.",
    uses=(EVALUATED, SUCCESSORS),
)

VERSIONS = Query(
    "versions",
    """
    SELECT v.model, v.version, regexp_replace(lower(v.checkpoint), '^sha256:', '') AS digest,
           v.owner, v.benchmark, v.metric, v.metric_value, v.eval_run_id, v.requested_by,
           v.requested_at, v.approved_by, v.approved_at, v.card_updated_at, v.created_at,
           regexp_replace(lower(coalesce(v.eval_checkpoint, e.checkpoint)), '^sha256:', '')
               AS eval_digest,
           e.score AS run_score, e.n_items,
           EXISTS (SELECT 1 FROM model_versions AS o
                   WHERE o.model = v.model AND o.checkpoint <> v.checkpoint
                     AND o.created_at <= v.card_updated_at) AS earlier_digest
    FROM model_versions AS v
    LEFT JOIN eval_runs AS e ON e.run_id = v.eval_run_id
    """,
    "Registered versions with the digest that their score was measured on.",
)

RECORDS = Query(
    "records",
    """
    SELECT t.digest, t.checkpoint, t.requests, t.accounts, t.endpoints, t.first, v.model, v.version,
           v.owner, p.left_at AS owner_left_at, p.timezone AS owner_zone, v.benchmark,
           b.deprecated_at, b.superseded_by, v.metric, v.metric_value, v.n_items, v.run_score,
           v.approved_by, v.approved_at, v.requested_by,
           v.eval_digest IS NOT NULL AND v.eval_digest <> t.digest AS eval_differs,
           CASE WHEN v.model IS NULL THEN NULL
                WHEN v.owner IS NULL AND EXISTS (SELECT 1 FROM model_versions
                                                 WHERE owner IS NOT NULL) THEN 'none'
                WHEN v.owner IS NULL THEN 'not recorded'
                WHEN p.present OR g.present THEN 'present'
                WHEN s.seen_at IS NOT NULL THEN 'seen after leaving'
                WHEN p.left_at > CAST($as_of AS TIMESTAMP WITH TIME ZONE)
                                 - INTERVAL 1 DAY * $hr_lag_days THEN 'left within the lag'
                WHEN p.left_at IS NOT NULL OR g.team IS NOT NULL THEN 'left'
                ELSE 'not on the list' END AS owner_state,
           CASE WHEN v.benchmark IS NULL THEN 'none named'
                WHEN NOT EXISTS (SELECT 1 FROM benchmarks) THEN 'not recorded'
                WHEN b.benchmark IS NULL AND EXISTS (
                         SELECT 1 FROM benchmark_states WHERE deprecated_at IS NULL)
                     AND regexp_replace(lower(v.benchmark), '[-_./: ]', '', 'g') NOT IN (
                         SELECT regexp_replace(lower(superseded_by), '[-_./: ]', '', 'g')
                         FROM benchmark_states WHERE superseded_by IS NOT NULL)
                    THEN 'not on the list'
                WHEN b.retired IS NOT TRUE THEN 'in force'
                WHEN b.renamed THEN 'renamed'
                WHEN EXISTS (SELECT 1 FROM evaluated AS x JOIN successors AS y
                               ON y.successor = x.suite AND y.name = b.name
                             WHERE x.digest = t.digest)
                    THEN 'measured anew'
                WHEN b.deprecated_at <= v.approved_at THEN 'retired before approval'
                ELSE 'retired since' END AS benchmark_state,
           CASE WHEN v.model IS NULL THEN NULL
                WHEN v.eval_digest = t.digest THEN 'of this digest'
                WHEN EXISTS (SELECT 1 FROM evaluated AS x WHERE x.digest = t.digest)
                    THEN 'run on record'
                WHEN v.eval_digest IS NOT NULL THEN 'of another digest'
                WHEN v.eval_run_id IS NOT NULL OR v.metric_value IS NOT NULL
                    THEN 'digest not recorded'
                WHEN EXISTS (SELECT 1 FROM versions AS o
                             WHERE o.eval_digest IS NOT NULL OR o.metric_value IS NOT NULL)
                    THEN 'none'
                WHEN EXISTS (SELECT 1 FROM evaluated) THEN 'no run loaded'
                ELSE 'not recorded' END AS eval_state,
           v.eval_digest IS NOT NULL
               OR (v.card_updated_at IS NOT NULL AND v.created_at IS NOT NULL) AS card_known,
           coalesce(v.earlier_digest AND v.card_updated_at
                    < v.created_at - INTERVAL 1 DAY * $card_grace_days, false) AS card_older
    FROM traffic AS t
    LEFT JOIN versions AS v ON v.digest = t.digest
    LEFT JOIN presence AS p ON p.person = lower(v.owner)
    LEFT JOIN seen_after AS s ON s.person = lower(v.owner)
    LEFT JOIN teams AS g ON g.team = lower(v.owner)
    LEFT JOIN benchmark_states AS b
      ON b.name = regexp_replace(lower(v.benchmark), '[-_./: ]', '', 'g')
    WHERE t.digest IS NOT NULL
    ORDER BY t.requests DESC, t.digest, v.model, v.version, b.benchmark = v.benchmark DESC,
             b.benchmark
    """,
    "Each digest that served live traffic with its registered versions and the state of each "
    "control. A digest without a version is not registered.",
    uses=(TRAFFIC, VERSIONS, PRESENCE, SEEN_AFTER, TEAMS, EVALUATED, SUCCESSORS, BENCHMARK_STATES),
)

UNREGISTERED = Query(
    "unregistered",
    """
    SELECT t.digest, t.checkpoint, t.requests, t.endpoints, t.first,
           min(c.base_checkpoint) FILTER (WHERE b.digest IS NOT NULL AND regexp_matches(
               lower(concat(coalesce(c.uri, ''), ' ',
                            coalesce(CAST(c.attributes AS VARCHAR), ''))),
               'quanti[sz]|(^|[^0-9])[48]-?bit|(^|[^a-z0-9])(int[48]|fp[48]|nf4|gguf|awq|gptq'
               || '|q[568]|q[2-8]_[01k])([^a-z0-9]|$)'))
               AS quantised_from,
           bool_or(c.checkpoint IS NOT NULL) AS described,
           bool_or(x.digest IS NOT NULL) AS evaluated
    FROM traffic AS t
    LEFT JOIN checkpoints AS c
      ON regexp_replace(lower(c.checkpoint), '^sha256:', '') = t.digest
    LEFT JOIN versions AS b
      ON b.digest = regexp_replace(lower(c.base_checkpoint), '^sha256:', '')
    LEFT JOIN evaluated AS x ON x.digest = t.digest
    WHERE t.digest IS NOT NULL AND t.digest NOT IN (
        SELECT digest FROM versions WHERE digest IS NOT NULL)
    GROUP BY t.digest, t.checkpoint, t.requests, t.endpoints, t.first
    ORDER BY t.requests DESC, t.digest
    """,
    "Served digests that no version names, and whether one is a registered digest in another "
    "precision.",
    uses=(TRAFFIC, VERSIONS, EVALUATED),
)

REGISTRY = Query(
    "registry",
    """
    SELECT count(*) AS versions, count(DISTINCT model) AS models,
           count(*) FILTER (WHERE checkpoint IS NULL OR checkpoint LIKE '%://%') AS without_digest,
           greatest(max(created_at), max(requested_at), max(approved_at), max(card_updated_at))
               AS last_event
    FROM model_versions
    """,
    "How many versions the registry holds, how many of them without a digest, and its last event.",
)

ROLLBACK = Query(
    "rollback",
    """
    SELECT v.model, v.version, v.back_to, v.back_digest, bool_or(c.is_there) AS is_there
    FROM (
        SELECT model, version, digest,
               lag(version) OVER (PARTITION BY model ORDER BY created_at, version) AS back_to,
               lag(digest) OVER (PARTITION BY model ORDER BY created_at, version) AS back_digest
        FROM versions
    ) AS v
    JOIN traffic AS t ON t.digest = v.digest
    LEFT JOIN (SELECT checkpoint, "exists" AS is_there, row_number() OVER (
                   PARTITION BY checkpoint, uri ORDER BY verified_at DESC NULLS LAST, locator)
                   AS nth
               FROM checkpoints) AS c
      ON c.nth = 1 AND regexp_replace(lower(c.checkpoint), '^sha256:', '') = v.back_digest
    WHERE v.back_digest IS NOT NULL AND v.back_digest <> v.digest
    GROUP BY v.model, v.version, v.back_to, v.back_digest
    ORDER BY v.model, v.version
    """,
    "What each live version would be rolled back to, and whether its weights are there, as last "
    "checked.",
    uses=(TRAFFIC, VERSIONS),
)
