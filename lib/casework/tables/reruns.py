"""One row per score of a rebuild of an artifact: overall, or by item or segment."""

from casework.tables._table import FLAG, REAL, TEXT, WHOLE, Column, Table

reruns = Table(
    name="reruns",
    doc=__doc__ or "",
    key=("artifact", "rerun_id", "item_id", "segment"),
    columns=(
        Column("artifact", TEXT, "The artifact.", required=True),
        Column("rerun_id", TEXT, "The rebuild.", required=True),
        Column("seed", WHOLE, "Its random seed."),
        Column("item_id", TEXT, "Item, if scored by item."),
        Column("segment", TEXT, "Segment."),
        Column("score", REAL, "Score.", required=True, takes_flags=True),
        Column("is_original", FLAG, "Whether this is the shipped artifact."),
    ),
    references={"artifact": "artifact_inputs.artifact"},
)
