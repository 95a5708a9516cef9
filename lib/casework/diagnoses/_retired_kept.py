"""How far each candidate can still be run, rung by rung, and whether it is kept long enough."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from casework.case import Query
from casework.diagnoses import _retired_candidates as c
from casework.diagnoses._in_force import ALIAS_HISTORY
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._retired_judged import Inventory, Judged
from casework.diagnoses._retired_seen import LINKS, NAMED, SEEN
from casework.findings import Finding
from casework.stats.order_statistics import upper_rank
from casework.words import count, duration, number

RUNGS = ("named", "listed", "there", "checked", "run again", "as it was served")
"""From the digest alone to a replay with the prompt and the parameters of the request."""

STACKS = Query(
    "stacks",
    """
    SELECT r.checkpoint, count(*) AS replays,
           coalesce(bool_or(n.prompt_hash = r.prompt_hash AND n.params_hash = r.params_hash
                            AND (m.moved_at IS NULL OR r.started_at < m.moved_at)), FALSE)
               AS is_as_served,
           max(r.started_at) AS last_replayed
    FROM (SELECT run_id, item_id AS ticket_id FROM eval_samples WHERE condition = 'replay'
          UNION
          SELECT run_id, source_event_id FROM eval_samples
          WHERE condition = 'replay' AND source_event_id IS NOT NULL) AS s
    JOIN (SELECT DISTINCT ticket_id FROM seen) AS t ON t.ticket_id = s.ticket_id
    JOIN eval_runs AS r ON r.run_id = s.run_id
    LEFT JOIN links AS l ON l.ticket_id = s.ticket_id AND l.linked_by = 'id'
    LEFT JOIN named AS n ON n.request_id = l.request_id
    LEFT JOIN moved_since AS m ON m.ticket_id = s.ticket_id
    WHERE r.checkpoint IS NOT NULL
    GROUP BY r.checkpoint ORDER BY r.checkpoint LIMIT 10000
    """,
    "Checkpoints on which a report was replayed, and whether once with the prompt and the "
    "parameters of the request that it names, before the index or the tools changed.",
    uses=(SEEN, LINKS, NAMED, c.MOVED_SINCE),
)

LONGEST_LAGS = Query(
    "longest_lags",
    """
    SELECT epoch(reported_at) - epoch(observed_at) AS lag_s
    FROM tickets WHERE observed_at IS NOT NULL AND observed_at <= reported_at
    ORDER BY lag_s DESC LIMIT 10000
    """,
    "The longest times from what was seen to its report, the longest first.",
)

RETENTION = Query(
    "retention",
    """
    SELECT k.checkpoint, h.left_at, k.retained_until,
           epoch(k.retained_until) - epoch(h.left_at) AS kept_s
    FROM (SELECT checkpoint, max(coalesce(valid_until, next_from)) AS left_at
          FROM alias_history GROUP BY checkpoint
          HAVING bool_and(coalesce(valid_until, next_from) IS NOT NULL)
             AND bool_or(alias IN (SELECT endpoint FROM seen))) AS h
    JOIN (SELECT checkpoint, max(retained_until) AS retained_until
          FROM inventory GROUP BY checkpoint
          HAVING bool_and(retained_until IS NOT NULL OR is_there IS NOT DISTINCT FROM FALSE)) AS k
      ON k.checkpoint = h.checkpoint AND k.retained_until IS NOT NULL
    ORDER BY kept_s, k.checkpoint LIMIT 2000
    """,
    "How long after the last alias left it each checkpoint is retained that an endpoint of the "
    "tickets pointed at. One with a copy that has no limit, and is not known to be deleted, is "
    "left out.",
    uses=(SEEN, ALIAS_HISTORY, c.INVENTORY),
)


def measure_kept(
    ask: Inquiry, judged: Sequence[Judged], inventory: Inventory, lags: dict[str, Any],
    known: dict[str, Any],
) -> None:  # fmt: skip
    """Measure the rung that each candidate reaches, and retention against the lag of reports."""
    stacks = {row["checkpoint"]: row for row in ask.ask(STACKS, **known)}
    tickets = Counter(name for one in judged for name, _ in one.candidates if name)
    rows = [
        {"checkpoint": name, "tickets": n, **_rung(inventory, name, stacks.get(name))}
        for name, n in sorted(tickets.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    ask.measure("reachability", rows, "table", c.INVENTORY, n=len(rows))
    n = lags["tickets"]
    rank = upper_rank(n, 0.99) if n else None
    lag = None
    if rank:
        longest = ask.ask(LONGEST_LAGS)
        lag = longest[rank - 1]["lag_s"] if rank <= len(longest) else None
    ask.measure("lag_p99_upper_s", lag, "s", LONGEST_LAGS if rank else c.TICKETS, n=n)
    kept = ask.ask(RETENTION, **known)
    need = lags["lag_p99_s"]
    short = None if need is None or not kept else sum(row["kept_s"] < need for row in kept)
    ask.measure("retained_too_short", short, "count:checkpoints", RETENTION, n=len(kept))


def _rung(inventory: Inventory, name: str, stack: Mapping[str, Any] | None) -> dict[str, Any]:
    """Find the highest rung that is shown of a checkpoint, whatever is shown of those below."""
    reach = inventory.reach(name)
    rung = 0 if reach.why == "not listed" else 1
    if reach.can:
        rung = 3 if reach.why.endswith("checked") else 2
    if stack and reach.can is not False:
        rung = 5 if stack["is_as_served"] else 4
    return {"rung": RUNGS[rung], "why": reach.why,
            "last_replayed": stack["last_replayed"] if stack else None}  # fmt: skip


def of_kept(ask: Inquiry) -> Iterator[Finding]:
    """State how many candidates reach each rung."""
    rows = ask.measures["reachability"].value
    if not rows:
        return
    at = defaultdict(int, Counter(row["rung"] for row in rows))
    told = ", ".join(f"{number(at[rung])} {rung}" for rung in RUNGS if at[rung])
    yield Finding(
        f"Of {count(len(rows), 'candidate checkpoints')}, by the last rung that is shown of each, "
        f"from a name to a replay as it was served: {told}.",
        ("reachability",),
        (ask.evidence_id(c.INVENTORY), ask.evidence_id(STACKS)),
    )


def keep_longer(ask: Inquiry) -> Iterator[str]:
    """Say which checkpoints are kept for less time than reports take."""
    short, lag = ask.measures["retained_too_short"], ask.measures["lag_p99_s"].value
    upper = ask.measures["lag_p99_upper_s"].value
    if not short.value:
        return
    bound = "" if upper is None else f", at most {duration(upper)} with 95 % confidence"
    yield (
        f"Set the retention anew: of {count(short.n or 0, 'checkpoints')} that no alias points at, "
        f"{number(short.value)} are kept for less time than reports arrive in (99th percentile "
        f"{duration(lag)}{bound})."
    )
