"""One row per answer to a survey."""

from casework.tables._table import INSTANT, REAL, TEXT, Column, Table

nps = Table(
    name="nps",
    doc=__doc__ or "",
    key=("account_id", "responded_at", "respondent"),
    columns=(
        Column("account_id", TEXT, "Account.", required=True),
        Column("score", REAL, "0 to 10.", required=True),
        Column("responded_at", INSTANT, "When, UTC.", required=True),
        Column("respondent", TEXT, "Who answered."),
        Column("tier", TEXT, "Tier of the account."),
        Column("invited_at", INSTANT, "When the invitation went out, UTC."),
        Column("comment", TEXT, "Comment given."),
    ),
    time="responded_at",
    references={"account_id": "accounts.account_id"},
)
