"""Oracles of registry rot (METHODS section 4)."""

from collections.abc import Mapping
from typing import Any

from casework.stats.approvals import rank_p_each, reading_time_s

Values = Mapping[str, Any]


def latency(inputs: Values) -> Values:
    assert inputs["history_latencies_s"] == "40 past approvals, all > 9 s"
    history = [inputs["observed_s"] + 1.0 + i for i in range(40)]
    return {"p": rank_p_each([inputs["observed_s"], *history])[0]}


def floor(inputs: Values) -> Values:
    least = reading_time_s(inputs["words_in_review_packet"], inputs["wpm"])
    took = inputs["approval_latency_s"]
    return {
        "minimum_reading_s": least,
        "ratio": took / least,
        "plausible_review": took >= least,
    }


REACHED = {
    "p4_latency_conformal_p": latency,
    "p4_reading_time_floor": floor,
}
