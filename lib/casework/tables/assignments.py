"""One row per unit assigned to an arm of an experiment.

A unit that is assigned again at a later stage has a row for each stage; the first is its arm.
"""

from casework.tables._table import INSTANT, TEXT, WHOLE, Column, Table

assignments = Table(
    name="assignments",
    doc=__doc__ or "",
    key=("experiment", "unit_id", "assigned_at", "stage"),
    columns=(
        Column("experiment", TEXT, "The experiment or flag.", required=True),
        Column("unit_id", TEXT, "The unit of randomisation.", required=True),
        Column("arm", TEXT, "The arm.", required=True),
        Column("bucket", WHOLE, "Bucket that the hash gave."),
        Column("salt", TEXT, "Salt of the hash."),
        Column(
            "algorithm",
            TEXT,
            "`mod md5 sha1 sha256 murmur3 growthbook1 growthbook2`; `/1000` for 1,000 buckets.",
        ),
        Column("assigned_at", INSTANT, "When the unit was first exposed, UTC."),
        Column("stage", TEXT, "Stage of the ramp."),
    ),
    time="assigned_at",
    references={"unit_id": "units.unit_id"},
)
