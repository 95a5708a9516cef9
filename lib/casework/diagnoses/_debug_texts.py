"""What the texts of training rows show: copies, answers that change nothing, keyboard mash."""

from casework.case import Query

OPENED = Query(
    "opened",
    """
    SELECT row_id, source_event_id, prompt, chosen, rejected,
           CASE WHEN weight < 0 THEN CAST(0 AS DOUBLE) WHEN weight < 1e300 THEN weight
                ELSE CAST(1 AS DOUBLE) END AS weight,
           left(trim(lower(regexp_replace(
               left(prompt, 120), '[^\\p{L}\\p{N}]+', ' ', 'g'))), 40) AS opening,
           left(trim(lower(regexp_replace(
               left(chosen, 60), '[^\\p{L}\\p{N}]+', ' ', 'g'))), 20) AS chosen_opening,
           left(trim(lower(regexp_replace(
               left(rejected, 60), '[^\\p{L}\\p{N}]+', ' ', 'g'))), 20) AS rejected_opening
    FROM training_rows WHERE dataset = $dataset
    """,
    "Rows of the set with their weight in training, one where none is recorded, and how their "
    "texts begin, in lower case without punctuation.",
)

SET_ROWS = Query(
    "set_rows",
    """
    SELECT row_id, source_event_id, weight, length(prompt) AS prompt_length,
           chosen IS NULL OR trim(chosen) = '' AS has_no_answer,
           coalesce(length(chosen) <= 60 AND regexp_matches(trim(lower(regexp_replace(
               chosen, '[^\\p{L}\\p{N}]+', ' ', 'g'))), $mash), FALSE) AS is_mash,
           CASE WHEN chosen_opening = rejected_opening
                THEN trim(lower(regexp_replace(chosen, '[^\\p{L}\\p{N}]+', ' ', 'g')))
                     = trim(lower(regexp_replace(rejected, '[^\\p{L}\\p{N}]+', ' ', 'g')))
                ELSE FALSE END AS same_answer,
           CASE WHEN opening IN (SELECT opening FROM opened GROUP BY opening HAVING count(*) > 1)
                THEN md5(trim(lower(regexp_replace(prompt, '[^\\p{L}\\p{N}]+', ' ', 'g'))))
                END AS prompt_key,
           CASE WHEN coalesce(opening, '') IN (SELECT coalesce(opening, '') FROM opened
                                               GROUP BY coalesce(opening, '') HAVING count(*) > 1)
                THEN md5(trim(lower(regexp_replace(
                    coalesce(prompt, '') || ' ' || coalesce(chosen, '') || ' ' ||
                    coalesce(rejected, ''), '[^\\p{L}\\p{N}]+', ' ', 'g')))) END AS texts_key,
           coalesce(prompt, chosen, rejected) IS NULL AS is_bare
    FROM opened
    """,
    "Rows with what their texts show. Full texts are compared only where they begin alike.",
    uses=(OPENED,),
)
