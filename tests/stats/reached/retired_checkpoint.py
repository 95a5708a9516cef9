"""Oracles of bug reports and their checkpoints (METHODS section 7)."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.cases import diagnose_rows
from tests.diagnoses.attributing import (
    alias,
    decision,
    value,
)

from casework.case import Row
from casework.stats.reproduction import attempts_to_exclude
from casework.tables import tickets

Values = Mapping[str, Any]


def asof_half_open(inputs: Values) -> Values:
    """A ticket that names a request at each instant."""
    rows = [alias(digest, datetime.fromisoformat(at), number)
            for number, (at, digest) in enumerate(inputs["alias_events"])]  # fmt: skip
    instants = [datetime.fromisoformat(at) for at in inputs["queries"]]
    rows += [decision(number, at) for number, at in enumerate(instants)]
    rows += [
        Row(tickets, f"row {number + 1}", {"ticket_id": f"t{number}", "reported_at": at,
                                           "request_id": f"d{number}", "endpoint": "v1"})
        for number, at in enumerate(instants)
    ]  # fmt: skip
    with TemporaryDirectory(prefix="casework-") as folder:
        result = diagnose_rows(Path(folder), "retired_checkpoint", rows, clock_error_s=0.0)
    found = {row["ticket_id"]: row["candidates"] for row in value(result, "tickets")}
    named = [found[f"t{number}"] for number in range(len(instants))]
    return {
        "checkpoints": [
            candidates[0]["checkpoint"] if len(candidates) == 1 else None for candidates in named
        ]
    }


def attempts(inputs: Values) -> Values:
    return {"k": attempts_to_exclude(inputs["rate_to_exclude"], inputs["confidence"])}


REACHED = {"p7_asof_half_open": asof_half_open, "p7_repro_attempts": attempts}
