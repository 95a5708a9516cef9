"""One row per embedding of a text that is embedded again and again (a sentinel)."""

from casework.tables._table import INSTANT, TEXT, VECTOR, Column, Table

vectors = Table(
    name="vectors",
    doc=__doc__ or "",
    key=("text_id", "occurred_at", "embedding_model"),
    columns=(
        Column("text_id", TEXT, "The text.", required=True),
        Column("occurred_at", INSTANT, "When it was embedded, UTC.", required=True),
        Column("vector", VECTOR, "The embedding.", required=True),
        Column("embedding_model", TEXT, "Name and version that the provider gave."),
    ),
    time="occurred_at",
)
