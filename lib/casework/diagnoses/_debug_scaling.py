"""Each rater against the others, and models against people: more questions on labels."""

from casework.case import Query
from casework.diagnoses._debug_labels import STRATIFIED, VOTES, tallies
from casework.diagnoses._in_order import in_order

AGAINST_OTHERS = Query(
    "raters_against_others",
    f"""
    SELECT a.rater, a.label AS own, b.label AS other,
           {in_order("sum", "CAST(1 AS DOUBLE) / b.others")} AS rows
    FROM votes AS a
    JOIN (SELECT row_id, rater, label, count(*) OVER (PARTITION BY row_id) - 1 AS others
          FROM votes WHERE NOT adjudicates) AS b
      ON b.row_id = a.row_id AND b.rater <> a.rater
    WHERE NOT a.adjudicates
    GROUP BY a.rater, a.label, b.label ORDER BY a.rater, own, other
    """,  # noqa: S608  the text is put together of constants
    "Labels of each rater against those of the others of the same row, who count as one together.",
    uses=(VOTES,),
)

TALLIES_WITHOUT = Query(
    "tallies_without",
    tallies("NOT adjudicates AND rater <> $left_out"),
    "Rows that several raters labelled, one rater left out, by how many chose each class.",
    uses=(VOTES,),
)

BY_MODELS = Query(
    "by_models",
    """
    SELECT row_id, avg(CASE WHEN list_contains($corrections, label) THEN 0 ELSE 1 END) AS said
    FROM votes WHERE list_contains($models, rater) GROUP BY row_id
    """,
    "Rows that a model labelled, and whether it calls them no correction.",
    uses=(VOTES,),
)

BY_PEOPLE = Query(
    "by_people",
    """
    SELECT row_id, avg(CASE WHEN list_contains($corrections, label) THEN 0 ELSE 1 END) AS said
    FROM (SELECT row_id, label, rank() OVER (PARTITION BY row_id
                                             ORDER BY decides DESC, voices DESC) AS place
          FROM (SELECT row_id, label, count(*) AS voices,
                       max(CASE WHEN adjudicates THEN 1 ELSE 0 END) AS decides
                FROM votes WHERE NOT list_contains($models, rater) GROUP BY row_id, label))
    WHERE place = 1 GROUP BY row_id
    """,
    "Rows that people labelled, and whether they are no correction: as the adjudicator says, else "
    "most of them; a tie is split evenly.",
    uses=(VOTES,),
)

SCALED = Query(
    "scaled_up",
    f"""
    SELECT stage, is_suspect, told, flagged AS behaviour, band, sum(many) AS rows,
           {in_order("sum", "each * many")} AS weight, sum(sampled) AS sampled, sum(alone) AS alone,
           {in_order("sum", "each * sampled")} AS w,
           {in_order("sum", "each * each * sampled")} AS ww,
           coalesce({in_order("sum", "each * said * many")}, 0) AS wy,
           coalesce({in_order("sum", "each * each * said * many")}, 0) AS wwy,
           coalesce({in_order("sum", "each * each * said * said * many")}, 0) AS wwyy,
           sum(compared) AS both, {in_order("sum", "each * compared")} AS both_w,
           {in_order("sum", "each * each * compared")} AS both_ww,
           coalesce({in_order("sum", "each * greatest(truth - said, 0) * compared")}, 0) AS missed,
           coalesce({in_order("sum", "each * greatest(said - truth, 0) * compared")}, 0) AS flagged,
           sum(yes) AS yes, sum(found) AS found, sum(no) AS no, sum(cleared) AS cleared
    FROM (SELECT s.stage, s.is_suspect, s.told, s.flagged, s.band, s.weight AS each, m.said,
                 p.said AS truth, count(*) AS many, count(m.said) AS sampled,
                 count(m.said) FILTER (WHERE p.said IS NULL) AS alone,
                 count(p.said - m.said) AS compared,
                 count(m.said) FILTER (WHERE p.said > 0.5) AS yes,
                 count(m.said) FILTER (WHERE p.said > 0.5 AND m.said > 0.5) AS found,
                 count(m.said) FILTER (WHERE p.said < 0.5) AS no,
                 count(m.said) FILTER (WHERE p.said < 0.5 AND m.said < 0.5) AS cleared
          FROM stratified AS s
          LEFT JOIN by_models AS m ON m.row_id = s.row_id
          LEFT JOIN by_people AS p ON p.row_id = s.row_id
          GROUP BY s.stage, s.is_suspect, s.told, s.flagged, s.band, s.weight, m.said, p.said)
    GROUP BY stage, is_suspect, told, flagged, band
    ORDER BY stage, is_suspect, told, behaviour, band
    """,  # noqa: S608  the text is put together of constants
    "Rows, weight, and labels of models and of people in each stratum.",
    uses=(STRATIFIED, BY_MODELS, BY_PEOPLE),
)
