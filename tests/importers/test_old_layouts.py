"""Layouts of old versions, and of calls by hand, as the tools of `tests/tools` write them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.importers.loading import load, rows, source_of
from tests.importers.otlp_export import Tracer, jsonl

from casework.importers import get
from casework.importers._configuration import hash_invocation, hash_params
from casework.importers._sqlite import columns, open_database, table_names
from casework.importers._sqlite import rows as stored


def written(folder: Path, name: str, *lines: Any) -> Path:
    path = folder / name
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def sample(document: int, responses: list[str], chosen: str, score: float) -> dict[str, Any]:
    """A sample of lm-evaluation-harness before 0.4.5, which does not name its filter."""
    return {
        "doc_id": document,
        "doc": {"question": f"{document}?"},
        "target": "x",
        "arguments": [[f"{document}?", {}]],
        "resps": [responses],
        "filtered_resps": [chosen],
        "exact_match": score,
    }


def test_filters_without_a_name_are_items_of_their_own(tmp_path: Path) -> None:
    lines = [sample(n, ["a b"], chosen, score)
             for chosen, score in (("a", 1.0), ("b", 0.0), ("b", 0.0)) for n in (0, 1)]  # fmt: skip
    case = tmp_path / "case.duckdb"
    (exhibit,) = load(case, get("lm_eval_samples"), written(tmp_path, "samples_t.jsonl", *lines))
    assert exhibit.rows_rejected == exhibit.rows_duplicate == 0
    found = rows(case, "SELECT item_id, output_text FROM eval_samples ORDER BY ALL")
    assert found == [("0", "a"), ("0/2", "b"), ("0/3", "b"),
                     ("1", "a"), ("1/2", "b"), ("1/3", "b")]  # fmt: skip
    assert any("3 filters" in note for note in exhibit.notes)


def test_another_run_in_the_same_file_is_no_filter(tmp_path: Path) -> None:
    lines = [sample(0, ["a"], "a", 1.0), sample(0, ["b"], "b", 0.0)]
    case = tmp_path / "case.duckdb"
    (exhibit,) = load(case, get("lm_eval_samples"), written(tmp_path, "samples_t.jsonl", *lines))
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (1, 1)


def evaluation(order: list[int]) -> dict[str, Any]:
    """Results of version 2 of promptfoo, in the order in which they ended."""
    words = ["one", {"two": 2}, None]
    results = [
        {"provider": {"id": provider}, "prompt": {"raw": f"Say {word}", "label": "Say {{word}}"},
         "vars": {} if word is None else {"word": word}, "score": 1.0, "success": True,
         "response": {"output": "x"},
         "gradingResult": {"componentResults": [{"assertion": {"type": "equals", "value": "x"}}]}}
        for word in words for provider in ("small", "large")
    ]  # fmt: skip
    prompts = [
        {"provider": provider, "label": "Say {{word}}", "raw": "Say {{word}}",
         "metrics": {"testPassCount": 3, "testFailCount": 0}}
        for provider in ("small", "large")
    ]  # fmt: skip
    body = [{"vars": ["one"], "outputs": []}, {"vars": ['{"two":2}'], "outputs": []},
            {"vars": [""], "outputs": []}]  # fmt: skip
    table = {"head": {"prompts": prompts, "vars": ["word"]}, "body": body}
    held = {"version": 2, "timestamp": "2026-03-01T10:00:00Z", "table": table,
            "results": [results[at] for at in order]}  # fmt: skip
    return {"evalId": "e", "results": held, "config": {}}


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5], [5, 2, 4, 0, 3, 1]])
def test_numbers_of_promptfoo_come_from_its_table(tmp_path: Path, order: list[int]) -> None:
    case = tmp_path / "case.duckdb"
    path = written(tmp_path, "results.json", evaluation(order))
    (exhibit,) = load(case, get("promptfoo_results"), path)
    assert exhibit.rows_rejected == exhibit.rows_duplicate == 0
    found = rows(
        case,
        "SELECT endpoint, item_id, prompt_text, target, r.score FROM eval_samples AS s "
        "JOIN eval_runs AS r USING (run_id) ORDER BY endpoint, item_id",
    )
    said = ["Say one", "Say {'two': 2}", "Say None"]
    assert found == [(endpoint, str(item), said[item], "x", 1.0)
                     for endpoint in ("large", "small") for item in range(3)]  # fmt: skip


@pytest.mark.parametrize("order", [1, -1])
def test_prompts_of_promptfoo_that_are_called_alike_are_told_by_what_the_table_shows(
    tmp_path: Path, order: int
) -> None:
    whole = evaluation([0, 2])
    held = whole["results"]
    for one in held["table"]["head"]["prompts"]:
        one["provider"] = "small"
    said = [("x", 1.0), ("y", 0.0)]
    for row, result in zip(held["table"]["body"], list(held["results"]), strict=False):
        row["outputs"] = [
            {"prompt": result["prompt"]["raw"], "score": score, "latencyMs": 5,
             "text": output if score else f"it failed\n---\n{output}"}
            for output, score in said
        ]  # fmt: skip
    held["results"] = [
        {**result, "response": {"output": output}, "score": score, "latencyMs": 5}
        for result in held["results"] for output, score in (*said, ("z", 0.5))
    ][::order]  # fmt: skip
    case = tmp_path / "case.duckdb"
    (exhibit,) = load(case, get("promptfoo_results"), written(tmp_path, "results.json", whole))
    assert exhibit.rows_rejected == 2  # what no cell shows
    found = rows(case, "SELECT run_id, item_id, output_text FROM eval_samples ORDER BY ALL")
    assert found == [(f"e/{place}", item, output)
                     for place, output in enumerate("xy") for item in "01"]  # fmt: skip


@pytest.mark.parametrize("shown", ["it failed", "it failed\n---\n", "it failed\n---\nit failed"])
def test_of_a_call_that_failed_the_cell_shows_the_error(tmp_path: Path, shown: str) -> None:
    whole = evaluation([0, 0])
    held = whole["results"]
    for one in held["table"]["head"]["prompts"]:
        one["provider"] = "small"
    failed, answered = held["results"]
    held["results"] = [{**failed, "response": {"error": "it failed"}, "error": "it failed"},
                       answered]  # fmt: skip
    held["table"]["body"][0]["outputs"] = [
        {"prompt": "Say one", "score": 1.0, "text": said} for said in ("x", shown)
    ]
    case = tmp_path / "case.duckdb"
    (exhibit,) = load(case, get("promptfoo_results"), written(tmp_path, "results.json", whole))
    assert exhibit.rows_rejected == 0
    found = rows(case, "SELECT run_id, output_text FROM eval_samples ORDER BY ALL")
    assert found == [("e/0", "x"), ("e/1", None)]


@pytest.mark.parametrize(
    ("value", "cell"),
    [(0, ""), (False, ""), (None, ""), ([], "[]"), ({}, "{}"), (2, "2"), (True, "true")],
)
def test_a_variable_is_found_in_its_cell(tmp_path: Path, value: Any, cell: str) -> None:
    whole = evaluation([0])
    whole["results"]["results"][0]["vars"] = {"word": value}
    whole["results"]["table"]["body"][0]["vars"] = [cell]
    whole["results"]["table"]["body"][2]["vars"] = ["other"]
    case = tmp_path / "case.duckdb"
    load(case, get("promptfoo_results"), written(tmp_path, "results.json", whole))
    assert rows(case, "SELECT item_id FROM eval_samples") == [("0",)]


@pytest.mark.parametrize("where", ["metadata", "testCase"])
@pytest.mark.parametrize(
    ("kind", "passed", "refused"),
    [("is-refusal", True, True), ("not-is-refusal", True, False), ("not-is-refusal", False, True),
     ("is-refusal", None, None), ("equals", True, None), (["is-refusal"], True, None)],
)  # fmt: skip
def test_metadata_and_assertions_of_promptfoo_say_what_a_test_is(
    where: str, kind: Any, passed: bool | None, refused: bool | None, tmp_path: Path
) -> None:
    whole = evaluation([0])
    about = {"kind": "unsafe", "category": "fraud", "item_id": "no", "pluginId": "harmful"}
    result = whole["results"]["results"][0]
    result |= {where: about if where == "metadata" else {"metadata": about}}
    result["gradingResult"] = {"componentResults": [{"pass": passed, "assertion": {"type": kind}}]}
    case = tmp_path / "case.duckdb"
    load(case, get("promptfoo_results"), written(tmp_path, "results.json", whole))
    sql = "SELECT item_id, kind, category, refused FROM eval_samples"
    assert rows(case, sql) == [("0", "unsafe", "fraud", refused)]


def test_a_result_of_no_column_is_told(tmp_path: Path) -> None:
    whole = evaluation([0])
    whole["results"]["results"][0]["provider"] = {"id": "other"}
    case = tmp_path / "case.duckdb"
    (exhibit,) = load(case, get("promptfoo_results"), written(tmp_path, "results.json", whole))
    assert exhibit.rows_rejected == 1


def test_a_retriever_of_langsmith_may_call_its_documents_output(tmp_path: Path) -> None:
    documents = [{"page_content": "A", "metadata": {"id": "d1"}}]
    lines = [{"id": name, "run_type": "retriever", "trace_id": "t", "inputs": {"query": "q"},
              "start_time": "2026-03-01T10:00:00Z", "outputs": {name: documents}}
             for name in ("output", "documents")]  # fmt: skip
    case = tmp_path / "case.duckdb"
    load(case, get("langsmith_runs"), written(tmp_path, "runs.jsonl", *lines))
    found = rows(case, "SELECT query_id, doc_id FROM candidates ORDER BY ALL")
    assert found == [("documents", "d1"), ("output", "d1")]


def test_a_call_of_langsmith_that_failed_has_no_answer(tmp_path: Path) -> None:
    line = {"id": "a", "run_type": "llm", "trace_id": "t", "start_time": "2026-03-01T10:00:00Z",
            "inputs": {"messages": [{"role": "user", "content": "q"}]},
            "outputs": {"output": None}, "error": "busy"}  # fmt: skip
    case = tmp_path / "case.duckdb"
    load(case, get("langsmith_runs"), written(tmp_path, "runs.jsonl", line))
    assert rows(case, "SELECT status, output_text FROM requests") == [("error", None)]


def test_parameters_and_models_of_openinference_stand_in_otlp_too(tmp_path: Path) -> None:
    chosen = {"model": "large", "temperature": 0.5}
    tracer = Tracer()
    tracer.call({"openinference.span.kind": "LLM", "llm.model_name": "large",
                 "llm.invocation_parameters": json.dumps(chosen)})  # fmt: skip
    tracer.call({"openinference.span.kind": "EMBEDDING", "embedding.model_name": "embedder"})
    tracer.call({"openinference.span.kind": "LLM", "llm.request.model_name": "asked",
                 "llm.model_name": "large", "llm.invocation_parameters": "{"})  # fmt: skip
    path, case = tmp_path / "traces.jsonl", tmp_path / "case.duckdb"
    path.write_bytes(jsonl(tracer.request()))
    load(case, get("otlp_traces"), path)
    found = rows(case, "SELECT endpoint, params_hash FROM requests ORDER BY occurred_at")
    assert found == [
        ("large", hash_params({"temperature": 0.5})), ("embedder", None), ("asked", None)
    ]  # fmt: skip


@pytest.mark.parametrize("value", [None, "", "[", "[1]", 7, "{}", {"model": "x"}, "[" * 10_000])
def test_what_is_no_object_has_no_hash(value: Any) -> None:
    assert hash_invocation(value) is None


def test_a_database_with_an_index_over_json_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, said TEXT)")
        database.execute("CREATE INDEX by_id ON kept (json_extract(said, '$.id'))")
        database.execute("INSERT INTO kept VALUES (1, '{\"id\": 7}')")
    assert table_names(source_of(path)) == {"kept"}
    with open_database(source_of(path)) as database:
        assert columns(database) == {"kept": {"id", "said"}}
        assert [row["said"] for row in stored(database, "kept")] == ['{"id": 7}']
        with pytest.raises(sqlite3.Error):
            database.execute("INSERT INTO kept VALUES (2, '{}')")
