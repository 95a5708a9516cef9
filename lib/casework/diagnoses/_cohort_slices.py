"""What `cohort_skew` asks about counts per arm within segments, stages and times."""

from casework.case import Query
from casework.diagnoses._cohorts import DEALT, EXPOSED

UNITS_DEALT = Query(
    "units_dealt",
    """
    SELECT treated, tier, region, assigned_at FROM exposed WHERE NOT set_apart
    """,
    uses=(EXPOSED,),
)

ACCOUNTS_DEALT = Query(
    "accounts_dealt",
    """
    SELECT treated, coalesce(account_id, unit_id) AS account, min(tier) AS tier,
           min(region) AS region, min(assigned_at) AS assigned_at
    FROM exposed WHERE NOT set_apart GROUP BY treated, account
    """,
    uses=(EXPOSED,),
)


def _segments(id: str, counted: Query) -> Query:
    return Query(
        id,
        f"""
    SELECT CASE WHEN grouping(tier) = 0 THEN 'tier' ELSE 'region' END AS kind,
           coalesce(tier, region) AS slice,
           count(*) FILTER (WHERE NOT treated) AS control,
           count(*) FILTER (WHERE treated) AS treated,
           CAST(sum(count(*) FILTER (WHERE NOT treated)) OVER of_kind AS BIGINT) AS of_control,
           CAST(sum(count(*) FILTER (WHERE treated)) OVER of_kind AS BIGINT) AS of_treated
    FROM {counted.id} GROUP BY GROUPING SETS ((tier), (region))
    HAVING coalesce(tier, region) IS NOT NULL
    WINDOW of_kind AS (PARTITION BY grouping(tier))
    QUALIFY count(*) >= $least ORDER BY kind, slice
    """,  # noqa: S608  the text is put together of constants
        "Counts per arm by tier and by region, where five are expected in each arm, and how many of"
        " either arm have a known tier or region.",
        uses=(counted,),
    )


def _hours(id: str, counted: Query) -> Query:
    return Query(
        id,
        f"""
    SELECT to_timestamp(3600 * hour) AS starts,
           count(*) FILTER (WHERE NOT treated) AS control,
           count(*) FILTER (WHERE treated) AS treated
    FROM (SELECT treated, CAST(floor(epoch(assigned_at) / 3600) AS BIGINT) AS hour
          FROM {counted.id} WHERE assigned_at IS NOT NULL)
    GROUP BY hour ORDER BY hour
    """,  # noqa: S608  the text is put together of constants
        "Counts per arm by hour of assignment.",
        uses=(counted,),
    )


SEGMENTS = _segments("segments", UNITS_DEALT)
ACCOUNT_SEGMENTS = _segments("account_segments", ACCOUNTS_DEALT)
HOURS = _hours("hours", UNITS_DEALT)
ACCOUNT_HOURS = _hours("account_hours", ACCOUNTS_DEALT)

STAGED_APART = Query(
    "staged_apart",
    """
    SELECT d.stage, d.arm, count(*) AS units
    FROM dealt AS d JOIN units AS u ON u.unit_id = d.unit_id
    WHERE d.stage IS NOT NULL AND (u.is_internal OR u.is_bot)
    GROUP BY d.stage, d.arm ORDER BY d.stage, d.arm
    """,
    "Units set apart as staff, test tenants or bots, by stage and arm.",
    uses=(DEALT,),
)
