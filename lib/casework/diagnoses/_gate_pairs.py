"""What `threshold_drift` asks about the same pairs, the candidate sets, scores and judgments."""

from casework.case import Query
from casework.diagnoses._gate_rows import OFFERED
from casework.diagnoses._in_order import in_order

PAIRS = Query(
    "pairs",
    """
    SELECT query_id, doc_id, is_after, count(*) AS times,
           (min(score) + max(score)) / 2 AS score, max(score) - min(score) AS spread,
           (min(dense_score) + max(dense_score)) / 2 AS dense_score,
           max(dense_score) - min(dense_score) AS dense_spread,
           count(*) FILTER (WHERE score < $gate) AS dropped
    FROM offered WHERE is_shared AND score IS NOT NULL GROUP BY query_id, doc_id, is_after
    """,
    "Each pair of query and document by period: the middle and the spread of its scores, how often "
    "it was offered, and how often below the old threshold.",
    uses=(OFFERED,),
)

BY_QUERY = Query(
    "by_query",
    """
    SELECT query_id, count(*) FILTER (WHERE n0 > 0 AND n1 > 0) AS stayed,
           count(*) FILTER (WHERE n0 IS NULL) AS entered,
           count(*) FILTER (WHERE n1 IS NULL) AS gone,
           count(*) FILTER (WHERE n0 IS NULL AND new_score < $gate) AS entered_dropped,
           count(*) FILTER (WHERE n1 IS NULL AND old_score < $gate) AS gone_dropped,
           CAST(round(1e6 * count(*) FILTER (WHERE n0 > 0 AND n1 > 0) / count(*)) AS BIGINT)
               AS jaccard,
           coalesce(sum(n0), 0) AS n0, coalesce(sum(y0), 0) AS y0,
           coalesce(sum(n1), 0) AS n1, coalesce(sum(y1), 0) AS y1,
           coalesce(sum(CAST(round(1e9 * (y1 * n0 / n1 - y0)) AS BIGINT)), 0) / 1e9 AS same0,
           coalesce(sum(CAST(round(1e9 * (y1 - y0 * n1 / n0)) AS BIGINT)), 0) / 1e9 AS same1
    FROM (
        SELECT query_id, a.times AS n0, a.dropped AS y0, a.score AS old_score,
               b.times AS n1, b.dropped AS y1, b.score AS new_score
        FROM (SELECT * FROM pairs WHERE NOT is_after) AS a
        FULL JOIN (SELECT * FROM pairs WHERE is_after) AS b USING (query_id, doc_id))
    GROUP BY query_id
    """,
    "Queries that were asked in both periods: documents that stayed, entered or left, candidates "
    "and drops before and after, and the change of the drops of the documents that stayed, each "
    "offered as often as before, or as after.",
    uses=(PAIRS,),
)

PRECISION = Query(
    "precision",
    """
    SELECT count(*) AS scored,
           count(*) FILTER (WHERE abs(score - round(score, 1)) < 1e-9) AS to_1,
           count(*) FILTER (WHERE abs(score - round(score, 2)) < 1e-9) AS to_2,
           count(*) FILTER (WHERE abs(score - round(score, 3)) < 1e-9) AS to_3,
           count(*) FILTER (WHERE abs(score - round(score, 4)) < 1e-9) AS to_4
    FROM offered WHERE score IS NOT NULL
    """,
    "Scores that the log rounds to so many decimals.",
    uses=(OFFERED,),
)

REPEATS = Query(
    "repeats",
    """
    SELECT count(*) AS pairs, quantile_cont(spread, 0.999) AS noise,
           quantile_cont(dense_spread, 0.999) AS dense_noise
    FROM pairs WHERE times > 1 AND NOT is_after
    """,
    "How much the score of one pair varies before the change: the noise floor.",
    uses=(PAIRS,),
)

SAME_PAIRS = Query(
    "same_pairs",
    """
    SELECT count(*) AS pairs, count(DISTINCT query_id) AS queries,
           max(abs(a.score - b.score)) AS largest,
           quantile_cont(abs(a.score - b.score), 0.999) AS q999,
           count(*) FILTER (WHERE abs(a.score - b.score) > $tolerance) AS moved,
           count(*) FILTER (WHERE b.score >= $gate AND a.score < $gate) AS newly_dropped,
           count(*) FILTER (WHERE b.score < $gate AND a.score >= $gate) AS newly_passed,
           count(a.dense_score - b.dense_score) AS dense_pairs,
           count(*) FILTER (WHERE abs(a.dense_score - b.dense_score) > $dense_tolerance)
               AS dense_moved,
           max(abs(a.dense_score - b.dense_score)) AS dense_largest
    FROM (SELECT * FROM pairs WHERE is_after) AS a
    JOIN (SELECT * FROM pairs WHERE NOT is_after) AS b USING (query_id, doc_id)
    """,
    "Pairs of query and document that were scored in both periods.",
    uses=(PAIRS,),
)

CHANGED = Query(
    "changed_documents",
    """
    SELECT count(*) AS documents, count(*) FILTER (WHERE moved > 0) AS changed,
           count(*) FILTER (WHERE moved > 0 AND pairs > 1) AS repeated,
           CAST(coalesce(sum(pairs) FILTER (WHERE moved > 0 AND pairs > 1), 0) AS BIGINT)
               AS repeated_pairs,
           CAST(coalesce(sum(moved) FILTER (WHERE pairs > 1), 0) AS BIGINT) AS repeated_moved
    FROM (SELECT doc_id, count(*) AS pairs,
                 count(*) FILTER (WHERE abs(a.score - b.score) > $tolerance) AS moved
          FROM (SELECT * FROM pairs WHERE is_after) AS a
          JOIN (SELECT * FROM pairs WHERE NOT is_after) AS b USING (query_id, doc_id)
          GROUP BY doc_id)
    """,
    "Documents with a pair that scores differently, and whether their other pairs do too.",
    uses=(PAIRS,),
)

OVERLAP = Query(
    "overlap",
    """
    SELECT count(*) AS queries, CAST(sum(jaccard) AS DOUBLE) / 1e6 AS total,
           CAST(sum(CAST(jaccard AS HUGEINT) * jaccard) AS DOUBLE) / 1e12 AS squares,
           CAST(sum(stayed) AS DOUBLE) AS stayed, CAST(sum(entered) AS DOUBLE) AS entered,
           CAST(sum(gone) AS DOUBLE) AS gone,
           CAST(sum(entered_dropped) AS DOUBLE) AS entered_dropped,
           CAST(sum(gone_dropped) AS DOUBLE) AS gone_dropped
    FROM by_query
    """,
    "Documents that stayed, entered or left the candidates of a query that was asked in both "
    "periods, with the Jaccard overlap.",
    uses=(BY_QUERY,),
)

STEPS = Query(
    "steps",
    """
    SELECT score, passing FROM (
        SELECT score, candidates, passing,
               lead(candidates) OVER (ORDER BY score DESC) AS next_candidates
        FROM (SELECT score, count(*) AS candidates,
                     CAST(sum(count(*)) OVER (ORDER BY score DESC) AS BIGINT) AS passing
              FROM offered WHERE is_after AND score IS NOT NULL GROUP BY score))
    WHERE (passing >= $k AND passing - candidates < $k)
       OR (passing < $k AND passing + next_candidates >= $k)
    ORDER BY score DESC
    """,
    "The k-th largest score after the change, and the next above it.",
    uses=(OFFERED,),
)

SCORES = Query(
    "scores",
    """
    SELECT is_after, CAST(floor(40 * (score - $lowest) / $width) AS INTEGER) AS bin,
           count(*) AS candidates
    FROM offered WHERE score IS NOT NULL GROUP BY is_after, bin ORDER BY is_after, bin
    """,
    "Scores by period, in forty steps.",
    uses=(OFFERED,),
)

SUMMARIES = Query(
    "summaries",
    f"""
    SELECT is_after, max(score) AS best_score, {in_order("avg", "score")} AS mean_score,
           max(score) - min(score) AS score_range,
           CAST(count(*) FILTER (WHERE score >= $gate) AS DOUBLE) AS passing,
           CAST(count(*) AS DOUBLE) AS candidates,
           max(dense_score) AS best_dense_score,
           {in_order("avg", "dense_score")} AS mean_dense_score
    FROM offered WHERE score IS NOT NULL GROUP BY query_id, is_after
    """,  # noqa: S608  the text is put together of constants
    "One row for each query and period: its scores and how many pass the old threshold.",
    uses=(OFFERED,),
)

JUDGED = Query(
    "judged",
    """
    SELECT o.query_id, o.doc_id, o.is_after, o.occurred_at, o.request_id, o.score, o.is_shared,
           j.grade
    FROM offered AS o JOIN judgments AS j ON j.query_id = o.query_id AND j.doc_id = o.doc_id
    WHERE o.score IS NOT NULL AND NOT isnan(j.grade)
    """,
    "Candidates that were judged.",
    uses=(OFFERED,),
)

JUDGED_LEVELS = Query(
    "judged_levels",
    """
    SELECT is_after, count(*) AS judged, count(DISTINCT (query_id, doc_id)) AS pairs,
           count(*) FILTER (WHERE score >= $gate) AS judged_passing,
           count(*) FILTER (WHERE score < $gate) AS judged_dropped,
           count(*) FILTER (WHERE score >= $gate AND grade > 0) AS relevant_passing,
           count(*) FILTER (WHERE score < $gate AND grade > 0) AS relevant_dropped
    FROM judged GROUP BY is_after ORDER BY is_after
    """,
    "Judged candidates on both sides of the old threshold, and how many pairs of query and "
    "document they are.",
    uses=(JUDGED,),
)

JUDGMENTS = Query(
    "judgments_loaded",
    """
    SELECT count(*) AS judgments FROM judgments
    """,
    "Judgments in the case.",
)

JUDGED_BINS = Query(
    "judged_bins",
    """
    SELECT is_after, CAST(md5_number_lower(query_id) % 128 AS INTEGER) AS query_group,
           CAST(floor(200 * (score - $lowest) / $width) AS INTEGER) AS bin,
           score >= $gate AS passes, count(*) AS judged,
           count(*) FILTER (WHERE grade > 0) AS relevant
    FROM judged GROUP BY is_after, query_group, bin, passes
    ORDER BY is_after, query_group, bin, passes
    """,
    "Judged candidates by group of queries, score and period.",
    uses=(JUDGED,),
)

OFFERED_BINS = Query(
    "offered_bins",
    """
    SELECT CAST(floor(200 * (score - $lowest) / $width) AS INTEGER) AS bin, count(*) AS candidates
    FROM offered WHERE is_after AND score IS NOT NULL GROUP BY bin ORDER BY bin
    """,
    "Candidates after the change by score, in two hundred steps.",
    uses=(OFFERED,),
)
