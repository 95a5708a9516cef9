"""What moved in the evals after training: the questions of `debug_feedback` on slices."""

from casework.case import Query
from casework.diagnoses._debug_labels import TARGETS
from casework.diagnoses._debug_rows import SCREENED
from casework.diagnoses._in_order import in_order


def _score_of(side: str) -> str:
    """SQL of the mean score of an item over the runs of one side; NULL where there are none."""
    return in_order("avg", f"CASE WHEN list_contains($runs_{side}, s.run_id) THEN s.score END")


RUNS = Query(
    "runs",
    """
    SELECT r.run_id, r.suite, r.started_at, r.ended_at, r.checkpoint, r.endpoint, r.prompt_hash,
           r.params_hash, b.base_checkpoint
    FROM eval_runs AS r
    LEFT JOIN (SELECT checkpoint, min(base_checkpoint) AS base_checkpoint
               FROM checkpoints GROUP BY checkpoint) AS b ON b.checkpoint = r.checkpoint
    WHERE r.run_id IN (SELECT run_id FROM eval_samples WHERE score IS NOT NULL)
    ORDER BY r.started_at, r.run_id LIMIT 20000
    """,
    "Eval runs with scored items, and what their checkpoint was tuned from.",
)

TRAINED = Query(
    "trained",
    """
    SELECT DISTINCT artifact, uri FROM artifact_inputs
    WHERE kind = 'train_data' AND uri IS NOT NULL ORDER BY artifact, uri LIMIT 20000
    """,
    "Artifacts and the data that they were trained on.",
)

DOUBTED = Query(
    "doubted",
    """
    SELECT t.row_id, t.source_event_id, coalesce(t.prompt, '') AS prompt,
           s.is_suspect OR s.no_answer OR s.same_answer OR s.is_mash OR s.is_hammered OR s.in_burst
               OR coalesce(c.share, 0) > 0.5 AS in_doubt
    FROM training_rows AS t JOIN screened AS s ON s.row_id = t.row_id
    LEFT JOIN targets AS c ON c.row_id = t.row_id AND c.target = 'contamination'
    WHERE t.dataset = $dataset
    """,
    "Rows of the set, and whether origin, behaviour or labels speak against them.",
    uses=(SCREENED, TARGETS),
)

OTHERS = Query(
    "others",
    """
    SELECT dataset, row_id, source_event_id, coalesce(prompt, '') AS prompt
    FROM training_rows WHERE dataset <> $dataset
    """,
    "Rows of the other sets.",
)

SUBSETS = Query(
    "subsets",
    """
    SELECT o.dataset, o.rows, o.shared, k.kept, k.kept_in_doubt, d.rows AS whole, d.in_doubt
    FROM (SELECT dataset, count(*) AS rows,
                 count(*) FILTER (WHERE m.row_id IS NOT NULL
                                     OR e.source_event_id IS NOT NULL) AS shared
          FROM others AS o
          LEFT JOIN doubted AS m ON m.row_id = o.row_id AND m.prompt = o.prompt
          LEFT JOIN (SELECT DISTINCT source_event_id FROM doubted) AS e
            ON e.source_event_id = o.source_event_id
          GROUP BY dataset) AS o
    JOIN (SELECT dataset, count(*) AS kept, count(*) FILTER (WHERE in_doubt) AS kept_in_doubt
          FROM (SELECT o.dataset, m.row_id, m.in_doubt
                FROM doubted AS m JOIN others AS o ON o.row_id = m.row_id AND o.prompt = m.prompt
                UNION
                SELECT o.dataset, m.row_id, m.in_doubt
                FROM doubted AS m JOIN (SELECT DISTINCT dataset, source_event_id FROM others) AS o
                  ON o.source_event_id = m.source_event_id)
          GROUP BY dataset) AS k ON k.dataset = o.dataset
    CROSS JOIN (SELECT count(*) AS rows, count(*) FILTER (WHERE in_doubt) AS in_doubt
                FROM doubted) AS d
    ORDER BY o.dataset
    """,
    "Other sets, how many of their rows are rows of this one, and how many of its rows they keep, "
    "of all and of those in doubt: an ablation keeps fewer of these.",
    uses=(DOUBTED, OTHERS),
)

SCORED = Query(
    "scored_items",
    f"""
    SELECT r.suite, s.item_id, min(coalesce(s.category, s.topic)) AS slice,
           {_score_of("before")} AS before, {_score_of("after")} AS after,
           {_score_of("ablated")} AS ablated
    FROM eval_samples AS s JOIN eval_runs AS r ON r.run_id = s.run_id
    WHERE s.score > -1e300 AND s.score < 1e300 AND coalesce(s.condition, 'as_run') = 'as_run'
      AND (list_contains($runs_before, s.run_id) OR list_contains($runs_after, s.run_id)
           OR list_contains($runs_ablated, s.run_id))
    GROUP BY r.suite, s.item_id
    """,  # noqa: S608  the text is put together of constants
    "Score of each item before and after training, over epochs and runs.",
)

SLICES = Query(
    "slices",
    f"""
    SELECT suite, slice, count(*) AS items, {in_order("avg", "before")} AS before,
           {in_order("avg", "after")} AS after, {in_order("sum", "after - before")} AS total,
           {in_order("sum", "(after - before) * (after - before)")} AS squares,
           count(*) FILTER (WHERE before = 1 AND after = 1) AS both,
           count(*) FILTER (WHERE before = 1 AND after = 0) AS only_before,
           count(*) FILTER (WHERE before = 0 AND after = 1) AS only_after,
           count(*) FILTER (WHERE before = 0 AND after = 0) AS neither,
           count(ablated) AS retrained, {in_order("sum", "ablated - after")} AS back,
           {in_order("sum", "(ablated - after) * (ablated - after)")} AS back_squares,
           {in_order("sum", "ablated - (before + after) / 2")} AS past_half,
           {in_order("sum", "(ablated - (before + after) / 2) ** 2")} AS past_half_squares
    FROM scored_items WHERE before IS NOT NULL AND after IS NOT NULL
    GROUP BY suite, slice ORDER BY suite, slice
    """,  # noqa: S608  the text is put together of constants
    "Slices of the evals, the same items before and after; and after a retrain without the rows "
    "in doubt, where there is one.",
    uses=(SCORED,),
)

SERVED = Query(
    "served",
    """
    SELECT count(*) AS requests, count(DISTINCT r.account_id) AS accounts,
           min(r.occurred_at) AS first, max(r.occurred_at) AS last
    FROM requests AS r WHERE list_contains($tuned_checkpoints, r.checkpoint)
    """,
    "Requests that the tuned checkpoint answered.",
)

REVENUE = Query(
    "revenue",
    f"""
    SELECT count(*) AS accounts, {in_order("sum", "revenue")} AS revenue FROM accounts
    WHERE revenue IS NOT NULL AND account_id IN (
        SELECT account_id FROM requests WHERE list_contains($tuned_checkpoints, checkpoint))
    """,  # noqa: S608  the text is put together of constants
    "Yearly revenue of the accounts that the tuned checkpoint answered.",
)
