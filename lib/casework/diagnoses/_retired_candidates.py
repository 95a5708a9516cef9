"""Which checkpoints may have answered for each ticket, with weights, replays, and what is left."""

from casework.case import Query
from casework.diagnoses._in_force import ALIAS_HISTORY, ALIAS_STRETCHES
from casework.diagnoses._retired_seen import (
    HOURS,
    LINKS,
    NAMED,
    NAMED_GRADED,
    PLACES,
    SEEN,
    WINDOWS,
)
from casework.diagnoses._retrieval import RETRIEVAL_MOVES
from casework.diagnoses._unlogged import UNLOGGED_STRETCHES

STAMPED_AROUND = Query(
    "stamped_around",
    """
    SELECT ticket_id, checkpoint FROM (
        SELECT w.ticket_id, h.checkpoint, h.hour,
               max(h.hour) FILTER (WHERE h.hour <= floor(epoch(w.window_from) / 3600)) OVER of_it
                   AS last_before,
               min(h.hour) FILTER (WHERE h.hour >= floor(epoch(w.window_until) / 3600)) OVER of_it
                   AS first_after
        FROM windows AS w
        LEFT JOIN (SELECT * FROM hours WHERE checkpoint <> '' AND requests > 0) AS h
          ON h.endpoint = w.endpoint AND (w.region IS NULL OR h.region IN (w.region, ''))
         AND (w.lane IS NULL OR h.lane = w.lane)
        WHERE w.endpoint NOT IN (SELECT alias FROM alias_history)
        WINDOW of_it AS (PARTITION BY w.ticket_id)
    )
    WHERE hour >= last_before AND hour <= first_after
    GROUP BY ticket_id, checkpoint
    """,
    "Where no alias event tells of an endpoint: what was stamped on its requests from the last "
    "hour that has some before a window to the first after it. Beyond the first and the last of "
    "them nothing is known.",
    uses=(WINDOWS, HOURS, ALIAS_HISTORY),
)

PARTS = Query(
    "parts",
    """
    SELECT w.ticket_id, w.endpoint, coalesce(w.region, s.region) AS region, w.lane, s.checkpoint,
           'alias' AS known_by,
           greatest(s.opens, w.window_from) AS starts,
           least(coalesce(s.closes, w.window_until), w.window_until) AS ends
    FROM windows AS w
    JOIN alias_stretches AS s
      ON s.alias = w.endpoint AND (s.region IS NULL OR w.region IS NULL OR s.region = w.region)
     AND s.opens <= w.window_until AND (s.closes IS NULL OR s.closes > w.window_from)
    UNION
    SELECT w.ticket_id, w.endpoint, coalesce(w.region, u.region), w.lane, u.checkpoint, 'alias',
           greatest(u.opens, w.window_from),
           least(coalesce(u.closes, w.window_until), w.window_until)
    FROM windows AS w
    JOIN unlogged_stretches AS u
      ON u.alias = w.endpoint AND (u.region IS NULL OR w.region IS NULL OR u.region = w.region)
     AND (u.lane IS NULL OR w.lane IS NULL OR u.lane = w.lane)
     AND u.opens <= w.window_until AND (u.closes IS NULL OR u.closes > w.window_from)
    UNION
    SELECT w.ticket_id, w.endpoint, w.region, w.lane, h.checkpoint, 'record',
           w.window_from, w.window_until
    FROM windows AS w
    JOIN (SELECT DISTINCT endpoint, checkpoint FROM hours WHERE checkpoint <> '') AS h
      ON h.endpoint = w.endpoint
    UNION
    SELECT w.ticket_id, w.endpoint, w.region, w.lane, s.checkpoint, 'stamps',
           w.window_from, w.window_until
    FROM windows AS w JOIN stamped_around AS s ON s.ticket_id = w.ticket_id
    """,
    "Where the window of a ticket meets what the alias pointed at (an empty checkpoint where the "
    "log says nothing) or with what its replicas ran and no alias event names, and the checkpoints "
    "that are stamped on requests of the endpoint, or around the window where no alias event tells "
    "of it. What an alias points at in a region is weighed by the requests of that region.",
    uses=(WINDOWS, ALIAS_STRETCHES, UNLOGGED_STRETCHES, HOURS, STAMPED_AROUND),
)

_SO_FAR = """(
        SELECT p.ticket_id, p.region, p.checkpoint, p.known_by, p.starts, p.ends,
               sum(h.so_far + h.requests * least(greatest(
                   epoch(p.{end}) / 3600 - h.hour, 0), 1)) AS requests
        FROM parts AS p
        JOIN hour_range AS r ON r.endpoint = p.endpoint
        JOIN hours AS h
          ON h.endpoint = p.endpoint
         AND h.hour = least(greatest(CAST(floor(epoch(p.{end}) / 3600) AS BIGINT),
                                     r.first_hour), r.last_hour)
         AND h.checkpoint = CASE WHEN p.known_by = 'record' THEN p.checkpoint ELSE '' END
         AND (p.region IS NULL OR h.region IN (p.region, ''))
         AND (p.lane IS NULL OR h.lane = p.lane)
        GROUP BY p.ticket_id, p.region, p.checkpoint, p.known_by, p.starts, p.ends
    )"""

HOUR_RANGE = Query(
    "hour_range",
    """
    SELECT endpoint, min(hour) AS first_hour, max(hour) AS last_hour FROM hours GROUP BY endpoint
    """,
    "The first and the last hour of the requests of each endpoint.",
    uses=(HOURS,),
)

WEIGHTS = Query(
    "weights",
    f"""
    SELECT ticket_id, checkpoint, requests,
           coalesce(sum(requests) FILTER (WHERE size > 0) OVER of_it, 0) AS of_parts,
           CASE WHEN size > 0
                THEN greatest(of_parts, 1e-9) / (of_parts + 1)
                     * (requests + size / sum(size) OVER of_it)
                ELSE requests END AS weight
    FROM (
        SELECT p.ticket_id, p.checkpoint,
               sum(greatest(coalesce(e.requests - b.requests, 0), 0)) AS requests,
               sum((epoch(p.ends) - epoch(p.starts) + 1) * (coalesce((
                   SELECT sum(h.requests) FROM hours AS h
                   WHERE h.endpoint = p.endpoint AND (p.lane IS NULL OR h.lane = p.lane)
                     AND (p.region IS NULL OR h.region IN (p.region, ''))), 0) + 1e-9))
                   FILTER (WHERE p.known_by <> 'record') AS size
        FROM parts AS p
        LEFT JOIN {_SO_FAR.format(end="ends")} AS e
          ON e.ticket_id = p.ticket_id AND e.checkpoint = p.checkpoint
         AND e.known_by = p.known_by AND e.starts = p.starts AND e.ends = p.ends
         AND e.region IS NOT DISTINCT FROM p.region
        LEFT JOIN {_SO_FAR.format(end="starts")} AS b
          ON b.ticket_id = p.ticket_id AND b.checkpoint = p.checkpoint
         AND b.known_by = p.known_by AND b.starts = p.starts AND b.ends = p.ends
         AND b.region IS NOT DISTINCT FROM p.region
        GROUP BY p.ticket_id, p.checkpoint
    )
    WINDOW of_it AS (PARTITION BY ticket_id) QUALIFY weight > 0
    """,  # noqa: S608  the text is put together of constants
    "Weight of each candidate: the requests of endpoint, region and lane in the part of the window "
    "in which it may have answered; stamped ones count for their own checkpoint. The answer of the "
    "ticket is one request more, of unknown instant, spread over the parts by their length and by "
    "all requests of a region: a part without any may hold it. It shares out what the parts have, "
    "and adds nothing to it against the stamps of other checkpoints.",
    uses=(PARTS, HOURS, HOUR_RANGE),
)

CANDIDATES = Query(
    "candidates_of_tickets",
    """
    SELECT l.ticket_id, l.linked_by, g.grade, g.fingerprint,
           coalesce(g.checkpoint, u.candidate, '') AS checkpoint,
           CAST(sum(1.0 / CASE WHEN u.candidate IS NULL THEN 1 ELSE len(g.candidates) END)
                AS DOUBLE) AS weight, count(g.decision) AS decisions,
           min(g.occurred_at) AS first, max(g.occurred_at) AS last
    FROM links AS l
    JOIN named_graded AS g ON g.request_id = l.request_id
    LEFT JOIN (SELECT request_id, unnest(candidates) AS candidate FROM named_graded
               WHERE grade = 'D') AS u ON u.request_id = g.request_id
    GROUP BY l.ticket_id, l.linked_by, g.grade, g.fingerprint,
             coalesce(g.checkpoint, u.candidate, '')
    UNION ALL
    SELECT t.ticket_id, 'window', NULL, NULL, coalesce(w.checkpoint, ''),
           coalesce(w.weight, 1.0), 0, t.window_from, t.window_until
    FROM windows AS t LEFT JOIN weights AS w ON w.ticket_id = t.ticket_id
    ORDER BY ticket_id, checkpoint, grade
    """,
    "The candidates of each ticket: by the requests that it leads to, of which each counts once, "
    "shared by its candidates where it has several; else by its window. An empty "
    "checkpoint is one that no record names. First and last are the instants of these requests, or "
    "the ends of the window.",
    uses=(LINKS, NAMED_GRADED, WINDOWS, WEIGHTS),
)

TICKETS = Query(
    "tickets_seen",
    """
    SELECT t.ticket_id, t.reported_at, t.observed_at, t.endpoint, t.request_id, t.account_id,
           t.only_a_date, t.is_zoneless, t.is_contradicted, t.window_from, t.window_until,
           coalesce(p.is_of_other_times AND coalesce(p.region, p.lane) IS NOT NULL, FALSE)
               AS is_placed_by_other_times,
           h.first AS log_from
    FROM seen AS t
    LEFT JOIN places AS p ON p.ticket_id = t.ticket_id
    LEFT JOIN (SELECT alias, min(valid_from) AS first FROM alias_history GROUP BY alias) AS h
      ON h.alias = t.endpoint
    ORDER BY t.reported_at, t.ticket_id
    """,
    "The tickets, each with its window and the beginning of the log of its alias.",
    uses=(SEEN, PLACES, ALIAS_HISTORY),
)

PRINTS = Query(
    "prints",
    """
    SELECT checkpoint, coalesce(fingerprint, '') AS fingerprint, count(*) AS requests
    FROM requests
    WHERE checkpoint IS NOT NULL AND fingerprint IS NOT NULL
    GROUP BY checkpoint, coalesce(fingerprint, '') ORDER BY checkpoint, fingerprint LIMIT 10000
    """,
    "Fingerprints of the provider on requests that are stamped with a digest.",
)

MOVED_SINCE = Query(
    "moved_since",
    """
    SELECT t.ticket_id, min(e.occurred_at) AS moved_at
    FROM (SELECT s.ticket_id,
                 coalesce(min(n.occurred_at) - INTERVAL 1 SECOND * $clock_error_s,
                          min(s.window_from)) AS since
          FROM seen AS s
          LEFT JOIN links AS l ON l.ticket_id = s.ticket_id
          LEFT JOIN named AS n ON n.request_id = l.request_id
          GROUP BY s.ticket_id) AS t
    JOIN retrieval_moves AS e ON e.occurred_at >= t.since
    GROUP BY t.ticket_id
    """,
    "When, for each ticket, index or tools first changed after its answer may have been given: "
    "from the earliest request that it leads to, else from the beginning of its window.",
    uses=(SEEN, LINKS, NAMED, RETRIEVAL_MOVES),
)

REPLAYS = Query(
    "replays",
    """
    SELECT t.ticket_id, r.checkpoint,
           count(*) FILTER (WHERE r.started_at >= m.moved_at) AS on_another_index,
           count(*) - count(*) FILTER (WHERE r.started_at >= m.moved_at) AS replays,
           count(*) FILTER (WHERE (m.moved_at IS NULL OR r.started_at < m.moved_at)
                              AND CASE WHEN s.output_text IS NOT NULL AND t.output IS NOT NULL
                                       THEN s.output_text = t.output
                                       ELSE s.score >= 0.5 END) AS reproduced
    FROM seen AS t
    JOIN (SELECT run_id, item_id AS ticket_id, output_text, score FROM eval_samples
          WHERE condition = 'replay'
          UNION ALL
          SELECT run_id, source_event_id, output_text, score FROM eval_samples
          WHERE condition = 'replay' AND source_event_id <> item_id) AS s
      ON s.ticket_id = t.ticket_id
    JOIN eval_runs AS r ON r.run_id = s.run_id
    LEFT JOIN moved_since AS m ON m.ticket_id = t.ticket_id
    WHERE r.checkpoint IS NOT NULL
      AND (s.score IS NOT NULL OR s.output_text IS NOT NULL AND t.output IS NOT NULL)
    GROUP BY t.ticket_id, r.checkpoint ORDER BY t.ticket_id, r.checkpoint LIMIT 10000
    """,
    "Replays of what tickets report, by checkpoint, and how many of them reproduced it: the same "
    "answer, or a score of a half and more where answers are judged. One without a score that has "
    "no answer to be held against tells nothing. Replays after the index or the tools changed are "
    "counted apart: they ask another system.",
    uses=(SEEN, MOVED_SINCE),
)

INVENTORY = Query(
    "inventory",
    """
    SELECT checkpoint, uri, "exists" AS is_there, verified_at, retained_until, base_checkpoint
    FROM (SELECT *, row_number() OVER (
              PARTITION BY checkpoint, uri ORDER BY verified_at DESC NULLS LAST, locator) AS nth
          FROM checkpoints)
    WHERE nth = 1 ORDER BY checkpoint, uri LIMIT 100000
    """,
    "Where the bytes of each checkpoint are, as last checked.",
)

LAST_MOMENT = Query(
    "last_moment",
    """
    SELECT greatest((SELECT max(reported_at) FROM tickets),
                    coalesce((SELECT max(verified_at) FROM checkpoints),
                             (SELECT max(reported_at) FROM tickets))) AS as_of
    """,
    "The latest instant of tickets and inventory: retention is judged then.",
)

CHECKED = Query(
    "checked",
    """
    SELECT count(*) AS checked,
           count(*) FILTER (WHERE by_alias <> checkpoint) AS disagree
    FROM named_graded WHERE grade IN ('A', 'B') AND by_alias IS NOT NULL
    """,
    "Requests of tickets known by digest or replica, against what the alias log would have said.",
    uses=(NAMED_GRADED,),
)

ERAS = Query(
    "eras",
    """
    SELECT alias, region, checkpoint, valid_from, coalesce(valid_until, next_from) AS valid_until
    FROM alias_history WHERE alias IN (SELECT endpoint FROM seen)
    ORDER BY alias, region, valid_from LIMIT 2000
    """,
    "What the endpoints of the tickets pointed at, over time (at most 2,000).",
    uses=(SEEN, ALIAS_HISTORY),
)

MONEY = Query(
    "money",
    """
    SELECT t.ticket_id, a.account_id, a.revenue
    FROM tickets AS t JOIN accounts AS a ON a.account_id = t.account_id
    WHERE a.revenue IS NOT NULL ORDER BY t.ticket_id LIMIT 10000
    """,
    "Revenue of the accounts that wrote tickets.",
)
