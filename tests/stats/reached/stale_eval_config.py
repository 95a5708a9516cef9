"""Oracles of the stale eval config (METHODS section 2)."""

from collections.abc import Mapping
from typing import Any

from casework.stats.estimates import clopper_pearson, upper_if_none
from casework.stats.intervals import coverage

Values = Mapping[str, Any]

DAY_START, DAY_END = 0, 24 * 60


def minute(clock: str) -> int:
    """Minutes since midnight; `<09:02` is the start of the day."""
    if clock.startswith("<"):
        return DAY_START
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


def timeline(inputs: Values) -> Values:
    """What evals observed lasts until they observe anew; what is served, until rolled back."""
    rollback = minute(inputs["rollback"])
    ((pushed, served),) = ((minute(at), label) for at, label in inputs["prod_events"])
    seen = [(minute(at), label) for at, label in inputs["eval_config_observed"]]
    ends = [at for at, _ in seen[1:]] + [DAY_END]
    evaluated: dict[str, list[tuple[float, float]]] = {}
    for (at, label), end in zip(seen, ends, strict=True):
        evaluated.setdefault(label, []).append((at, end))
    found = coverage({served: [(pushed, rollback)]}, evaluated)
    first_valid = next(at for at, label in seen if label == served)
    in_window = [
        at
        for at, label in seen
        if label == served and any(start <= at < end for start, end in found.blind)
    ]
    return {
        "blind_window_minutes": found.blind_s,
        "eval_runs_on_served_config_in_window": len(in_window),
        "ttd_first_customer_signal_minutes": minute(inputs["customer_signal"]) - pushed,
        "ttd_first_valid_eval_minutes": first_valid - pushed,
        "detection_latency_after_first_valid_eval_minutes": rollback - first_valid,
    }


def by_label(rows: list[list[Any]]) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for start, end, label in rows:
        found.setdefault(label, []).append((start, end))
    return found


def interval_difference(inputs: Values) -> Values:
    found = coverage(by_label(inputs["prod"]), by_label(inputs["eval"]))
    return {
        "covered": [list(span) for span in found.covered],
        "blind": [list(span) for span in found.blind],
        "blind_total": found.blind_s,
        "coverage_time_fraction": found.share,
    }


def zero_events(inputs: Values) -> Values:
    n = inputs["n"]
    return {
        "cp_two_sided_upper": clopper_pearson(inputs["k"], n).high,
        "one_sided_95_upper": upper_if_none(n),
        "rule_of_three": 3 / n,
    }


REACHED = {
    "p2_blind_window_timeline": timeline,
    "p2_interval_difference": interval_difference,
    "p2_zero_event_upper_20": zero_events,
    "p2_zero_event_upper_60": zero_events,
    "p2_zero_event_upper_300": zero_events,
}
