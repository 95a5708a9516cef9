"""One row per rater's class for a training row."""

from casework.tables._table import TEXT, Column, Table

row_labels = Table(
    name="row_labels",
    doc=__doc__ or "",
    key=("dataset", "row_id", "rater"),
    columns=(
        Column("dataset", TEXT, "The set.", required=True),
        Column("row_id", TEXT, "The row.", required=True),
        Column("rater", TEXT, "Who labelled it.", required=True),
        Column(
            "label",
            TEXT,
            "The class.",
            required=True,
            values=("wrong", "style", "dislike", "test", "unknown"),
        ),
    ),
    references={"row_id": "training_rows.row_id"},
)
