"""Oracles of output attribution (METHODS section 8), each reached by diagnosing a case."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.cases import diagnose_rows
from tests.diagnoses.attributing import (
    START,
    alias,
    clock,
    decision,
    value,
)

from casework.case import Case
from casework.diagnoses import get

Values = Mapping[str, Any]


def coverage_with_clock_skew(inputs: Values) -> Values:
    """Each spell has a digest of its own here, so that its decisions can be counted by it."""
    edges = [0, *inputs["boundaries_minute"]]
    spells = "abcdef"
    rows = [
        alias(digest, START + timedelta(minutes=minute), number)
        for number, (minute, digest) in enumerate(zip(edges, spells, strict=True))
    ]
    step = timedelta(seconds=inputs["spacing_s"])
    rows += [decision(i, START + i * step) for i in range(inputs["n_decisions"])]
    rows.append(clock(inputs["delta_s"]))
    with TemporaryDirectory(prefix="casework-") as folder:
        result = diagnose_rows(Path(folder), "output_attribution", rows)
        with Case(Path(folder) / "case.duckdb") as case:
            exact = get("output_attribution")(case, clock_error_s=0.0)
    definite = {row["checkpoint"]: row["definite"] for row in value(exact, "checkpoints")}
    return {
        "attributed": value(result, "grade_c"),
        "ambiguous": value(result, "grade_d"),
        "coverage": value(result, "coverage"),
        "point_counts_delta0": [definite[digest] for digest in spells],
        "rollback_minutes": definite["c"] * inputs["spacing_s"] / 60,
    }


REACHED = {"p8_coverage_with_clock_skew": coverage_with_clock_skew}
