"""One row per checkpoint: where the bytes are, and whether they still are."""

from casework.tables._table import FLAG, INSTANT, TEXT, Column, Table

checkpoints = Table(
    name="checkpoints",
    doc=__doc__ or "",
    key=("checkpoint",),
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
