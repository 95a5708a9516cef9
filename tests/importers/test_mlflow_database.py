"""The database of MLflow: what a wrong reading of it would turn into a false statement."""

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.importers.loading import load, refusal_of, rows, source_of

from casework.case import Note, Row
from casework.importers._configuration import hash_prompt
from casework.importers._importer import Options
from casework.importers._thumbs import numeric_signals
from casework.importers.mlflow_database import mlflow_database

BEGUN = 1_772_368_200_000
CHANGED = datetime(2026, 5, 1, 12, tzinfo=UTC)
Tables = Mapping[str, Sequence[Mapping[str, Any]]]
EMPTY: dict[str, list[dict[str, Any]]] = {
    "registered_models": [{"name": "m", "creation_time": BEGUN, "last_updated_time": BEGUN}],
    "model_versions": [{"name": "m", "version": 1, "creation_time": BEGUN, "source": "s3://1"}],
    "experiments": [{"experiment_id": 1, "name": "quality"}],
    "runs": [{"run_uuid": "r", "experiment_id": 1, "status": "FINISHED", "start_time": BEGUN,
              "end_time": BEGUN + 5}],
}  # fmt: skip


def mark(number: int, value: Any, **changes: Any) -> dict[str, Any]:
    return {
        "assessment_id": f"a{number}", "trace_id": "t", "name": "quality",
        "value": json.dumps(value), "source_type": "HUMAN", "source_id": "ana",
        "created_timestamp": BEGUN, "valid": 1,
        "assessment_type": "feedback", **changes,
    }  # fmt: skip


def trace(**changes: Any) -> dict[str, Any]:
    return {"request_id": "t", "timestamp_ms": BEGUN, "status": "OK", **changes}


def database(folder: Path, **tables: Sequence[Mapping[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        for name, held in {**EMPTY, **tables}.items():
            columns = sorted({column for row in held for column in row})
            connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
            places = ", ".join("?" * len(columns))
            for row in held:
                values = [row.get(column) for column in columns]
                connection.execute(f"INSERT INTO {name} VALUES ({places})", values)
    os.utime(path, (CHANGED.timestamp(), CHANGED.timestamp()))
    return path


def found(folder: Path, table: str, **tables: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The values of the rows that the importer yields for a table."""
    source = source_of(database(folder, **tables))
    items = mlflow_database.read(source, Options())
    return [dict(one.values) for one in items if isinstance(one, Row) and one.table.name == table]


def test_an_alias_is_known_at_the_last_change_of_the_file(tmp_path: Path) -> None:
    aliases = [{"alias": "champion", "version": 1, "name": "m"}]
    (one,) = found(tmp_path, "alias_events", registered_model_aliases=aliases)
    assert one["valid_from"] == CHANGED
    assert one["attributes"]["known_by"] == "the last change of the file"


def test_an_alias_of_several_models_names_its_model(tmp_path: Path) -> None:
    """All are known at one instant, so that the bare name would stand for one of them alone."""
    listed = found(
        tmp_path,
        "alias_events",
        registered_models=[{"name": name} for name in ("m", "other")],
        model_versions=[{"name": name, "version": 1, "source": f"s3://{name}"}
                        for name in ("m", "other")],
        registered_model_aliases=[{"alias": "champion", "version": 1, "name": "m"},
                                  {"alias": "champion", "version": 1, "name": "other"},
                                  {"alias": "canary", "version": 1, "name": "other"}],
    )  # fmt: skip
    assert {(one["alias"], one["checkpoint"]) for one in listed} == {
        ("m@champion", "s3://m"),
        ("other@champion", "s3://other"),
        ("canary", "s3://other"),
    }


def test_a_version_of_a_model_that_is_not_listed_is_not_passed_over(tmp_path: Path) -> None:
    (one,) = found(tmp_path, "model_versions", registered_models=[{"name": "other"}])
    assert (one["model"], one["checkpoint"]) == ("m", "s3://1")


def test_models_of_one_name_in_two_workspaces_keep_their_aliases(tmp_path: Path) -> None:
    def of(workspace: str) -> dict[str, Any]:
        return {"name": "m", "workspace": workspace}

    places = ("here", "there")
    listed = found(
        tmp_path,
        "alias_events",
        registered_models=[of(one) for one in places],
        model_versions=[{**of(one), "version": 1, "source": one} for one in places],
        registered_model_aliases=[{**of("there"), "alias": "champion", "version": 1}],
    )
    assert [one["checkpoint"] for one in listed] == ["there"]


@pytest.mark.parametrize(
    ("metrics", "tags", "score"),
    [
        ([("accuracy", 0.5, 0)], {}, 0.5),
        ([("accuracy", 0.0, 1)], {}, None),
        ([("accuracy", 1.7976931348623157e308, 0)], {}, None),
        ([("accuracy", -1.7976931348623157e308, 0)], {}, None),
        ([("loss", 0.1, 0), ("accuracy", 0.5, 0)], {}, None),
        ([("accuracy", 0.5, 0), ("loss", 0.0, 1)], {}, None),
        ([("loss", 0.1, 0), ("accuracy", 0.5, 0)], {"metric": "accuracy"}, 0.5),
        ([("loss", 0.1, 0), ("accuracy", 0.5, 0)], {"metric": "absent"}, None),
        ([("loss", 0.1, 0), ("accuracy", 0.5, 0)], {"score": "0.7"}, 0.7),
        ([("accuracy", 0.5, 0), ("system/cpu", 99.0, 0)], {}, 0.5),
    ],
)
def test_a_score_is_beyond_doubt_or_none(
    tmp_path: Path, metrics: Any, tags: dict[str, str], score: float | None
) -> None:
    listed = [{"key": k, "value": v, "is_nan": n, "run_uuid": "r"} for k, v, n in metrics]
    named = [{"key": k, "value": v, "run_uuid": "r"} for k, v in {"suite": "s", **tags}.items()]
    (run,) = found(tmp_path, "eval_runs", latest_metrics=listed, tags=named)
    assert run["score"] == score
    assert run["attributes"]["metrics"].keys() == {name for name, _, _ in metrics}


@pytest.mark.parametrize(
    ("values", "signals"),
    [
        ([True, False], [1, -1]),
        (["yes", "thumbs down", "so-so"], [1, -1, None]),
        ([1, 5], [None, None]),
        ([1, 1], [None, None]),
        ([1, 0], [1, -1]),
        ([1, 0, -1], [1, None, -1]),
        ([1, 0, "fine"], [None, None, None]),
        (["1", "5"], [None, None]),
        ([1, 0, True], [1, -1, 1]),
        ([0.5, 1], [None, None]),
    ],
)
def test_a_mark_is_a_thumb_where_that_is_beyond_doubt(
    tmp_path: Path, values: list[Any], signals: list[int | None]
) -> None:
    marks = [mark(n, value) for n, value in enumerate(values)]
    thumbs = found(tmp_path / "a", "feedback", trace_info=[trace()], assessments=marks)
    given = {one["feedback_id"]: one["signal"] for one in thumbs}
    assert [given.get(f"a{n}") for n in range(len(values))] == signals
    judged = found(tmp_path / "b", "eval_samples", trace_info=[trace()], assessments=marks)
    others = {one["attributes"]["assessment_id"] for one in judged}
    assert others == {f"a{n}" for n, signal in enumerate(signals) if signal is None}


def test_yes_under_a_thumb_down_is_down(tmp_path: Path) -> None:
    marks = [mark(0, True, name="thumbs_down"), mark(1, 1, name="dislike")]
    thumbs = found(tmp_path, "feedback", trace_info=[trace()], assessments=marks)
    assert [one["signal"] for one in thumbs] == [-1, -1]


@given(st.lists(st.sampled_from([-1, 0, 1, 2, 5, True, False, "x", None])))
def test_numbers_are_thumbs_only_among_their_like(values: list[Any]) -> None:
    signals = numeric_signals(values, "quality")
    numbers = [one for one in values if one is not None and not isinstance(one, bool)]
    assert not signals or set(numbers) <= {-1, 0, 1}
    assert signals.get(1.0, 1) == 1
    assert signals.get(-1.0, -1) == -1
    assert not (0.0 in signals and -1 in numbers)


def test_marks_of_judges_and_repetitions_do_not_collide(tmp_path: Path) -> None:
    judge = {"source_type": "LLM_JUDGE"}
    marks = [mark(0, 0.5, **judge, source_id="a"), mark(1, 0.7, **judge, source_id="b"),
             mark(2, "no", **judge, source_id="b"), mark(3, 1, valid=0)]  # fmt: skip
    listed = found(tmp_path, "eval_samples", trace_info=[trace()], assessments=marks)
    name = "mlflow:LLM_JUDGE:quality"
    assert [(one["run_id"], one["epoch"], one["score"]) for one in listed] == [
        (f"{name}:a", 1, 0.5), (f"{name}:b", 1, 0.7), (f"{name}:b", 2, 0.0)
    ]  # fmt: skip


def test_an_expectation_is_no_mark(tmp_path: Path) -> None:
    marks = [mark(0, True, assessment_type="expectation")]
    path = database(tmp_path, trace_info=[trace()], assessments=marks)
    (exhibit,) = load(tmp_path / "case.duckdb", mlflow_database, path)
    assert "feedback" not in {name for name, count in exhibit.tables.items() if count}
    sql = "SELECT attributes->'expectations'->>'quality' FROM requests"
    assert rows(tmp_path / "case.duckdb", sql) == [("true",)]


@pytest.mark.parametrize(
    ("state", "status"),
    [("OK", "ok"), ("ERROR", "error"), ("IN_PROGRESS", "in_progress"), ("STATE_UNSPECIFIED", None),
     ("TRACE_STATUS_UNSPECIFIED", None), (None, None), ("TraceStatus.OK", "ok")],
)  # fmt: skip
def test_a_state_that_is_neither_good_nor_bad_is_no_error(
    tmp_path: Path, state: str | None, status: str | None
) -> None:
    (one,) = found(tmp_path, "requests", trace_info=[trace(status=state)])
    assert one["status"] == status


def span(asked: Any, said: Any, **changes: Any) -> dict[str, Any]:
    attributes = {"mlflow.spanInputs": json.dumps(asked), "mlflow.spanOutputs": json.dumps(said)}
    return {"trace_id": "t", "span_id": "s", "parent_span_id": None, "start_time_unix_nano": 1,
            "content": json.dumps({"attributes": attributes}), **changes}  # fmt: skip


def test_texts_are_whole_where_the_spans_are_there(tmp_path: Path) -> None:
    asked = {"question": "why " * 2_000}
    spans = [
        span("inner", "inner", span_id="b", parent_span_id="s", start_time_unix_nano=0),
        span(asked, "because", model_name="large"),
    ]
    info = [trace(request_preview="why why…")]
    (one,) = found(tmp_path, "requests", trace_info=info, spans=spans)
    assert json.loads(one["input_text"]) == asked
    assert (one["output_text"], one["endpoint"]) == ("because", "large")
    assert "texts" not in one["attributes"]


def test_previews_are_said_to_be_previews(tmp_path: Path) -> None:
    (one,) = found(tmp_path, "requests", trace_info=[trace(request_preview="why…")])
    assert one["input_text"] == "why…"
    assert one["attributes"]["texts"] == "previews"
    assert "prompt_hash" not in one


def test_messages_have_a_prompt_hash(tmp_path: Path) -> None:
    said = [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}]
    spans = [span({"messages": said}, "Hello")]
    (one,) = found(tmp_path, "requests", trace_info=[trace()], spans=spans)
    assert one["input_text"] == "system: Be brief\nuser: Hi"
    assert one["prompt_hash"] == hash_prompt(["Be brief"])


@pytest.mark.parametrize(
    ("weights", "value"),
    [([0.5, 0.5], "p/a 50% + p/b 50%"), ([3.0, 1.0], "p/a 75% + p/b 25%"),
     ([None, None], "p/a 50% + p/b 50%"), ([99.7, 0.3], "p/a 99.7% + p/b 0.3%"),
     ([1.0], "p/a 100%"), ([], "no model")],
)  # fmt: skip
def test_a_route_tells_all_its_models(tmp_path: Path, weights: list[Any], value: str) -> None:
    models = [{"model_definition_id": n, "provider": "p", "model_name": "ab"[n],
               "last_updated_at": BEGUN + n} for n in range(2)]  # fmt: skip
    mappings = [{"endpoint_id": "e", "model_definition_id": n, "weight": weight,
                 "created_at": BEGUN} for n, weight in enumerate(weights)]  # fmt: skip
    (one,) = found(
        tmp_path,
        "config_events",
        endpoints=[{"endpoint_id": "e", "name": "chat", "created_at": BEGUN}],
        model_definitions=models,
        endpoint_model_mappings=mappings or [{"endpoint_id": "x", "model_definition_id": 0}],
    )
    assert (one["key"], one["new_value"]) == ("route:chat", value)
    last = max([0, *range(len(weights))])
    assert one["occurred_at"] == datetime.fromtimestamp((BEGUN + last) / 1e3, UTC)


def test_a_table_that_lacks_columns_is_told_and_not_read(tmp_path: Path) -> None:
    path = database(tmp_path, trace_info=[{"other": 1}], assessments=[{"other": 1}])
    notes = [one.text for one in mlflow_database.read(source_of(path), Options())
             if isinstance(one, Note)]  # fmt: skip
    assert "tables that lack columns and were not read: assessments, trace_info" in notes


def test_a_journal_beside_the_database_is_told(tmp_path: Path) -> None:
    path = database(tmp_path)
    items = list(mlflow_database.read(source_of(path), Options()))
    assert not any("-wal" in item.text for item in items if isinstance(item, Note))
    path.with_name("mlflow.db-wal").write_bytes(b"rows")
    items = list(mlflow_database.read(source_of(path), Options()))
    assert any("mlflow.db-wal were not read" in item.text for item in items
               if isinstance(item, Note))  # fmt: skip


def test_a_database_of_another_schema_is_refused(tmp_path: Path) -> None:
    source = source_of(database(tmp_path, runs=[{"other": 1}]))
    read = mlflow_database.read(source, Options())
    assert refusal_of(lambda: list(read)) == "DATABASE_SCHEMA"


def test_every_field_has_its_place(tmp_path: Path) -> None:
    path = database(tmp_path, trace_info=[trace()], assessments=[mark(0, True)])
    (exhibit,) = load(tmp_path / "case.duckdb", mlflow_database, path)
    assert exhibit.fields["assessment.value"] == ["feedback.signal"]
    assert exhibit.fields["trace.timestamp_ms"] == ["requests.occurred_at"]
    assert exhibit.fields["version.source"] == [
        "checkpoints.uri", "model_versions.checkpoint", "model_versions.source_uri"
    ]  # fmt: skip
