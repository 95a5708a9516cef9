"""Changes of what a prompt retrieves from: another system behind the same prompt and checkpoint."""

from casework.case import Query

RETRIEVAL_MOVES = Query(
    "retrieval_moves",
    """
    SELECT occurred_at, key, new_value
    FROM (SELECT occurred_at, key, new_value,
                 coalesce(old_value, lag(new_value) OVER (
                     PARTITION BY key, scope ORDER BY occurred_at, locator)) AS before
          FROM config_events
          WHERE key IN ('index_build', 'corpus', 'embedding_model', 'reranker', 'tools'))
    WHERE before IS DISTINCT FROM new_value
    ORDER BY occurred_at, key
    """,
    "Changes of the retrieval index, of what it is made with, and of the tools. No hash of a "
    "prompt and no digest of a checkpoint holds them. Where an event does not say what was before, "
    "it is the value of the last one: a value said again is no change, the first one is taken for "
    "a change.",
)
