"""Spans of OpenInference: each field in its column, and what is no evidence is told."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.importers.loading import load, rows, source_of

from casework.importers import get
from casework.intake._reader import _WithoutPandas
from casework.records import Exhibit

SPANS = get("openinference_spans")
AT = "2025-03-01T10:00:00+00:00"


@pytest.fixture
def loaded(tmp_path: Path, case: Path) -> Callable[..., Exhibit]:
    """Loads spans, one a line, or a text."""

    def do(*spans: Any, said: str = "") -> Exhibit:
        path = tmp_path / "spans.jsonl"
        path.write_text(said or "".join(f"{json.dumps(one)}\n" for one in spans))
        assert SPANS.recognises(source_of(path))
        (exhibit,) = load(case, SPANS, path)
        return exhibit

    return do


def span(number: int = 1, kind: str = "LLM", **changes: Any) -> dict[str, Any]:
    """A span of the trace `t`; what is no field of a span is an attribute."""
    made = {"name": "ask", "context": {"trace_id": "t", "span_id": f"s{number}"}, "span_kind": kind,
            "parent_id": None, "start_time": AT, "end_time": AT, "status_code": "OK",
            "attributes": {}}  # fmt: skip
    fields = {name: value for name, value in changes.items() if name in made}
    attributes = {name: value for name, value in changes.items() if name not in made}
    return {**made, "attributes": attributes, **fields}


def test_an_attribute_never_stands_for_a_field_of_the_span(loaded: Any, case: Path) -> None:
    own = {"span_id": "x", "trace_id": "y", "start_time": "1999-01-01", "status_code": "ERROR",
           "parent_id": "z", "name": "n"}  # fmt: skip
    loaded(span(attributes=own))
    sql = (
        "SELECT request_id, trace_id, occurred_at = ended_at, status, parent_span_id FROM requests"
    )
    assert rows(case, sql) == [("s1", "t", True, "ok", None)]
    ((kept,),) = rows(case, "SELECT attributes FROM requests")
    assert json.loads(kept) == {"name": "ask"} | {f"attributes.{n}": v for n, v in own.items()}


@pytest.mark.parametrize(
    ("code", "status"),
    [("STATUS_CODE_ERROR", "error"), (2, "error"), ("Error", "error"), ("UNSET", "ok"),
     (None, "ok"), ("CANCELLED", "CANCELLED"), (2.0, "error"), (True, "true"), ([], None),
     ({"code": "OK"}, '{"code":"OK"}')],
)  # fmt: skip
def test_the_status_is_read_in_every_spelling(
    loaded: Any, case: Path, code: Any, status: str | None
) -> None:
    loaded(span(status_code=code))
    assert rows(case, "SELECT status FROM requests") == [(status,)]


def test_a_retrieval_names_the_span_of_the_call_and_keeps_an_id_of_its_own(
    loaded: Any, case: Path
) -> None:
    listed = {"retrieval.documents.0.document.id": "d", "request_id": "R"}
    loaded(span(1, request_id="R"), span(2, "RETRIEVER", **listed))
    sql = "SELECT request_id, attributes->>'$.\"attributes.request_id\"' FROM candidates"
    assert rows(case, sql) == [("s1", "R")]
    assert rows(case, "SELECT request_id FROM requests") == [("s1",)]


def test_a_span_id_of_two_traces_is_two_requests(loaded: Any, case: Path) -> None:
    thumb = {"annotations.0.annotation.annotator_kind": "HUMAN",
             "annotations.0.annotation.label": "thumbs-up"}  # fmt: skip
    other = {"context": {"trace_id": "u", "span_id": "s1"}}
    exhibit = loaded(span(1, **thumb), span(1, **thumb, **other))
    assert exhibit.rows_rejected == 0
    assert rows(case, "SELECT request_id FROM requests ORDER BY 1") == [("s1",), ("u-s1",)]
    assert rows(case, "SELECT request_id FROM feedback ORDER BY 1") == [("s1",), ("u-s1",)]


def test_a_span_of_no_kind_is_a_call_as_in_otlp(loaded: Any, case: Path) -> None:
    said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    loaded(span(1, "UNKNOWN", **said), span(2, "UNKNOWN"), span(3, "CHAIN", **said),
           span(4, "UNKNOWN", **{"gen_ai.request.model": "m"}))  # fmt: skip
    sql = "SELECT request_id, operation, endpoint FROM requests ORDER BY 1"
    assert rows(case, sql) == [("s1", "chat", "m"), ("s4", None, "m")]


def test_names_like_those_of_messages_are_no_messages(loaded: Any, case: Path) -> None:
    said = {"gen_ai.prompt.name": "refunds", "message.id": "7"}
    exhibit = loaded(span(**said))
    sql = "SELECT prompt_name, attributes->>'$.\"message.id\"', input_text FROM requests"
    assert rows(case, sql) == [("refunds", "7", None)]
    assert exhibit.fields["span.gen_ai.prompt.name"] == ["requests.prompt_name"]


def test_an_own_text_fills_only_what_the_span_leaves_open(loaded: Any, case: Path) -> None:
    said = {"llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "hi"}  # fmt: skip
    loaded(span(1, input_text="own"), span(2, input_text="own", **said))
    sql = "SELECT input_text, attributes->>'$.\"attributes.input_text\"' FROM requests"
    assert rows(case, f"{sql} ORDER BY span_id") == [("own", None), ("user: hi", "own")]


def test_a_call_of_a_function_as_of_2023_is_said(loaded: Any, case: Path) -> None:
    said = {"llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.function_call_name": "multiply",
            "llm.output_messages.0.message.function_call_arguments_json": "{}"}  # fmt: skip
    loaded(span(**said))
    assert rows(case, "SELECT output_text FROM requests") == [("multiply\n{}",)]


def test_a_count_below_zero_is_none(loaded: Any, case: Path) -> None:
    loaded(span(**{"llm.token_count.prompt": -1, "llm.token_count.completion": 3}))
    sql = "SELECT input_tokens, output_tokens, attributes->>'input_tokens' FROM requests"
    assert rows(case, sql) == [(None, 3, "-1")]


def test_a_call_without_an_id_names_no_request(loaded: Any, case: Path) -> None:
    document = {"retrieval.documents": [{"document.id": "d"}]}
    exhibit = loaded(
        span(context={"trace_id": "t", "span_id": None}), span(2, "RETRIEVER", **document)
    )
    assert rows(case, "SELECT request_id FROM candidates") == [(None,)]
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (1, 1)


def test_what_is_no_evidence_is_told(loaded: Any) -> None:
    kinds = ("RETRIEVER", "RERANKER", "CHAIN", "of my own", "TOOL")
    exhibit = loaded(*(span(n, kind) for n, kind in enumerate(kinds)))
    (note,) = exhibit.notes
    assert note == (
        "left out: 5 spans without a model call or a document (chain 1, other 1, "
        "reranker without documents 1, retriever without documents 1, tool 1)"
    )


def test_a_thumb_on_a_span_without_an_end_is_dated_by_its_beginning(
    loaded: Any, case: Path
) -> None:
    thumb = {"annotations.0.annotation.annotator_kind": "HUMAN",
             "annotations.0.annotation.label": "thumbs_up"}  # fmt: skip
    loaded(span(end_time=None, **thumb))
    sql = "SELECT signal, f.occurred_at = r.occurred_at FROM feedback AS f JOIN requests AS r"
    assert rows(case, f"{sql} USING (request_id)") == [(1, True)]


def test_a_page_of_the_api_is_its_spans(loaded: Any, case: Path) -> None:
    page = {"data": [span(1), 7, span(2)], "next_cursor": None}
    exhibit = loaded(said=json.dumps(page, indent=1))
    assert rows(case, "SELECT span_id, locator FROM requests ORDER BY 1") == [
        ("s1", "/data/0"), ("s2", "/data/2"),
    ]  # fmt: skip
    assert exhibit.rows_rejected == 1


def table(path: Path, **columns: Any) -> Path:
    """A span table of two calls."""
    held = {"context.span_id": ["s1", "s2"], "context.trace_id": ["t", "t"],
            "span_kind": ["LLM", "LLM"], **columns}  # fmt: skip
    parquet.write_table(pa.table(held), path)
    return path


def instants(unit: str, *counts: int) -> pa.Array:
    return pa.array(counts, pa.timestamp(unit, "UTC"))


NANOSECONDS = 1_762_000_000_123_456_789


def test_nanoseconds_of_a_table_are_cut(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.meta_path", [_WithoutPandas(), *sys.meta_path])
    events = pa.array([[{"at": NANOSECONDS}], None],
                      pa.list_(pa.struct([("at", pa.timestamp("ns", "UTC"))])))  # fmt: skip
    begun = instants("ns", NANOSECONDS, NANOSECONDS + 1_000)
    path = table(tmp_path / "x.parquet", start_time=begun, events=events)
    load(case, SPANS, path)
    sql = (
        "SELECT epoch_us(occurred_at), attributes->>'$.events[0].at' FROM requests ORDER BY span_id"
    )
    first = NANOSECONDS // 1_000
    assert rows(case, sql) == [(first, "2025-11-01T12:26:40.123456Z"), (first + 1, None)]


def test_a_row_that_cannot_be_read_leaves_the_others(case: Path, tmp_path: Path) -> None:
    broken = pa.array([b"\xff", b"ok"], pa.binary()).view(pa.string())
    at = instants("us", NANOSECONDS // 1_000, NANOSECONDS // 1_000)
    late = instants("us", NANOSECONDS // 1_000, 2**62)
    for name, columns, kept in (
        ("text", {"start_time": at, "attributes.llm.model_name": broken}, "s2"),
        ("instant", {"start_time": late}, "s1"),
    ):
        path = table(tmp_path / f"{name}.parquet", **columns)
        (exhibit,) = load(case, SPANS, path)
        assert (exhibit.rows_kept, exhibit.rows_rejected) == (1, 1)
        sql = "SELECT span_id FROM requests WHERE exhibit_id = ?"
        assert rows(case, sql, [exhibit.id]) == [(kept,)]


def test_a_torn_first_line_leaves_the_others(tmp_path: Path, case: Path) -> None:
    path = tmp_path / "spans.jsonl"
    path.write_text(f'{{"name": \n{json.dumps(span(2))}\n')
    (exhibit,) = load(case, SPANS, path)
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (1, 1)
