"""One row per row of a training set."""

from casework.tables._table import REAL, TEXT, Column, Table

training_rows = Table(
    name="training_rows",
    doc=__doc__ or "",
    key=("dataset", "row_id"),
    columns=(
        Column("dataset", TEXT, "The set.", required=True),
        Column("row_id", TEXT, "The row.", required=True),
        Column("source_event_id", TEXT, "Feedback event that it was made from."),
        Column("prompt", TEXT, "Prompt."),
        Column("chosen", TEXT, "Preferred answer."),
        Column("rejected", TEXT, "Other answer."),
        Column("weight", REAL, "Weight in training."),
    ),
    references={"source_event_id": "feedback.feedback_id"},
)
