"""When the substrate changed, from pairs of query and document that are scored again and again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from casework.diagnoses import _substrate_rows as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate import Change, Substrate
from casework.stats import changepoints

SEARCH_ALPHA = 0.05
FEW_DAYS = 9

Days = Sequence[dict[str, Any]]


def by_scores(ask: Inquiry, seed: int) -> Substrate | None:
    """Breaks of the daily median distance of scores; the whole search tested by permutation.

    A day in which a change fell has readings of both levels. It is no level of its own, so the
    search is made again without such days. When a break is found, readings tell where it lies.
    """
    if not ask.case.filled("candidates"):
        return None
    ask.case.hold(q.SCORED)
    days = ask.ask(q.DAILY_SCORES)
    if len(days) < FEW_DAYS or not changepoints.AVAILABLE:
        return None
    first = _brackets(ask, days, _search(days, seed)[0])
    whole = [row for row in days if not _is_mixed(row, first)]
    whole = whole if len(whole) >= FEW_DAYS else list(days)
    places, p = _search(whole, seed)
    series = [row["distance"] for row in whole]
    changes = tuple(
        Change(*bracket, abs(series[i] - series[i - 1]), 0, 0)
        for i, bracket in zip(places, _brackets(ask, whole, places), strict=True)
    )
    return Substrate(
        "scores", changes, 0, float(changepoints.noise(series)[0]),
        days[0]["since"], days[-1]["last"], sum(row["scores"] for row in days), p,
        days=len(whole),
    )  # fmt: skip


def _search(days: Days, seed: int) -> tuple[list[int], float]:
    """Numbers of the days on which a new level begins, and the p-value of the search."""
    series = [row["distance"] for row in days]
    tested = changepoints.break_with_p(series, seed=seed)
    places = changepoints.pelt(series) if tested.p < SEARCH_ALPHA else []
    return changepoints.pruned(series, places, SEARCH_ALPHA, seed), tested.p


def _brackets(ask: Inquiry, days: Days, places: list[int]) -> list[tuple[datetime, datetime]]:
    """From the last reading before each change to the first after it.

    The days beside a break may hold readings of both levels. They have no part in the levels of
    the pairs, and are searched through; where they do not hold the change, further days are.
    """
    edges = [-1, *places, len(days) + 1]
    return [
        _bracket(ask, days[before + 1 : after - 1], i - before - 1)
        for before, i, after in zip(edges, places, edges[2:], strict=False)
    ]


def _bracket(ask: Inquiry, days: Days, place: int) -> tuple[datetime, datetime]:
    """The readings between which the level of some days changes, near the one of that number."""
    wide = 1
    while True:
        first, last = max(0, place - 1 - wide), min(len(days) - 1, place + wide)
        start, end = days[first]["last"], days[last]["first"]
        readings = ask.ask(
            q.READINGS, opened=days[0]["first"], started=start, ended=end, closed=days[-1]["last"]
        )
        low, high = changepoints.splits([row["misfit"] for row in readings])
        if (low or not first) and (high < len(readings) or last == len(days) - 1):
            return (
                readings[low - 1]["last"] if low else start,
                readings[high]["first"] if high < len(readings) else end,
            )
        wide *= 2


def _is_mixed(day: dict[str, Any], brackets: Sequence[tuple[datetime, datetime]]) -> bool:
    """Whether a change may lie between the readings of a day."""
    return any(day["first"] < end and start < day["last"] for start, end in brackets)
