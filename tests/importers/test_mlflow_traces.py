"""Traces of MLflow's file store: each from its small files, and what is wrong with them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.importers.loading import empty_case, rows

from casework.intake import load

INFO = "trace_id: {}\nrequest_time: '2026-03-01T10:00:00Z'\nstate: OK\nexecution_duration_ms: 57\n"
MARK = """assessment_id: a-{name}
assessment_name: {name}
create_time: '2026-03-01T11:00:00Z'
feedback:
  value: {value}
source:
  source_id: ana
  source_type: {kind}
trace_id: {trace}
valid: {valid}
"""
ASKED = {"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "?"}]}


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def trace(folder: Path, name: str, spans: str | None = None, **marks: tuple[str, Any, str]) -> Path:
    """One trace as MLflow leaves it; marks by name, each with kind, value and whether valid."""
    put(folder / name / "trace_info.yaml", INFO.format(name))
    put(folder / name / "request_metadata" / "mlflow.trace.session", "s-1")
    put(folder / name / "request_metadata" / "mlflow.trace.tokenUsage", '{"input_tokens": 3}')
    put(folder / name / "request_metadata" / "mlflow.traceInputs", "cut off")
    put(folder / name / "tags" / "team", "desk")
    for mark, (kind, value, valid) in marks.items():
        text = MARK.format(name=mark, kind=kind, value=value, valid=valid, trace=name)
        put(folder / name / "assessments" / f"{mark}.yaml", text)
    if spans is not None:
        put(folder / name / "artifacts" / "traces.json", spans)
    return folder / name


def spans() -> str:
    root = {
        "parent_span_id": None,
        "attributes": {
            "mlflow.spanInputs": json.dumps(ASKED),
            "mlflow.spanOutputs": json.dumps("yes"),
            "mlflow.llm.model": '"m-1"',
        },
    }
    return json.dumps({"spans": [root]})


@pytest.fixture
def case(tmp_path: Path) -> Path:
    path = tmp_path / "case.duckdb"
    path.write_bytes(empty_case())
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """An experiment of a file store, with a folder for its traces."""
    meta = "artifact_location: a\nexperiment_id: '7'\nname: desk\n"
    put(tmp_path / "mlruns" / "7" / "meta.yaml", meta)
    return tmp_path / "mlruns" / "7" / "traces"


def test_a_trace_and_its_marks(store: Path, case: Path) -> None:
    marks = {
        "thumb": ("HUMAN", "true", "true"),
        "tone": ("LLM_JUDGE", 0.5, "true"),
        "old": ("HUMAN", "false", "false"),
    }
    trace(store, "tr-1", spans(), **marks)
    outcomes = load(case, [store.parent.parent])
    took = {one.exhibit.importer for one in outcomes if one.exhibit}
    assert took == {"mlflow_experiment", "mlflow_traces"}
    sql = """
        SELECT request_id, session_id, endpoint, latency_ms, status, input_text, output_text,
               input_tokens, attributes->'tags'->>'team', locator
        FROM requests
    """
    assert rows(case, sql) == [
        ("tr-1", "s-1", "m-1", 57.0, "ok", "system: be kind\nuser: ?", "yes", 3, "desk", "tr-1")
    ]
    assert rows(case, "SELECT signal, request_id, user_id, locator FROM feedback") == [
        (1, "tr-1", "ana", "tr-1/assessments/thumb.yaml")
    ]
    judged = [("mlflow:LLM_JUDGE:tone:ana", 0.5)]
    assert rows(case, "SELECT run_id, score FROM eval_samples") == judged
    sql = "SELECT left_out->>'assessments that were overridden' FROM exhibits ORDER BY 1"
    assert rows(case, sql)[0] == ("1",)


def test_keys_that_no_text_has_take_nothing_with_them(store: Path, case: Path) -> None:
    made = {"HUMAN": "{true: 1}", "CODE": "{null: 1}"}
    trace(store, "tr-1", **{kind: (kind, value, "true") for kind, value in made.items()})
    meta = INFO.format("tr-2") + "tags: {}\n"
    put(store / "tr-2" / "trace_info.yaml", meta)
    put(store / "tr-2" / "request_metadata" / "mlflow.sourceRun", "run-1")
    put(store / "tr-2" / "tags" / "mlflow.eval.requestId", "item-1")
    expected = "assessment_name: right\ntrace_id: tr-2\nexpectation:\n  value: {true: 1}\n"
    put(store / "tr-2" / "assessments" / "right.yaml", expected)
    (store / "tr-2" / "tags" / os.fsdecode(b"\xff")).write_text("x")
    load(case, [store])
    assert rows(case, "SELECT count(*) FROM requests") == [(1,)]
    assert rows(case, "SELECT target FROM eval_samples WHERE run_id = 'run-1'") == [('{"True":1}',)]


def test_without_spans_the_texts_are_previews(store: Path, case: Path) -> None:
    trace(store, "tr-1")
    load(case, [store])
    sql = "SELECT input_text, attributes->>'texts' FROM requests"
    assert rows(case, sql) == [("cut off", "previews")]


def test_what_is_damaged_takes_nothing_else_with_it(store: Path, case: Path) -> None:
    trace(store, "tr-1", "{torn", thumb=("HUMAN", "true", "true"))
    trace(store, "tr-2", spans())
    put(store / "tr-2" / "assessments" / "bad.yaml", "!!python/object:os.system {}")
    (trace(store, "tr-3") / "trace_info.yaml").write_text("")
    (store / "tr-2" / "tags" / "team").write_bytes(b"\xff")
    put(store / "tr-2" / "artifacts" / "picture.png", "p")
    load(case, [store])
    assert rows(case, "SELECT request_id FROM requests ORDER BY 1") == [("tr-1",), ("tr-2",)]
    assert rows(case, "SELECT locator, code FROM rejects ORDER BY 1") == [
        ("tr-1/artifacts/traces.json", "JSON"),
        ("tr-2/assessments/bad.yaml", "YAML"),
        ("tr-2/tags/team", "FILE_ENCODING"),
        ("tr-3", "NO_TRACE"),
    ]
    assert rows(case, "SELECT count(*) FROM feedback") == [(1,)]
    assert rows(case, "SELECT count(*) FROM eval_samples") == [(0,)]
    sql = "SELECT left_out->>'files that are no part of a trace' FROM exhibits"
    assert rows(case, sql) == [("1",)]


def test_spans_of_which_a_key_stands_twice_are_refused(store: Path, case: Path) -> None:
    trace(store, "tr-1", '{"spans": [], "spans": []}')
    load(case, [store])
    assert rows(case, "SELECT locator, code FROM rejects") == [
        ("tr-1/artifacts/traces.json", "JSON_DUPLICATE_KEY")
    ]
