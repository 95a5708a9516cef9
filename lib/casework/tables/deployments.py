"""One row per interval in which a replica ran a checkpoint. Half-open."""

from casework.tables._table import INSTANT, TEXT, Column, Table

deployments = Table(
    name="deployments",
    doc=__doc__ or "",
    key=("replica", "valid_from"),
    columns=(
        Column("replica", TEXT, "The replica.", required=True),
        Column("checkpoint", TEXT, "Digest that it ran.", required=True),
        Column("valid_from", INSTANT, "From, UTC.", required=True),
        Column("valid_until", INSTANT, "Until, UTC."),
        Column("region", TEXT, "Region."),
    ),
    time="valid_from",
    references={"checkpoint": "checkpoints.checkpoint"},
)
