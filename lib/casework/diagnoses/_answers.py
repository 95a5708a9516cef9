"""Which requests a model answered: calls for embeddings and rankings decide nothing."""

_OF_NUMBERS = ("embedding", "embeddings", "aembedding", "rerank", "arerank")
"""As OpenTelemetry, OpenInference, Langfuse and LiteLLM name them, in lower case."""


def is_answer(column: str) -> str:
    """SQL: whether a row is of another operation than those; one that names none is."""
    names = ", ".join(f"'{name}'" for name in _OF_NUMBERS)
    return f"lower(coalesce({column}, '')) NOT IN ({names})"
