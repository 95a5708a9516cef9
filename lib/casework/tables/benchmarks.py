"""One row per benchmark and its retirement."""

from casework.tables._table import INSTANT, TEXT, Column, Table

benchmarks = Table(
    name="benchmarks",
    doc=__doc__ or "",
    key=("benchmark",),
    columns=(
        Column("benchmark", TEXT, "Name.", required=True),
        Column("deprecated_at", INSTANT, "When it was retired, UTC."),
        Column("superseded_by", TEXT, "What replaced it."),
    ),
    time="deprecated_at",
)
