"""One row per document that retrieval offered for a query."""

from casework.tables._table import FLAG, INSTANT, REAL, TEXT, WHOLE, Column, Table

candidates = Table(
    name="candidates",
    doc=__doc__ or "",
    key=("query_id", "doc_id", "occurred_at", "arm", "embedding_model"),
    columns=(
        Column("query_id", TEXT, "The query.", required=True),
        Column("doc_id", TEXT, "The document.", required=True),
        Column("occurred_at", INSTANT, "When it was retrieved, UTC."),
        Column("request_id", TEXT, "The request that asked."),
        Column("arm", TEXT, "Experiment arm, if any."),
        Column("embedding_model", TEXT, "Embedding model or index version."),
        Column("dense_rank", WHOLE, "Rank by dense score, 1 is best."),
        Column("dense_score", REAL, "Similarity of query and document."),
        Column("reranker", TEXT, "Name and version of the reranker."),
        Column("rerank_score", REAL, "Score that the reranker gave."),
        Column("threshold", REAL, "The gate that was in force."),
        Column("passed", FLAG, "Whether the document passed the gate."),
    ),
    time="occurred_at",
    references={"request_id": "requests.request_id"},
)
