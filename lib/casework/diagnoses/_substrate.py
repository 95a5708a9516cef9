"""When the substrate changed: found from vectors or repeated scores, before outcomes are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.diagnoses import _substrate_rows as q
from casework.diagnoses._inquiry import Inquiry
from casework.stats import changepoints

MAJORITY = 0.5
"""Share of the texts on both sides of a change that must have moved."""
SEARCH_ALPHA = 0.05
FEW_DAYS = 9
UNSTEADY = 5.0
"""Repeats of one text that lie so many times further apart since are no noise; as in the floor."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the substrate: after `started`, by `ended` at the latest.

    Attributes:
        distance: median distance that the texts moved.
        moved, watched: texts that moved, of those embedded on both sides.
        other_dimensions: whether vectors have another length since.
    """

    started: datetime
    ended: datetime
    distance: float
    moved: int
    watched: int
    other_dimensions: bool = False


@dataclass(frozen=True, slots=True)
class Substrate:
    """What was found of the substrate.

    Attributes:
        source: `vectors`, or `scores` where repeated pairs of query and document tell.
        changes: in the order of time.
        partial: steps of fewer texts than a majority.
        floor: noise floor of the distance.
        first, last: the time that was watched.
        n: vectors or scores.
        p: of the search for breaks, where scores tell; None where brackets are certain.
        same_day: whether the floor is that of repeats within a day.
    """

    source: str
    changes: tuple[Change, ...]
    partial: int
    floor: float
    first: datetime
    last: datetime
    n: int
    p: float | None = None
    same_day: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What moved of the substrate while it did not change as a whole.

    Attributes:
        moved, watched: texts that are elsewhere in the last week, of those that were embedded.
        noise_first, noise_last: distance between repeats of one text, in either week.
    """

    moved: int
    watched: int
    noise_first: float | None
    noise_last: float | None

    @property
    def is_unsteady(self) -> bool:
        """Whether one text has several vectors now: repeats lie apart as they did not before."""
        if self.noise_first is None or self.noise_last is None:
            return False
        return self.noise_last > UNSTEADY * max(self.noise_first, 1e-9)

    @property
    def is_seen(self) -> bool:
        """Whether some texts moved for good, or one text has several vectors now."""
        return self.moved > 0 or self.is_unsteady


def part_of(ask: Inquiry, substrate: Substrate, opened: datetime, closed: datetime) -> Part | None:
    """Compare the first week of an experiment with its last; None where no vectors tell."""
    if substrate.source != "vectors":
        return None
    row = ask.one(
        q.PART, floor=substrate.floor, opened_at=opened, closed_at=closed,
        same_day=substrate.same_day,
    )  # fmt: skip
    return Part(row["moved"], row["texts"], row["noise_first"], row["noise_last"])


def watch(ask: Inquiry, seed: int) -> Substrate | None:
    """Find the changes; None where nothing is embedded or scored again and again."""
    if ask.case.filled("vectors"):
        found = _by_vectors(ask)
        if found is not None:
            return found
    return _by_scores(ask, seed)


def _by_vectors(ask: Inquiry) -> Substrate | None:
    sentinels = ask.one(q.SENTINELS)
    if sentinels["vectors"] <= sentinels["texts"]:
        return None
    ask.case.hold(q.MOVES)
    floor, same_day = _floor(ask)
    found = _joined(ask.ask(q.STEPS, floor=floor))
    changes, partial = [], 0
    for one in found:
        watched = ask.one(q.WATCHED, started=one["started"], ended=one["ended"])["texts"]
        if one["texts"] >= MAJORITY * max(1, watched):
            changes.append(
                Change(one["started"], one["ended"], one["distance"], one["texts"], watched,
                       bool(one["other_dimensions"]))
            )  # fmt: skip
        else:
            partial += 1
    return Substrate(
        "vectors", tuple(changes), partial, floor, sentinels["first"], sentinels["last"],
        sentinels["vectors"], same_day=same_day,
    )  # fmt: skip


def _floor(ask: Inquiry) -> tuple[float, bool]:
    """Noise of repeats within a day, where there are some; else of neighbours. And which."""
    same_day = sum(row["pairs"] for row in ask.ask(q.QUIET, same_day=True)) >= 3
    return float(ask.one(q.FLOOR, same_day=same_day)["noise"]) + 1e-6, same_day


def _joined(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join steps whose brackets overlap: one change lies in what they have in common."""
    joined: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda row: row["ended"]):
        last = joined[-1] if joined else None
        if last and row["started"] < last["ended"] and last["started"] < row["ended"]:
            last["started"] = max(last["started"], row["started"])
            last["ended"] = min(last["ended"], row["ended"])
            last["texts"] += row["texts"]
            last["other_dimensions"] += row["other_dimensions"]
            last["distance"] = max(last["distance"], row["distance"])
        else:
            joined.append(dict(row))
    return joined


def _by_scores(ask: Inquiry, seed: int) -> Substrate | None:
    """Breaks of the daily median distance of scores; the whole search tested by permutation."""
    days = ask.ask(q.DAILY_SCORES) if ask.case.filled("candidates") else []
    if len(days) < FEW_DAYS or not changepoints.AVAILABLE:
        return None
    series = [row["distance"] for row in days]
    tested = changepoints.break_with_p(series, seed=seed)
    places = changepoints.pelt(series) if tested.p < SEARCH_ALPHA else []
    places = changepoints.pruned(series, places, SEARCH_ALPHA, seed)
    noise = float(changepoints.noise(series)[0])
    changes = tuple(
        Change(days[i - 1]["last"], days[i]["first"], abs(series[i] - series[i - 1]), 0, 0)
        for i in places
    )
    total = sum(row["scores"] for row in days)
    return Substrate(
        "scores", changes, 0, noise, days[0]["first"], days[-1]["last"], total, tested.p
    )
