"""Traces and their marks as MLflow's searches return them: what a wrong reading would misstate."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.importers.loading import load, rows, source_of

from casework.case import Note, Row
from casework.importers import Options
from casework.importers.mlflow_search import mlflow_search

BEGUN = 1_772_368_200_000
RUN = {"mlflow.assessment.sourceRunId": "run-1"}


def mark(name: str, **changes: Any) -> dict[str, Any]:
    return {"assessment_id": f"a-{name}", "assessment_name": name, "valid": True,
            "source": {"source_type": "LLM_JUDGE", "source_id": "j"}, **changes}  # fmt: skip


def trace(*marks: dict[str, Any], model: Any = None, **changes: Any) -> dict[str, Any]:
    attributes = {"mlflow.spanInputs": '"why"', "mlflow.llm.model": model}
    info = {"trace_id": "t", "state": "OK", "request_time": BEGUN, "trace_metadata": {},
            "tags": {}, "assessments": list(marks), **changes}  # fmt: skip
    return {"info": info, "data": {"spans": [{"parent_id": None, "attributes": attributes}]}}


def found(folder: Path, sql: str, *traces: dict[str, Any]) -> list[tuple[Any, ...]]:
    path = folder / "traces.jsonl"
    path.write_text("\n".join(map(json.dumps, traces)))
    load(folder / "case.duckdb", mlflow_search, path)
    return rows(folder / "case.duckdb", sql)


@pytest.mark.parametrize(
    ("model", "tags", "endpoint"),
    [
        ('"large"', {"endpoint": "desk"}, "large"),
        (None, {"endpoint": "desk"}, "desk"),
        ('["a", "b"]', {}, None),
        (7, {}, "7"),
    ],
)
def test_the_endpoint_is_the_model_that_was_called_else_what_the_tags_say(
    tmp_path: Path, model: Any, tags: dict[str, str], endpoint: str | None
) -> None:
    one = trace(model=model, tags=tags)
    assert found(tmp_path, "SELECT endpoint FROM requests", one) == [(endpoint,)]


def test_a_digest_that_is_stamped_counts_before_the_id_of_a_logged_model(tmp_path: Path) -> None:
    named = {"mlflow.modelId": "m-1"}
    traces = [trace(trace_id="a", tags={"checkpoint": "sha256:1"}, trace_metadata=named),
              trace(trace_id="b", trace_metadata={"checkpoint": "sha256:2", **named}),
              trace(trace_id="c", trace_metadata=named)]  # fmt: skip
    sql = "SELECT checkpoint FROM requests ORDER BY request_id"
    assert found(tmp_path, sql, *traces) == [("sha256:1",), ("sha256:2",), ("m-1",)]


def test_an_expected_list_is_kept(tmp_path: Path) -> None:
    held = {"serialized_value": {"value": '["x"]', "serialization_format": "JSON_FORMAT"}}
    sql = "SELECT attributes->'expectations'->>'facts' FROM requests"
    assert found(tmp_path, sql, trace(mark("facts", expectation=held))) == [('["x"]',)]


def test_what_is_expected_of_a_trace_is_the_target_of_its_evaluation(tmp_path: Path) -> None:
    marks = [mark("answer", expectation={"value": "42"}),
             mark("right", feedback={"value": "yes"}, metadata=RUN)]  # fmt: skip
    evaluated = {"tags": {"mlflow.eval.requestId": "i"},
                 "trace_metadata": {"mlflow.sourceRun": "run-1"}}  # fmt: skip
    sql = "SELECT item_id, target, score FROM eval_samples"
    assert found(tmp_path, sql, trace(*marks, **evaluated)) == [("i", "42", 1.0)]


def test_a_trace_that_stands_twice_is_a_duplicate_with_all_its_marks(tmp_path: Path) -> None:
    one = trace(
        mark("tone", feedback={"value": 0.5}), mark("right", feedback={"value": 1}, metadata=RUN)
    )
    sql = "SELECT run_id, epoch, score FROM eval_samples ORDER BY run_id"
    assert found(tmp_path, sql, one, one) == [
        ("mlflow:LLM_JUDGE:tone:j", 1, 0.5), ("run-1", 1, 1.0)
    ]  # fmt: skip
    sql = "SELECT rows_duplicate, rows_rejected FROM exhibits"
    assert rows(tmp_path / "case.duckdb", sql) == [(3, 0)]


def test_what_is_no_mark_makes_no_row(tmp_path: Path) -> None:
    one = trace(mark("tone", feedback={"value": 0.5}), *(None, 7, {}))
    assert found(tmp_path, "SELECT score FROM eval_samples", one) == [(0.5,)]
    sql = "SELECT left_out->>'assessments that are no objects' FROM exhibits"
    assert rows(tmp_path / "case.duckdb", sql) == [("2",)]


def test_metadata_in_the_words_of_python_are_told(tmp_path: Path) -> None:
    path = tmp_path / "traces.csv"
    held = "{'mlflow.trace.session': 's'}"
    path.write_text(f"trace_id,request_time,state,trace_metadata\nt,{BEGUN},OK,{held}\n")
    items = list(mlflow_search.read(source_of(path), Options()))
    (row,) = [one for one in items if isinstance(one, Row)]
    assert row.values["attributes"] == {"trace_metadata_text": held}
    assert [one.text for one in items if isinstance(one, Note) and "words of Python" in one.text]


def test_a_table_of_traces_has_all_columns_for_each_mark(tmp_path: Path) -> None:
    """In Parquet, where one mark is an expectation, each has a field for it; maps are pairs."""
    marks = [mark("right", feedback={"value": "yes"}),
             mark("facts", expectation={"serialized_value": {"value": '["x"]'}}),
             mark("answer", expectation={"value": "42"})]  # fmt: skip
    texts = pa.map_(pa.string(), pa.string())
    row = pa.table({
        "trace_id": ["t"], "request_time": [BEGUN], "state": ["OK"],
        "execution_duration": [-1],
        "trace_metadata": pa.array([[("mlflow.trace.session", "s")]], texts),
        "assessments": [marks],
    })  # fmt: skip
    parquet.write_table(row, tmp_path / "traces.parquet")
    load(tmp_path / "case.duckdb", mlflow_search, tmp_path / "traces.parquet")
    assert rows(tmp_path / "case.duckdb", "SELECT run_id, score FROM eval_samples") == [
        ("mlflow:LLM_JUDGE:right:j", 1.0)
    ]
    sql = "SELECT session_id, latency_ms, ended_at, attributes->'expectations' FROM requests"
    ((session, *ends, expected),) = rows(tmp_path / "case.duckdb", sql)
    assert (session, ends) == ("s", [None, None])
    assert json.loads(expected) == {"facts": ["x"], "answer": "42"}
