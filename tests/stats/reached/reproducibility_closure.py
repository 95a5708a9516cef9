"""Oracles of reproducibility closure (METHODS section 3)."""

from collections.abc import Mapping
from typing import Any

from casework.stats.closure import broken_links, closure_score, missing_links
from casework.stats.grim import possible_counts

Values = Mapping[str, Any]


def closure(inputs: Values) -> Values:
    state, critical = inputs["state"], inputs["critical"]
    return {
        "weighted_score": closure_score(state, inputs["weights"]),
        "critical_missing": missing_links(state, critical),
        "verdict": "not_reproducible" if broken_links(state, critical) else "reproducible",
    }


def reported(inputs: Values) -> Values:
    return {"counts": [possible_counts(*case) for case in inputs["cases"]]}


REACHED = {
    "p3_closure_score": closure,
    "p3_grim_reported_rate": reported,
}
