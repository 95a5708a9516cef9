"""Whether another time zone of the eval log would change what was served before it was scored."""

from datetime import timedelta
from typing import Any

from casework.case import Query
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._stale_measures import Blind
from casework.diagnoses._stale_runs import FIRSTS, MATCHES, RUNS
from casework.diagnoses._stale_served import SERVED
from casework.findings import Rival
from casework.words import count

_EARLIER_H, _LATER_H = 14, 12
"""Clocks are 14 hours ahead of UTC at most, and 12 behind it."""

RUN_ENDS = Query(
    "run_ends",
    f"""
    SELECT h.hours, r.run_id,
           r.ended_at + INTERVAL 1 HOUR * CASE WHEN strpos($zoneless, e.exhibit_id) > 0
                                               THEN h.hours ELSE 0 END AS ended_at
    FROM runs AS r
    JOIN eval_runs AS e ON e.run_id = r.run_id
    CROSS JOIN (SELECT unnest(range(1, {_LATER_H + 1})) AS hours) AS h
    WHERE r.ended_at IS NOT NULL
    """,  # noqa: S608  the text is put together of constants
    "When each run was complete if the logs that name no zone were written so many hours west of "
    "UTC.",
    uses=(RUNS,),
)

SHIFTED = Query(
    "shifted",
    """
    SELECT f.hours, CAST(sum(s.requests) AS BIGINT) AS requests,
           count(DISTINCT f.config) AS configs
    FROM (
        SELECT r.hours, c.config, min(r.ended_at) AS evaluated_at
        FROM firsts AS c
        JOIN matches AS m ON m.config = c.config
         AND (m.known_by = 'rendered_hash' OR c.known_by <> 'rendered_hash')
        JOIN run_ends AS r ON r.run_id = m.run_id
        JOIN (SELECT hours, min(ended_at) AS first_ended FROM run_ends GROUP BY hours) AS e
          ON e.hours = r.hours AND (c.began_inside OR e.first_ended <= c.first_served)
        GROUP BY r.hours, c.config
    ) AS f
    JOIN served AS s ON s.config = f.config AND s.first < f.evaluated_at
    GROUP BY f.hours ORDER BY requests DESC, f.hours LIMIT 1
    """,
    "The shift of whole hours that would put most requests before the first run of their "
    "configuration, by the minute.",
    uses=(FIRSTS, MATCHES, SERVED, RUN_ENDS),
)


WITHOUT_ZONE = Query(
    "without_zone",
    """
    SELECT m.config, min(m.ended_at) AS ended_at
    FROM matches AS m
    JOIN firsts AS c ON c.config = m.config
     AND (m.known_by = 'rendered_hash' OR c.known_by <> 'rendered_hash')
    JOIN eval_runs AS e ON e.run_id = m.run_id AND strpos($zoneless, e.exhibit_id) > 0
    GROUP BY m.config ORDER BY m.config
    """,
    "The first completed run of each configuration in the logs that name no zone.",
    uses=(FIRSTS, MATCHES),
)


def _zoneless(ask: Inquiry) -> str:
    """Ids of the exhibits of runs whose instants named no zone and were read as UTC."""
    return " ".join(
        exhibit.id
        for exhibit in ask.case.exhibits()
        if "eval_runs" in exhibit.tables and any("read as UTC" in note for note in exhibit.notes)
    )


def _measure(ask: Inquiry, blind: Blind, known: dict[str, Any], zoneless: str) -> None:
    """Record how many requests would be blind in the worst zone, where the runs name none."""
    found = ask.ask(SHIFTED, zoneless=zoneless, **known)
    ask.measure("blind_requests_in_another_zone", found[0]["requests"] if found else 0,
                "count:requests", SHIFTED, n=blind.totals["requests"])  # fmt: skip


def is_open(ask: Inquiry, blind: Blind) -> bool:
    """Whether nothing is blind as the runs are read, and something is in a zone west of UTC."""
    held = ask.measures.get("blind_requests_in_another_zone")
    return bool(held and held.value) and not blind.totals["blind_least"]


def time_zone(ask: Inquiry, blind: Blind, known: dict[str, Any]) -> Rival:
    """An eval log without a zone is read as UTC; a cron in local time is hours off."""
    zoneless, firsts = _zoneless(ask), {}
    if zoneless:
        _measure(ask, blind, known, zoneless)
        firsts = {row["config"]: row["ended_at"]
                  for row in ask.ask(WITHOUT_ZONE, zoneless=zoneless, **known)}  # fmt: skip
    held = ask.measures.get("blind_requests_in_another_zone")
    latest = timedelta(hours=_EARLIER_H)
    earlier = bool(blind.blind_configs) and all(
        row["config"] in firsts and firsts[row["config"]] - row["began_at"] <= latest
        for row in blind.blind_configs
    )
    later = is_open(ask, blind)
    if held is None:
        why = "every source of the runs names its zone, or had one named when it was loaded"
    elif earlier:
        why = "the runs name no zone, and a shift of whole hours would put each first one before"
    elif later:
        why = (f"the runs name no zone, and a shift of whole hours would put up to "
               f"{count(held.value, 'requests')} before the first run")  # fmt: skip
    elif blind.blind_configs:
        why = "the runs name no zone, but no shift between zones would put each first one before"
    else:
        why = "the runs name no zone, but no shift between zones would put any first one after"
    return Rival(
        "The eval log is in another time zone",
        f"whether the zone was named, and what a shift of up to {_EARLIER_H} h earlier or "
        f"{_LATER_H} h later would change",
        "not_excluded" if earlier or later else "excluded",
        why,
    )
