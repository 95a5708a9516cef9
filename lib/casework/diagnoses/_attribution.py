"""The questions that `output_attribution` asks of a case."""

from casework.case import Query
from casework.diagnoses._in_force import (
    ALIAS_DAYS,
    ALIAS_HISTORY,
    ALIAS_SEGMENTS,
    DECIDED,
    REPLICA_DAYS,
)

CLOCKS = Query(
    "clocks",
    """
    SELECT max(abs(coalesce(offset_s, 0)) + error_s) AS clock_error_s, count(*) AS hosts
    FROM clocks
    """,
    "The largest error of any clock, offset included.",
)

POPULATION = Query(
    "population",
    """
    SELECT count(*) AS rows, count(DISTINCT request_id) AS requests,
           count(DISTINCT request_id) FILTER (WHERE decision IS NOT NULL) AS with_decision,
           count(DISTINCT endpoint) AS endpoints,
           min(occurred_at) AS first, max(occurred_at) AS last
    FROM requests
    """,
    "How many requests there are, and how many of them record a decision.",
)

MATCHED = Query(
    "matched",
    """
    SELECT d.request_id, d.occurred_at, d.ended_at, d.endpoint, d.region, d.lane, d.fingerprint,
           d.decision, d.checkpoint AS by_record, r.only AS by_replica, a.only AS by_alias,
           CASE WHEN r.candidates > 0 THEN r.checkpoints ELSE a.checkpoints END AS candidates,
           a.ends <= d.ended_at AND d.checkpoint IS NULL AND r.only IS NULL AS crosses
    FROM decided AS d
    LEFT JOIN alias_days AS a
      ON a.alias = d.endpoint AND a.region IS NOT DISTINCT FROM d.region AND a.day = d.day
     AND d.occurred_at >= a.starts AND (a.ends IS NULL OR d.occurred_at < a.ends)
    LEFT JOIN replica_days AS r
      ON r.replica = d.replica AND r.day = d.day
     AND d.occurred_at >= r.starts AND (r.ends IS NULL OR d.occurred_at < r.ends)
    """,
    "Each decision with what its record, its replica and its alias say of the checkpoint.",
    uses=(DECIDED, ALIAS_DAYS, REPLICA_DAYS),
)

CROSSED = Query(
    "crossed",
    """
    SELECT request_id, occurred_at, list_sort(array_agg(DISTINCT checkpoint)) AS candidates
    FROM (SELECT m.request_id, m.occurred_at, unnest(s.checkpoints) AS checkpoint
          FROM matched AS m JOIN alias_segments AS s
            ON s.alias = m.endpoint AND s.region IS NOT DISTINCT FROM m.region
           AND s.starts <= m.ended_at AND (s.ends IS NULL OR s.ends > m.occurred_at)
          WHERE m.crosses)
    GROUP BY request_id, occurred_at HAVING count(DISTINCT checkpoint) > 1
    """,
    "Decisions that ran while the alias was switched: asked for before, answered after.",
    uses=(MATCHED, ALIAS_SEGMENTS),
)

GRADED = Query(
    "graded",
    """
    SELECT m.request_id, m.occurred_at, m.endpoint, m.region, m.lane, m.fingerprint, m.decision,
           m.by_alias, c.request_id IS NOT NULL AS crossed,
           CASE WHEN m.by_record IS NOT NULL THEN 'A' WHEN m.by_replica IS NOT NULL THEN 'B'
                WHEN c.request_id IS NOT NULL THEN 'D' WHEN m.by_alias IS NOT NULL THEN 'C'
                WHEN len(m.candidates) > 0 THEN 'D' ELSE 'E' END AS grade,
           CASE WHEN c.request_id IS NULL THEN coalesce(m.by_record, m.by_replica, m.by_alias)
                END AS checkpoint,
           CASE WHEN c.request_id IS NOT NULL THEN c.candidates
                WHEN coalesce(m.by_record, m.by_replica, m.by_alias) IS NULL THEN m.candidates
                END AS candidates
    FROM matched AS m
    LEFT JOIN crossed AS c ON c.request_id = m.request_id AND c.occurred_at = m.occurred_at
    """,
    "Each decision with the grade of its attribution, its checkpoint (A, B, C), or its candidate "
    "checkpoints (D).",
    uses=(MATCHED, CROSSED),
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
           h.valid_from - INTERVAL 1 SECOND * $clock_error_s AS zone_from,
           greatest(coalesce(h.rollout_ended_at, h.valid_from), h.valid_from)
               + INTERVAL 1 SECOND * $clock_error_s AS zone_until
    FROM alias_history AS h
    JOIN (SELECT endpoint, min(occurred_at) AS first, max(occurred_at) AS last
          FROM decided GROUP BY endpoint) AS w ON w.endpoint = h.alias
    WHERE h.checkpoint_before <> h.checkpoint
      AND h.valid_from > w.first AND h.valid_from <= w.last
    ORDER BY h.alias, h.region, h.valid_from
    """,
    "Moments inside the window of the decisions at which the digest in force changed.",
    uses=(DECIDED, ALIAS_HISTORY),
)

SPANS = Query(
    "spans",
    """
    SELECT alias, region, checkpoint, valid_from, coalesce(valid_until, next_from) AS valid_until,
           checkpoint_before = checkpoint AS is_reassertion
    FROM alias_history
    WHERE alias IN (SELECT endpoint FROM decided)
    ORDER BY alias, region, valid_from
    """,
    "What the alias of the decisions pointed at, over time.",
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
           arg_min(request_id, occurred_at) FILTER (WHERE by_alias <> checkpoint)
               AS first_disagreement
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
           count(*) FILTER (WHERE h.alias IS NULL) AS unknown_endpoint,
           count(*) FILTER (WHERE g.occurred_at < h.first) AS before_the_log
    FROM graded AS g
    LEFT JOIN (SELECT alias, min(valid_from) AS first FROM alias_history GROUP BY alias) AS h
      ON h.alias = g.endpoint
    WHERE g.grade = 'E'
    """,
    "Decisions without any candidate, and whether the alias log covers them at all.",
    uses=(GRADED, ALIAS_HISTORY),
)

UNLOGGED = Query(
    "unlogged",
    """
    SELECT checkpoint, min(seen_in) AS seen_in, min(first) AS first
    FROM (
        SELECT checkpoint, 'deployments' AS seen_in, min(valid_from) AS first
        FROM deployments GROUP BY checkpoint
        UNION ALL
        SELECT checkpoint, 'requests', min(occurred_at) FROM requests
        WHERE checkpoint IS NOT NULL GROUP BY checkpoint
    )
    WHERE EXISTS (SELECT 1 FROM alias_events)
      AND checkpoint NOT IN (SELECT checkpoint FROM alias_events)
    GROUP BY checkpoint ORDER BY checkpoint
    """,
    "Digests that ran, and that no alias event names: rotations that were not logged.",
)

SEQUENCE = Query(
    "sequence",
    """
    SELECT count(*) AS ids, max(number) - min(number) + 1 AS expected
    FROM (SELECT DISTINCT TRY_CAST(regexp_extract(request_id, '([0-9]{1,18})$', 1) AS BIGINT)
              AS number FROM decided)
    WHERE number IS NOT NULL
    """,
    "Numbers at the end of the ids, and how many there would be without gaps.",
    uses=(DECIDED,),
)
