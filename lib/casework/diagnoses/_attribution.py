"""The questions that `output_attribution` asks of a case."""

from casework.case import Query
from casework.diagnoses._answers import is_answer
from casework.diagnoses._environments import of_environment, outside_tests
from casework.diagnoses._grading import grading_of
from casework.diagnoses._in_force import ALIAS_HISTORY, DECIDED
from casework.diagnoses._retrieval import RETRIEVAL_MOVES
from casework.diagnoses._unlogged import LOG_BEGINS, UNLOGGED_RUNS

MATCHED, CROSSED, GRADED = grading_of(DECIDED)

CLOCKS = Query(
    "clocks",
    """
    SELECT max(least(abs(coalesce(offset_s, 0)) + abs(error_s), 36525 * 86400.0)) AS clock_error_s,
           count(*) AS hosts
    FROM clocks
    """,
    "The largest error of any clock, offset included. A century leaves every order open, so that "
    "more counts as one.",
)

ENVIRONMENTS = Query(
    "environments",
    f"""
    SELECT environment, {outside_tests("environment")} AS is_of_customers,
           count(*) AS requests, count(decision) AS with_decision
    FROM requests GROUP BY environment ORDER BY environment LIMIT 1000
    """,  # noqa: S608  the text is put together of constants
    "Records of requests and decisions by environment, and whether it is named as one for tests.",
)

POPULATION = Query(
    "population",
    f"""
    SELECT count(*) FILTER (WHERE is_counted) AS rows,
           count(DISTINCT request_id) FILTER (WHERE is_counted) AS requests,
           count(DISTINCT request_id) FILTER (WHERE decision IS NOT NULL) AS with_decision,
           count(DISTINCT request_id) FILTER (WHERE NOT is_counted) AS of_numbers,
           count(DISTINCT endpoint) FILTER (WHERE is_counted) AS endpoints,
           min(occurred_at) FILTER (WHERE is_counted) AS first,
           max(occurred_at) FILTER (WHERE is_counted) AS last
    FROM (SELECT request_id, occurred_at, endpoint, decision,
                 decision IS NOT NULL OR {is_answer("operation")} AS is_counted
          FROM requests WHERE {of_environment("environment")})
    """,  # noqa: S608  the text is put together of constants
    "How many requests there are, how many of them record a decision, and how many calls for "
    "embeddings or rankings there are beside them.",
)

POPULATION_ONCE = Query(
    "population",
    f"""
    SELECT coalesce(CAST(sum(records) FILTER (WHERE is_counted) AS BIGINT), 0) AS rows,
           coalesce(CAST(sum(records) FILTER (WHERE is_counted) AS BIGINT), 0) AS requests,
           coalesce(CAST(sum(decided) AS BIGINT), 0) AS with_decision,
           coalesce(CAST(sum(records) FILTER (WHERE NOT is_counted) AS BIGINT), 0) AS of_numbers,
           count(DISTINCT endpoint) FILTER (WHERE is_counted) AS endpoints,
           min(first) FILTER (WHERE is_counted) AS first,
           max(last) FILTER (WHERE is_counted) AS last
    FROM (SELECT endpoint, is_counted, count(*) AS records, count(decision) AS decided,
                 min(occurred_at) AS first, max(occurred_at) AS last
          FROM (SELECT occurred_at, endpoint, decision,
                       decision IS NOT NULL OR {is_answer("operation")} AS is_counted
                FROM requests WHERE {of_environment("environment")})
          GROUP BY endpoint, is_counted)
    """,  # noqa: S608  the text is put together of constants
    "How many requests there are, none of which was retried, how many of them record a decision, "
    "and how many calls for embeddings or rankings there are beside them.",
)

POSSIBLE = Query(
    "possible",
    """
    SELECT checkpoint, decision, count(*) AS definite, 0 AS ambiguous
    FROM graded WHERE checkpoint IS NOT NULL GROUP BY checkpoint, decision
    UNION ALL
    SELECT checkpoint, decision, 0, count(*)
    FROM (SELECT unnest(candidates) AS checkpoint, decision FROM graded WHERE grade = 'D')
    GROUP BY checkpoint, decision
    """,
    "Decisions of each checkpoint by outcome, for certain and not.",
    uses=(GRADED,),
)

BY_GRADE = Query(
    "by_grade",
    """
    SELECT grade, count(*) AS decisions, count(*) FILTER (WHERE crossed) AS crossed,
           min(occurred_at) AS first, max(occurred_at) AS last
    FROM graded GROUP BY grade ORDER BY grade
    """,
    "Decisions by grade: A digest on the record, B replica's deployment, C alias in force, "
    "D ambiguous, E none.",
    uses=(GRADED,),
)

WITHOUT_CLOCK_ERROR = Query(
    "without_clock_error",
    """
    SELECT count(*) FILTER (WHERE grade = 'D') AS ambiguous,
           count(*) FILTER (WHERE grade = 'E') AS unattributed
    FROM graded
    """,
    "What would remain ambiguous if all clocks were exact.",
    uses=(GRADED,),
)

BY_CHECKPOINT = Query(
    "by_checkpoint",
    """
    SELECT checkpoint, CAST(sum(definite) AS BIGINT) AS definite,
           CAST(sum(definite + ambiguous) AS BIGINT) AS possible
    FROM possible GROUP BY checkpoint ORDER BY definite DESC, checkpoint
    """,
    "Decisions that each checkpoint made for certain, and at most.",
    uses=(POSSIBLE,),
)

BOUNDARIES = Query(
    "boundaries",
    """
    SELECT h.alias, h.region, h.valid_from AS boundary, h.checkpoint_before, h.checkpoint,
           greatest(h.valid_from - INTERVAL 1 SECOND * $clock_error_s,
                    TIMESTAMPTZ '0001-01-02 00:00:00+00') AS zone_from,
           least(greatest(coalesce(h.rollout_ended_at, h.valid_from), h.valid_from)
                     + INTERVAL 1 SECOND * $clock_error_s,
                 TIMESTAMPTZ '9999-12-30 00:00:00+00') AS zone_until,
           h.name
    FROM alias_history AS h
    JOIN (SELECT endpoint, min(occurred_at) AS first, max(occurred_at) AS last
          FROM decided GROUP BY endpoint) AS w ON w.endpoint = h.alias
    WHERE h.checkpoint_before <> h.checkpoint
      AND h.valid_from > w.first AND h.valid_from <= w.last
    QUALIFY dense_rank() OVER (PARTITION BY h.name, h.region, h.valid_from ORDER BY h.alias) = 1
    ORDER BY h.alias, h.region, h.valid_from
    """,
    "Moments inside the window of the decisions at which the digest in force changed. One that "
    "callers see under the name and under the URI of an alias is one.",
    uses=(DECIDED, ALIAS_HISTORY),
)

SPANS = Query(
    "spans",
    """
    SELECT alias, region, checkpoint, valid_from, coalesce(valid_until, next_from) AS valid_until,
           checkpoint_before = checkpoint AS is_reassertion, name,
           list_sort(array_agg(DISTINCT alias) OVER (PARTITION BY name)) AS called
    FROM alias_history
    WHERE alias IN (SELECT endpoint FROM decided)
    QUALIFY dense_rank() OVER (PARTITION BY name ORDER BY alias) = 1
    ORDER BY alias, region, valid_from
    """,
    "What the alias of the decisions pointed at, over time. One that callers call by its name "
    "and by its URI is told once.",
    uses=(DECIDED, ALIAS_HISTORY),
)

UNATTRIBUTED = Query(
    "unattributed",
    """
    SELECT request_id, occurred_at, endpoint, region, grade, decision, candidates
    FROM graded WHERE grade IN ('D', 'E') ORDER BY occurred_at, request_id LIMIT 2000
    """,
    "The decisions that cannot be attributed to exactly one checkpoint (at most 2,000).",
    uses=(GRADED,),
)

OUTCOMES = Query(
    "outcomes",
    """
    SELECT checkpoint, decision, CAST(sum(definite) AS BIGINT) AS definite,
           CAST(sum(definite + ambiguous) AS BIGINT) AS possible
    FROM possible WHERE decision IS NOT NULL
    GROUP BY checkpoint, decision ORDER BY checkpoint, possible DESC, decision LIMIT 200
    """,
    "What each checkpoint decided, for certain and at most (at most 200 rows).",
    uses=(POSSIBLE,),
)

CROSS_CHECK = Query(
    "cross_check",
    """
    SELECT count(*) AS checked, count(*) FILTER (WHERE by_alias <> checkpoint) AS disagree,
           count(*) FILTER (WHERE by_alias <> checkpoint AND coalesce(lane, '') IN (
               SELECT coalesce(lane, '') FROM graded WHERE grade = 'C')) AS wrong_where_relied_on,
           arg_min(request_id, row(occurred_at, request_id)) FILTER (WHERE by_alias <> checkpoint)
               AS first_disagreement,
           CASE WHEN count(DISTINCT coalesce(replica, '')) FILTER (WHERE by_alias <> checkpoint) = 1
                THEN max(replica) FILTER (WHERE by_alias <> checkpoint) END AS only_replica
    FROM graded WHERE grade IN ('A', 'B') AND by_alias IS NOT NULL
    """,
    "Decisions known by digest or replica, against what the alias log alone would have said.",
    uses=(GRADED,),
)

FINGERPRINTS = Query(
    "fingerprints",
    """
    SELECT count(*) AS unattributed,
           count(*) FILTER (WHERE k.fingerprint IS NOT NULL) AS resolved
    FROM graded AS g
    LEFT JOIN (
        SELECT fingerprint FROM graded
        WHERE grade IN ('A', 'B', 'C') AND fingerprint IS NOT NULL
        GROUP BY fingerprint HAVING count(DISTINCT checkpoint) = 1
    ) AS k ON k.fingerprint = g.fingerprint
    WHERE g.grade IN ('D', 'E')
    """,
    "Unattributed decisions whose provider fingerprint belongs to one checkpoint alone.",
    uses=(GRADED,),
)

OUTSIDE_THE_LOG = Query(
    "outside_the_log",
    """
    SELECT count(*) AS unattributed,
           count(*) FILTER (WHERE h.alias IS NULL AND g.endpoint IS NOT NULL) AS unknown_endpoint,
           count(*) FILTER (WHERE g.endpoint IS NULL) AS without_endpoint,
           count(*) FILTER (WHERE g.occurred_at < h.first) AS before_the_log
    FROM graded AS g
    LEFT JOIN (SELECT alias, min(valid_from) AS first FROM alias_history GROUP BY alias) AS h
      ON h.alias = g.endpoint
    WHERE g.grade = 'E' OR g.grade = 'D' AND len(g.candidates) = 1
    """,
    "Decisions without any candidate, or with none but the one that comes next, and whether the "
    "alias log covers them at all.",
    uses=(GRADED, ALIAS_HISTORY),
)

UNLOGGED = Query(
    "unlogged",
    f"""
    SELECT checkpoint, min(seen_in) AS seen_in, min(first) AS first
    FROM (
        SELECT u.checkpoint, 'deployments' AS seen_in, min(d.valid_from) AS first
        FROM unlogged_runs AS u
        JOIN deployments AS d ON d.replica = u.replica AND d.checkpoint = u.checkpoint
        GROUP BY u.checkpoint
        UNION ALL
        SELECT q.checkpoint, 'requests', min(q.occurred_at)
        FROM requests AS q LEFT JOIN log_begins AS b ON b.alias = q.endpoint
        WHERE q.checkpoint IS NOT NULL AND {of_environment("q.environment")}
          AND (q.endpoint IS NULL OR b.alias IS NOT NULL)
          AND q.occurred_at >= coalesce(b.settled, (SELECT min(settled) FROM log_begins))
                               + INTERVAL 1 SECOND * $clock_error_s
          AND q.checkpoint NOT IN (SELECT checkpoint FROM alias_events)
          AND (q.decision IS NOT NULL OR {is_answer("q.operation")})
        GROUP BY q.checkpoint
    )
    GROUP BY checkpoint ORDER BY checkpoint
    """,  # noqa: S608  the text is put together of constants
    "Digests that ran after the alias log begins, and that no alias event names: rotations that "
    "were not logged.",
    uses=(UNLOGGED_RUNS, LOG_BEGINS),
)

OVERRIDDEN = Query(
    "overridden",
    f"""
    SELECT count(*) AS decisions
    FROM (SELECT request_id FROM requests WHERE decision IS NOT NULL
          AND {of_environment("environment")}
          GROUP BY request_id HAVING min(decision) <> max(decision))
    """,  # noqa: S608  the text is put together of constants
    "Decisions of which a later record says otherwise: a person's, or a retry's.",
)

SYSTEMS = Query(
    "systems",
    f"""
    SELECT p.prompts, p.parameters,
           (SELECT count(*) FROM retrieval_moves
            WHERE occurred_at > p.first AND occurred_at <= p.last) AS retrieval_moves
    FROM (SELECT count(DISTINCT prompt_hash) AS prompts, count(DISTINCT params_hash) AS parameters,
                 min(occurred_at) AS first, max(occurred_at) AS last FROM requests
          WHERE {of_environment("environment")} AND {is_answer("operation")}) AS p
    """,  # noqa: S608  the text is put together of constants
    "Prompts and parameters by their hashes, and changes of index or tools in the window: one "
    "checkpoint with another of these is another decision system.",
    uses=(RETRIEVAL_MOVES,),
)
