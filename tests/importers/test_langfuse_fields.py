"""Langfuse: usage, levels, parameters, prompts and pages say no more than was recorded."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.importers.loading import as_jsonl, load, rows, source_of

from casework.case import Fields
from casework.importers import Options, get

LANGFUSE = get("langfuse_export")
WHEN, LATER = "2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z"
CALL = {"id": "o", "traceId": "t", "type": "GENERATION", "startTime": WHEN, "model": "m"}


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"usageDetails": {"input": 3, "output": 0, "total": 3}}, (3, 0)),
        ({"usageDetails": {"input": 200, "input_cached_tokens": 800, "output": 7}}, (1000, 7)),
        ({"usageDetails": {}, "inputUsage": 0, "outputUsage": 0, "totalUsage": 0}, (None, None)),
        ({"usage": {"input": 0, "output": 0, "total": 0, "unit": None}}, (None, None)),
        ({"promptTokens": 5, "completionTokens": 2}, (5, 2)),
        ({"usageDetails": {"input": "200", "input_cached_tokens": "800"}}, (1000, None)),
        ({"usageDetails": {"input": 200, "cache_read_input_tokens": 800}}, (1000, None)),
        ({"inputUsage": 0, "metadata": {"attributes": {"gen_ai.usage.input_tokens": 9}}},
         (9, None)),
        ({"usageDetails": {"input": "many", "output": None}}, (None, None)),
        ({"usageDetails": {"input": 1e300, "output": 10**30}}, (None, None)),
        ({"usageDetails": {f"input{n}": 2**52 for n in range(9_000)}}, (None, None)),
    ],
)  # fmt: skip
def test_tokens_are_those_that_were_counted(
    case: Path, tmp_path: Path, usage: dict[str, Any], tokens: tuple[int | None, int | None]
) -> None:
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", {**CALL, **usage}))
    assert rows(case, "SELECT input_tokens, output_tokens FROM requests") == [tokens]


@pytest.mark.parametrize(
    ("level", "status"), [(None, None), ("ERROR", "error"), ("DEFAULT", "ok"), ("WARNING", "ok")]
)
def test_a_call_without_a_level_has_no_status(
    case: Path, tmp_path: Path, level: str | None, status: str | None
) -> None:
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", {**CALL, "level": level}))
    assert rows(case, "SELECT status FROM requests") == [(status,)]


def test_parameters_of_two_calls_of_one_configuration_are_the_same(
    case: Path, tmp_path: Path
) -> None:
    calls = [
        {**CALL, "id": name, "modelParameters": {
            "temperature": 1, "id": f"resp_{name}", "created_at": at, "user": name, "model": "m"}}
        for at, name in enumerate("ab", 1_759_223_040)
    ]  # fmt: skip
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", *calls))
    assert rows(case, "SELECT count(*), count(DISTINCT params_hash) FROM requests") == [(2, 1)]


def test_metadata_of_a_blob_export_are_read(case: Path, tmp_path: Path) -> None:
    said = {"gen_ai.request.model": "asked", "gen_ai.response.model": "answered"}
    stored = {
        "id": "o",
        "trace_id": "t",
        "type": "GENERATION",
        "start_time": WHEN,
        "metadata": {"attributes": json.dumps(said)},
        "parent_observation_id": None,
    }
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", stored))
    assert rows(case, "SELECT endpoint, response_model FROM requests") == [("asked", "answered")]


def test_a_label_has_another_instant_than_its_version(case: Path, tmp_path: Path) -> None:
    prompt = {"id": "p", "name": "greet", "version": 3, "type": "text", "prompt": "Hi {{name}}",
              "labels": ["production", "latest"], "createdAt": WHEN, "updatedAt": LATER,
              "createdBy": "ana"}  # fmt: skip
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", prompt))
    sql = "SELECT occurred_at::DATE::VARCHAR, scope, actor FROM config_events ORDER BY 1"
    assert rows(case, sql) == [
        ("2026-03-01", None, "ana"),
        ("2026-03-02", "label:production", None),
    ]


def test_a_retrieval_without_documents_is_told(case: Path, tmp_path: Path) -> None:
    (exhibit,) = load(
        case,
        LANGFUSE,
        as_jsonl(tmp_path / "x.jsonl", {**CALL, "type": "RETRIEVER", "output": "?"}),
    )
    assert exhibit.notes == ("left out: 1 record that is no evidence row (RETRIEVER 1)",)


def test_the_account_names_a_field_once_and_those_of_the_trace(tmp_path: Path) -> None:
    trace = {"id": "t", "projectId": "p", "timestamp": WHEN, "tags": ["a"], "name": "ask"}
    path = as_jsonl(
        tmp_path / "x.json", {"trace": trace, "observations": [{**CALL, "inputUsage": 4}]}
    )
    items = LANGFUSE.read(source_of(path), Options())
    (told,) = [item for item in items if isinstance(item, Fields)]
    assert told.taken["observation.inputUsage"] == ["requests.input_tokens"]
    assert dict(told.left_out) == {
        f"trace.{name}": 1 for name in ("projectId", "timestamp", "tags", "name")
    }


def test_a_fault_in_a_page_has_its_own_reason(case: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    good = json.dumps(CALL)
    path.write_text(f'{{"data": [{good}, {{"id": 1, "id": 2}}, 7], "meta": {{}}}}')
    (exhibit,) = load(case, LANGFUSE, path)
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (1, 2)
    sql = "SELECT code, locator FROM rejects ORDER BY locator"
    assert rows(case, sql) == [("JSON_DUPLICATE_KEY", "/data/1"), ("JSON", "/data/2")]


@pytest.mark.parametrize("importer", ["langfuse_export", "langsmith_runs"])
def test_kinds_without_end_make_a_short_note(case: Path, tmp_path: Path, importer: str) -> None:
    kinds = [f"{n}{'x' * 100}" for n in range(200)]
    listed = [{**CALL, "id": f"o{n}", "type": kind, "run_type": kind}
              for n, kind in enumerate(kinds)]  # fmt: skip
    (exhibit,) = load(case, get(importer), as_jsonl(tmp_path / "x.jsonl", *listed))
    (note,) = exhibit.notes
    assert note.startswith("left out: 200 ")
    assert "(others) 150" in note
    assert len(note) < 5_000


@pytest.mark.parametrize("importer", ["langfuse_export", "langsmith_runs"])
def test_metadata_give_a_span_no_other_id(case: Path, tmp_path: Path, importer: str) -> None:
    own = {"span_id": "other"}
    call = {**CALL, "run_type": "llm", "trace_id": "t", "start_time": WHEN, "metadata": own,
            "extra": {"metadata": own}}  # fmt: skip
    load(case, get(importer), as_jsonl(tmp_path / "x.jsonl", call))
    assert rows(case, "SELECT span_id, attributes::VARCHAR LIKE '%other%' FROM requests") == [
        ("o", True)
    ]


def test_latency_is_in_milliseconds_in_older_downloads_alone(case: Path, tmp_path: Path) -> None:
    trace = {"id": "t", "projectId": "p", "timestamp": WHEN}
    ended = {**CALL, "id": "s", "type": "SPAN", "endTime": WHEN.replace("00Z", "02Z")}
    for name, unit in (("older", 1e3), ("later", 1)):
        told = [{**CALL, "id": name, "latency": 2.5 * unit}, {**ended, "latency": 2 * unit}]
        download = {"trace": trace, "observations": told}
        load(case, LANGFUSE, as_jsonl(tmp_path / f"{name}.json", download))
    load(case, LANGFUSE, as_jsonl(tmp_path / "page.jsonl", {**CALL, "id": "o2", "latency": 2.5}))
    assert rows(case, "SELECT latency_ms FROM requests") == [(2500.0,)] * 3


def test_a_download_may_hold_its_observations_in_the_trace(case: Path, tmp_path: Path) -> None:
    trace = {"id": "t", "projectId": "p", "timestamp": WHEN, "observations": [CALL]}
    path = as_jsonl(tmp_path / "x.json", {"trace": trace})
    assert LANGFUSE.recognises(source_of(path))
    load(case, LANGFUSE, path)
    found = rows(case, "SELECT request_id, locator FROM requests")
    assert found == [("o", "line 1/trace/observations/0")]


def test_a_node_of_llamaindex_is_a_document(case: Path, tmp_path: Path) -> None:
    nodes = [{"node": {"id_": "n", "text": "a"}, "score": 0.5}, {"node": {"text": "b"}}]
    call = {**CALL, "type": "RETRIEVER", "output": nodes}
    (exhibit,) = load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", call))
    assert exhibit.rows_rejected == 0
    sql = "SELECT doc_id[:7], dense_score FROM candidates ORDER BY dense_rank"
    assert rows(case, sql) == [("n", 0.5), ("sha256:", None)]


def test_pieces_of_one_file_are_documents_of_their_own(case: Path, tmp_path: Path) -> None:
    pieces = [{"pageContent": said, "metadata": {"source": "handbook.pdf"}} for said in "ab"]
    call = {**CALL, "type": "RETRIEVER", "output": pieces}
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", call))
    assert rows(case, "SELECT count(DISTINCT doc_id) FROM candidates") == [(2,)]


def test_a_chat_prompt_has_the_hash_of_the_requests_made_of_it(case: Path, tmp_path: Path) -> None:
    said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "{{q}}"}]
    prompt = {"id": "p", "name": "greet", "version": 3, "type": "chat", "prompt": said,
              "labels": [], "createdAt": WHEN}  # fmt: skip
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", prompt, {**CALL, "input": said}))
    sql = "SELECT e.attributes->>'prompt_hash' = r.prompt_hash FROM config_events e, requests r"
    assert rows(case, sql) == [(True,)]


def test_a_score_of_a_session_needs_no_other_key(case: Path, tmp_path: Path) -> None:
    score = {"id": "s", "sessionId": "s1", "name": "tone", "source": "EVAL", "value": 1,
             "dataType": "NUMERIC", "timestamp": WHEN}  # fmt: skip
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", score))
    assert rows(case, "SELECT item_id, score FROM eval_samples") == [("s1", 1.0)]
