"""One row per observation of a metric for a unit: a period, an event or a day.

A ratio metric has its denominator beside the value.
"""

from casework.tables._table import INSTANT, REAL, TEXT, Column, Table

outcomes = Table(
    name="outcomes",
    doc=__doc__ or "",
    key=("unit_id", "metric", "occurred_at"),
    columns=(
        Column("unit_id", TEXT, "The unit.", required=True),
        Column("metric", TEXT, "Name of the metric.", required=True),
        Column(
            "occurred_at", INSTANT, "The instant, or the start of the period, UTC.", required=True
        ),
        Column("value", REAL, "Value, or numerator of a ratio.", required=True, takes_flags=True),
        Column("denominator", REAL, "Denominator of a ratio."),
    ),
    time="occurred_at",
    references={"unit_id": "units.unit_id"},
)
