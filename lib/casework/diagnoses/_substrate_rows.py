"""What `substrate_rotation` asks about the substrate: vectors of repeated texts, repeated scores.

Nothing here reads an outcome or an arm.
"""

from casework.case import Query

MODELS = Query(
    "models",
    """
    SELECT coalesce(embedding_model, '') AS model, count(*) AS vectors,
           count(DISTINCT text_id) AS texts, min(occurred_at) AS first, max(occurred_at) AS last
    FROM vectors GROUP BY model ORDER BY texts DESC, model
    """,
    "Models that embedded texts; one without a name is empty.",
)

IN_TURN = Query(
    "in_turn",
    """
    SELECT a.model, b.model AS other, count(*) AS texts,
           count(*) FILTER (WHERE len(list_intersect(a.days, b.days))
                                  > 0.5 * least(len(a.days), len(b.days))) AS together
    FROM (SELECT text_id, coalesce(embedding_model, '') AS model,
                 list(DISTINCT date_trunc('day', occurred_at)) AS days
          FROM vectors GROUP BY text_id, model) AS a
    JOIN (SELECT text_id, coalesce(embedding_model, '') AS model,
                 list(DISTINCT date_trunc('day', occurred_at)) AS days
          FROM vectors GROUP BY text_id, model) AS b
      ON a.text_id = b.text_id AND a.model < b.model
    GROUP BY a.model, b.model ORDER BY a.model, b.model
    """,
    "Models that embedded the same texts, and for how many texts on the same days.",
)

_DISTANCE = """CASE WHEN len({a}) <> len({b}) THEN 1.0
                ELSE 1 - list_cosine_similarity({a}, {b}) END"""

HAS_DIRECTION = """list_count(vector) = len(vector) AND isfinite(list_sum(vector))
            AND (list_max(vector) > 0 OR list_min(vector) < 0)"""
"""Whether a vector is all numbers, and not all zeros."""

NEIGHBOURS = Query(
    "neighbours",
    f"""
    SELECT text_id, occurred_at, vector, line, len(vector) AS dimensions,
           lag(occurred_at) OVER by_time AS before_at, lag(vector) OVER by_time AS before,
           lead(vector) OVER by_time AS after, first_value(vector) OVER by_time AS first
    FROM (SELECT *, list_extract(CAST($lines AS INTEGER[]), list_position(
              CAST($models AS VARCHAR[]), coalesce(embedding_model, ''))) AS line FROM vectors
          WHERE {HAS_DIRECTION})
    WINDOW by_time AS (PARTITION BY text_id, line ORDER BY occurred_at, locator)
    """,  # noqa: S608  the text is put together of constants
    "Each vector with the ones before and after it of the same text in the same line of models; "
    "not those without a direction, from which there is no distance.",
)

NO_DIRECTION = Query(
    "no_direction",
    f"""
    SELECT count(*) AS vectors FROM vectors
    WHERE ({HAS_DIRECTION}) IS NOT TRUE
    """,  # noqa: S608  the text is put together of constants
    "Vectors without a direction: all zeros, or not all numbers.",
)

MOVES = Query(
    "moves",
    f"""
    SELECT text_id, occurred_at, before_at, line, dimensions, len(before) AS dimensions_before,
           {_DISTANCE.format(a="vector", b="before")} AS distance,
           CASE WHEN after IS NOT NULL THEN {_DISTANCE.format(a="after", b="before")} END
               AS distance_after,
           {_DISTANCE.format(a="vector", b="first")} AS from_first
    FROM neighbours WHERE before IS NOT NULL
    """,  # noqa: S608  the text is put together of constants
    "Distance 1 - cosine of each vector from the one before it, of the next from that one, and "
    "from the first of the text.",
    uses=(NEIGHBOURS,),
)

QUIET = Query(
    "quiet",
    """
    SELECT day, count(*) AS pairs, quantile_cont(distance, 0.9) AS upper,
           quantile_cont(distance, 0.999) AS noise, median(largest) AS largest
    FROM (SELECT distance, date_trunc('day', occurred_at) AS day,
                 max(distance) OVER (
                     PARTITION BY text_id, date_trunc('day', occurred_at)) AS largest
          FROM moves
          WHERE line = $line AND (
              $same_day = FALSE OR date_trunc('day', occurred_at) = date_trunc('day', before_at)))
    GROUP BY day ORDER BY day
    """,
    "Distances of repeats, by day, and the largest of a text, of which half the texts have more.",
    uses=(MOVES,),
)

FLOOR = Query(
    "floor",
    """
    SELECT count(*) AS pairs, coalesce(quantile_cont(m.distance, 0.999), 0) AS noise
    FROM moves AS m
    JOIN (SELECT day FROM quiet
          WHERE upper <= 5 * greatest((SELECT median(upper) FROM quiet), 1e-9)
            AND largest <= 5 * greatest((SELECT median(largest) FROM quiet), 1e-9)) AS d
      ON d.day = date_trunc('day', m.occurred_at)
    WHERE m.line = $line AND (
        $same_day = FALSE OR date_trunc('day', m.occurred_at) = date_trunc('day', m.before_at))
    """,
    "Noise floor: the distance that 999 of 1,000 repeats stay below, on days without a step. A "
    "step is one repeat of many in a day, but each text has it.",
    uses=(MOVES, QUIET),
)

STEPS = Query(
    "steps",
    """
    SELECT line, date_trunc('hour', occurred_at) AS hour,
           CASE WHEN max(before_at) < min(occurred_at) THEN max(before_at)
                ELSE min(before_at) END AS started,
           CASE WHEN max(before_at) < min(occurred_at) THEN min(occurred_at)
                ELSE max(occurred_at) END AS ended, count(DISTINCT text_id) AS texts,
           median(distance) AS distance,
           count(*) FILTER (WHERE dimensions <> dimensions_before) AS other_dimensions
    FROM (SELECT *, list_extract(CAST($floors AS DOUBLE[]), line + 1) AS floor FROM moves)
    WHERE distance > floor AND (distance_after IS NULL OR distance_after > floor)
    GROUP BY line, hour ORDER BY line, hour
    """,
    "Texts whose vector moved beyond the noise floor of their line of models and stayed away, by "
    "hour; the bracket is what theirs have in common, else the time over which one after the other "
    "moved.",
    uses=(MOVES,),
)

WATCHED = Query(
    "watched",
    """
    SELECT count(*) AS texts FROM (
        SELECT text_id, min(occurred_at) AS first, max(occurred_at) AS last
        FROM vectors WHERE list_contains($named, coalesce(embedding_model, ''))
        GROUP BY text_id)
    WHERE first <= $started AND last >= $ended
    """,
    "Texts that were embedded on both sides of a change.",
)

FIRST_AND_LAST = Query(
    "first_and_last",
    """
    SELECT text_id,
           median(from_first) FILTER (
               WHERE occurred_at < CAST($opened_at AS TIMESTAMPTZ) + INTERVAL 7 DAY
           ) AS distance_first,
           median(from_first) FILTER (
               WHERE occurred_at > CAST($closed_at AS TIMESTAMPTZ) - INTERVAL 7 DAY
           ) AS distance_last
    FROM moves WHERE line = $line AND occurred_at >= $opened_at AND occurred_at <= $closed_at
    GROUP BY text_id
    """,
    "Distance of each text from its first vector, in the first and the last week.",
    uses=(MOVES,),
)

PART = Query(
    "part",
    """
    SELECT count(*) AS texts,
           count(*) FILTER (WHERE distance_first <= $floor AND distance_last > $floor) AS moved,
           (SELECT median(upper) FROM quiet WHERE day >= $opened_at
               AND day < CAST($opened_at AS TIMESTAMPTZ) + INTERVAL 7 DAY) AS noise_first,
           (SELECT median(upper) FROM quiet WHERE day <= $closed_at
               AND day > CAST($closed_at AS TIMESTAMPTZ) - INTERVAL 7 DAY) AS noise_last
    FROM first_and_last
    """,
    "Texts that were elsewhere in the last week of the experiment, and how far repeats of one text "
    "lay apart in its first and its last week.",
    uses=(FIRST_AND_LAST, QUIET),
)

DISTANCES = Query(
    "distances",
    """
    SELECT date_trunc($cohort, occurred_at) AS moment, min(occurred_at) AS first,
           median(from_first) AS distance, quantile_cont(from_first, 0.1) AS low,
           quantile_cont(from_first, 0.9) AS high
    FROM moves WHERE list_contains($judged, line) GROUP BY moment ORDER BY moment
    """,
    "Distance of the texts from their first vector, over time.",
    uses=(MOVES,),
)

SCORED = Query(
    "scored",
    """
    SELECT query_id, doc_id, occurred_at, score,
           first_value(score) OVER by_time AS first,
           first_value(occurred_at) OVER by_time AS first_at
    FROM (SELECT query_id, doc_id, occurred_at, locator, coalesce(dense_score, rerank_score)
                     AS score,
                 count(DISTINCT date_trunc('day', occurred_at)) OVER (
                     PARTITION BY query_id, doc_id) AS days
          FROM (SELECT * FROM candidates WHERE occurred_at IS NOT NULL))
    WHERE days > 5 AND score IS NOT NULL AND NOT isnan(score)
    WINDOW by_time AS (PARTITION BY query_id, doc_id ORDER BY occurred_at, locator)
    """,
    "Scores of pairs of query and document that are scored on many days.",
)

DAILY_SCORES = Query(
    "daily_scores",
    """
    SELECT date_trunc('day', occurred_at) AS day, min(occurred_at) AS first,
           max(occurred_at) AS last, count(*) AS scores,
           median(abs(score - first)) AS distance, min(first_at) AS since
    FROM scored WHERE occurred_at > first_at
    GROUP BY day HAVING count(*) >= 3 ORDER BY day
    """,
    "Distance of the scores from the first score of their pair, by day; not of the first itself.",
    uses=(SCORED,),
)

DAILY_SHAPE = Query(
    "daily_shape",
    """
    SELECT date_trunc('day', occurred_at) AS day, min(occurred_at) AS first,
           max(occurred_at) AS last, count(*) AS scores,
           quantile_cont(score - first, 0.1) AS q10, quantile_cont(score - first, 0.25) AS q25,
           quantile_cont(score - first, 0.5) AS q50, quantile_cont(score - first, 0.75) AS q75,
           quantile_cont(score - first, 0.9) AS q90
    FROM scored WHERE occurred_at > first_at
    GROUP BY day HAVING count(*) >= 10 ORDER BY day
    """,
    "Quantiles, by day, of how the scores depart from the first score of their pair.",
    uses=(SCORED,),
)

LEVELS = Query(
    "levels",
    """
    SELECT query_id, doc_id,
           median(score) FILTER (WHERE occurred_at BETWEEN $opened AND $started) AS before,
           median(score) FILTER (WHERE occurred_at BETWEEN $ended AND $closed) AS after
    FROM scored GROUP BY query_id, doc_id
    """,
    "Median score of each pair before and after a change.",
    uses=(SCORED,),
)

NEAR = Query(
    "near",
    """
    SELECT s.occurred_at, power(s.score - l.before, 2) AS from_before,
           power(s.score - l.after, 2) AS from_after
    FROM scored AS s JOIN levels AS l USING (query_id, doc_id)
    WHERE s.occurred_at BETWEEN $opened AND $closed AND l.before + l.after IS NOT NULL
    """,
    "Squared distance of scores from the level of their pair before and after a change.",
    uses=(SCORED, LEVELS),
)

READINGS = Query(
    "readings",
    """
    SELECT min(occurred_at) AS first, max(occurred_at) AS last, count(*) AS scores,
           sum(from_before - from_after) / (
               SELECT greatest(1e-12, avg(CASE WHEN occurred_at <= $started THEN from_before
                                               ELSE from_after END))
               FROM near WHERE occurred_at <= $started OR occurred_at >= $ended) AS misfit
    FROM near WHERE occurred_at > $started AND occurred_at < $ended
    GROUP BY date_trunc('minute', occurred_at) ORDER BY first
    """,
    "Readings around a change, by minute: how much further the scores lie from the level of their "
    "pair before it than from that after it, squared and in noise variances.",
    uses=(NEAR,),
)

RECORDED = Query(
    "recorded",
    """
    SELECT occurred_at, key, old_value, new_value FROM config_events
    ORDER BY occurred_at, key, scope
    """,
    "Changes of configuration.",
)

RETRIEVING = Query(
    "retrieving",
    """
    SELECT arm, count(*) AS candidates FROM candidates
    WHERE arm IS NOT NULL GROUP BY arm ORDER BY arm
    """,
    "Arms for which candidates were retrieved.",
)
