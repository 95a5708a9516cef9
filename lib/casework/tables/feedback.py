"""One row per thumb, rating or correction that a person gave."""

from casework.tables._table import FLAG, INSTANT, TEXT, WHOLE, Column, Table

feedback = Table(
    name="feedback",
    doc=__doc__ or "",
    key=("feedback_id",),
    columns=(
        Column("feedback_id", TEXT, "The event.", required=True),
        Column("occurred_at", INSTANT, "When, UTC.", required=True),
        Column("signal", WHOLE, "+1 or -1.", required=True, values=("1", "-1")),
        Column("request_id", TEXT, "The request that it is about."),
        Column("user_id", TEXT, "Who gave it."),
        Column("account_id", TEXT, "Account."),
        Column("tier", TEXT, "Tier of the account."),
        Column("session_id", TEXT, "Session."),
        Column("reason", TEXT, "Reason given."),
        Column("comment", TEXT, "Comment given."),
        Column("correction", TEXT, "Better answer given."),
        Column("surface", TEXT, "Where it was given."),
        Column("environment", TEXT, "Deployment environment."),
        Column("is_internal", FLAG, "Staff or test tenant."),
        Column("email_domain", TEXT, "Domain of the person's address."),
    ),
    time="occurred_at",
    references={"request_id": "requests.request_id"},
)
