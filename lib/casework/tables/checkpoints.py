"""One row per checkpoint and place: where the bytes are, and whether they still are.

A registry and an inventory may both tell of one checkpoint; each has its row.
"""

from casework.tables._table import FLAG, INSTANT, TEXT, Column, Table

checkpoints = Table(
    name="checkpoints",
    doc=__doc__ or "",
    key=("checkpoint", "uri", "verified_at"),
    columns=(
        Column("checkpoint", TEXT, "Digest.", required=True),
        Column("uri", TEXT, "Where the bytes are kept."),
        Column("exists", FLAG, "Whether they were found there."),
        Column("verified_at", INSTANT, "When that was last checked, UTC."),
        Column("retained_until", INSTANT, "End of retention, UTC."),
        Column("base_checkpoint", TEXT, "Digest that it was tuned from."),
    ),
    time="verified_at",
)
