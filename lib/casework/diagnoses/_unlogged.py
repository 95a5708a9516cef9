"""Checkpoints that ran and that no alias event names: when, and for which alias."""

from casework.case import Query
from casework.diagnoses._environments import outside_tests
from casework.diagnoses._in_force import ALIAS_HISTORY, REPLICA_STRETCHES

LOG_BEGINS = Query(
    "log_begins",
    """
    SELECT alias, min(valid_from) AS first,
           min(greatest(valid_from, rollout_ended_at)) AS settled
    FROM alias_history GROUP BY alias
    """,
    "When the log of each alias begins, and when its first switch had reached all replicas.",
    uses=(ALIAS_HISTORY,),
)

REPLICAS_SEEN = Query(
    "replicas_seen",
    f"""
    SELECT DISTINCT replica, endpoint AS alias, coalesce(lane, '') AS lane,
           {outside_tests("environment")}
               OR NOT EXISTS (SELECT 1 FROM requests WHERE {outside_tests("environment")})
               AS is_of_customers
    FROM requests WHERE replica IN (SELECT replica FROM deployments)
    """,  # noqa: S608  the text is put together of constants
    "Endpoints and lanes for which requests show each replica, tests apart where there is more.",
)

UNLOGGED_RUNS = Query(
    "unlogged_runs",
    """
    SELECT replica, region, checkpoint, opens, closes
    FROM replica_stretches
    WHERE checkpoint <> '' AND checkpoint NOT IN (SELECT checkpoint FROM alias_events)
      AND EXISTS (SELECT 1 FROM log_begins)
      AND (closes IS NULL
           OR closes > (SELECT min(settled) FROM log_begins) + INTERVAL 1 SECOND * $clock_error_s)
      AND replica NOT IN (
          SELECT replica FROM replicas_seen GROUP BY replica
          HAVING bool_and(NOT is_of_customers OR coalesce(
              alias NOT IN (SELECT alias FROM log_begins), FALSE)))
    """,
    "Stretches in which a replica ran a digest that no alias event names. What stopped before the "
    "alias log begins is no move that the log missed, nor is what ran for tests or for endpoints "
    "without a log alone.",
    uses=(LOG_BEGINS, REPLICA_STRETCHES, REPLICAS_SEEN),
)

FOLLOWERS = Query(
    "followers",
    """
    SELECT DISTINCT d.replica, h.alias
    FROM deployments AS d JOIN alias_history AS h ON h.checkpoint = d.checkpoint
    """,
    "Replicas that ran what an alias named.",
    uses=(ALIAS_HISTORY,),
)

UNLOGGED_STRETCHES = Query(
    "unlogged_stretches",
    """
    SELECT DISTINCT p.alias, p.lane, u.region, u.checkpoint, greatest(u.opens, b.first) AS opens,
           u.closes, f.replica IS NOT NULL AS follows
    FROM unlogged_runs AS u
    JOIN (SELECT replica, alias, lane FROM replicas_seen WHERE is_of_customers
          UNION ALL
          SELECT replica, alias, NULL FROM followers
          WHERE replica NOT IN (SELECT replica FROM replicas_seen)) AS p ON p.replica = u.replica
    JOIN log_begins AS b ON b.alias = p.alias
    LEFT JOIN followers AS f ON f.replica = p.replica AND f.alias = p.alias
    """,
    "When a replica of an alias, one that answered for it or ran what it named, ran a digest that "
    "no alias event names; and whether that replica otherwise ran what the alias named.",
    uses=(UNLOGGED_RUNS, LOG_BEGINS, FOLLOWERS, REPLICAS_SEEN),
)
