"""One row per customer account."""

from casework.tables._table import INSTANT, REAL, TEXT, Column, Table

accounts = Table(
    name="accounts",
    doc=__doc__ or "",
    key=("account_id",),
    columns=(
        Column("account_id", TEXT, "The account.", required=True),
        Column("tier", TEXT, "Tier."),
        Column("churned_at", INSTANT, "When it left, UTC."),
        Column("revenue", REAL, "Yearly revenue, in the currency of the source."),
    ),
    time="churned_at",
)
