"""One row per host: how far its clock may be off."""

from casework.tables._table import REAL, TEXT, Column, Table

clocks = Table(
    name="clocks",
    doc=__doc__ or "",
    key=("host",),
    columns=(
        Column("host", TEXT, "The host.", required=True),
        Column("offset_s", REAL, "Estimated offset from UTC, seconds."),
        Column("error_s", REAL, "Bound on the error of that estimate, seconds.", required=True),
    ),
)
