"""What `cohort_skew` asks about experiments, arms and how units were dealt."""

from casework.case import Query

EXPERIMENTS = Query(
    "experiments",
    """
    SELECT a.experiment, a.assignments, a.units, a.arms, a.stages,
           coalesce(r.percents, 0) AS percents
    FROM (
        SELECT experiment, count(*) AS assignments, count(DISTINCT unit_id) AS units,
               count(DISTINCT arm) AS arms, count(DISTINCT stage) AS stages
        FROM assignments GROUP BY experiment
    ) AS a
    LEFT JOIN (
        SELECT key, count(DISTINCT TRY_CAST(replace(new_value, '%', '') AS DOUBLE)) AS percents
        FROM config_events WHERE starts_with(key, 'rollout:') GROUP BY key
    ) AS r ON r.key = 'rollout:' || a.experiment
    ORDER BY a.units DESC, a.experiment
    """,
    "Experiments in the case, with the shares to which each was rolled out.",
)

ROLLOUT = Query(
    "rollout",
    """
    SELECT occurred_at, TRY_CAST(replace(new_value, '%', '') AS DOUBLE) AS percent
    FROM config_events WHERE key = 'rollout:' || $experiment ORDER BY occurred_at
    """,
    "The ramp of the experiment.",
)

CONTROLS = Query(
    "controls",
    """
    SELECT DISTINCT unnest(attributes ->> '$.control[*]') AS arm
    FROM config_events WHERE key = 'rollout:' || $experiment ORDER BY arm
    """,
    "What the events of the rollout say that the log of assignments calls the control.",
)

_PERCENT = "TRY_CAST(regexp_extract(stage, '[0-9]+([.][0-9]+)?') AS DOUBLE)"
"""Number in the name of a stage: as text, 100 comes before 5."""

DEALT = Query(
    "dealt",
    f"""
    SELECT unit_id, arm, bucket, salt, algorithm, assigned_at, stage
    FROM assignments WHERE experiment = $experiment
    QUALIFY row_number() OVER (
        PARTITION BY unit_id ORDER BY assigned_at, {_PERCENT}, stage, locator) = 1
    """,  # noqa: S608  the text is put together of constants
    "Each unit with the arm that it got first.",
)

ARMS = Query(
    "arms",
    f"""
    SELECT stage, arm, count(*) AS units, min(assigned_at) AS first, max(assigned_at) AS last
    FROM dealt GROUP BY stage, arm ORDER BY min(assigned_at), {_PERCENT}, stage, arm
    """,  # noqa: S608  the text is put together of constants
    "Units by stage and arm.",
    uses=(DEALT,),
)

MOVED = Query(
    "moved",
    """
    SELECT count(DISTINCT a.unit_id) FILTER (WHERE a.assigned_at > d.assigned_at) AS units,
           count(DISTINCT a.unit_id)
               FILTER (WHERE (a.assigned_at > d.assigned_at) IS NOT TRUE) AS at_once,
           min(a.assigned_at)
               FILTER (WHERE a.assigned_at > greatest(d.assigned_at, $opened_at)) AS first,
           (SELECT count(*) FROM dealt) AS dealt
    FROM assignments AS a JOIN dealt AS d ON d.unit_id = a.unit_id
    WHERE a.experiment = $experiment AND a.arm <> d.arm
    """,
    "Units that were moved to another arm later, when the first of them was, and those that are in "
    "two arms at one time or at an unknown one.",
    uses=(DEALT,),
)

MOVES = Query(
    "moves",
    """
    SELECT a.unit_id, min(a.assigned_at) AS moved_at
    FROM assignments AS a JOIN dealt AS d ON d.unit_id = a.unit_id
    WHERE a.experiment = $experiment AND a.arm <> d.arm GROUP BY a.unit_id
    """,
    "When each unit was moved to another arm, as those that a ramp reaches are.",
    uses=(DEALT,),
)

EXPOSED = Query(
    "exposed",
    """
    SELECT d.unit_id, d.arm = $treatment AS treated, d.assigned_at, m.moved_at, d.bucket,
           u.account_id, u.tier, u.region, u.created_at, u.covariates,
           coalesce(u.is_internal, FALSE) OR coalesce(u.is_bot, FALSE) AS set_apart
    FROM dealt AS d LEFT JOIN units AS u ON u.unit_id = d.unit_id
    LEFT JOIN moves AS m ON m.unit_id = d.unit_id
    WHERE d.arm IN ($control, $treatment) AND ($stage IS NULL OR d.stage = $stage)
    """,
    "The units that are compared, with what was known of them before.",
    uses=(DEALT, MOVES),
)

METRICS = Query(
    "metrics",
    """
    SELECT metric, count(*) AS observations, count(denominator) AS denominators,
           min(occurred_at) AS first, max(occurred_at) AS last
    FROM outcomes WHERE unit_id IN (SELECT unit_id FROM exposed)
    GROUP BY metric ORDER BY observations DESC, metric
    """,
    "Metrics of the compared units.",
    uses=(EXPOSED,),
)

SET_APART = Query(
    "set_apart",
    """
    SELECT treated, count(*) AS units, count(*) FILTER (WHERE set_apart) AS set_apart
    FROM exposed GROUP BY treated ORDER BY treated
    """,
    "Units by arm, and those set apart as staff, test tenants or bots.",
    uses=(EXPOSED,),
)

ACCOUNTS = Query(
    "accounts",
    """
    SELECT count(*) AS shared_accounts, count(*) FILTER (WHERE arms = 2) AS in_both_arms,
           round(sum(1 - pow(share, units) - pow(1 - share, units)), 3) AS expected_in_both
    FROM (SELECT account_id, count(*) AS units, count(DISTINCT treated) AS arms FROM exposed
          WHERE account_id IS NOT NULL AND NOT set_apart
          GROUP BY account_id HAVING count(*) > 1),
         (SELECT avg(CAST(treated AS INTEGER)) AS share FROM exposed WHERE NOT set_apart)
    """,
    "Accounts with several units, how many have units in both arms, and how many would if units "
    "were dealt one by one.",
    uses=(EXPOSED,),
)

ACCOUNT_ARMS = Query(
    "account_arms",
    """
    SELECT treated, count(*) AS accounts, count(*) FILTER (WHERE compared) AS compared
    FROM (SELECT treated, coalesce(account_id, unit_id) AS account,
                 bool_or(NOT set_apart) AS compared
          FROM exposed GROUP BY treated, account)
    GROUP BY treated ORDER BY treated
    """,
    "Accounts by arm, and those of which a unit is compared; a unit without one stands for itself.",
    uses=(EXPOSED,),
)

ALGORITHMS = Query(
    "algorithms",
    """
    SELECT algorithm, count(*) AS units, count(bucket) AS with_bucket, count(salt) AS with_salt
    FROM dealt GROUP BY algorithm ORDER BY units DESC, algorithm
    """,
    "Hashes that the assignment log names.",
    uses=(DEALT,),
)

BUCKETS = Query(
    "buckets",
    """
    SELECT bucket, count(*) FILTER (WHERE treated) AS treated,
           count(*) FILTER (WHERE NOT treated) AS control
    FROM exposed WHERE bucket IS NOT NULL AND NOT set_apart GROUP BY bucket ORDER BY bucket
    """,
    "Units by bucket and arm. An arm that depends on the bucket alone leaves no bucket in both.",
    uses=(EXPOSED,),
)

COHORTS = Query(
    "cohorts",
    """
    SELECT date_trunc($cohort, created_at) AS cohort,
           count(*) FILTER (WHERE treated) AS treated,
           count(*) FILTER (WHERE NOT treated) AS control
    FROM exposed WHERE created_at IS NOT NULL AND NOT set_apart
    GROUP BY cohort ORDER BY cohort
    """,
    "Units by sign-up cohort and arm.",
    uses=(EXPOSED,),
)

BUCKET_COHORTS = Query(
    "bucket_cohorts",
    """
    SELECT bucket, date_trunc($cohort, created_at) AS cohort, count(*) AS units
    FROM exposed WHERE bucket IS NOT NULL AND created_at IS NOT NULL AND NOT set_apart
    GROUP BY bucket, cohort ORDER BY bucket, cohort
    """,
    "Units by bucket and sign-up cohort, over all buckets.",
    uses=(EXPOSED,),
)

SIGN_UPS = Query(
    "sign_ups",
    """
    SELECT count(created_at) AS units, min(created_at) AS first, max(created_at) AS last
    FROM exposed WHERE NOT set_apart
    """,
    "The time over which the units signed up.",
    uses=(EXPOSED,),
)
