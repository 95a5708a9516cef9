"""What `threshold_drift` asks about the gate, the periods, and the candidates in them."""

from casework.case import Query

_SCORE = "CASE WHEN $score = 'dense_score' THEN dense_score ELSE rerank_score END"

KIND = "concat(reranker, chr(31), round(threshold, 6))"
"""What tells one gate from another on the record: reranker and threshold."""

OWN = Query(
    "own",
    f"""
    SELECT * FROM candidates
    WHERE CAST($kinds AS VARCHAR[]) IS NULL OR list_contains(CAST($kinds AS VARCHAR[]), {KIND})
    """,  # noqa: S608  the text is put together of constants
    "Candidates of the gate that is examined: of its rerankers and thresholds, or all.",
)

COLUMNS_FILLED = Query(
    "columns_filled",
    """
    SELECT count(*) AS candidates, count(DISTINCT query_id) AS queries,
           count(*) FILTER (WHERE rerank_score IS NOT NULL AND NOT isnan(rerank_score))
               AS rerank_scores,
           count(*) FILTER (WHERE dense_score IS NOT NULL AND NOT isnan(dense_score))
               AS dense_scores,
           count(passed) AS passed, count(dense_rank) AS ranks, count(occurred_at) AS instants
    FROM own
    """,
    "What the log of candidates records.",
    uses=(OWN,),
)

EMBEDDINGS = Query(
    "embeddings",
    """
    SELECT embedding_model, count(*) AS candidates, count(DISTINCT query_id) AS queries,
           min(occurred_at) AS first, max(occurred_at) AS last
    FROM own WHERE embedding_model IS NOT NULL
    GROUP BY embedding_model ORDER BY min(occurred_at) NULLS LAST, embedding_model
    """,
    "Embedding versions, in the order of their first candidates.",
    uses=(OWN,),
)

EVENTS = Query(
    "events",
    """
    SELECT occurred_at, key, old_value, new_value, scope
    FROM config_events
    WHERE occurred_at >= (SELECT min(occurred_at) FROM candidates)
      AND occurred_at <= (SELECT max(occurred_at) FROM candidates)
    ORDER BY occurred_at, key, scope
    """,
    "Changes of configuration while candidates were logged.",
)

GATE_EVENTS = Query(
    "gate_events",
    """
    SELECT occurred_at, key, TRY_CAST(new_value AS DOUBLE) AS threshold,
           TRY_CAST(old_value AS DOUBLE) AS old_threshold
    FROM config_events WHERE key LIKE 'threshold:%'
    ORDER BY occurred_at, key
    """,
    "Thresholds in the log of changes.",
)

BETWEEN = Query(
    "between",
    """
    SELECT e.occurred_at, count(*) AS candidates
    FROM own
    ASOF JOIN (SELECT DISTINCT occurred_at FROM config_events) AS e
      ON own.occurred_at >= e.occurred_at
    GROUP BY e.occurred_at ORDER BY e.occurred_at
    """,
    "Candidates from each change of configuration to the next.",
    uses=(OWN,),
)

DAILY = Query(
    "daily",
    f"""
    SELECT date_trunc('day', occurred_at) AS day, count(*) AS candidates,
           count(*) FILTER (WHERE NOT has_passed) AS dropped
    FROM (SELECT occurred_at, coalesce(passed,
              CASE WHEN NOT isnan({_SCORE}) THEN {_SCORE} >= coalesce(threshold, $gate) END
          ) AS has_passed FROM own)
    WHERE occurred_at IS NOT NULL AND has_passed IS NOT NULL
    GROUP BY day ORDER BY day
    """,  # noqa: S608  the text is put together of constants
    "Candidates and drops by day; where none is logged to have passed, by score and threshold.",
    uses=(OWN,),
)

LOGGED = Query(
    "logged",
    f"""
    SELECT query_id, doc_id, occurred_at, request_id, arm, reranker, dense_rank, threshold, passed,
           CASE WHEN dense_score IS NULL OR isnan(dense_score) THEN NULL ELSE dense_score END
               AS dense_score,
           CASE WHEN {_SCORE} IS NULL OR isnan({_SCORE}) THEN NULL ELSE {_SCORE} END AS score,
           CASE WHEN CASE WHEN $by_version THEN embedding_model = $after
                          ELSE occurred_at >= CAST($changed_at AS TIMESTAMPTZ) END
                THEN CASE WHEN $until IS NULL OR occurred_at < $until THEN TRUE END
                WHEN CASE WHEN $by_version THEN embedding_model = $before
                          ELSE occurred_at < $ended_at END
                THEN CASE WHEN $since IS NULL OR occurred_at >= $since THEN FALSE END
           END AS is_after
    FROM own
    QUALIFY row_number() OVER (
        PARTITION BY query_id, doc_id, coalesce(request_id, concat(exhibit_id, chr(31), locator)),
                     arm, embedding_model
        ORDER BY occurred_at, locator) = 1
    """,  # noqa: S608  the text is put together of constants
    "Candidates with the gated score and their period; of a retried request the first record.",
    uses=(OWN,),
)

PLACED = Query(
    "placed",
    """
    SELECT count(*) AS candidates, count(*) - count(is_after) AS in_neither FROM logged
    """,
    "Candidates without those of retried requests, and those of them that lie in neither period.",
    uses=(LOGGED,),
)

GATES = Query(
    "gates",
    """
    SELECT is_after, threshold, count(*) AS candidates, max(occurred_at) AS last
    FROM logged WHERE is_after IS NOT NULL
    GROUP BY is_after, threshold ORDER BY is_after, candidates DESC, threshold
    """,
    "Thresholds on the record, by period.",
    uses=(LOGGED,),
)

EDGE = Query(
    "edge",
    """
    SELECT is_after, max(score) FILTER (WHERE NOT passed) AS largest_dropped,
           min(score) FILTER (WHERE passed) AS least_passed
    FROM logged WHERE is_after IS NOT NULL GROUP BY is_after ORDER BY is_after
    """,
    "Where the log of passed and dropped candidates puts the gate.",
    uses=(LOGGED,),
)

OFFERED = Query(
    "offered",
    """
    SELECT l.query_id, l.doc_id, l.occurred_at, l.request_id, l.reranker, l.is_after, l.score,
           l.dense_score,
           coalesce(l.passed, l.score >= coalesce(l.threshold,
               CASE WHEN l.is_after THEN $gate_after ELSE $gate END)) AS passed,
           q.both AS is_shared, d.doc_id IS NOT NULL AS is_known,
           row_number() OVER (
               PARTITION BY l.query_id, l.is_after, l.request_id, l.arm,
                            CASE WHEN l.request_id IS NULL THEN l.occurred_at END
               ORDER BY l.dense_rank NULLS LAST, l.dense_score DESC NULLS LAST, l.doc_id) AS place,
           l.dense_rank
    FROM logged AS l
    JOIN (SELECT query_id, count(DISTINCT is_after) = 2 AS both
          FROM logged WHERE is_after IS NOT NULL GROUP BY query_id) AS q
      ON q.query_id = l.query_id
    LEFT JOIN (SELECT DISTINCT doc_id FROM logged WHERE NOT is_after) AS d ON d.doc_id = l.doc_id
    WHERE l.is_after IS NOT NULL
    """,
    "Candidates of both periods: whether their query was asked in both, whether their document "
    "was offered before, and their place in the list.",
    uses=(LOGGED,),
)

LEVELS = Query(
    "levels",
    """
    SELECT is_after, count(*) AS candidates, count(score) AS scored,
           count(*) - count(score) AS unscored,
           count(*) FILTER (WHERE score IS NULL AND NOT passed) AS unscored_dropped,
           count(DISTINCT query_id) AS queries, count(DISTINCT doc_id) AS documents,
           count(*) FILTER (WHERE place = 1) AS retrievals, max(place) AS longest,
           count(*) FILTER (WHERE NOT passed) AS dropped,
           count(*) FILTER (WHERE score IS NOT NULL AND NOT passed) AS scored_dropped,
           count(*) FILTER (WHERE is_shared) AS of_shared_queries,
           count(*) FILTER (WHERE is_known) AS of_known_documents,
           count(DISTINCT reranker) AS rerankers, min(reranker) AS reranker,
           max(dense_rank) AS deepest,
           min(occurred_at) AS first, max(occurred_at) AS last,
           min(score) AS lowest, max(score) AS highest,
           round(stddev_samp(score), 6) AS spread
    FROM offered GROUP BY is_after ORDER BY is_after
    """,
    "Candidates by period: how many, scored, dropped, of which queries and documents.",
    uses=(OFFERED,),
)

_PRODUCTS = ("n0n0", "n0y0", "y0y0", "n1n1", "n1y1", "y1y1", "n0n1", "n0y1", "y0n1", "y0y1")
PERIOD_SUMS = ", ".join(
    (
        "count(*) AS clusters",
        *(f"CAST(sum({name}) AS DOUBLE) AS {name}" for name in ("n0", "y0", "n1", "y1")),
        *(f"CAST(sum(CAST({p[:2]} AS HUGEINT) * {p[2:]}) AS DOUBLE) AS {p}" for p in _PRODUCTS),
    )
)
"""Sums of whole numbers n0, y0, n1, y1 over clusters, for `casework.stats.periods`."""

DROPS = Query(
    "drops",
    f"""
    SELECT {PERIOD_SUMS} FROM (
        SELECT query_id, count(*) FILTER (WHERE NOT is_after) AS n0,
               count(*) FILTER (WHERE NOT is_after AND is_drop) AS y0,
               count(*) FILTER (WHERE is_after) AS n1,
               count(*) FILTER (WHERE is_after AND is_drop) AS y1
        FROM (
            SELECT query_id, is_after,
                   CASE WHEN $in_force THEN NOT passed
                        WHEN is_after THEN score < $gate_used ELSE score < $gate END AS is_drop
            FROM offered
            WHERE ($unscored OR score IS NOT NULL)
              AND ($same_queries = FALSE OR is_shared)
              AND ($known_documents = FALSE OR is_known)
              AND ($depth IS NULL OR place <= $depth)
        ) GROUP BY query_id)
    """,  # noqa: S608
    "Candidates and drops by query in both periods, as sums and sums of products over queries.",
    uses=(OFFERED,),
)
