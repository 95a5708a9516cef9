"""One row per stretch of time in which a person was active."""

from casework.tables._table import INSTANT, TEXT, Column, Table

people = Table(
    name="people",
    doc=__doc__ or "",
    key=("person", "active_from"),
    columns=(
        Column("person", TEXT, "Id of the person.", required=True),
        Column("active_from", INSTANT, "From, UTC."),
        Column("active_until", INSTANT, "Until, UTC."),
        Column("timezone", TEXT, "IANA time zone."),
        Column("team", TEXT, "Team."),
    ),
    time="active_from",
)
