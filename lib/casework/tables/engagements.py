"""One row per time that a person looked at or ran something."""

from casework.tables._table import INSTANT, TEXT, Column, Table

engagements = Table(
    name="engagements",
    doc=__doc__ or "",
    key=("person", "object", "kind", "occurred_at"),
    columns=(
        Column("person", TEXT, "Id of the person.", required=True),
        Column("object", TEXT, "What was looked at or run.", required=True),
        Column("kind", TEXT, "How: `view`, `run`, `comment`.", required=True),
        Column("occurred_at", INSTANT, "When, UTC.", required=True),
    ),
    time="occurred_at",
)
