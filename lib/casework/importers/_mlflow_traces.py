"""Traces and assessments of MLflow as evidence rows."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from casework import canonical
from casework.case import Item, Row
from casework.importers._fields import FieldLog
from casework.importers._instants import from_ms, later
from casework.importers._own_fields import OwnFields
from casework.importers._shape import filled, number, text
from casework.importers._sqlite import rows
from casework.importers._thumbs import signal
from casework.tables import Table, eval_samples, feedback, requests

TABLES: tuple[Table, ...] = (requests, feedback, eval_samples)
_NATIVE = {"request_id", "occurred_at", "ended_at", "trace_id", "latency_ms", "status"}
_NAMES = {"mlflow.user": "user_id", "mlflow.trace.user": "user_id",
          "mlflow.trace.session": "session_id", "mlflow.modelId": "checkpoint"}  # fmt: skip
_GOOD = ("OK", "STATE_OK")


def from_database(
    database: sqlite3.Connection, known: Mapping[str, set[str]], log: FieldLog
) -> Iterator[Item]:
    """Yield the traces and the assessments of a database."""
    own = OwnFields(log.instants)
    about: dict[str, dict[str, Any]] = defaultdict(dict)
    for table in ("trace_tags", "trace_request_metadata"):
        if table in known:
            for row in rows(database, table):
                about[row["request_id"]][_NAMES.get(row["key"], row["key"])] = row["value"]
    for row in rows(database, "trace_info", "timestamp_ms, request_id"):
        yield _trace(row, about.get(row["request_id"], {}), own)
    if "assessments" in known:
        for row in rows(database, "assessments"):
            if row.get("valid", 1):
                yield _assessment(row)
            else:
                log.leave("assessments that were overridden")
    yield from own.notes()


def _trace(row: Mapping[str, Any], about: Mapping[str, Any], own: OwnFields) -> Item:
    values, rest = own.take(requests, about, _NATIVE)
    begun, taken = from_ms(row.get("timestamp_ms")), number(row.get("execution_time_ms"))
    native = {
        "request_id": text(row.get("request_id")),
        "trace_id": text(row.get("request_id")),
        "occurred_at": begun,
        "ended_at": later(begun, None if taken is None else taken / 1e3),
        "latency_ms": taken,
        "status": "ok" if text(row.get("status")) in _GOOD else "error",
    }
    said = {"input_text": text(row.get("request_preview")),
            "output_text": text(row.get("response_preview"))}  # fmt: skip
    attributes = canonical.plain(filled({"tags": filled(rest)}))
    locator = f"trace_info/{row['rowid']}"
    return Row(requests, locator, {**said, **values, **native, "attributes": attributes})


def _assessment(row: Mapping[str, Any]) -> Item:
    value = row.get("value")
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):  # a plain text is a label as it stands
            value = msgspec.json.decode(value)
    locator, source = f"assessments/{row['rowid']}", text(row.get("source_type")) or "unknown"
    label = value if isinstance(value, str) else None
    thumb = signal(label, value) if source == "HUMAN" else None
    when = from_ms(row.get("created_timestamp") or row.get("last_updated_timestamp"))
    if thumb is not None:
        return Row(feedback, locator, {
            "feedback_id": text(row.get("assessment_id")),
            "occurred_at": when,
            "signal": thumb,
            "request_id": text(row.get("trace_id")),
            "user_id": text(row.get("source_id")),
            "reason": text(row.get("name")),
            "comment": text(row.get("rationale")),
        })  # fmt: skip
    score = float(value) if isinstance(value, bool) else number(value)
    return Row(eval_samples, locator, {
        "run_id": f"mlflow:{source}:{text(row.get('name'))}",
        "item_id": text(row.get("trace_id")),
        "epoch": 1,
        "score": score,
        "category": label,
        "added_at": when,
        "attributes": canonical.plain(filled({"rationale": row.get("rationale"),
                                              "source_id": row.get("source_id")})),
    })  # fmt: skip
