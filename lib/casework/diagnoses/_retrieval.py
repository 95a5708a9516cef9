"""Changes of what a prompt retrieves from: another system behind the same prompt and checkpoint."""

from casework.case import Query
from casework.diagnoses._config_changes import CONFIG_CHANGES

RETRIEVAL_MOVES = Query(
    "retrieval_moves",
    """
    SELECT occurred_at, key, after AS new_value FROM config_changes
    WHERE key IN ('index_build', 'corpus', 'embedding_model', 'reranker', 'tools')
    ORDER BY occurred_at, key
    """,
    "Changes of the retrieval index, of what it is made with, and of the tools. No hash of a "
    "prompt and no digest of a checkpoint holds them.",
    uses=(CONFIG_CHANGES,),
)
