"""When an alarm on the daily distance would have told of each change of the substrate."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from casework.case import Query
from casework.diagnoses import _substrate_rows as rows
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate import ROUNDING, Change, Substrate, numbered
from casework.findings import Finding
from casework.stats.cusum import LIMIT, REFERENCE, alarm_chance, first_alarm
from casework.words import count, number, share

BASE_DAYS = 14
"""Days of a level that tell its noise, at least: of fewer the limit is crossed by chance."""
MONTH = 30
"""Readings of which it is told how often noise alone raises an alarm."""
_DAY = timedelta(days=1)


def alarms_found(
    ask: Inquiry, substrate: Substrate, changes: Sequence[Change]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Record and state when the alarm would have been raised, or say why that cannot be told."""
    if not changes:
        return (), ()
    by, days = _daily(ask, substrate)
    told = {
        place: _alarm(place, days, change, substrate.changes)
        for place, change in enumerate(changes, start=1)
    }
    few = [place for place, row in told.items() if not row]
    limits = (
        f"When an alarm on the daily distance would have told of {numbered(few)} cannot be told: "
        f"it takes {count(BASE_DAYS, 'days')} of one level before a change, and one after it.",
    ) if few else ()  # fmt: skip
    found = [row for row in told.values() if row]
    if not found:
        return (), limits
    ask.measure("alarms", found, "table", by, n=len(days))
    return (Finding(_said(found), ("alarms",), (ask.evidence_id(by),)),), limits


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
    place: int, days: Sequence[tuple[datetime, float]], change: Change, changes: Sequence[Change]
) -> dict[str, Any] | None:
    """Watch the days after a change against the level before it; None with too few of either.

    A level reaches from the change before to the one after, also where those are none of the
    experiment's.
    """
    before = [one.ended for one in changes if one.started < change.started]
    after = [one.started for one in changes if one.started >= change.ended]
    base = [
        d for at, d in days
        if at + _DAY <= change.started and all(end <= at for end in before)
    ]  # fmt: skip
    watched = [
        (at, d) for at, d in days
        if change.ended < at + _DAY and all(at + _DAY <= start for start in after)
    ]  # fmt: skip
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
    each = "; ".join(f"{numbered(places)} {told}" for told, places in when.items())
    if early := [row["change"] for row in found if row["false_alarm_before"]]:
        each += f"; before {numbered(early)} it would have been a false alarm"
    least = min(row["base_days"] for row in found)
    return (
        f"A running sum of the daily distance (CUSUM, reference {number(REFERENCE)} and limit "
        f"{number(LIMIT)} standard deviations of the days before) would have told of {each}. Where "
        f"{count(least, 'days')} tell level and deviation, normal noise alone raises an "
        f"alarm in {share(round(alarm_chance(least, MONTH), 2))} of stretches of "
        f"{number(MONTH)} readings."
    )
