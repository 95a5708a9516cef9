"""The three times of a configuration: to the first signal, to the measurement, to detection."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.diagnoses import _stale_harm as h
from casework.diagnoses._inquiry import Inquiry
from casework.stats.bursts import expected_so_far, first_burst
from casework.stats.estimates import Estimate
from casework.stats.paired import Pairs, mcnemar, tango
from casework.stats.paired_means import mean_difference
from casework.stats.proportions import difference_of_shares

_LEVEL = 0.01
"""Chance of a signal where the base rate goes on: a false one is early by hours."""


@dataclass(frozen=True, slots=True)
class Signal:
    """The first ticket that departs from the base rate, if any; `p` is None where it has no base.

    `tickets` counts those after the configuration began, `base` those before.
    """

    at: datetime | None
    tickets: int
    base: int
    p: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """Scores of the first valid run against the run before it; `p` is that of no change.

    `how` says what was compared: `pairs` of items, `shares` of items, or `scores` alone.
    """

    runs: dict[str, Any]
    how: str
    estimate: Estimate | None
    p: float | None
    margin: float

    @property
    def is_regression(self) -> bool:
        """Whether the run itself shows that the configuration is worse."""
        if self.estimate is not None:
            return self.estimate.high < 0
        before, after = self.runs["score_before"], self.runs["score_after"]
        return before is not None and after is not None and before - after > self.margin


def find_signal(ask: Inquiry, known: dict[str, Any]) -> Signal:
    """Find the first ticket after the configuration began that departs from the base rate."""
    place = ask.one(h.ENDPOINT, **known)
    endpoint = place["endpoint"] if place["endpoints"] == 1 else ""
    base = ask.ask(h.BASE_RATE, endpoint=endpoint, **known)
    after = ask.ask(h.TICKETS_AFTER, endpoint=endpoint, **known)
    before = sum(row["tickets"] for row in base)
    if not after:
        return Signal(None, 0, before, None)
    first = min((row["first"] for row in base), default=None)
    began = after[0]["began_at"]
    if first is None or first >= began:
        return Signal(after[0]["reported_at"], len(after), before, None)
    hours = {row["hour"]: row["tickets"] for row in base}
    expected = expected_so_far(
        [row["reported_at"].timestamp() / 3600 for row in after],
        [hours.get(hour, 0) for hour in range(24)],
        (began - first).total_seconds() / 3600,
    )
    burst = first_burst(expected.tolist(), 1.0, _LEVEL)
    at = after[burst.first]["reported_at"] if burst else None
    return Signal(at, len(after), before, burst.p if burst else None)


def compare(ask: Inquiry, sesoi: float, seed: int, known: dict[str, Any]) -> Change | None:
    """Compare the first valid run with the run before; None where there is none to compare."""
    found = ask.ask(h.COMPARED, **known)
    if not found:
        return None
    runs = found[0]
    pairs = ask.ask(h.PAIRS, valid_run=runs["valid_run"], run_before=runs["run_before"])
    if len(pairs) >= 2:
        return _paired(runs, pairs, sesoi, seed)
    shares = _shares(runs)
    if shares is not None:
        return Change(runs, "shares", difference_of_shares(*shares), None, sesoi)
    return Change(runs, "scores", None, None, sesoi)


def _paired(runs: dict[str, Any], pairs: list[dict[str, Any]], sesoi: float, seed: int) -> Change:
    first, second = [row["first"] for row in pairs], [row["second"] for row in pairs]
    if {*first, *second} <= {0.0, 1.0}:
        both = [(bool(a), bool(b)) for a, b in zip(first, second, strict=True)]
        counts = Pairs(*(both.count(x) for x in ((True, True), (True, False), (False, True),
                                                 (False, False))))  # fmt: skip
        return Change(runs, "pairs", tango(counts), mcnemar(counts).mid, sesoi)
    mean = sum(first) / len(first)
    spread = (sum((x - mean) ** 2 for x in first) / (len(first) - 1)) ** 0.5
    return Change(runs, "pairs", mean_difference(first, second, seed), None, 0.1 * spread)


def _shares(runs: dict[str, Any]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Both scores as shares of their items; no score between 0 and 1 varies more than a share."""
    found = []
    for when in ("before", "after"):
        score, items = runs[f"score_{when}"], runs[f"items_{when}"]
        if score is None or not items or not 0 <= score <= 1:
            return None
        found.append((round(score * items), int(items)))
    return found[0], found[1]
