# ruff: noqa: S608  the text is put together of constants
"""What was in force when: aliases and replicas over time, with the error of the clocks.

Half-open intervals are widened on both sides by the clock error, and by a rollout at their end,
to the stretch in which the checkpoint *may* have answered. Stretches are cut at every edge into
segments in which the set of candidates is constant, so that an instant meets one segment only.
A set of one is unambiguous. Segments are laid out by day, so that millions of instants find theirs
by an equal day and not by trying all.
"""

from casework.case import Query
from casework.diagnoses._answers import is_answer
from casework.diagnoses._environments import of_environment

DECIDED = Query(
    "decided",
    f"""
    SELECT request_id, occurred_at, ended_at, endpoint, region, replica, checkpoint, fingerprint,
           lane, decision, CAST(floor(epoch(occurred_at) / 86400) AS BIGINT) AS day
    FROM requests
    WHERE (decision IS NOT NULL OR $population = 'requests' AND {is_answer("operation")})
      AND {of_environment("environment")}
    QUALIFY $ids_differ
         OR row_number() OVER (PARTITION BY request_id ORDER BY occurred_at, locator) = 1
    """,
    "The decisions: of each id the earliest record, retries, tests and embeddings aside. Where no "
    "id of a request is there twice, none is looked for.",
)

NAMED_ALIASES = Query(
    "named_aliases",
    """
    SELECT alias,
           CASE WHEN count(DISTINCT attributes ->> '$.uri') OVER (PARTITION BY alias) > 1
                THEN coalesce(attributes ->> '$.uri', alias) ELSE alias END AS name,
           region, checkpoint, valid_from, valid_until, rollout_ended_at, source, locator
    FROM alias_events
    UNION ALL
    SELECT n.uri, CASE WHEN n.models > 1 THEN n.uri ELSE e.alias END, e.region, e.checkpoint,
           e.valid_from, e.valid_until, e.rollout_ended_at, e.source, e.locator
    FROM alias_events AS e
    JOIN (SELECT alias, attributes ->> '$.uri' AS uri,
                 count(*) OVER (PARTITION BY alias) AS models
          FROM alias_events WHERE attributes ->> '$.uri' <> alias
          GROUP BY alias, attributes ->> '$.uri') AS n
      ON n.alias = e.alias
     AND coalesce(e.attributes ->> '$.uri' = n.uri, n.models = 1)
    """,
    "Each alias under its name, and under its URI where the source gives one, as MLflow's "
    "`models:/<model>@<alias>`: callers use either. Events without a URI are of the only one. "
    "`name` is one for both: the URI where several go by that alias, else the alias.",
)

ALIAS_HISTORY = Query(
    "alias_history",
    """
    SELECT alias, name, region, checkpoint, valid_from, valid_until, rollout_ended_at,
           lead(valid_from) OVER next_one AS next_from,
           lead(rollout_ended_at) OVER next_one AS next_rollout_ended_at,
           lag(checkpoint) OVER next_one AS checkpoint_before,
           count(DISTINCT region IS NULL) OVER (PARTITION BY alias) AS regions
    FROM named_aliases AS a
    WHERE source IS NULL OR source NOT LIKE '%(current only)%'
       OR NOT EXISTS (
           SELECT 1 FROM named_aliases AS h
           WHERE h.alias = a.alias
             AND (h.source IS NULL OR h.source NOT LIKE '%(current only)%'))
    WINDOW next_one AS (
        PARTITION BY alias, region, CASE WHEN source LIKE '%(current only)%' THEN locator END
        ORDER BY valid_from)
    """,
    "What each alias pointed at. A registry that knows only the present counts where nothing "
    "else tells of the alias.",
    uses=(NAMED_ALIASES,),
)

_LAST_MOMENT = """
               + CASE WHEN $clock_error_s > 0 THEN INTERVAL 1 MICROSECOND
                      ELSE INTERVAL 0 MICROSECOND END"""

ALIAS_STRETCHES = Query(
    "alias_stretches",
    f"""
    SELECT alias, region, checkpoint,
           valid_from - INTERVAL 1 SECOND * $clock_error_s AS opens,
           coalesce(valid_until, next_from) + INTERVAL 1 SECOND * $clock_error_s
               {_LAST_MOMENT} AS closes
    FROM alias_history
    UNION ALL
    SELECT alias, region, checkpoint, next_from,
           next_rollout_ended_at + INTERVAL 1 SECOND * $clock_error_s + INTERVAL 1 MICROSECOND
    FROM alias_history
    WHERE next_rollout_ended_at > next_from
      AND (valid_until IS NULL OR valid_until >= next_from)
    UNION ALL
    SELECT alias, region, '', TIMESTAMPTZ '0001-01-01 00:00:00+00',
           min(valid_from)
    FROM alias_history WHERE regions = 1 GROUP BY alias, region
    UNION ALL
    SELECT alias, region, '', valid_until, next_from
    FROM alias_history
    WHERE regions = 1 AND (valid_until < next_from OR next_from IS NULL AND valid_until IS NOT NULL)
    """,
    "From when until when each checkpoint may have answered for the alias, and when the log says "
    "nothing (an empty checkpoint).",
    uses=(ALIAS_HISTORY,),
)

REPLICA_HISTORY = Query(
    "replica_history",
    """
    SELECT replica, region, site, checkpoint, valid_from, valid_until,
           lead(valid_from) OVER (PARTITION BY replica, site ORDER BY valid_from) AS next_from
    FROM (SELECT *, CASE WHEN count(DISTINCT region) OVER (PARTITION BY replica) > 1 THEN region END
                    AS site
          FROM deployments)
    """,
    "What each replica ran. One name in several regions, as of pods in clusters, is several.",
)

REPLICA_STRETCHES = Query(
    "replica_stretches",
    f"""
    SELECT replica, region, site, checkpoint,
           valid_from - INTERVAL 1 SECOND * $clock_error_s AS opens,
           coalesce(valid_until, next_from) + INTERVAL 1 SECOND * $clock_error_s
               {_LAST_MOMENT} AS closes
    FROM replica_history
    UNION ALL
    SELECT replica, NULL, site, '', TIMESTAMPTZ '0001-01-01 00:00:00+00',
           min(valid_from)
    FROM replica_history GROUP BY replica, site
    UNION ALL
    SELECT replica, NULL, site, '', valid_until, next_from
    FROM replica_history
    WHERE valid_until < next_from OR next_from IS NULL AND valid_until IS NOT NULL
    """,
    "From when until when each checkpoint may have run on the replica, and when the log says "
    "nothing.",
    uses=(REPLICA_HISTORY,),
)

_SEGMENTS = """
    SELECT s.{what}, s.region, s.starts, s.ends, bool_or(r.checkpoint = '') AS unknown,
           list_sort(array_agg(DISTINCT r.checkpoint) FILTER (WHERE r.checkpoint <> ''))
               AS checkpoints
    FROM (
        SELECT p.{what}, p.region, e.edge AS starts,
               lead(e.edge) OVER (PARTITION BY p.{what}, p.region ORDER BY e.edge) AS ends
        FROM (SELECT DISTINCT {column} AS {what}, region FROM {asked}) AS p
        JOIN (SELECT {what}, opens AS edge FROM {what}_stretches
              UNION SELECT {what}, closes FROM {what}_stretches WHERE closes IS NOT NULL) AS e
          ON e.{what} = p.{what}
    ) AS s
    JOIN {what}_stretches AS r
      ON r.{what} = s.{what}
     AND (r.{place} IS NULL OR s.region IS NULL OR r.{place} = s.region)
     AND r.opens <= s.starts AND (r.closes IS NULL OR r.closes > s.starts)
    GROUP BY s.{what}, s.region, s.starts, s.ends
    """

_DAYS = """
    SELECT s.*, len(s.checkpoints) AS candidates,
           CASE WHEN len(s.checkpoints) = 1 AND NOT s.unknown THEN s.checkpoints[1] END AS only,
           unnest(generate_series(
               CAST(floor(epoch(greatest(s.starts, w.first)) / 86400) AS BIGINT),
               CAST(floor(epoch(least(coalesce(s.ends, w.last), w.last)) / 86400) AS BIGINT)
           )) AS day
    FROM {segments} AS s
    CROSS JOIN (SELECT min(occurred_at) AS first, max(occurred_at) AS last FROM {asked}) AS w
    WHERE s.starts <= w.last AND (s.ends IS NULL OR s.ends > w.first)
    """


def alias_segments_of(asked: Query, prefix: str = "") -> Query:
    """Which checkpoints may have answered for the aliases that some requests asked for.

    Args:
        asked: requests with `endpoint` and `region`.
        prefix: of the id, where it is not for the decisions.
    """
    return Query(
        f"{prefix}alias_segments",
        _SEGMENTS.format(asked=asked.id, what="alias", column="endpoint", place="region"),
        "Which checkpoints may have answered for the alias, segment by segment.",
        uses=(asked, ALIAS_STRETCHES),
    )


def replica_segments_of(asked: Query, prefix: str = "") -> Query:
    """Which checkpoints may have run on the replicas that answered some requests.

    Args:
        asked: requests with `replica` and `region`.
        prefix: of the id, where it is not for the decisions.
    """
    return Query(
        f"{prefix}replica_segments",
        _SEGMENTS.format(asked=asked.id, what="replica", column="replica", place="site"),
        "Which checkpoints may have run on the replica, segment by segment.",
        uses=(asked, REPLICA_STRETCHES),
    )


def days_of(segments: Query, asked: Query, what: str, prefix: str = "") -> Query:
    """Lay segments out by day over the time in which some requests were made.

    Args:
        segments: of aliases or replicas.
        asked: requests with `occurred_at`.
        what: `alias` or `replica`.
        prefix: of the id, where it is not for the decisions.
    """
    return Query(
        f"{prefix}{what}_days",
        _DAYS.format(segments=segments.id, asked=asked.id),
        f"The segments of the {what}, day by day.",
        uses=(asked, segments),
    )


ALIAS_SEGMENTS = alias_segments_of(DECIDED)
ALIAS_DAYS = days_of(ALIAS_SEGMENTS, DECIDED, "alias")
REPLICA_DAYS = days_of(replica_segments_of(DECIDED), DECIDED, "replica")
