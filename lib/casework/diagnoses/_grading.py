"""The checkpoint of each of some requests, and the grade of evidence by which it is known.

A digest on the record, B replica's deployment, C alias in force and unambiguous, D ambiguous,
E none. The alias settles nothing where the log of the replica does not hold what it names, nor
where the clocks leave open whether that replica had switched yet: it may have done so later.

An unlogged checkpoint that ran beside the alias is a candidate of what neither record nor replica
settles: of a request without a replica where a replica of its endpoint, region and lane ran it at
that time; of one whose replica kept no log where that replica otherwise ran what the alias named,
so that all of them may have moved. One that ran nothing else tells nothing of a request that names
another.
"""

from casework.case import Query
from casework.diagnoses._in_force import alias_segments_of, days_of, replica_segments_of
from casework.diagnoses._unlogged import UNLOGGED_STRETCHES

_MATCHED = """
    SELECT d.request_id, d.occurred_at, d.ended_at, d.endpoint, d.region, d.lane, d.fingerprint,
           d.decision, d.replica, r.candidates > 0 AS replica_tells, d.checkpoint AS by_record,
           r.only AS by_replica, a.only AS by_alias,
           CASE WHEN r.candidates > 1 AND (NOT list_contains(r.checkpoints, a.only)
                    OR r.ends - r.starts <= INTERVAL 2 SECOND * $clock_error_s
                                            + INTERVAL 1 MICROSECOND)
                THEN NULL ELSE a.only END AS in_force,
           CASE WHEN r.candidates > 0 THEN r.checkpoints ELSE a.checkpoints END AS candidates,
           a.ends <= d.ended_at AND d.checkpoint IS NULL AND r.only IS NULL AS crosses
    FROM {asked} AS d
    LEFT JOIN {aliases} AS a
      ON a.alias = d.endpoint AND a.region IS NOT DISTINCT FROM d.region AND a.day = d.day
     AND d.occurred_at >= a.starts AND (a.ends IS NULL OR d.occurred_at < a.ends)
    LEFT JOIN {replicas} AS r
      ON r.replica = d.replica AND r.region IS NOT DISTINCT FROM d.region AND r.day = d.day
     AND d.occurred_at >= r.starts AND (r.ends IS NULL OR d.occurred_at < r.ends)
    """

_CROSSED = """
    SELECT request_id, occurred_at, list_sort(array_agg(DISTINCT checkpoint)) AS candidates
    FROM (SELECT m.request_id, m.occurred_at, unnest(s.checkpoints) AS checkpoint
          FROM {matched} AS m JOIN {segments} AS s
            ON s.alias = m.endpoint AND s.region IS NOT DISTINCT FROM m.region
           AND s.starts <= m.ended_at AND (s.ends IS NULL OR s.ends > m.occurred_at)
          WHERE m.crosses)
    GROUP BY request_id, occurred_at HAVING count(DISTINCT checkpoint) > 1
    """

_BESIDE = """
    SELECT m.request_id, m.occurred_at, array_agg(DISTINCT u.checkpoint) AS checkpoints
    FROM {matched} AS m JOIN unlogged_stretches AS u
      ON u.alias = m.endpoint
     AND (u.region IS NULL OR m.region IS NULL OR u.region = m.region)
     AND (u.lane IS NULL OR u.lane = coalesce(m.lane, ''))
     AND (m.replica IS NULL OR u.follows)
     AND greatest(m.occurred_at, m.ended_at) >= u.opens
     AND (u.closes IS NULL OR m.occurred_at < u.closes)
    WHERE m.by_record IS NULL AND m.by_replica IS NULL AND m.replica_tells IS NOT TRUE
    GROUP BY m.request_id, m.occurred_at
    """

_GRADED = """
    SELECT m.request_id, m.occurred_at, m.endpoint, m.region, m.lane, m.replica, m.fingerprint,
           m.decision, m.by_alias, c.request_id IS NOT NULL AS crossed,
           CASE WHEN m.by_record IS NOT NULL THEN 'A' WHEN m.by_replica IS NOT NULL THEN 'B'
                WHEN c.request_id IS NOT NULL OR u.request_id IS NOT NULL THEN 'D'
                WHEN m.in_force IS NOT NULL THEN 'C'
                WHEN len(m.candidates) > 0 THEN 'D' ELSE 'E' END AS grade,
           CASE WHEN c.request_id IS NULL AND u.request_id IS NULL
                THEN coalesce(m.by_record, m.by_replica, m.in_force) END AS checkpoint,
           CASE WHEN c.request_id IS NULL AND u.request_id IS NULL
                     AND coalesce(m.by_record, m.by_replica, m.in_force) IS NOT NULL THEN NULL
                WHEN u.request_id IS NULL THEN coalesce(c.candidates, m.candidates)
                ELSE list_sort(list_distinct(list_concat(
                         coalesce(c.candidates, m.candidates), u.checkpoints)))
                END AS candidates
    FROM {matched} AS m
    LEFT JOIN {crossed} AS c ON c.request_id = m.request_id AND c.occurred_at = m.occurred_at
    LEFT JOIN {beside} AS u ON u.request_id = m.request_id AND u.occurred_at = m.occurred_at
    """


def grading_of(asked: Query, prefix: str = "") -> tuple[Query, Query, Query]:
    """Grade requests.

    Args:
        asked: one row a request: `request_id, occurred_at, ended_at, endpoint, region, replica,
            checkpoint, fingerprint, lane, decision, day`.
        prefix: of the ids of the queries, where they are not for the decisions.

    Returns:
        the requests with what their record, their replica and their alias say; those that ran
        while the alias was switched; and each with its grade, its checkpoint (A, B, C) or its
        candidates (D). All three take `clock_error_s`.
    """
    segments = alias_segments_of(asked, prefix)
    aliases = days_of(segments, asked, "alias", prefix)
    replicas = days_of(replica_segments_of(asked, prefix), asked, "replica", prefix)
    matched = Query(
        f"{prefix}matched",
        _MATCHED.format(asked=asked.id, aliases=aliases.id, replicas=replicas.id),
        "Each request with what its record, its replica and its alias say of the checkpoint.",
        uses=(asked, aliases, replicas),
    )
    crossed = Query(
        f"{prefix}crossed",
        _CROSSED.format(matched=matched.id, segments=segments.id),
        "Requests that ran while the alias was switched: asked for before, answered after.",
        uses=(matched, segments),
    )
    beside = Query(
        f"{prefix}beside",
        _BESIDE.format(matched=matched.id),
        "Unlogged checkpoints that may have made what neither record nor replica settles.",
        uses=(matched, UNLOGGED_STRETCHES),
    )
    graded = Query(
        f"{prefix}graded",
        _GRADED.format(matched=matched.id, crossed=crossed.id, beside=beside.id),
        "Each request with the grade of its attribution, its checkpoint (A, B, C), or its "
        "candidate checkpoints (D).",
        uses=(matched, crossed, beside),
    )
    return matched, crossed, graded
