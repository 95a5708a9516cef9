"""OTLP traces: the case holds what the SDK says of its spans, and tells what cannot be used."""

import gzip
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.importers.loading import load as load_into
from tests.importers.loading import refusal_of, rows, source_of
from tests.importers.otlp_export import (
    RESOURCE,
    START,
    Json,
    Tracer,
    attribute,
    chat,
    hexed,
    jsonl,
    request,
    span,
    walk,
    wire,
)

from casework.case import Batch, Note, Reject
from casework.importers._configuration import hash_params, hash_prompt
from casework.importers._genai_names import INDEXED_INPUT, INPUT, NAMES, OUTPUT
from casework.importers._importer import Options
from casework.importers._otlp import Fault, Found
from casework.importers._otlp_tree import one_by_one
from casework.importers.otlp_traces import otlp_traces
from casework.tables import requests

COLUMNS = (*requests.column_names, "locator")
SYSTEM = "You are a careful clerk."
INPUT_MESSAGES = [
    {"role": "system", "parts": [{"type": "text", "content": SYSTEM}]},
    {"role": "user", "parts": [{"type": "text", "content": "May I have\na refund?"}]},
]
OUTPUT_MESSAGES = [
    {
        "role": "assistant",
        "parts": [{"type": "text", "content": "Yes."}],
        "finish_reason": "stop",
    }
]
SAID_IN = f"system: {SYSTEM}\nuser: May I have\na refund?"
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "support-prod",
    "gen_ai.request.temperature": 0.2,
    "gen_ai.request.max_tokens": 512,
    "gen_ai.request.stop_sequences": ["END"],
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.usage.input_tokens": 97,
    "gen_ai.usage.output_tokens": 52,
    "gen_ai.conversation.id": "conv-1",
    "openai.response.system_fingerprint": "fp_1",
    "enduser.id": "u1",
    "gen_ai.prompt.name": "refunds",
    "gen_ai.input.messages": json.dumps(INPUT_MESSAGES),
    "gen_ai.output.messages": json.dumps(OUTPUT_MESSAGES),
}


class Outcome(NamedTuple):
    """What became of a source: rows with their attributes parsed, rejects and notes."""

    rows: list[Json]
    rejects: list[tuple[str, str, str]]
    notes: list[str]
    repeated: int = 0


class Reads(Protocol):
    """Reads requests, one a line, or bytes as they are."""

    def __call__(self, *sent: Any, data: bytes | None = None) -> Outcome: ...


@pytest.fixture
def read(tmp_path: Path) -> Reads:
    """Reads a source with the importer alone."""

    def do(*sent: Any, data: bytes | None = None) -> Outcome:
        file = tmp_path / "traces.jsonl"
        file.write_bytes(jsonl(*sent) if data is None else data)
        found = Outcome([], [], [])
        for item in otlp_traces.read(source_of(file), Options()):
            match item:
                case Batch():
                    assert item.table is requests
                    names = item.columns
                    found.rows.extend(
                        dict.fromkeys(COLUMNS) | dict(zip(names, row, strict=True))
                        for row in zip(*names.values(), strict=True)
                    )
                case Reject():
                    found.rejects.append((item.locator, item.code, item.raw))
                case Note():
                    found.notes.append(item.text)
        for row in found.rows:
            row["attributes"] = json.loads(row["attributes"])
        return found

    return do


@pytest.fixture
def load(tmp_path: Path) -> Reads:
    """Loads a source into a case, and asks the case."""

    def do(*sent: Any, data: bytes | None = None) -> Outcome:
        file, case = tmp_path / "traces.jsonl", tmp_path / "case.duckdb"
        file.write_bytes(jsonl(*sent) if data is None else data)
        case.unlink(missing_ok=True)
        (exhibit,) = load_into(case, otlp_traces, file)
        times = ("occurred_at", "ended_at")
        asked = [f"epoch_us({name})" if name in times else name for name in COLUMNS]
        kept = [
            dict(zip(COLUMNS, row, strict=True))
            for row in rows(case, f"SELECT {', '.join(asked)} FROM requests ORDER BY rowid")
        ]
        for row in kept:
            row["attributes"] = json.loads(row["attributes"])
        rejected = rows(case, "SELECT locator, code, raw FROM rejects ORDER BY rowid")
        return Outcome(
            kept, [(w, c, r) for w, c, r in rejected], list(exhibit.notes), exhibit.rows_duplicate
        )

    return do


def at(document: Any, pointer: str) -> Any:
    """What a JSON pointer points at."""
    for step in pointer.split("/")[1:]:
        document = document[int(step) if isinstance(document, list) else step]
    return document


# What the SDK says


def test_the_case_holds_what_the_sdk_says(load: Reads) -> None:
    tracer = Tracer()
    tracer.call(CALL)
    tracer.call({**CALL, "gen_ai.operation.name": "text_completion"}, error="overloaded")
    tracer.call({"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "e5"})
    kept = load(tracer.request()).rows
    assert len(kept) == len(tracer.spans) == 3
    for row, said in zip(kept, tracer.spans, strict=True):
        assert row["trace_id"] == f"{said.context.trace_id:032x}"
        assert row["span_id"] == row["request_id"] == f"{said.context.span_id:016x}"
        parent = said.parent and f"{said.parent.span_id:016x}"
        assert row["parent_span_id"] == parent
        assert row["occurred_at"] == said.start_time // 1000
        assert row["ended_at"] == said.end_time // 1000
        assert row["latency_ms"] == (said.end_time - said.start_time) / 1e6 == 1000.0
        for column in ("operation", "endpoint", "response_model", "input_tokens", "session_id"):
            assert row[column] == said.attributes.get(NAMES[column][0]), column
        assert row["service"] == said.resource.attributes["service.name"]
        assert row["attributes"]["service.version"] == "1.9.2"
        assert "telemetry.sdk.name" not in row["attributes"]
        assert row["attributes"]["span.name"] == said.name
    first = kept[0]
    assert (first["environment"], first["region"], first["replica"]) == (
        "production",
        "eu-west-1",
        "pod-17",
    )
    assert (first["user_id"], first["fingerprint"]) == ("u1", "fp_1")
    assert (first["prompt_name"], first["output_tokens"]) == ("refunds", 52)
    assert first["attributes"]["gen_ai.request.stop_sequences"] == ["END"]
    assert first["attributes"]["gen_ai.response.id"] == "chatcmpl-1"
    assert first["input_text"] == SAID_IN
    assert first["output_text"] == "Yes."
    assert [row["status"] for row in kept] == ["ok", "error", "ok"]
    assert kept[1]["attributes"]["status.message"] == "overloaded"


def test_hashes_are_those_of_the_configuration(read: Reads) -> None:
    """Whoever else hashes the same prompt and parameters gets the same; the order is nothing."""
    tracer = Tracer()
    tracer.call(CALL)
    tracer.call(
        {
            "gen_ai.request.stop_sequences": ["END"],
            "gen_ai.request.max_tokens": 512.0,
            "gen_ai.request.temperature": 0.2,
            "gen_ai.request.model": "another",
            "gen_ai.operation.name": "chat",
            "gen_ai.system_instructions": json.dumps([{"type": "text", "content": SYSTEM}]),
        }
    )
    tracer.call({**CALL, "gen_ai.request.temperature": 0.3, "prompt_hash": "own"})
    first, second, third = read(tracer.request()).rows
    assert first["prompt_hash"] == hash_prompt([SYSTEM]) == sha256(SYSTEM.encode()).hexdigest()
    params = {"temperature": 0.2, "max_tokens": 512, "stop_sequences": ["END"]}
    assert first["params_hash"] == hash_params(params)
    assert (second["prompt_hash"], second["params_hash"]) == (
        first["prompt_hash"],
        first["params_hash"],
    )
    assert third["params_hash"] not in (None, first["params_hash"])
    assert third["prompt_hash"] == "own"


# The same messages in every shape

INDEXED = {
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": SYSTEM,
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "May I have\na refund?",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "Yes.",
    "gen_ai.completion.0.finish_reason": "stop",
}
OPENINFERENCE = {
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": SYSTEM,
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "May I have\na refund?",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "Yes.",
    "input.value": "not so good",
}
OPENAI = [
    {"role": "system", "content": SYSTEM},
    {"role": "user", "content": [{"type": "text", "text": "May I have\na refund?"}]},
]
SHAPES: dict[str, tuple[Json, list[tuple[str, Json]]]] = {
    "structured": (
        {"gen_ai.input.messages": INPUT_MESSAGES, "gen_ai.output.messages": OUTPUT_MESSAGES},
        [],
    ),
    "instructions apart": (
        {
            "gen_ai.system_instructions": json.dumps([{"type": "text", "content": SYSTEM}]),
            "gen_ai.input.messages": json.dumps(INPUT_MESSAGES[1:]),
            "gen_ai.output.messages": json.dumps(OUTPUT_MESSAGES),
        },
        [],
    ),
    "prompt and completion": (
        {
            "gen_ai.prompt": json.dumps(INPUT_MESSAGES),
            "gen_ai.completion": json.dumps({"text": "Yes.", "finish_reason": "stop"}),
        },
        [],
    ),
    "as for openai": (
        {
            "gen_ai.input.messages": json.dumps(OPENAI),
            "gen_ai.output.messages": json.dumps([{"role": "assistant", "content": "Yes."}]),
        },
        [],
    ),
    "wrapped": (
        {
            "input.value": json.dumps({"messages": OPENAI, "model": "gpt-x"}),
            "output.value": json.dumps({"message": {"role": "assistant", "content": "Yes."}}),
        },
        [],
    ),
    "indexed": (INDEXED, []),
    "openinference": (OPENINFERENCE, []),
    "details event": (
        {},
        [
            (
                "gen_ai.client.inference.operation.details",
                {
                    "gen_ai.input.messages": json.dumps(INPUT_MESSAGES),
                    "gen_ai.output.messages": json.dumps(OUTPUT_MESSAGES),
                },
            )
        ],
    ),
    "message events": (
        {},
        [
            ("gen_ai.system.message", {"content": SYSTEM}),
            ("gen_ai.user.message", {"content": "May I have\na refund?", "role": "user"}),
            ("gen_ai.choice", {"index": 0, "message": json.dumps({"content": "Yes."})}),
        ],
    ),
    "message events with a body": (
        {},
        [
            ("gen_ai.system.message", {"gen_ai.event.content": json.dumps({"content": SYSTEM})}),
            (
                "gen_ai.user.message",
                {"gen_ai.event.content": json.dumps({"content": "May I have\na refund?"})},
            ),
            (
                "gen_ai.choice",
                {"gen_ai.event.content": json.dumps({"message": {"content": "Yes."}, "index": 0})},
            ),
        ],
    ),
    "content events": (
        {},
        [
            ("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps(OPENAI)}),
            ("gen_ai.content.completion", {"gen_ai.completion": "Yes."}),
        ],
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_messages_read_the_same_in_every_shape(shape: str, read: Reads) -> None:
    attributes, events = SHAPES[shape]
    tracer = Tracer()
    tracer.call({"gen_ai.operation.name": "chat", **attributes}, events)
    (row,) = read(tracer.request()).rows
    assert row["input_text"] == SAID_IN
    assert row["output_text"] == "Yes."
    assert row["prompt_hash"] == hash_prompt([SYSTEM])
    assert not notes_about(row)


def notes_about(row: Json) -> list[str]:
    return [name for name in row["attributes"] if "message" in name or "prompt" in name]


@pytest.mark.parametrize(
    ("attributes", "events"),
    [
        (
            {
                "gen_ai.prompt.0.role": "user",
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.finish_reason": "stop",
            },
            [],
        ),
        (
            {
                "gen_ai.input.messages": '[{"role": "user"}]',
                "gen_ai.output.messages": '[{"role": "assistant", "finish_reason": "stop"}]',
            },
            [],
        ),
        (
            {},
            [
                ("gen_ai.user.message", {"gen_ai.system": "openai"}),
                ("gen_ai.choice", {"index": 0, "finish_reason": "stop"}),
            ],
        ),
        (
            {},
            [("gen_ai.choice", {"gen_ai.event.content": '{"finish_reason": "stop", "index": 0}'})],
        ),
    ],
)
def test_what_was_said_and_not_recorded_is_nothing(
    attributes: Json, events: list[tuple[str, Json]], read: Reads
) -> None:
    """As where instrumentations are told to keep the content back: not an empty text."""
    tracer = Tracer()
    tracer.call({"gen_ai.operation.name": "chat", **attributes}, events)
    (row,) = read(tracer.request()).rows
    assert (row["input_text"], row["output_text"]) == (None, None)


def test_an_empty_answer_is_an_empty_text(read: Reads) -> None:
    said = {"gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": ""}
    (row,) = read(
        request(span(attributes=[attribute(*pair) for pair in said.items()] + chat()))
    ).rows
    assert row["output_text"] == ""


@pytest.mark.parametrize("system", ["Be brief.", [{"type": "text", "text": "Be brief."}]])
def test_a_system_prompt_beside_the_messages_is_one(system: Any, read: Reads) -> None:
    body = json.dumps({"system": system, "messages": [{"role": "user", "content": "hi"}]})
    (row,) = read(request(span(attributes=[*chat(), attribute("input.value", body)]))).rows
    assert row["input_text"] == "system: Be brief.\nuser: hi"
    assert row["prompt_hash"] == hash_prompt(["Be brief."])


def test_tool_calls_are_compact_json(read: Reads) -> None:
    call = {"type": "tool_call", "id": "7", "name": "weather", "arguments": {"city": "Łódź"}}
    answer = {"type": "tool_call_response", "id": "7", "response": "rain, 7 °C"}
    said = [
        {"role": "assistant", "parts": [{"type": "text", "content": "Let me look."}, call]},
        {"role": "tool", "parts": [answer]},
    ]
    older = [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "7", "type": "function", "function": {"name": "weather"}}],
        }
    ]
    indexed = {
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.tool_calls.0.id": "7",
        "gen_ai.completion.0.tool_calls.1.name": "time",
        "gen_ai.completion.0.tool_calls.0.name": "weather",
    }
    first, second = read(
        request(
            span(1, attributes=chat(gen_ai__input__messages=json.dumps(said))),
            span(
                2,
                attributes=[
                    *chat(gen_ai__input__messages=json.dumps(older)),
                    *(attribute(name, value) for name, value in indexed.items()),
                ],
            ),
        )
    ).rows
    compact = json.dumps(call, separators=(",", ":"), ensure_ascii=False)
    assert first["input_text"].splitlines()[:2] == ["assistant: Let me look.", compact]
    assert first["input_text"].splitlines()[2].startswith('tool: {"type":"tool_call_response"')
    expected = 'assistant: {"id":"7","type":"function","function":{"name":"weather"}}'
    assert second["input_text"] == expected
    assert second["output_text"] == '{"id":"7","name":"weather"}\n{"name":"time"}'


def test_messages_that_were_cut_off_stand_as_they_are(read: Reads) -> None:
    cut = json.dumps(INPUT_MESSAGES)[:50]
    found = read(request(span(attributes=chat(gen_ai__input__messages=cut))))
    (row,) = found.rows
    assert row["input_text"] == cut
    assert row["prompt_hash"] is None
    assert "1 span with messages that are no whole JSON, kept as they stand" in found.notes


# Names


@pytest.mark.parametrize(
    ("column", "name"), [(column, name) for column, known in NAMES.items() for name in known]
)
def test_every_name_fills_its_column(column: str, name: str, read: Reads) -> None:
    value = 7 if column.endswith("_tokens") else "chat" if column == "operation" else "x"
    base = {"gen_ai.system": "openai", "decision": "yes"}
    (row,) = read(
        request(
            span(attributes=[attribute(*pair) for pair in (base | {name: value}).items()]),
            resource={},
        )
    ).rows
    assert row[column] == value
    assert name not in row["attributes"]


@pytest.mark.parametrize("column", sorted(NAMES))
def test_the_better_name_counts_and_the_other_stays(column: str, read: Reads) -> None:
    known = NAMES[column]
    values = {
        name: n + 1 if column.endswith("_tokens") else f"v{n}" for n, name in enumerate(known)
    }
    shuffled = list(values.items())
    random.Random(column).shuffle(shuffled)
    attributes = dict(shuffled) | {"decision": values.get("decision", "yes")}
    (row,) = read(request(span(attributes=[attribute(*pair) for pair in attributes.items()]))).rows
    assert row[column] == values[known[0]]
    for name in known[1:]:
        assert row["attributes"][name] == values[name]


def test_the_span_outranks_its_resource(read: Reads) -> None:
    resource = {**RESOURCE, "lane": "stable", "tier": "gold", "gen_ai.request.model": "no"}
    said = chat(region="us-east-1", lane="canary", **{"service__name": "batch"})
    first, second = read(request(span(1, attributes=said), span(2), resource=resource)).rows
    assert (first["region"], first["lane"], first["service"]) == ("us-east-1", "canary", "batch")
    assert (second["region"], second["lane"], second["service"]) == (
        "eu-west-1",
        "stable",
        "checkout",
    )
    assert {row["tier"] for row in (first, second)} == {"gold"}
    assert {row["endpoint"] for row in (first, second)} == {"gpt-x"}
    outranked = {"cloud.region": "eu-west-1", "lane": "stable", "service.name": "checkout"}
    assert outranked.items() <= first["attributes"].items()
    assert not outranked.keys() & second["attributes"].keys()


def test_the_account_names_the_fields_of_every_resource(tmp_path: Path) -> None:
    sent = [request(span(1)), request(span(2), resource={"host.name": "h", "own": 1})]
    file = tmp_path / "traces.jsonl"
    file.write_bytes(jsonl(*sent))
    (exhibit,) = load_into(tmp_path / "case.duckdb", otlp_traces, file)
    found = {name: exhibit.fields.get(name) for name in ("service.name", "cloud.region", "own")}
    assert found == {"service.name": ["requests.service"], "cloud.region": ["requests.region"],
                     "own": ["requests.attributes"]}  # fmt: skip
    assert exhibit.fields["host.name"] == ["requests.replica"]


def test_values_that_do_not_fit_a_column_stay_attributes(
    read: Reads,
) -> None:
    said = chat(gen_ai__usage__input_tokens="many", gen_ai__usage__output_tokens=2**62)
    numbers = chat(gen_ai__usage__input_tokens="12", gen_ai__usage__output_tokens=3.0, user__id=7)
    empty = chat(gen_ai__conversation__id="", session__id="s", enduser__id=True)
    none = chat(gen_ai__usage__input_tokens=True, gen_ai__usage__output_tokens=-1)
    others = chat(gen_ai__usage__input_tokens="n/a", gen_ai__usage__prompt_tokens=12,
                  input_tokens=5, error__type="")  # fmt: skip
    each = (said, numbers, empty, none, others)
    sent = [span(n, attributes=attributes) for n, attributes in enumerate(each, 1)]
    first, second, third, fourth, fifth = read(request(*sent)).rows
    assert fifth["input_tokens"] == 12
    assert fifth["attributes"].items() >= {"gen_ai.usage.input_tokens": "n/a",
                                           "input_tokens": 5}.items()  # fmt: skip
    assert fifth["status"] == "ok"
    assert (fourth["input_tokens"], fourth["output_tokens"]) == (None, None)
    assert fourth["attributes"]["gen_ai.usage.input_tokens"] is True
    assert fourth["attributes"]["gen_ai.usage.output_tokens"] == -1
    assert first["input_tokens"] is None
    assert first["attributes"]["gen_ai.usage.input_tokens"] == "many"
    assert first["output_tokens"] == 2**62
    assert (second["input_tokens"], second["output_tokens"]) == (12, 3)
    assert second["user_id"] == "7"
    assert (third["session_id"], third["user_id"]) == ("s", "true")


def test_the_manual_names_every_attribute() -> None:
    manual = otlp_traces.doc
    for column, known in NAMES.items():
        line = next(line for line in manual.splitlines() if f"`{column}`" in line)
        for name in known[:-1] if known[-1] == column else known:
            assert f"`{name}`" in line, (column, name)
    for name in (*INPUT, *OUTPUT):
        assert f"`{name}`" in manual
    assert all(f"`{prefix}<n>.*`" in manual for prefix in INDEXED_INPUT)
    for heading in ("## Reads", "## Fills", "## Leaves out", "## Known limits"):
        assert heading in manual


# Which spans are model calls


@pytest.mark.parametrize(
    ("attributes", "is_call"),
    [
        ({"gen_ai.operation.name": "chat"}, True),
        ({"gen_ai.operation.name": "generate_content"}, True),
        ({"gen_ai.operation.name": "responses", "gen_ai.request.model": "m"}, True),
        ({"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "m"}, False),
        ({"gen_ai.operation.name": "execute_tool", "gen_ai.system": "openai"}, False),
        ({"gen_ai.operation.name": "execute_tool", "decision": "refund"}, True),
        ({"gen_ai.request.model": "m"}, True),
        ({"gen_ai.system": "openai"}, True),
        ({"openinference.span.kind": "LLM", "llm.model_name": "m"}, True),
        ({"openinference.span.kind": "CHAIN", "llm.model_name": "m"}, False),
        ({"decision": "approve"}, True),
        ({"http.request.method": "GET", "endpoint": "/v1"}, False),
        ({}, False),
    ],
)
def test_model_calls_are_told_from_other_spans(
    attributes: Json, is_call: bool, read: Reads
) -> None:
    said = [attribute(name, value) for name, value in attributes.items()]
    assert bool(read(request(span(attributes=said))).rows) == is_call


@pytest.mark.parametrize(
    ("attributes", "operation"),
    [
        ({"gen_ai.operation.name": "embeddings", "openinference.span.kind": "LLM"}, "embeddings"),
        ({"openinference.span.kind": "EMBEDDING", "embedding.model_name": "e"}, "EMBEDDING"),
        ({"gen_ai.request.model": "m"}, None),
    ],
)
def test_the_kind_of_the_span_is_the_operation_where_none_is_named(
    attributes: Json, operation: str | None, read: Reads
) -> None:
    (row,) = read(request(span(attributes=[attribute(*pair) for pair in attributes.items()]))).rows
    assert row["operation"] == operation


def test_what_is_left_out_is_told(read: Reads) -> None:
    def spans(operation: str, count: int) -> list[Json]:
        said = [attribute("gen_ai.operation.name", operation)]
        return [span(n + 10, attributes=said) for n in range(count)]

    sent = request(
        *spans("execute_tool", 8), *spans("invoke_agent", 3), span(attributes=[]), span()
    )
    records = [{"timeUnixNano": str(START), "body": {"stringValue": "started"}}] * 2
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}], "resourceMetrics": [{}]}
    found = read(sent, logs)
    assert len(found.rows) == 1
    assert found.notes == [
        "left out: 1 resourceMetrics without spans",
        "left out: 12 spans that are not model calls (execute_tool 8, invoke_agent 3, other 1)",
        "2 log records telling nothing of model calls, left out",
    ]
    assert not found.rejects


# Ways to write it


def pretty(*sent: Any) -> bytes:
    return b"\n".join(json.dumps(one, indent=2).encode() for one in sent)


WRITINGS: dict[str, Callable[[list[Json]], bytes]] = {
    "lines": lambda sent: jsonl(*sent),
    "windows lines": lambda sent: jsonl(*sent).replace(b"\n", b"\r\n"),
    "blank lines": lambda sent: b"\n" + jsonl(*sent).replace(b"\n", b"\n \n\n"),
    "no last newline": lambda sent: jsonl(*sent).rstrip(),
    "byte order mark": lambda sent: b"\xef\xbb\xbf" + jsonl(*sent),
    "indented lines": lambda sent: b"  " + jsonl(*sent).replace(b"\n{", b"\n  {"),
    "pretty": lambda sent: pretty(*sent),
    "array": lambda sent: json.dumps(sent).encode(),
    "pretty array": lambda sent: pretty(sent),
    "array of lines": lambda sent: b"[\n" + jsonl(*sent).rstrip().replace(b"\n", b",\n") + b"\n]",
    "gzip": lambda sent: gzip.compress(jsonl(*sent)),
    "zstd": lambda sent: zstandard.compress(jsonl(*sent)),
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_every_way_to_write_it_gives_the_same_rows(
    writing: str, read: Reads, tmp_path: Path
) -> None:
    sent = [request(span(1), span(2)), request(span(3)), request(span(4, name='four {\n"}'))]
    expected = [row | {"locator": ""} for row in read(*sent).rows]
    data = WRITINGS[writing](sent)
    found = read(data=data)
    assert otlp_traces.recognises(source_of(tmp_path / "traces.jsonl"))
    assert [row | {"locator": ""} for row in found.rows] == expected
    assert not found.rejects
    text = data
    if writing in ("gzip", "zstd"):
        text = gzip.decompress(data) if writing == "gzip" else zstandard.decompress(data)
    for row in found.rows:
        assert resolve(text, row["locator"])["spanId"] == row["span_id"]


def resolve(data: bytes, locator: str) -> Any:
    """Follow a locator: the JSON document that begins on the line, and the pointer in it."""
    parsed = re.fullmatch(r"line (\d+)(/.*)?", locator)
    assert parsed
    text = "\n".join(data.decode("utf-8-sig").split("\n")[int(parsed[1]) - 1 :])
    document, _ = json.JSONDecoder().raw_decode(text.lstrip())
    return at(document, parsed[2] or "")


def snake(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            re.sub("[A-Z]", lambda m: f"_{m[0].lower()}", k): snake(v) for k, v in value.items()
        }
    return [snake(item) for item in value] if isinstance(value, list) else value


def test_both_spellings_and_encodings_give_the_same_rows(read: Reads) -> None:
    tracer = Tracer()
    tracer.call(CALL)
    tracer.call({**CALL, "gen_ai.input.messages": INPUT_MESSAGES}, error="overloaded")
    plain = tracer.protobuf_json()

    def number(key: str, value: Any) -> Any:
        return int(value) if key.endswith("Nano") or key == "intValue" else value

    expected = [row | {"locator": ""} for row in read(hexed(plain)).rows]
    others = [
        plain,
        tracer.protobuf_json(use_integers_for_enums=True),
        tracer.protobuf_json(preserving_proto_field_name=True),
        tracer.protobuf_json(always_print_fields_with_no_presence=True),
        walk(hexed(plain), number),
        snake(walk(hexed(plain), number)),
        walk(hexed(plain), lambda key, value: value.upper() if key.endswith("Id") else value),
        walk(plain, lambda key, value: value.rstrip("=") if key.endswith("Id") else value),
    ]
    for other in others:
        found = read(other)
        assert [row | {"locator": ""} for row in found.rows] == expected
        assert not found.rejects


def test_locators_of_snake_case_point_into_the_source(read: Reads) -> None:
    sent = snake(request(span(1), span(2)))
    kept = read({"resource_logs": []}, sent).rows
    data = jsonl({"resource_logs": []}, sent)
    assert [row["locator"] for row in kept] == [
        f"line 2/resource_spans/0/scope_spans/0/spans/{n}" for n in (0, 1)
    ]
    assert [resolve(data, row["locator"])["span_id"] for row in kept] == [
        f"{n:016x}" for n in (1, 2)
    ]


def test_nulls_and_unknown_fields_are_passed_over(read: Reads) -> None:
    odd = span(
        parentSpanId=None,
        attributes=[*chat(), {"key": "a", "value": {}}, {"key": "b", "value": None}],
        novelty={"x": 1},
        status=None,
    )
    sent = request(odd, {**span(2), "events": None, "parentSpanId": None, "status": None})
    sent["resourceSpans"][0]["entityRefs"] = [1]
    sent["resourceSpans"].append({"resource": None, "scopeSpans": None})
    found = read(sent, {"resourceSpans": []}, {"resourceSpans": None})
    assert (len(found.rows), found.rejects) == (2, [])


# Ids


def test_a_span_id_of_another_trace_does_not_name_the_same_request(
    load: Reads, tmp_path: Path
) -> None:
    shared = "00f067aa0ba902b7"
    traces = ["a" * 32, "b" * 32, "a" * 32]
    sent = [span(1, traceId=trace, spanId=shared) for trace in traces]
    kept, _, told, _ = load(request(*sent))
    assert [row["request_id"] for row in kept] == [shared, f"{'b' * 32}-{shared}"]
    assert rows(tmp_path / "case.duckdb", "SELECT locator, same_as_locator FROM duplicates") == [
        (
            "line 1/resourceSpans/0/scopeSpans/0/spans/2",
            "line 1/resourceSpans/0/scopeSpans/0/spans/0",
        )
    ]
    assert any("1 span whose span id another trace has too" in note for note in told)


def test_a_retry_keeps_its_own_request_id(load: Reads) -> None:
    kept = load(request(*(span(n, attributes=chat(request_id="req-1")) for n in (1, 2)))).rows
    assert [row["request_id"] for row in kept] == ["req-1", "req-1"]


# What cannot be used

BAD_SPANS: dict[str, tuple[Json, str]] = {
    "no span id": ({"spanId": None}, "SPAN_ID"),
    "empty span id": ({"spanId": ""}, "SPAN_ID"),
    "zero span id": ({"spanId": "0" * 16}, "SPAN_ID"),
    "short span id": ({"spanId": "abc"}, "SPAN_ID"),
    "blanks in a span id": ({"spanId": "ab cd ef 01 23 4"}, "SPAN_ID"),
    "no trace id": ({"traceId": None}, "SPAN_ID"),
    "no start": ({"startTimeUnixNano": None}, "SPAN_TIME"),
    "start of zero": ({"startTimeUnixNano": "0"}, "SPAN_TIME"),
    "start in milliseconds": ({"startTimeUnixNano": START // 10**6}, "SPAN_TIME"),
    "value of an attribute that is none": (
        {"attributes": [{"key": "x"}, *chat(), {"key": "safe", "value": False}]},
        "SPAN_TYPE",
    ),
    "start that is no number": ({"startTimeUnixNano": "2026-01-01"}, "SPAN_TIME"),
    "start before 1970": ({"startTimeUnixNano": "-5"}, "SPAN_TIME"),
    "start beyond 64 bits": ({"startTimeUnixNano": 2**64}, "SPAN_TIME"),
    "start of a wrong type": ({"startTimeUnixNano": [1]}, "SPAN_TYPE"),
    "attributes of a wrong type": ({"attributes": {"a": 1}}, "SPAN_TYPE"),
    "name of a wrong type": ({"name": 5}, "SPAN_TYPE"),
    "an integer that is none": (
        {"attributes": [*chat(), {"key": "n", "value": {"intValue": "x"}}]},
        "SPAN_TYPE",
    ),
    "a double that is none": (
        {"attributes": [*chat(), {"key": "n", "value": {"doubleValue": "x"}}]},
        "SPAN_TYPE",
    ),
    "a value of no kind": (
        {"attributes": [*chat(), {"key": "n", "value": {"fooValue": 1}}]},
        "SPAN_TYPE",
    ),
}


@pytest.mark.parametrize("fault", BAD_SPANS)
def test_a_bad_span_is_a_reject_and_the_others_stay(fault: str, read: Reads) -> None:
    changes, code = BAD_SPANS[fault]
    bad = span(2, **changes)
    kept, rejected, *_ = read(request(span(1), bad, span(3)), request(span(4)))
    assert [row["span_id"] for row in kept] == [f"{n:016x}" for n in (1, 3, 4)]
    ((locator, found, raw),) = rejected
    assert (locator, found) == ("line 1/resourceSpans/0/scopeSpans/0/spans/1", code)
    assert json.loads(raw) == bad


def test_a_span_without_an_end_or_with_one_too_early_is_kept(read: Reads) -> None:
    early = str(START)
    found = read(request(span(1, endTimeUnixNano=None), span(2, endTimeUnixNano=early)))
    first, second = found.rows
    assert (first["ended_at"], first["latency_ms"]) == (None, None)
    assert (second["ended_at"], second["latency_ms"]) == (START // 1000, None)
    assert "1 span ending before the beginning, without latency" in found.notes


@pytest.mark.parametrize("end", ["5", START // 10**6, "later", "-5"])
def test_a_span_whose_end_is_none_is_kept_and_told(end: Any, read: Reads) -> None:
    found = read(request(span(1), span(2, endTimeUnixNano=end)))
    assert not found.rejects
    ((whole, latency), (broken, none)) = [(r["ended_at"], r["latency_ms"]) for r in found.rows]
    assert None not in (whole, latency)
    assert (broken, none) == (None, None)
    assert found.rows[1]["attributes"]["endTimeUnixNano"] == str(end)
    assert any(note.startswith("1 span whose end is no instant") for note in found.notes)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"resourceSpans":[{"resource":{"attri', "JSON"),
        (b"not JSON at all", "JSON"),
        (b'{"a":1}', "OTLP_SHAPE"),
        (b"17", "OTLP_SHAPE"),
        (b'{"resourceSpans":[NaN]}', "JSON_CONSTANT"),
        (b'{"resourceSpans":[{"x":"\\ud83d"}]}', "JSON_SURROGATE"),
        (b'{"resourceSpans":[{"x":"\xff"}]}', "JSON_ENCODING"),
        (b'{"resourceSpans":' + b"[" * 5000 + b"]" * 5000 + b"}", "JSON_DEPTH"),
        (b'{"resourceSpans":[1e999]}', "JSON"),
        (b'{"resourceSpans":"' + b"x" * (16 << 20) + b'"}', "JSON_TOO_LONG"),
    ],
    ids=lambda value: value.decode("latin-1")[:24] if isinstance(value, bytes) else value,
)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_bad_line_is_a_reject_and_the_others_stay(
    line: bytes, code: str, place: str, read: Reads
) -> None:
    good = jsonl(request(span(1)), request(span(2))).splitlines()
    at_line = {"first": 0, "middle": 1, "last": 2}[place]
    kept, rejected, *_ = read(data=b"\n".join([*good[:at_line], line, *good[at_line:]]))
    assert [row["span_id"] for row in kept] == [f"{n:016x}" for n in (1, 2)]
    ((locator, found, raw),) = rejected
    assert (locator, found) == (f"line {at_line + 1}", code)
    assert line.startswith(raw.encode()[:20].replace(rb"\xff", b"\xff"))


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"resourceSpans": {"a": 1}}, "/resourceSpans"),
        ({"resourceSpans": [5]}, "/resourceSpans/0"),
        ({"resourceSpans": [{"scopeSpans": "x"}]}, "/resourceSpans/0/scopeSpans"),
        (
            {"resourceSpans": [{"scopeSpans": [{"spans": [1]}]}]},
            "/resourceSpans/0/scopeSpans/0/spans/0",
        ),
        ({"resourceSpans": [{"scopeSpanz": []}]}, "/resourceSpans/0"),
        ({"resourceSpans": [{"scopeSpans": [{"spanz": [1]}]}]}, "/resourceSpans/0/scopeSpans/0"),
    ],
)
def test_a_request_of_another_shape_is_a_reject_where_it_departs(
    changed: Json, pointer: str, read: Reads
) -> None:
    found = read(changed, request(span()))
    assert len(found.rows) == 1
    ((locator, code, _),) = found.rejects
    assert (locator, code) == (f"line 1{pointer}", "OTLP_SHAPE")


def test_the_error_of_an_attribute_names_its_place() -> None:
    bad = [{"key": "x"}, *chat(), {"key": "safe", "value": False}]
    (found,) = one_by_one(json.dumps(request(span(attributes=bad))).encode())
    assert isinstance(found.content, Fault)
    assert "$.attributes[3].value" in found.content.reason


def test_names_of_lists_before_0_16_are_read(read: Reads) -> None:
    sent = request(span())
    scopes = sent["resourceSpans"][0].pop("scopeSpans")
    sent["resourceSpans"][0]["instrumentationLibrarySpans"] = scopes
    ((_, at),) = [(row, row["locator"]) for row in read(sent).rows]
    assert at == "line 1/resourceSpans/0/instrumentationLibrarySpans/0/spans/0"


def test_a_file_that_begins_with_metrics_is_recognised_by_its_spans(tmp_path: Path) -> None:
    groups = [{"scopeMetrics": [], "x": "y" * 1_000}]
    file = tmp_path / "all.jsonl"
    for name, of_all in (("resourceMetrics", request(span())),
                         ("resource_metrics", snake(request(span())))):  # fmt: skip
        for many in (1, 100):
            metrics = [{name: groups}] * many
            for write in (lambda *sent: jsonl(*sent), lambda *sent: json.dumps(sent).encode()):
                file.write_bytes(write(*metrics, of_all))
                assert otlp_traces.recognises(source_of(file))
                file.write_bytes(write(*metrics))
                assert not otlp_traces.recognises(source_of(file))


def test_a_broken_resource_rejects_its_spans(read: Reads) -> None:
    sent = request(span(1), span(2))
    sent["resourceSpans"][0]["resource"] = {"attributes": 5}
    found = read(sent, request(span(3)))
    assert len(found.rows) == 1
    assert [code for _, code, _ in found.rejects] == ["SPAN_TYPE", "SPAN_TYPE"]


def test_a_bad_element_of_an_array_leaves_the_others(read: Reads) -> None:
    sent = [request(span(1)), {"resourceSpans": [{"x": "?"}]}, {"a": 1}, request(span(2))]
    data = json.dumps(sent).encode().replace(b'"?"', b"1" * 5000)
    found = read(data=data)
    assert len(found.rows) == 2
    assert [(locator, code) for locator, code, _ in found.rejects] == [
        ("line 1/1", "JSON"),
        ("line 1/2", "OTLP_SHAPE"),
    ]


def test_what_nests_as_deep_as_python_goes_is_a_fault() -> None:
    """Wherever in reading it, and in saying why it is none, the depth of Python ends."""

    def from_one_deeper(data: bytes) -> list[Found]:
        return list(one_by_one(data))

    for depth in range(400, 500):
        deep = b"[" * depth + b"1" + b"]" * depth
        one = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":5,"x":%s}]}]}]}' % deep
        for found in (*one_by_one(one), *from_one_deeper(one)):
            assert isinstance(found.content, Fault)


def test_an_array_after_blanks_is_its_requests(read: Reads) -> None:
    found = read(data=b"  \n " + json.dumps([request(span(1)), request(span(2))]).encode())
    assert (len(found.rows), found.rejects) == (2, [])


def test_nesting_beyond_64_levels_is_a_reject(load: Reads) -> None:
    deep: Any = "x"
    for _ in range(64):
        deep = [deep]
    deeper = [deep]
    kept, rejected, *_ = load(
        request(
            span(1, attributes=[*chat(), attribute("deep", deep)]),
            span(2, attributes=[*chat(), attribute("deep", deeper)]),
        )
    )
    assert kept[0]["attributes"]["deep"] == deep
    assert [code for _, code, _ in rejected] == ["JSON_DEPTH"]


def test_broken_compression_is_an_error_of_the_file(tmp_path: Path) -> None:
    case = tmp_path / "case.duckdb"
    file = tmp_path / "traces.jsonl.gz"
    file.write_bytes(gzip.compress(jsonl(*(request(span(n)) for n in range(1, 200))))[:-20])
    assert refusal_of(lambda: load_into(case, otlp_traces, file)) == "COMPRESSION"
    assert rows(case, "SELECT count(*) FROM requests") == [(0,)]


# Long and hostile content


def test_long_attributes_are_cut_and_told(load: Reads) -> None:
    tools = json.dumps([{"name": "f", "description": "é" * 9_000}])
    nested = {"list": ["x" * 9_000]}
    said = chat(gen_ai__tool__definitions=tools, nested=nested, short="kept")
    found = load(request(span(1, attributes=said), span(2, attributes=chat(text="y" * 4_000))))
    first, second = found.rows
    cut = first["attributes"]["gen_ai.tool.definitions"]
    assert cut.startswith(tools[:4_000] + "…")
    assert sha256(tools.encode()).hexdigest() in cut
    assert f"{len(tools)} characters" in cut
    assert first["attributes"]["nested"].startswith('{"list":["xxx')
    assert first["attributes"]["short"] == "kept"
    assert second["attributes"]["text"] == "y" * 4_000
    assert "1 span with attributes cut after 4,000 characters" in found.notes


def test_long_messages_are_whole(load: Reads) -> None:
    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "long " * 40_000}]}])
    (row,) = load(request(span(attributes=chat(gen_ai__input__messages=said)))).rows
    assert row["input_text"] == "user: " + "long " * 40_000


HOSTILE = [
    "'; DROP TABLE requests; --",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }} ${jndi:ldap://x} %s %n",
    "\x00\x01\x1b[31mred\x7f",
    "\u202egnp.exe \u200b\ufeff \U000e0041",
    "=HYPERLINK(1)",
    "../../etc/passwd",
    "\U0001f600 e\u0301 \uffff",
    '"}],"role":"system"',
]


def hostile(number: int, text: str) -> Json:
    """A request with the text wherever text can stand."""
    said = [{"role": text, "parts": [{"type": "text", "content": text}]}]
    attributes = {
        **{"gen_ai.operation.name": "chat", "gen_ai.request.model": text, "decision": text},
        **{"gen_ai.input.messages": json.dumps(said), text: text, "nested": {text: [text]}},
    }
    sent = span(number, name=text, attributes=[attribute(*pair) for pair in attributes.items()])
    return request(sent, resource={"service.name": text, "x": text})


def test_hostile_text_stays_data(load: Reads) -> None:
    found = load(*(hostile(n + 1, text) for n, text in enumerate(HOSTILE)))
    for row, text in zip(found.rows, HOSTILE, strict=True):
        assert (row["endpoint"], row["decision"], row["service"]) == (text, text, text)
        assert row["input_text"] == f"{text}: {text}"
        nested = {text: [text]}
        assert row["attributes"] == {"x": text, text: text, "nested": nested, "span.name": text}


def test_a_span_of_many_attributes_takes_time_by_their_number_alone(read: Reads) -> None:
    """Ten times as many took a hundred times as long: those that are no text were searched for."""
    many = [attribute(f"k{n}", True) for n in range(40_000)]
    begun = time.process_time()
    (row,) = read(request(span(attributes=[*chat(), *many]))).rows
    assert time.process_time() - begun < 5
    assert row["attributes"]["k39999"] is True


def test_numbers_keep_their_value(load: Reads) -> None:
    said = chat(small=-(2**53), large=2**53 + 1, real=1e-7)
    constants = [{"key": "nan", "value": {"doubleValue": "NaN"}}]
    constants += [{"key": "half", "value": {"doubleValue": "0.5"}}]
    constants += [{"key": "bytes", "value": {"bytesValue": "AAE="}}]
    (row,) = load(request(span(attributes=[*said, *constants]))).rows
    expected = {"small": -(2**53), "large": str(2**53 + 1), "real": 1e-7}
    expected |= {"nan": "NaN", "half": 0.5, "bytes": "AAE="}
    assert {name: row["attributes"][name] for name in expected} == expected


def test_other_events_stay_attributes(read: Reads) -> None:
    tracer = Tracer()
    flag = {"feature_flag.key": "prompt", "feature_flag.result.variant": "b"}
    tracer.call(CALL, [("feature_flag.evaluation", flag)])
    (row,) = read(tracer.request()).rows
    assert row["attributes"]["span.events"] == [{"name": "feature_flag.evaluation", **flag}]


# Recognition


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (jsonl({"resourceSpans": []}), True),
        (jsonl({"resource_spans": []}), True),
        (jsonl({"resourceLogs": []}, {"resourceSpans": []}), True),
        (b'[{"resourceSpans":[', True),
        (b'{\n  "resourceSpans": [\n    {"resource"', True),
        (jsonl({"resourceLogs": []}), True),
        (jsonl({"resourceMetrics": []}), False),
        (jsonl({"resourceSpans": "no"}), False),
        (jsonl({"note": 'it says "resourceSpans": [] here'}), False),
        (jsonl({"nested": {"resourceSpans": []}}), False),
        (b"resourceSpans,id\n1,2\n", False),
        (b"", False),
        (b"\x00\xff\xfe", False),
    ],
)
def test_it_is_recognised_by_its_content(data: bytes, expected: bool, tmp_path: Path) -> None:
    file = tmp_path / "anything"
    file.write_bytes(data)
    assert otlp_traces.recognises(source_of(file)) is expected


def test_a_first_line_longer_than_the_head_is_recognised(tmp_path: Path) -> None:
    file = tmp_path / "traces.json"
    file.write_bytes(jsonl(request(*(span(n) for n in range(1, 400)))))
    assert file.stat().st_size > 100_000
    assert otlp_traces.recognises(source_of(file))


def test_a_folder_is_not_recognised(tmp_path: Path) -> None:
    assert not otlp_traces.recognises(source_of(tmp_path))


# What others really emit


def test_conformance_spans_fill_the_columns(shared: Path, read: Reads) -> None:
    """Spans with the attributes that each instrumentation was seen to emit."""
    folder = shared / "data/traces/open-telemetry__semantic-conventions-conformance"
    files = sorted(folder.rglob("data.json"))
    assert files
    for file in files:
        kinds = json.loads(file.read_text())["spans"]
        sent = [span(n + 1, attributes=emitted(*kind)) for n, kind in enumerate(kinds.items())]
        kept, rejected, *_ = read(request(*sent))
        called = [names for kind, names in kinds.items() if re.search("inference|embeddings", kind)]
        assert len(kept) == len(called), file
        for row, names in zip(kept, called, strict=True):
            filled = {
                column for column, known in NAMES.items() if any(name in names for name in known)
            }
            assert all(row[column] is not None for column in filled)
            assert (row["input_text"] is not None) == ("gen_ai.input.messages" in names)
            assert (row["params_hash"] is not None) == any(
                name.startswith("gen_ai.request.") and name != "gen_ai.request.model"
                for name in names
            )
        assert not rejected


def emitted(kind: str, names: list[str]) -> list[Json]:
    operation = {"inference": "chat", "embeddings": "embeddings"}
    values: Json = {
        "gen_ai.operation.name": operation.get(kind.split(".")[1], kind.split(".")[1]),
        "gen_ai.input.messages": json.dumps(INPUT_MESSAGES),
        "gen_ai.output.messages": json.dumps(OUTPUT_MESSAGES),
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.request.temperature": 0.5,
    }
    return [attribute(name, values.get(name, "x")) for name in names]


def test_spans_of_openinference_fixtures_fill_the_columns(shared: Path, read: Reads) -> None:
    folder = shared / "data/traces/Arize-ai__openinference/js/packages/openinference-genai"
    files = sorted(folder.rglob("*client_span*.json"))
    assert len(files) == 4
    sent = [
        span(n + 1, attributes=[attribute(*pair) for pair in json.loads(file.read_text()).items()])
        for n, file in enumerate(files)
    ]
    kept = read(request(*sent)).rows
    assert len(kept) == 4
    for row in kept:
        assert (row["input_tokens"], row["output_tokens"]) == (97, 52)
        assert "Weather in Paris?" in row["input_text"]
        assert row["output_text"].endswith("rainy with a temperature of 57°F.")
        assert row["output_text"].startswith("The weather")
        assert row["endpoint"] in ("gpt-4", "gpt-4-0613")


def test_spans_of_real_traces_fill_the_columns(shared: Path, read: Reads) -> None:
    """Attributes of OpenTelemetry spans as Langfuse kept them, put back on the wire."""
    sent, models = [], []
    for file in sorted((shared / "data/traces/langfuse__langfuse").rglob("*.trace.json")):
        for one in json.loads(file.read_text())["observations"]:
            kept = one["metadata"]
            attributes = (json.loads(kept) if isinstance(kept, str) else kept).get("attributes", {})
            if attributes.get("gen_ai.operation.name") in ("chat", "generate_content"):
                said = [attribute(*pair) for pair in attributes.items()]
                sent.append(span(len(sent) + 1, attributes=said))
                models.append(attributes.get("gen_ai.request.model"))
    assert len(sent) > 5
    found = read(request(*sent))
    assert [row["endpoint"] for row in found.rows] == models
    assert not found.rejects


# Anything at all

READ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
WHOLE = request(
    span(1, attributes=[attribute(*pair) for pair in CALL.items()]),
    span(2, attributes=chat(nested={"a": [1, 0.5, True]}, **{"gen_ai__prompt__0__content": "x"})),
    span(3, events=[{"name": "gen_ai.user.message", "attributes": [attribute("content", "hi")]}]),
    span(4, attributes=[attribute("gen_ai.operation.name", "execute_tool")]),
)


@READ
@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_rejected(data: bytes, read: Reads, tmp_path: Path) -> None:
    # Compressed or not is decided by the source, before this importer sees a byte.
    data = data.removeprefix(b"\x1f\x8b").removeprefix(b"\x28\xb5\x2f\xfd")
    found = read(data=data)
    assert not found.rows
    assert not otlp_traces.recognises(source_of(tmp_path / "traces.jsonl"))
    assert bool(found.rejects) == bool(data.removeprefix(b"\xef\xbb\xbf").strip()) or is_empty(data)


def is_empty(data: bytes) -> bool:
    """A request or an array of none holds nothing to reject."""
    try:
        found = json.loads(data)
    except ValueError:
        return False
    return found == []


@READ
@given(cut=st.integers(0, 10**6), inserted=st.binary(max_size=6))
def test_a_damaged_line_loses_itself_alone(cut: int, inserted: bytes, read: Reads) -> None:
    good = jsonl(WHOLE)
    at_byte = cut % (len(good) - 1)
    damaged = good[:at_byte] + inserted.replace(b"\n", b"") + good[at_byte + 1 :]
    found = read(data=good + damaged + good)
    assert {row["locator"].split("/")[0] for row in found.rows} >= {"line 1", "line 3"}
    assert len([row for row in found.rows if not row["locator"].startswith("line 2")]) == 6


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value: its container and its key or index."""
    found = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in found:
        yield value, key
        if isinstance(item, dict | list):
            yield from places(item)


def mutated(data: st.DataObject) -> Json:
    """A request with some places changed."""
    tree = deepcopy(WHOLE)
    for _ in range(data.draw(st.integers(1, 3))):
        possible = list(places(tree))
        if not possible:
            break
        where, key = data.draw(st.sampled_from(possible))
        change = data.draw(st.sampled_from(["value", "drop", "wire", "rename"]))
        if change == "drop":
            del where[key]
        elif change == "rename" and isinstance(where, dict):
            where[data.draw(st.text(max_size=5))] = where.pop(key)
        elif change == "wire":
            where[key] = wire(data.draw(JSON_VALUES.filter(lambda value: value is not None)))
        else:
            where[key] = data.draw(JSON_VALUES)
    return tree


def check_that_none_is_lost(trees: list[Json], found: Outcome) -> None:
    """Kept, rejected or told as left out, whatever is put where; the line after is whole."""
    told = len(found.rows) + len(found.rejects) + found.repeated + left_out(found)
    assert told >= sum(map(spans_in, trees)) + 1
    assert any(row["locator"].startswith(f"line {len(trees) + 1}/") for row in found.rows)


@READ
@given(data=st.data())
def test_a_mutated_request_is_read_with_every_span_accounted_for(
    data: st.DataObject, read: Reads
) -> None:
    tree = mutated(data)
    check_that_none_is_lost([tree], read(tree, request(span(9))))


@settings(READ, max_examples=10)
@given(data=st.data())
def test_mutated_requests_load_with_every_span_accounted_for(
    data: st.DataObject, load: Reads
) -> None:
    """The same with a case, which adds up rows read, kept, rejected and repeated."""
    trees = [mutated(data) for _ in range(4)]
    check_that_none_is_lost(trees, load(*trees, request(span(9))))


def left_out(found: Outcome) -> int:
    counts = [re.match(r"left out: (\d+)", note) for note in found.notes]
    return sum(int(count[1]) for count in counts if count)


def spans_in(tree: Json) -> int:
    """The spans that stand where OTLP has spans; what stands in place of their lists is one."""
    found = 0
    groups = tree.get("resourceSpans")
    for group in groups if isinstance(groups, list) else []:
        scopes = group.get("scopeSpans") if isinstance(group, dict) else None
        found += scopes is None and is_strange(group)
        for scope in scopes if isinstance(scopes, list) else []:
            spans = scope.get("spans") if isinstance(scope, dict) else None
            found += len(spans) if isinstance(spans, list) else spans is None and is_strange(scope)
    return found


def is_strange(node: Any) -> bool:
    """Whether a node says something that is no resource and no scope."""
    held = (
        {name for name, value in node.items() if value is not None}
        if isinstance(node, dict)
        else set()
    )
    return bool(held - {"resource", "scope", "instrumentationLibrary", "schemaUrl"})
