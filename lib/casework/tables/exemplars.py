"""One row per example of a few-shot bank."""

from casework.tables._table import TEXT, Column, Table

exemplars = Table(
    name="exemplars",
    doc=__doc__ or "",
    key=("bank", "exemplar_id"),
    columns=(
        Column("bank", TEXT, "The bank.", required=True),
        Column("exemplar_id", TEXT, "The example.", required=True),
        Column("text", TEXT, "Its text.", required=True),
        Column("label", TEXT, "Its answer."),
        Column("source_uri", TEXT, "File that it was drawn from."),
        Column("source_row", TEXT, "Row in that file."),
    ),
)
