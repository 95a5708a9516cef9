"""What raters say the rows are: the questions of `debug_feedback` on labels."""

from dataclasses import replace

from casework.case import Query
from casework.diagnoses._debug_rows import SCREENED
from casework.diagnoses._in_order import in_order

RATERS = Query(
    "raters",
    """
    SELECT rater, count(*) AS labels, min(exhibit_id) AS exhibit
    FROM row_labels WHERE dataset = $dataset
    GROUP BY rater ORDER BY labels DESC, rater LIMIT 1000
    """,
    "Raters of the set, and how many rows each labelled.",
)

VOTES = Query(
    "votes",
    """
    SELECT l.row_id, l.rater, l.label, list_contains($adjudicators, l.rater) AS adjudicates
    FROM row_labels AS l
    WHERE l.dataset = $dataset AND l.row_id IN (SELECT row_id FROM training_rows
                                                WHERE dataset = $dataset)
    """,
    "Labels of rows that the set holds.",
)

CLASSED = Query(
    "classed",
    """
    SELECT row_id, label, CAST(1 AS DOUBLE) / count(*) OVER (PARTITION BY row_id) AS share
    FROM (SELECT row_id, label,
                 rank() OVER (PARTITION BY row_id ORDER BY decides DESC, voices DESC) AS place
          FROM (SELECT row_id, label, count(*) AS voices,
                       max(CASE WHEN adjudicates THEN 1 ELSE 0 END) AS decides
                FROM votes GROUP BY row_id, label))
    WHERE place = 1
    """,
    "The class of each labelled row: what the adjudicator said, else most raters; a tie is split "
    "evenly.",
    uses=(VOTES,),
)

TARGETS = Query(
    "targets",
    """
    SELECT row_id, label AS target, share FROM classed
    UNION ALL
    SELECT row_id, 'contamination', sum(share) FROM classed
    WHERE NOT list_contains($corrections, label) GROUP BY row_id
    UNION ALL
    SELECT row_id, 'known', sum(share) FROM classed
    WHERE NOT list_contains($corrections, label) AND label <> 'unknown' GROUP BY row_id
    UNION ALL
    SELECT row_id, 'hard', sum(share) FROM classed
    WHERE NOT list_contains($corrections, label) AND label NOT IN ('unknown', 'style')
    GROUP BY row_id
    """,
    "What is counted of each labelled row: its class; whether it is no correction; the same with "
    "unknown rows taken as corrections; and with rows of style too.",
    uses=(CLASSED,),
)

STRATIFIED = Query(
    "stratified",
    f"""
    SELECT s.row_id, s.weight, s.is_suspect, s.stage, s.told,
           s.no_answer OR s.same_answer OR s.is_mash OR s.is_hammered OR s.in_burst AS flagged,
           CASE WHEN s.weight > 2 * m.weight THEN 'heavy' WHEN s.weight < m.weight / 2 THEN 'light'
                ELSE 'usual' END AS band,
           coalesce(s.occurred_at > u.middle_at, FALSE) AS late,
           coalesce(s.prompt_length > u.middle_length, FALSE) AS long,
           coalesce(s.reason = u.usual_reason, FALSE) AS usual,
           l.row_id IS NOT NULL AS labelled
    FROM screened AS s
    CROSS JOIN (SELECT median(occurred_at) AS middle_at, median(prompt_length) AS middle_length,
                       (SELECT reason FROM screened WHERE reason IS NOT NULL
                        GROUP BY reason ORDER BY count(*) DESC, reason LIMIT 1) AS usual_reason
                FROM screened) AS u
    CROSS JOIN (SELECT {in_order("sum", "weight * many")} / sum(many) AS weight
                FROM (SELECT weight, count(*) AS many FROM screened GROUP BY weight)) AS m
    LEFT JOIN (SELECT DISTINCT row_id FROM votes) AS l ON l.row_id = s.row_id
    WHERE NOT ($once AND s.is_repeat)
    """,  # noqa: S608  the text is put together of constants
    "Rows with their stratum: environment, internal, what was told, behaviour, weight.",
    uses=(SCREENED, VOTES),
)

STRATA = Query(
    "strata",
    f"""
    SELECT stage, is_suspect, told, flagged, band, sum(many) AS rows,
           {in_order("sum", "each * many")} AS weight, sum(judged) AS sampled,
           {in_order("sum", "each * judged")} AS w, {in_order("sum", "each * each * judged")} AS ww,
           sum(late) AS late, sum(late_sampled) AS late_sampled,
           sum(long) AS long, sum(long_sampled) AS long_sampled,
           sum(usual) AS usual, sum(usual_sampled) AS usual_sampled
    FROM (SELECT stage, is_suspect, told, flagged, band, weight AS each, count(*) AS many,
                 count(*) FILTER (WHERE labelled) AS judged,
                 count(*) FILTER (WHERE late) AS late,
                 count(*) FILTER (WHERE late AND labelled) AS late_sampled,
                 count(*) FILTER (WHERE long) AS long,
                 count(*) FILTER (WHERE long AND labelled) AS long_sampled,
                 count(*) FILTER (WHERE usual) AS usual,
                 count(*) FILTER (WHERE usual AND labelled) AS usual_sampled
          FROM stratified GROUP BY stage, is_suspect, told, flagged, band, weight)
    GROUP BY stage, is_suspect, told, flagged, band
    ORDER BY stage, is_suspect, told, flagged, band
    """,  # noqa: S608  the text is put together of constants
    "Rows, weight and labelled rows of each stratum.",
    uses=(STRATIFIED,),
)

COUNTED = Query(
    "counted",
    f"""
    SELECT stage, is_suspect, told, flagged, band, target,
           {in_order("sum", "weight * share * many")} AS wy,
           {in_order("sum", "weight * weight * share * many")} AS wwy,
           {in_order("sum", "weight * weight * share * share * many")} AS wwyy
    FROM (SELECT s.stage, s.is_suspect, s.told, s.flagged, s.band, t.target, s.weight, t.share,
                 count(*) AS many
          FROM stratified AS s JOIN targets AS t ON t.row_id = s.row_id
          GROUP BY s.stage, s.is_suspect, s.told, s.flagged, s.band, t.target, s.weight, t.share)
    GROUP BY stage, is_suspect, told, flagged, band, target
    ORDER BY stage, is_suspect, told, flagged, band, target
    """,  # noqa: S608  the text is put together of constants
    "Labelled rows of each stratum by what they are.",
    uses=(STRATIFIED, TARGETS),
)

STRATA_ONCE = replace(STRATA, id="strata_once")
COUNTED_ONCE = replace(COUNTED, id="counted_once")
"""The same with `$once`: repeated rows are counted once."""


def tallies(chosen: str) -> str:
    """SQL of the rows that several raters labelled, by how many of these votes chose each class."""
    return f"""
    SELECT wrong, style, dislike, test, unknown, count(*) AS rows
    FROM (SELECT row_id, count(*) FILTER (WHERE label = 'wrong') AS wrong,
                 count(*) FILTER (WHERE label = 'style') AS style,
                 count(*) FILTER (WHERE label = 'dislike') AS dislike,
                 count(*) FILTER (WHERE label = 'test') AS test,
                 count(*) FILTER (WHERE label = 'unknown') AS unknown
          FROM votes WHERE {chosen} GROUP BY row_id HAVING count(*) >= 2)
    GROUP BY wrong, style, dislike, test, unknown
    ORDER BY rows DESC, wrong, style, dislike, test, unknown
    """  # noqa: S608  conditions are constants of the queries


TALLIES = Query(
    "tallies",
    tallies("NOT adjudicates"),
    "Rows that several raters labelled, by how many of them chose each class.",
    uses=(VOTES,),
)

CROSSED = Query(
    "crossed_labels",
    """
    SELECT a.label AS first, b.label AS second, count(*) AS rows
    FROM votes AS a JOIN votes AS b ON b.row_id = a.row_id
    WHERE a.rater = $rater_1 AND b.rater = $rater_2
    GROUP BY a.label, b.label ORDER BY rows DESC, first, second
    """,
    "Labels of the two raters with most labels, row by row.",
    uses=(VOTES,),
)

REASONS = Query(
    "reasons",
    f"""
    SELECT reason, label, {in_order("sum", "share * many")} AS rows
    FROM (SELECT coalesce(lower(trim(s.reason)), 'no reason recorded') AS reason, c.label,
                 coalesce(c.share, 1) AS share, count(*) AS many
          FROM screened AS s LEFT JOIN classed AS c ON c.row_id = s.row_id
          GROUP BY coalesce(lower(trim(s.reason)), 'no reason recorded'), c.label,
                   coalesce(c.share, 1))
    GROUP BY reason, label
    ORDER BY rows DESC, reason, label LIMIT 2000
    """,  # noqa: S608  the text is put together of constants
    "Rows by the reason that was recorded, and by class where they are labelled.",
    uses=(SCREENED, CLASSED),
)
