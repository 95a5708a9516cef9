"""One row per human or trusted grade of a document for a query."""

from casework.tables._table import REAL, TEXT, Column, Table

judgments = Table(
    name="judgments",
    doc=__doc__ or "",
    key=("query_id", "doc_id"),
    columns=(
        Column("query_id", TEXT, "The query.", required=True),
        Column("doc_id", TEXT, "The document.", required=True),
        Column(
            "grade", REAL, "Relevance grade; 0 is not relevant.", required=True, takes_flags=True
        ),
    ),
    references={"query_id": "candidates.query_id"},
)
