"""When an alarm on the daily distance would have told of each change of the substrate."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from casework.case import Query
from casework.diagnoses import _substrate_rows as rows
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate import ROUNDING, Change, Substrate
from casework.findings import Finding
from casework.stats.cusum import LIMIT, REFERENCE, first_alarm, run_length
from casework.words import count, number

BASE_DAYS = 14
"""Days of a level that tell its noise, at least: of fewer the limit is crossed by chance."""
_DAY = timedelta(days=1)


def alarms_found(
    ask: Inquiry, substrate: Substrate, changes: Sequence[Change]
) -> tuple[Finding, ...]:
    """Record and state when the alarm would have been raised, where enough days tell the noise."""
    if not changes:
        return ()
    by, days = _daily(ask, substrate)
    edges = [datetime.min.replace(tzinfo=changes[0].ended.tzinfo),
             *(change.ended for change in changes)]  # fmt: skip
    ends = [*(change.started for change in changes[1:]), substrate.last]
    told = [
        _alarm(place, days, edges[place - 1], change, end)
        for place, (change, end) in enumerate(zip(changes, ends, strict=True), start=1)
    ]
    found = [row for row in told if row]
    if not found:
        return ()
    ask.measure("alarms", found, "table", by, n=len(days))
    return (Finding(_said(found), ("alarms",), (ask.evidence_id(by),)),)


def _daily(ask: Inquiry, substrate: Substrate) -> tuple[Query, list[tuple[datetime, float]]]:
    """Median distance from the first vector, or score, by day."""
    if substrate.source == "scores":
        asked = ask.ask(rows.DAILY_SCORES)
        return rows.DAILY_SCORES, [(row["day"], row["distance"]) for row in asked]
    used = {**substrate.asked, "judged": substrate.numbers, "cohort": "day"}
    asked = ask.ask(rows.DISTANCES, **used)
    return ask.recorded(rows.DISTANCES, **used), [
        (row["moment"], row["distance"]) for row in asked
    ]  # fmt: skip


def _alarm(
    place: int, days: Sequence[tuple[datetime, float]], since: datetime, change: Change,
    until: datetime,
) -> dict[str, Any] | None:  # fmt: skip
    """Watch the days after a change against the level before it; None with too few days before."""
    base = [d for at, d in days if since <= at and at + _DAY <= change.started]
    watched = [(at, d) for at, d in days if change.ended < at + _DAY and at <= until]
    if len(base) < BASE_DAYS or not watched:
        return None
    level, sd = float(np.mean(base)), max(float(np.std(base, ddof=1)), ROUNDING)
    index = first_alarm([d for _, d in watched], level, sd)
    early = first_alarm(base, level, sd)
    at = None if index is None else watched[index][0]
    return {
        "change": place, "base_days": len(base), "level": level, "sd": sd, "alarm_day": at,
        "days_after": None if at is None else (at.date() - change.ended.date()).days,
        "false_alarm_before": early is not None,
    }  # fmt: skip


def _said(found: Sequence[dict[str, Any]]) -> str:
    when: dict[str, list[int]] = {}
    for row in found:
        days = row["days_after"]
        told = (
            "never" if days is None else "on the day itself" if days < 1
            else f"{count(days, 'days')} after it"
        )  # fmt: skip
        when.setdefault(told, []).append(row["change"])
    each = "; ".join(
        f"change{'s' if len(places) > 1 else ''} {', '.join(map(str, places))} {told}"
        for told, places in when.items()
    )
    if early := [row["change"] for row in found if row["false_alarm_before"]]:
        each += f"; before change {', '.join(map(str, early))} it would have been a false alarm"
    return (
        f"A running sum of the daily distance (CUSUM, reference {number(REFERENCE)} and limit "
        f"{number(LIMIT)} standard deviations of the days before, which by chance alone raises an "
        f"alarm once in some {number(run_length(), 2)} days) would have told of {each}."
    )
