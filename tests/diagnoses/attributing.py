"""Cases of a few rows about aliases and what they answered, for tests and oracles."""

from datetime import UTC, datetime, timedelta
from typing import Any

from casework.case import Row
from casework.findings import Result
from casework.tables import alias_events, clocks, requests

START = datetime(2026, 1, 1, tzinfo=UTC)


def decision(number: int, at: datetime, **more: Any) -> Row:
    values = {"request_id": f"d{number}", "occurred_at": at, "endpoint": "v1", "decision": "yes"}
    return Row(requests, f"line {number + 1}", values | more)


def alias(checkpoint: str, at: datetime, number: int = 0, **more: Any) -> Row:
    values = {"alias": "v1", "checkpoint": checkpoint, "valid_from": at}
    return Row(alias_events, f"row {number + 1}", values | more)


def clock(error_s: float, offset_s: float = 0.0) -> Row:
    values = {"host": "gateway", "error_s": error_s, "offset_s": offset_s}
    return Row(clocks, "row 1", values)


def value(result: Result, name: str) -> Any:
    return result.measures[name].value


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
