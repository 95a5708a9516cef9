"""How long after its first request each configuration was first scored."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from casework.diagnoses import _stale_blind as b
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._stale_measures import Blind
from casework.diagnoses._stale_words import names_of
from casework.findings import Finding
from casework.words import count, duration, number

_MOST = 200


def by_lags(ask: Inquiry, blind: Blind, known: dict[str, Any]) -> Iterator[Finding]:
    """Set the first completed run of each configuration against its first request.

    Runs that may be of it and are not known to be are none here.
    What was in service when the records begin may have been scored earlier, and is left out.
    """
    names, error = names_of(blind.configs), known["clock_error_s"]
    told = [row for row in blind.configs
            if not row["older_than_the_record"] and not row["unsettled"]]  # fmt: skip
    lags = {row["config"]: _lag(row) for row in told if row["known_at"] is not None}
    doubtful = sum(1 for row in told if row["known_at"] is None and row["evaluated_at"] is not None)
    rows = [
        {"configuration": names[row["config"]], "first_served": row["first_served"],
         "first_scored": row["known_at"], "lag_s": lags.get(row["config"]),
         "blind": row["blind"]}
        for row in told[:_MOST]
    ]  # fmt: skip
    ask.measure("lags", rows, "table", b.BY_CONFIG, n=len(told))
    if not lags:
        return
    middle, longest, n = median(lags.values()), max(lags.values()), len(lags)
    for name, lag in (("scoring_lag_median_s", middle), ("scoring_lag_max_s", longest)):
        ask.measure(name, lag, "s", b.BY_CONFIG, ci95=(lag - error, lag + error), n=n)
    yield Finding(
        f"First served within the records: {count(len(told), 'configurations')}, {number(n)} of "
        f"them with a completed run{_said_doubtful(doubtful)}; the first was complete "
        f"{_said(middle)} the first request in the median, {_said(longest)} it at the latest.",
        ("scoring_lag_median_s", "scoring_lag_max_s", "lags"),
        (ask.evidence_id(b.BY_CONFIG),),
    )


def _lag(row: dict[str, Any]) -> float:
    return float((row["known_at"] - row["first_served"]).total_seconds())


def _said_doubtful(doubtful: int) -> str:
    return f" and {number(doubtful)} more with one that may be of it" if doubtful else ""


def _said(lag: float) -> str:
    return f"{duration(abs(lag))} {'after' if lag > 0 else 'before'}"
