"""Dumps of MLflow searches: what they leave out is not read as absent."""

import json
import math
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from tests.importers.loading import load, refusal_of, source_of

from casework.case import Fields, Note, Reject, Row
from casework.importers import ALL
from casework.importers._fields import FieldLog
from casework.importers._importer import Options
from casework.importers._mlflow_entries import run_of
from casework.importers._mlflow_runs import Runs
from casework.importers.mlflow_search import mlflow_search

BEGUN = 1_772_368_200_000
CHANGED = datetime(2026, 5, 1, 12, tzinfo=UTC)


def version(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "name": "credit", "version": str(number), "creation_timestamp": BEGUN + number,
        "last_updated_timestamp": BEGUN + number, "current_stage": "None", "status": "READY",
        "source": f"s3://m/{number}", "aliases": [], "tags": {}, **changes,
    }  # fmt: skip


def model(**changes: Any) -> dict[str, Any]:
    return {
        "name": "credit", "creation_timestamp": BEGUN, "last_updated_timestamp": BEGUN,
        "latest_versions": [version(2)], "aliases": {"champion": "2"}, "tags": {}, **changes,
    }  # fmt: skip


def run(**changes: Any) -> dict[str, Any]:
    return {
        "run_id": "r", "experiment_id": "1", "status": "FINISHED", "artifact_uri": "a",
        "start_time": BEGUN, "end_time": BEGUN + 5, "tags.suite": "sums", **changes,
    }  # fmt: skip


def save(folder: Path, content: Any, name: str = "dump.json") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    os.utime(path, (CHANGED.timestamp(), CHANGED.timestamp()))
    return path


def read(path: Path) -> list[Any]:
    source = source_of(path)
    assert [one.name for one in ALL if not one.of_folders and one.recognises(source)] == [
        "mlflow_search"
    ]
    return list(mlflow_search.read(source, Options()))


def values(items: list[Any], table: str) -> list[dict[str, Any]]:
    return [dict(one.values) for one in items if isinstance(one, Row) and one.table.name == table]


def notes(items: list[Any]) -> str:
    return "\n".join(one.text for one in items if isinstance(one, Note))


def test_a_logged_model_is_the_checkpoint_that_traces_name(tmp_path: Path) -> None:
    """`mlflow.modelId` of a trace is its id; a digest that somebody recorded comes first."""
    one, two, three = (f"m-{digit * 32}" for digit in "123")
    items = read(save(tmp_path, [
        version(1, source=f"models:/{one}"),
        version(2, source=f"s3://b/7/models/{two}/artifacts"),
        version(3, source="s3://b/7/r/artifacts/m", model_id=three),
        version(4, source=f"models:/{one}", tags={"digest": "sha256:ab"}),
        version(5, source="s3://b/models/m-small/artifacts"),
    ]))  # fmt: skip
    assert [row["checkpoint"] for row in values(items, "model_versions")] == [
        one, two, three, "sha256:ab", "s3://b/models/m-small/artifacts",
    ]  # fmt: skip
    assert "1 version records no digest" in notes(items)


@pytest.mark.parametrize("as_answer", [False, True])
def test_no_alias_in_a_search_of_versions_is_not_no_alias(tmp_path: Path, as_answer: bool) -> None:
    listed = [version(1), version(2)]
    items = read(save(tmp_path, {"model_versions": listed} if as_answer else listed))
    assert [one["aliases"] for one in values(items, "model_versions")] == [None, None]
    assert values(items, "alias_events") == []
    assert "2 versions list no alias" in notes(items)


def test_an_alias_that_a_search_of_versions_does_list_counts(tmp_path: Path) -> None:
    items = read(save(tmp_path, [version(1), version(2, aliases=["champion"])]))
    assert [one["aliases"] for one in values(items, "model_versions")] == [None, ["champion"]]
    (alias,) = values(items, "alias_events")
    assert (alias["checkpoint"], alias["valid_from"]) == ("s3://m/2", CHANGED)


@pytest.mark.parametrize("aliases", [{"champion": 2}, [{"alias": "champion", "version": "2"}]])
def test_aliases_of_a_search_of_models(tmp_path: Path, aliases: Any) -> None:
    items = read(save(tmp_path, {"registered_models": [model(aliases=aliases)]}))
    (alias,) = values(items, "alias_events")
    assert (alias["alias"], alias["checkpoint"]) == ("champion", "s3://m/2")
    assert alias["valid_from"] == CHANGED
    assert alias["source"] == "mlflow registry (current only)"
    assert "list no alias" not in notes(items)


def test_an_alias_of_a_version_that_is_not_here_is_a_reject(tmp_path: Path) -> None:
    items = read(save(tmp_path, [model(aliases={"champion": 1})]))
    assert [one.code for one in items if isinstance(one, Reject)] == ["ALIAS_VERSION"]


def test_one_model_or_version_is_an_answer_too(tmp_path: Path) -> None:
    exported = {"export_info": {}, "registered_model": model()}
    for content in (exported, {"model_version": version(2)}):
        (one,) = values(read(save(tmp_path, content)), "model_versions")
        assert (one["version"], one["checkpoint"]) == ("2", "s3://m/2")


def test_models_and_versions_in_one_file_belong_together(tmp_path: Path) -> None:
    lines = [model(aliases={"champion": 1}), version(1, tags={"digest": "sha256:1"})]
    items = read(save(tmp_path, "\n".join(map(json.dumps, lines)), "dump.jsonl"))
    (alias,) = values(items, "alias_events")
    assert alias["checkpoint"] == "sha256:1"


def test_versions_of_prompts_are_configurations(tmp_path: Path) -> None:
    tags = {"mlflow.prompt.is_prompt": "true", "mlflow.prompt.text": "Sort {{x}}"}
    items = read(save(tmp_path, [version(1, tags=tags)]))
    (event,) = values(items, "config_events")
    assert (event["key"], event["attributes"]["template"]) == ("prompt:credit", "Sort {{x}}")
    assert values(items, "model_versions") == []


def test_tags_in_the_words_of_python_are_told(tmp_path: Path) -> None:
    head = "name,version,creation_timestamp,last_updated_timestamp,source,status,tags,aliases\n"
    row = f"credit,1,{BEGUN},{BEGUN},s3://m/1,READY,{{'digest': 'sha256:1'}},[]\n"
    items = read(save(tmp_path, head + row, "dump.csv"))
    (one,) = values(items, "model_versions")
    assert one["checkpoint"] == "s3://m/1"
    assert one["attributes"]["tags_text"] == "{'digest': 'sha256:1'}"
    assert "in the words of Python" in notes(items)


def test_aliases_in_the_words_of_python_are_told(tmp_path: Path) -> None:
    head = "name,version,creation_timestamp,last_updated_timestamp,source,status,tags,aliases\n"
    row = f"credit,1,{BEGUN},{BEGUN},s3://m/1,READY,{{}},['champion']\n"
    items = read(save(tmp_path, head + row, "dump.csv"))
    (one,) = values(items, "model_versions")
    assert one["attributes"]["aliases_text"] == "['champion']"
    assert "in the words of Python" in notes(items)


def test_a_version_that_stands_twice_is_not_passed_over(tmp_path: Path) -> None:
    listed = [version(1), version(1), version(1, tags={"digest": "sha256:1"})]
    (exhibit,) = load(tmp_path / "case.duckdb", mlflow_search, save(tmp_path, listed))
    told = (exhibit.tables["model_versions"], exhibit.rows_duplicate, exhibit.rows_rejected)
    assert told == (1, 2, 1)


def test_a_version_that_was_deleted_has_no_checkpoint(tmp_path: Path) -> None:
    """What MLflow's database keeps of one: nobody may take the words for a source."""
    struck = {"source": "REDACTED-SOURCE-PATH", "run_id": "REDACTED-RUN-ID",
              "run_link": "REDACTED-RUN-LINK", "current_stage": "Deleted_Internal"}  # fmt: skip
    tagged = version(2, tags={"digest": "sha256:2"}, **struck)
    items = read(save(tmp_path, [version(1, **struck), tagged]))
    found = values(items, "model_versions")
    assert [one["checkpoint"] for one in found] == [None, "sha256:2"]
    assert [one["stage"] for one in found] == ["Deleted_Internal"] * 2
    (one,) = values(items, "checkpoints")
    assert one == {"checkpoint": "sha256:2"}
    assert "REDACTED" not in str(items)
    assert "2 versions of 'credit' were deleted" in notes(items)


def test_a_version_of_no_model_names_none(tmp_path: Path) -> None:
    (one,) = values(read(save(tmp_path, [version(1, name=None)])), "model_versions")
    assert one["model"] is None


def test_a_file_of_several_answers_is_read_whole(tmp_path: Path) -> None:
    info = {"run_id": "r", "experiment_id": "1", "status": "FINISHED", "start_time": BEGUN}
    data = {"metrics": {"f1": 1}, "tags": {"suite": "sums"}}
    content = {"model_versions": [version(2)], "registered_models": [model()], "extra": 1,
               "runs": [{"info": info, "data": data}], "next_page_token": "abc"}  # fmt: skip
    items = read(save(tmp_path, content))
    assert [row["alias"] for row in values(items, "alias_events")] == ["champion"]
    assert [row["run_id"] for row in values(items, "eval_runs")] == ["r"]
    assert "a page of a longer answer" in notes(items)
    assert "list no alias" not in notes(items)
    (fields,) = [item for item in items if isinstance(item, Fields)]
    assert fields.left_out["extra"] == fields.left_out["next_page_token"] == 1
    last = read(save(tmp_path, {"runs": content["runs"], "next_page_token": ""}))
    assert "longer answer" not in notes(last)


def test_a_fault_in_an_answer_is_named(tmp_path: Path) -> None:
    twice = '{"name": "a", "name": "b"}'
    text = f'{{"model_versions": [{json.dumps(version(1))}, {twice}]}}'
    (one,) = [one for one in read(save(tmp_path, text)) if isinstance(one, Reject)]
    assert (one.code, one.raw) == ("JSON_DUPLICATE_KEY", twice)


@pytest.mark.parametrize("tag", ["checkpoint", "digest", None])
def test_the_account_says_where_the_checkpoint_came_from(tmp_path: Path, tag: str | None) -> None:
    items = read(save(tmp_path, [version(1, tags={tag: "sha256:1"} if tag else {})]))
    (account,) = [one for one in items if isinstance(one, Fields)]
    came = [name for name, columns in account.taken.items()
            if "model_versions.checkpoint" in columns]  # fmt: skip
    assert came == [f"version.tags.{tag}" if tag else "version.source"]


def table(folder: Path, rows: list[dict[str, Any]], kind: str) -> Path:
    """Runs as pandas saves them, with an index."""
    if kind == "json":
        return save(folder, rows)
    if kind == "csv":
        names = list(rows[0])
        cells = [["" if row[name] is None else str(row[name]) for name in names] for row in rows]
        lines = [",".join(["", *names])]
        lines += [",".join([str(n), *row]) for n, row in enumerate(cells)]
        return save(folder, "\n".join(lines) + "\n", "runs.csv")
    path = folder / "runs.parquet"
    parquet.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("kind", ["json", "csv", "parquet"])
def test_a_table_of_runs(tmp_path: Path, kind: str) -> None:
    began = datetime(2026, 3, 1, 12, tzinfo=UTC)
    when = str(began) if kind == "csv" else BEGUN if kind == "json" else began
    runs = [
        run(run_id="a", start_time=when, end_time=when,
            **{"metrics.f1": 0.5, "metrics.loss": None, "params.seed": "7"}),
        run(run_id="b", start_time=when, end_time=when,
            **{"metrics.f1": 0.5, "metrics.loss": 0.1, "params.seed": None}),
    ]  # fmt: skip
    items = read(table(tmp_path, runs, kind))
    found = values(items, "eval_runs")
    assert [(one["run_id"], one["score"], one["suite"]) for one in found] == [
        ("a", 0.5, "sums"), ("b", None, "sums")
    ]  # fmt: skip
    assert {one["started_at"].tzinfo for one in found} == {UTC}
    seeds = [one for one in values(items, "artifact_inputs") if one["kind"] == "seed"]
    assert [one["artifact"] for one in seeds] == ["runs:/a"]


@pytest.mark.parametrize(
    "metrics",
    [
        [{"key": "f1", "value": 0.5, "timestamp": 1, "step": 0}],
        {"f1": 0.5},
        {"f1": [{"value": 0.9, "timestamp": 5, "step": 1},
                {"value": 0.5, "timestamp": 3, "step": 2}]},
    ],
)  # fmt: skip
def test_a_run_of_the_interface(tmp_path: Path, metrics: Any) -> None:
    info = {name: value for name, value in run().items() if "." not in name}
    data = {"metrics": metrics, "tags": [{"key": "suite", "value": "sums"}]}
    held = {"info": info, "data": data}
    for content in ({"runs": [held]}, {"run": held}, {"export_info": {}, "info": info, **data}):
        (found,) = values(read(save(tmp_path, content)), "eval_runs")
        assert (found["score"], found["suite"]) == (0.5, "sums")


def test_a_run_that_gives_no_row_is_told(tmp_path: Path) -> None:
    listed = [run(run_id="e"), run(**{"params.seed": "7"}), run(**{"metrics.f1": 0.5})]
    assert "left out: 1 run that names nothing it used" in notes(read(save(tmp_path, listed)))


def inputs(**data: Any) -> list[dict[str, Any]]:
    """The inputs of a run with parameters and data sets."""
    listed = [{"dataset": dataset, "tags": [{"key": "mlflow.data.context", "value": context}]}
              for context, dataset in data.pop("sets", [])]  # fmt: skip
    info = {"run_id": "r", "experiment_id": "1", "status": "FINISHED", "start_time": BEGUN}
    told = Runs(FieldLog(None)).rows(run_of("/0", info, data, {"dataset_inputs": listed}))
    return [item.values for item in told
            if isinstance(item, Row) and item.table.name == "artifact_inputs"]  # fmt: skip


@pytest.mark.parametrize(("seed", "count"), [("7", 1), ("None", 0), (" nan", 0), ("0", 1)])
def test_a_seed_that_was_not_set_is_none(seed: str, count: int) -> None:
    found = inputs(params={"random_state": seed})
    assert [row["kind"] for row in found].count("seed") == count


@pytest.mark.parametrize(
    ("context", "kind"),
    [("val", "eval_data"), ("Test", "eval_data"), ("testing", "eval_data"),
     ("test_sets", "eval_data"), ("evaluate", "eval_data"),
     ("value_model_training", "train_data"), ("training", "train_data"), (None, "train_data")],
)  # fmt: skip
def test_the_context_of_a_data_set_says_what_it_was_for(context: str | None, kind: str) -> None:
    (row,) = inputs(sets=[(context, {"name": "d", "digest": "1", "source": "s3://d"})])
    assert row["kind"] == kind
    assert row["attributes"]["context"] == (context or "not recorded: taken for training")


def test_data_sets_of_one_run_are_kept_apart() -> None:
    hub = {"path": "org/set", "config_name": None}
    in_memory = json.dumps({"tags": {"mlflow.user": "ana"}})
    sources = [in_memory, in_memory, *(json.dumps({**hub, "split": name}) for name in ("a", "b"))]
    sets = [("training", {"name": "dataset", "digest": str(n), "source": source})
            for n, source in enumerate(sources)]  # fmt: skip
    assert [row["uri"] for row in inputs(sets=sets)] == [
        "dataset@0", "dataset@1", "org/set/a", "org/set/b"
    ]  # fmt: skip


def test_a_data_set_of_two_contexts_is_one_input() -> None:
    one = {"name": "d", "digest": "1", "source": "s3://d"}
    found = inputs(sets=[("test", one), ("validation", one), ("training", one), ("test", one)])
    assert [(row["kind"], row["uri"], row["attributes"]["context"]) for row in found] == [
        ("eval_data", "s3://d", "test, validation"), ("train_data", "s3://d", "training")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "uri"),
    [
        ({"delta_table_name": "cat.sales.train", "delta_table_version": 7}, "cat.sales.train@7"),
        ({"delta_table_name": "cat.sales.train"}, "cat.sales.train"),
        ({"path": None, "table_name": "db.t"}, "db.t"),
        ({"sql": "select 1"}, "select 1"),
        ({"path": "s3://d", "table_name": "db.t"}, "s3://d"),
    ],
)
def test_a_table_is_the_address_of_a_data_set(source: dict[str, Any], uri: str) -> None:
    one = {"name": "dataset", "digest": "1", "source": json.dumps(source)}
    assert [row["uri"] for row in inputs(sets=[("training", one)])] == [uri]


def test_a_run_without_an_id_is_a_reject(tmp_path: Path) -> None:
    items = read(save(tmp_path, [run(run_id=None, **{"metrics.f1": 0.5}), run()]))
    (one,) = [one for one in items if isinstance(one, Reject)]
    assert (one.locator, one.code) == ("/0", "NO_RUN")


def test_a_tag_does_not_stand_for_what_the_run_measured(tmp_path: Path) -> None:
    tags = {"tags.score": "0.9", "tags.n_items": "7"}
    (one,) = values(read(save(tmp_path, [run(**{"metrics.f1": 0.5}, **tags)])), "eval_runs")
    assert (one["score"], one["n_items"]) == (0.5, 7)
    assert one["attributes"]["tags"] == {"score": "0.9"}


def test_a_trace_of_mlflow_2(tmp_path: Path) -> None:
    info = {"request_id": "t", "timestamp_ms": BEGUN, "execution_time_ms": 40, "status": "OK",
            "request_metadata": {"mlflow.traceInputs": '{"q": "wh', "mlflow.traceOutputs": '"so"'},
            "tags": {"region": "eu"}}  # fmt: skip
    span = {"parent_id": None, "attributes": {"mlflow.spanInputs": '{"q": "why"}'}}
    bare, whole = {"info": {**info, "request_id": "b"}}, {"info": info, "data": {"spans": [span]}}
    few, one = values(read(save(tmp_path, [bare, whole])), "requests")
    assert (few["input_text"], few["output_text"]) == ('{"q": "wh', "so")
    assert (one["request_id"], one["latency_ms"], one["status"]) == ("t", 40.0, "ok")
    assert (one["input_text"], one["region"]) == ('{"q":"why"}', "eu")


def test_a_trace_whose_text_holds_nan_is_read_and_says_what_it_said(tmp_path: Path) -> None:
    said = '{"score": NaN}'
    whole = {"info": {"trace_id": "t", "state": "OK", "request_time": "2026-03-01T00:00:00Z",
                      "assessments": [{"assessment_name": "a", "feedback": {"value": math.nan}}]},
             "data": {"spans": [{"attributes": {"mlflow.spanOutputs": said}}]}}  # fmt: skip
    row = {"trace_id": "t", "state": "OK", "request_time": "2026-03-01T00:00:00Z",
           "trace": json.dumps(whole)}  # fmt: skip
    (found,) = values(read(save(tmp_path, [row])), "requests")
    assert found["output_text"] == said


def test_a_trace_without_spans_is_a_preview(tmp_path: Path) -> None:
    found = {"trace_id": "t", "trace_location": {}, "request_time": "2026-03-01T12:30:00Z",
             "execution_duration": "0.048s", "state": "IN_PROGRESS", "request_preview": "why…",
             "trace_metadata": {"mlflow.trace.tokenUsage": '{"input_tokens": 7}'}}  # fmt: skip
    items = read(save(tmp_path, {"traces": [found]}))
    (one,) = values(items, "requests")
    assert (one["status"], one["input_tokens"]) == ("in_progress", 7)
    assert one["latency_ms"] == pytest.approx(48)
    assert one["attributes"]["texts"] == "previews"


def test_what_no_search_returns_is_a_reject(tmp_path: Path) -> None:
    items = read(save(tmp_path, [version(1), {"other": 1}]))
    assert [one.code for one in items if isinstance(one, Reject)] == ["UNKNOWN_RECORD"]


def test_every_field_has_its_place(tmp_path: Path) -> None:
    items = read(save(tmp_path, [run(**{"metrics.f1": 0.5})]))
    (account,) = [one for one in items if isinstance(one, Fields)]
    assert account.taken["run.start_time"] == ["eval_runs.started_at"]
    assert account.taken["run.metrics"] == ["eval_runs.attributes", "eval_runs.score"]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=5,
)
RECORDS = [version(1), model(), run(), {"info": run(), "data": {"metrics": {"f1": 1}}},
           {"info": {"trace_id": "t", "state": "OK", "request_time": BEGUN, "assessments": [
               {"feedback": {"value": 1}, "source": {"source_type": "HUMAN"}}]}}]  # fmt: skip


@given(st.sampled_from(RECORDS), st.data())
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_shape_is_read_or_refused(tmp_path: Path, record: dict[str, Any], data: Any) -> None:
    changes = data.draw(st.dictionaries(st.sampled_from(list(record)), JUNK, max_size=3))
    source = source_of(save(tmp_path, [{**record, **changes}]))
    mlflow_search.recognises(source)
    refusal_of(lambda: list(mlflow_search.read(source, Options())))
