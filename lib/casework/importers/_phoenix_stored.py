"""What a database of Phoenix holds: its spans, and the annotations of what was traced."""

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from casework.case import Reject
from casework.errors import CaseworkError
from casework.importers import _genai_names as names
from casework.importers._annotations import Annotation
from casework.importers._json_document import MAX_RAW, document
from casework.importers._shape import mapping, text
from casework.importers._sqlite import select
from casework.tables import eval_samples, requests

Tables = Mapping[str, set[str]]
Found = Iterator[tuple[str, dict[str, Any]] | Reject]

_NEEDED = {
    "projects": {"id", "name"},
    "traces": {"id", "project_rowid", "trace_id"},
    "spans": {"id", "trace_rowid", "span_id", "start_time", "attributes"},
}
# Names that columns had before 2024-05.
_OLD_NAMES = {"parent_span_id": "parent_id", "kind": "span_kind", "status": "status_code"}
_TIMES = ("start_time", "end_time", "created_at", "updated_at")
_DERIVED = ("cumulative_error_count", "cumulative_llm_token_count_prompt",
            "cumulative_llm_token_count_completion", "llm_token_count_prompt",
            "llm_token_count_completion", "latency_ms")  # fmt: skip
_ROWIDS = ("rowid", "id", "trace_rowid", "span_rowid", "project_session_id")
_NOT_READ = ("experiments", "experiment_runs", "dataset_examples", "prompt_versions")
_LEVELS = {
    "span_annotations": "span",
    "trace_annotations": "trace",
    "project_session_annotations": "session",
    "document_annotations": "document",
}


def is_phoenix(known: Tables) -> bool:
    """Whether the tables are those of Phoenix, by the columns that are read of them."""
    return all(known.get(name, set()) >= columns for name, columns in _NEEDED.items())


def spans(database: sqlite3.Connection, known: Tables) -> Found:
    """Spans as objects, with `trace_id`, `project` and parsed `attributes`; and their places."""
    for row in select(database, _spans_sql(known)):
        at = f"spans/{row['rowid']}"
        try:
            attributes = _json(row.get("attributes"), at)
            events = _json(row.get("events"), at)
        except CaseworkError as error:
            raw = str(row.get("attributes"))[:MAX_RAW]
            yield Reject(at, error.code, error.what, raw, requests)
            continue
        session = row.pop("session", None)
        held = {"session.id": session, **mapping(attributes)} if session else attributes
        fields = {_OLD_NAMES.get(name, name): value for name, value in row.items()
                  if name not in (*_ROWIDS, *_DERIVED)}  # fmt: skip
        times = {name: _utc(fields.get(name)) for name in _TIMES if name in fields}
        yield at, {**fields, **times, "attributes": held, "events": events}


def annotations(database: sqlite3.Connection, known: Tables) -> Iterator[Annotation | Reject]:
    """Annotations of all levels; one of what is not in the database is a `Reject`."""
    for table, level in _LEVELS.items():
        if not _is_readable(table, level, known):
            continue
        for row in select(database, _annotations_sql(table, level, known)):
            at, about = f"{table}/{row['rowid']}", text(row.pop("about"))
            if about is None:
                reason = f"the {level} that it is about is not in the database"
                yield Reject(at, "ORPHAN", reason, str(row)[:MAX_RAW], eval_samples)
                continue
            is_call = str(row.pop("about_kind", None)).upper() in names.MODEL_KINDS
            trace = row.pop("about_trace", None)
            fields = {name: value for name, value in row.items() if name not in _ROWIDS}
            fields |= {name: _utc(fields.get(name)) for name in _TIMES if name in fields}
            fields["metadata"] = _metadata(fields.get("metadata"), at)
            request = about if is_call and level == "span" else None
            if level == "document":
                about = f"{about}/{row.get('document_position')}"
            yield Annotation(at, level, about, request, {**fields, "trace_id": trace})


def _is_readable(table: str, level: str, known: Tables) -> bool:
    """Whether a table of annotations and the one of what it is about have the columns needed."""
    if level == "session" and not _has_sessions(known):
        return False
    key = {"trace": "trace_rowid", "session": "project_session_id"}.get(level, "span_rowid")
    return {"name", "annotator_kind", "score", key} <= known.get(table, set())


def _has_sessions(known: Tables) -> bool:
    return {"id", "session_id"} <= known.get("project_sessions", set())


def left_out(database: sqlite3.Connection, known: Tables) -> Iterator[tuple[str, int]]:
    """Tables with evidence that is not read, and how many rows they have."""
    readable = {table for table, level in _LEVELS.items() if _is_readable(table, level, known)}
    for table in (*_NOT_READ, *_LEVELS):
        if table in known and table not in readable:
            (count,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
            yield f"rows of {table}", int(count)
    for name in _DERIVED:
        if name in known["spans"]:
            sql = f"SELECT count({name}) FROM spans"
            yield f"spans.{name}", int(database.execute(sql).fetchone()[0])


def _spans_sql(known: Tables) -> str:
    session, join = "NULL", ""
    if "session_id" in known["traces"]:
        session = "t.session_id"
    elif "project_session_rowid" in known["traces"] and _has_sessions(known):
        session = "x.session_id"
        join = "LEFT JOIN project_sessions AS x ON x.id = t.project_session_rowid"
    return f"""
        SELECT s.rowid AS rowid, s.*, t.trace_id AS trace_id, p.name AS project,
               {session} AS session
        FROM spans AS s LEFT JOIN traces AS t ON t.id = s.trace_rowid
        LEFT JOIN projects AS p ON p.id = t.project_rowid {join}
        ORDER BY s.rowid
    """


def _annotations_sql(table: str, level: str, known: Tables) -> str:
    if level == "trace":
        about = "t.trace_id AS about, t.trace_id AS about_trace"
        joins = "LEFT JOIN traces AS t ON t.id = a.trace_rowid"
    elif level == "session":
        about = "x.session_id AS about"
        joins = "LEFT JOIN project_sessions AS x ON x.id = a.project_session_id"
    else:
        kind = next((f"s.{name}" for name in ("span_kind", "kind") if name in known["spans"]),
                    "NULL")  # fmt: skip
        about = f"s.span_id AS about, {kind} AS about_kind, t.trace_id AS about_trace"
        joins = ("LEFT JOIN spans AS s ON s.id = a.span_rowid "
                 "LEFT JOIN traces AS t ON t.id = s.trace_rowid")  # fmt: skip
    return f"SELECT a.rowid AS rowid, a.*, {about} FROM {table} AS a {joins} ORDER BY a.rowid"


def _json(value: Any, where: str) -> Any:
    """A column of JSON, which SQLite holds as text.

    Raises:
        CaseworkError: it is none, or nested too deep.
    """
    if value is None or value == "":
        return None
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    if not isinstance(data, bytes):
        raise CaseworkError("JSON", "a column of JSON holds a number", "", where=where)
    return document(data, where).value()


def _metadata(value: Any, where: str) -> Any:
    try:
        return _json(value, where)
    except CaseworkError:
        return str(value)


def _utc(value: Any) -> Any:
    """An instant, which Phoenix keeps in UTC without saying so."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    return found if found.tzinfo else found.replace(tzinfo=UTC)
