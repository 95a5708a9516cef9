"""Logs of calls, of LangSmith, LiteLLM and batches: roles, states and models as they are told."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.importers.loading import load, rows, source_of, takers_of

from casework.case import Reject, Row
from casework.importers import get
from casework.importers._configuration import hash_params, hash_prompt
from casework.importers._importer import Options

WHEN = "2026-03-01T10:00:00Z"
RUN = {"id": "r", "run_type": "llm", "trace_id": "t", "start_time": WHEN,
       "inputs": {"messages": [{"role": "user", "content": "q"}]}}  # fmt: skip


def as_lines(tmp_path: Path, *values: Any) -> Path:
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(map(json.dumps, values)) + "\n")
    return path


def asked(tmp_path: Path, importer: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Load lines, and ask the case."""
    case = tmp_path / "case.duckdb"
    load(case, get(importer), as_lines(tmp_path, *values))
    return rows(case, sql)


def serialised(kind: str, **given: Any) -> dict[str, Any]:
    """A message as LangChain serialises it."""
    return {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", kind],
            "kwargs": given}  # fmt: skip


@pytest.mark.parametrize(
    "message",
    [
        serialised("AIMessageChunk", content="Yes", type="AIMessageChunk"),
        serialised("AIMessage", content="Yes", type="ai"),
        serialised("AIMessage", content="Yes"),
        {"type": "ai", "data": {"content": "Yes", "type": "ai"}},
        {"role": "assistant", "content": "Yes"},
        {"type": "message", "role": "assistant",
         "content": [{"type": "output_text", "text": "Yes"}]},
    ],
)  # fmt: skip
def test_the_words_of_a_model_need_no_role(tmp_path: Path, message: dict[str, Any]) -> None:
    run = {**RUN, "outputs": {"generations": [[{"text": "Yes", "message": message}]]}}
    assert asked(tmp_path, "langsmith_runs", "SELECT output_text FROM requests", run) == [("Yes",)]


def test_a_system_prompt_may_be_a_message_of_a_type(tmp_path: Path) -> None:
    said = [{"type": "message", "role": "system", "content": "Be brief."},
            serialised("ChatMessage", content="And kind.", type="chat", role="developer"),
            serialised("HumanMessage", content="q", type="human")]  # fmt: skip
    sql = "SELECT input_text, prompt_hash IS NOT NULL FROM requests"
    found = asked(tmp_path, "langsmith_runs", sql, {**RUN, "inputs": {"messages": said}})
    assert found == [("system: Be brief.\ndeveloper: And kind.\nuser: q", True)]


@pytest.mark.parametrize(
    ("update", "status"),
    [
        ({}, None),
        ({"status": "pending"}, None),
        ({"status": "success", "end_time": WHEN}, "ok"),
        ({"end_time": WHEN}, "ok"),
        ({"status": "error", "end_time": WHEN}, "error"),
        ({"error": "busy"}, "error"),
    ],
)
def test_a_run_that_has_not_ended_has_no_status(
    tmp_path: Path, update: dict[str, Any], status: str | None
) -> None:
    sql = "SELECT status FROM requests"
    assert asked(tmp_path, "langsmith_runs", sql, {**RUN, **update}) == [(status,)]


@pytest.mark.parametrize(
    ("whole", "places"),
    [
        ({"runs": [RUN, "r-2"], "cursors": {}}, ["line 1/runs/1", "line 1/runs/0"]),
        ({"post": [RUN], "patch": [{"id": "r", "trace_id": "t"}]}, ["line 1/post/0"]),
        ({**RUN, "id": "root", "run_type": "chain", "child_runs": [RUN]}, ["line 1/child_runs/0"]),
    ],
)
def test_runs_stand_in_pages_in_requests_and_below_others(
    tmp_path: Path, whole: dict[str, Any], places: list[str]
) -> None:
    source = source_of(as_lines(tmp_path, whole))
    assert get("langsmith_runs").recognises(source)
    found = [*get("langsmith_runs").read(source, Options())]
    assert [one.locator for one in found if isinstance(one, Row | Reject)] == places
    assert [one.values["request_id"] for one in found if isinstance(one, Row)] == ["r"]


def test_usage_and_parameters_may_stand_in_the_message_the_metadata_or_the_inputs(
    tmp_path: Path,
) -> None:
    told = {"usage_metadata": {"input_tokens": 4, "output_tokens": 1}}
    message = serialised("AIMessage", content="Yes", type="ai", **told)
    asked = {"model": "m", "temperature": 0.5}
    by_chain = {**RUN, "outputs": {"generations": [[{"message": message}]], "llm_output": None},
                "extra": {"invocation_params": {**asked, "top_p": 1}}}  # fmt: skip
    meta = {**told, "ls_temperature": 0.5, "ls_stop": None, "ls_invocation_params": {"top_p": 1}}
    by_client = {**RUN, "id": "r-2", "inputs": {**RUN["inputs"], **asked}, "extra": {
        "metadata": meta}}  # fmt: skip
    source = source_of(as_lines(tmp_path, by_chain, by_client))
    found = [*get("langsmith_runs").read(source, Options())]
    columns = "endpoint", "input_tokens", "output_tokens", "params_hash"
    calls = [[one.values[name] for name in columns] for one in found if isinstance(one, Row)]
    assert calls == [["m", 4, 1, hash_params({"temperature": 0.5, "top_p": 1})]] * 2


def test_a_streamed_answer_tells_its_model_in_its_message(tmp_path: Path) -> None:
    told = {"model_name": "m-1", "system_fingerprint": "fp", "token_usage": {"prompt_tokens": 4}}
    message = serialised("AIMessage", content="Yes", type="ai", response_metadata=told)
    outputs = {"generations": [[{"text": "Yes", "message": message}]], "llm_output": None}
    sql = "SELECT response_model, fingerprint, input_tokens, output_tokens FROM requests"
    found = asked(tmp_path, "langsmith_runs", sql, {**RUN, "outputs": outputs})
    assert found == [("m-1", "fp", 4, None)]


def test_documents_that_are_texts_are_told_apart(tmp_path: Path) -> None:
    run = {**RUN, "run_type": "retriever", "outputs": {"output": ["one", "two", 3]}}
    sql = """
        SELECT count(DISTINCT doc_id), (SELECT count(*) FROM rejects) FROM candidates
    """
    assert asked(tmp_path, "langsmith_runs", sql, run) == [(2, 1)]


def test_pieces_of_one_file_are_documents_of_their_own(tmp_path: Path) -> None:
    pieces = [{"page_content": said, "metadata": {"source": "handbook.pdf"}} for said in "abb"]
    pieces[2]["id"] = "mine"
    run = {**RUN, "run_type": "retriever", "outputs": {"documents": pieces}}
    sql = "SELECT count(DISTINCT doc_id), bool_or(doc_id = 'mine') FROM candidates"
    assert asked(tmp_path, "langsmith_runs", sql, run) == [(3, True)]


def test_a_retrieval_without_a_list_of_documents_is_told(tmp_path: Path) -> None:
    run = {**RUN, "run_type": "retriever", "outputs": {"output": {"docs": [{"id": "d"}]}}}
    case = tmp_path / "case.duckdb"
    (exhibit,) = load(case, get("langsmith_runs"), as_lines(tmp_path, run))
    what = "run that is no model call and no retrieval with documents"
    assert exhibit.notes == (f"left out: 1 {what} (retriever 1)",)


@pytest.mark.parametrize("importer", ["langsmith_runs", "litellm_logs"])
def test_metadata_of_the_caller_are_no_latency(tmp_path: Path, importer: str) -> None:
    own = {"latency_ms": 1}
    run = {**RUN, **PAYLOAD, "end_time": "2026-03-01T10:00:03Z", "extra": {"metadata": own},
           "metadata": {"requester_metadata": own}}  # fmt: skip
    assert asked(tmp_path, importer, "SELECT latency_ms FROM requests", run) == [(3000.0,)]


PAYLOAD = {"id": "c", "call_type": "acompletion", "model_group": "fast", "model": "azure/m",
           "startTime": 1_772_359_200.5, "endTime": 1_772_359_203.5, "status": "success",
           "messages": [{"role": "user", "content": "q"}]}  # fmt: skip


@pytest.mark.parametrize(
    "response",
    [
        {"choices": [{"message": {"role": "assistant", "content": "redacted-by-litellm"}}]},
        {"text": "redacted-by-litellm"},
        "redacted-by-litellm",
        {},
        "{}",
    ],
)
def test_what_litellm_redacted_or_did_not_store_is_no_text(tmp_path: Path, response: Any) -> None:
    redacted = [{"role": "user", "content": "redacted-by-litellm"}]
    said = response if response in ({}, "{}") else redacted
    sql = "SELECT input_text, output_text, prompt_hash FROM requests"
    found = asked(
        tmp_path, "litellm_logs", sql, {**PAYLOAD, "messages": said, "response": response}
    )
    assert found == [(None, None, None)]


@pytest.mark.parametrize(
    ("told", "model"),
    [
        ({"status": "failure", "response": {}}, None),
        ({"status": "failure", "response": ""}, None),
        ({}, "azure/m"),
        ({"response": {"model": "m-1"}}, "m-1"),
        ({"model_group": None}, None),
    ],
)
def test_a_call_that_failed_was_answered_by_no_model(
    tmp_path: Path, told: dict[str, Any], model: str | None
) -> None:
    sql = """
        SELECT response_model, coalesce(attributes->>'model', response_model, endpoint) LIKE '%m%'
        FROM requests
    """
    assert asked(tmp_path, "litellm_logs", sql, {**PAYLOAD, **told}) == [(model, True)]


def test_the_time_to_the_first_token_is_no_latency(tmp_path: Path) -> None:
    streamed = {**PAYLOAD, "stream": True, "response_time": 0.25, "response": {
        "output": [{"type": "message", "role": "assistant", "content": [
            {"type": "output_text", "text": "Yes"}]}]}}  # fmt: skip
    sql = "SELECT latency_ms, attributes->>'response_time', output_text FROM requests"
    assert asked(tmp_path, "litellm_logs", sql, streamed) == [(3000.0, "0.25", "Yes")]


def test_a_long_payload_within_another_object_is_recognised(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "q" * 100_000}]
    path = as_lines(
        tmp_path, {"kwargs": 1, "standard_logging_object": {**PAYLOAD, "messages": said}}
    )
    assert get("litellm_logs").recognises(source_of(path))


def test_rows_of_the_table_of_spend_logs_are_requests(tmp_path: Path) -> None:
    row = {"request_id": "c", "call_type": "acompletion", "startTime": WHEN, "endTime": WHEN,
           "model": "azure/m", "model_group": "fast", "team_id": "t", "user": "u", "end_user": "",
           "session_id": "s", "status": "success", "messages": '[{"role":"user","content":"q"}]',
           "metadata": '{"user_api_key_team_id":"team"}',
           "response": '{"model":"m-1","system_fingerprint":"fp_9",'
                       '"choices":[{"message":{"content":"Yes"}}]}'}  # fmt: skip
    sql = """
        SELECT request_id, endpoint, account_id, user_id, session_id, input_text, output_text,
               response_model, fingerprint
        FROM requests
    """
    told = ("c", "fast", "team", "u", "s", "user: q", "Yes", "m-1", "fp_9")
    assert asked(tmp_path, "litellm_logs", sql, row) == [told]


SPEND = {
    "request_id": "c", "call_type": "acompletion", "api_key": "88dc28d0", "spend": 0.00012,
    "total_tokens": 12, "prompt_tokens": 10, "completion_tokens": 2,
    "startTime": "2026-03-01T10:00:00.250Z", "endTime": "2026-03-01T10:00:01.500Z",
    "request_duration_ms": 1250, "model": "azure/m", "model_id": "d1", "model_group": "fast",
    "custom_llm_provider": "azure", "api_base": "https://a", "user": "u",
    "metadata": {"user_api_key_team_id": "team"}, "cache_hit": "False", "request_tags": ["a, b"],
    "team_id": "t", "end_user": "e\n1", "messages": {}, "session_id": "s", "status": "success",
    "response": {"model": "m-1", "choices": [{"message": {"content": 'Say "yes"'}}]},
    "proxy_server_request": {"model": "fast", "temperature": 0, "messages": [
        {"role": "system", "content": "Be brief"}, {"role": "user", "content": "q"}]},
}  # fmt: skip
"""A row of the table of spend logs, as `/spend/logs` answers it."""


def spend_csv(path: Path, *spent: dict[str, Any], delimiter: str = ",") -> Path:
    """The rows as PostgreSQL copies them: JSON in cells, instants of UTC without a zone."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(spent[0])
        for row in spent:
            whens = {name: row[name].replace("T", " ").rstrip("0Z")
                     for name in ("startTime", "endTime")}  # fmt: skip
            writer.writerow(json.dumps(value) if isinstance(value, dict | list) else value
                            for value in {**row, **whens}.values())  # fmt: skip
    return path


def spend_parquet(path: Path, row: dict[str, Any]) -> Path:
    """A row as a database tool writes it: JSON as text, and instants without a zone."""
    whens = {name: datetime.fromisoformat(row[name]).replace(tzinfo=None)
             for name in ("startTime", "endTime")}  # fmt: skip
    held = {name: json.dumps(value) if isinstance(value, dict | list) else value
            for name, value in {**row, **whens}.items()}  # fmt: skip
    parquet.write_table(pa.Table.from_pylist([held]), path)
    return path


def test_spend_logs_as_tables_are_what_they_are_as_json(tmp_path: Path) -> None:
    paths = [spend_csv(tmp_path / f"{n}.csv", SPEND, delimiter=delimiter)
             for n, delimiter in enumerate(",;\t")]  # fmt: skip
    page = tmp_path / "page.json"
    page.write_text(json.dumps({"data": [SPEND], "total": 1, "page": 1, "total_pages": 1}))
    table = spend_parquet(tmp_path / "x.parquet", SPEND)
    found = []
    for one in (*paths, table, page, as_lines(tmp_path, SPEND)):
        assert takers_of(one) == ["litellm_logs"]
        row, account = get("litellm_logs").read(source_of(one), Options())
        assert isinstance(row, Row)
        found.append((row.values, account))
    values = found[0][0]
    assert found[1:] == [found[0]] * 5
    assert values["occurred_at"] == datetime(2026, 3, 1, 10, 0, 0, 250_000, UTC)
    assert (values["latency_ms"], values["input_tokens"], values["user_id"]) == (1250, 10, "e\n1")
    assert values["input_text"] == "system: Be brief\nuser: q"
    assert values["prompt_hash"] == hash_prompt(["Be brief"])
    assert (values["output_text"], values["response_model"]) == ('Say "yes"', "m-1")
    held = values["attributes"]
    assert (held["spend"], held["request_tags"]) == (0.00012, ["a, b"])
    assert held["proxy_server_request"] == {"model": "fast", "temperature": 0}


def test_spend_logs_of_a_proxy_outside_utc_have_the_zone_that_is_said(tmp_path: Path) -> None:
    source = source_of(spend_csv(tmp_path / "x.csv", SPEND))
    row, _ = get("litellm_logs").read(source, Options(timezone="Asia/Tokyo"))
    assert row.values["occurred_at"].hour == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"input": "q"}, "q"), ({"prompt": "p"}, "p"), ({"messages": []}, None), ("[", None)],
)
def test_what_a_row_of_spend_logs_asked_stands_in_its_body(
    tmp_path: Path, asked: Any, said: str | None
) -> None:
    source = source_of(spend_csv(tmp_path / "x.csv", {**SPEND, "proxy_server_request": asked}))
    row, *_ = get("litellm_logs").read(source, Options())
    assert row.values["input_text"] == said


def test_hostile_rows_of_spend_logs_are_rejects_or_keep_their_texts(tmp_path: Path) -> None:
    hostile = {**SPEND, "metadata": '{"a":', "response": "[" * 9_999, "messages": "{",
               "spend": "NaN", "prompt_tokens": "9" * 5_000}  # fmt: skip
    path = spend_csv(tmp_path / "x.csv", hostile, SPEND)
    path.write_bytes(path.read_bytes() + b"c,torn\n\xff" + b"," * (len(SPEND) - 1) + b"\n")
    found = [*get("litellm_logs").read(source_of(path), Options())]
    kinds = [(one.locator, getattr(one, "code", "")) for one in found
             if isinstance(one, Row | Reject)]  # fmt: skip
    assert kinds == [("row 1", ""), ("row 2", ""), ("row 3", "TORN"), ("row 4", "ENCODING")]
    assert found[0].values["attributes"]["metadata"] == '{"a":'
    assert found[0].values["input_text"] == "{"


def test_seconds_since_1970_may_stand_as_text(tmp_path: Path) -> None:
    sql = "SELECT epoch(occurred_at) FROM requests"
    written = {**PAYLOAD, "startTime": "1772359200.5"}
    assert asked(tmp_path, "litellm_logs", sql, written) == [(1_772_359_200.5,)]


def test_answers_of_two_batches_are_no_retries(tmp_path: Path) -> None:
    """The id of a caller is unique in one batch alone."""
    body = {"created": 1_772_359_200, "model": "m"}
    lines = [{"id": f"batch_req_{n}", "custom_id": "request-0", "error": None,
              "response": {"status_code": code, "body": body}}
             for n, code in enumerate((200, "200", 500, 200.0))]  # fmt: skip
    of_azure = {"status_code": 200, "request_id": "of-http", "body": body}
    lines.append({"custom_id": "request-0", "response": of_azure, "error": None})
    sql = "SELECT request_id, attributes->>'custom_id', status FROM requests ORDER BY ALL"
    assert asked(tmp_path, "batch_results", sql, *lines) == [
        ("batch_req_0", "request-0", "ok"),
        ("batch_req_1", "request-0", "ok"),
        ("batch_req_2", "request-0", "error"),
        ("batch_req_3", "request-0", "ok"),
        ("of-http", "request-0", "ok"),
    ]


@pytest.mark.parametrize(
    "told", ["Be brief.", [{"type": "message", "role": "developer", "content": "Be brief."}]]
)
def test_instructions_that_an_answer_repeats_are_its_system_prompt(
    tmp_path: Path, told: Any
) -> None:
    body = {"created_at": 1_772_359_200, "model": "m", "instructions": told, "output": [
        {"type": "message", "role": "assistant", "content": "Yes"}]}  # fmt: skip
    line = {"id": "b", "custom_id": "c", "response": {"status_code": 200, "body": body},
            "error": None}  # fmt: skip
    found = [*get("batch_results").read(source_of(as_lines(tmp_path, line)), Options())]
    (row,) = [one.values for one in found if isinstance(one, Row)]
    assert (row["prompt_hash"], row["output_text"]) == (hash_prompt(["Be brief."]), "Yes")
    assert row["attributes"]["response"]["body"]["instructions"] == told
