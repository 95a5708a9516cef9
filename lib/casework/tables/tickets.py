"""One row per bug report."""

from casework.tables._table import INSTANT, TEXT, Column, Table

tickets = Table(
    name="tickets",
    doc=__doc__ or "",
    key=("ticket_id",),
    columns=(
        Column("ticket_id", TEXT, "The ticket.", required=True),
        Column("reported_at", INSTANT, "When it was filed, UTC.", required=True),
        Column("observed_at", INSTANT, "When it was seen, UTC."),
        Column("endpoint", TEXT, "Endpoint that it names."),
        Column("request_id", TEXT, "Request that it names."),
        Column("account_id", TEXT, "Account."),
        Column("prompt", TEXT, "Prompt."),
        Column("output", TEXT, "Answer."),
        Column("text", TEXT, "The report."),
    ),
    time="reported_at",
    references={"request_id": "requests.request_id"},
)
