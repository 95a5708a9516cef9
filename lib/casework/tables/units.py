"""One row per unit of randomisation (a user, an account), as it was before exposure.

Every further numeric column of a source is a pre-exposure covariate, kept in `covariates`.
"""

from casework.tables._table import FLAG, INSTANT, TEXT, Column, Table

units = Table(
    name="units",
    doc=__doc__ or "",
    key=("unit_id",),
    columns=(
        Column("unit_id", TEXT, "The unit.", required=True),
        Column("account_id", TEXT, "Account of the unit."),
        Column("tier", TEXT, "Tier of the account."),
        Column("region", TEXT, "Region."),
        Column("created_at", INSTANT, "Sign-up, UTC."),
        Column("is_internal", FLAG, "Staff or test tenant."),
        Column("is_bot", FLAG, "Automated traffic."),
        Column("covariates", "MAP(VARCHAR, DOUBLE)", "Pre-exposure covariates by name."),
    ),
    time="created_at",
    covariates="covariates",
)
