"""OTLP beside model calls: protobuf, log records, feature flags, retrievals, embeddings, marks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Gauge,
    Metric,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from tests.importers.loading import load, rows, source_of
from tests.importers.otlp_export import (
    SECOND,
    START,
    Json,
    Logger,
    Tracer,
    attribute,
    chat,
    jsonl,
    request,
    span,
)

from casework.case import Batch, Reject
from casework.importers._importer import Options
from casework.importers._otlp_said import MOST_CALLS
from casework.importers.otlp_traces import otlp_traces

TABLES = ("requests", "candidates", "vectors", "feedback", "eval_samples", "eval_runs",
          "assignments")  # fmt: skip


# Protobuf


def framed(*messages: bytes) -> bytes:
    """Messages as the collector writes them: each behind its length."""
    return b"".join(len(one).to_bytes(4, "big") + one for one in messages)


def everything() -> Tracer:
    """Spans of all kinds with values of all kinds, made by the SDK."""
    tracer = Tracer()
    tracer.call({
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "enduser.id": "ü",
        "gen_ai.request.temperature": 0.1, "gen_ai.request.stop_sequences": ["a", "b"],
        "gen_ai.usage.input_tokens": 12, "flag": True, "large": 2**60, "nan": float("nan"),
        "less": float("-inf"), "mixed": [1, 2], "none": "", "bytes": b"\x00\xff",
    }, [("gen_ai.user.message", {"content": "hi"}),
        ("feature_flag.evaluation", {"feature_flag.key": "f", "feature_flag.context.id": "u",
                                     "feature_flag.result.variant": "b"})],
        error="late")  # fmt: skip
    tracer.call({"openinference.span.kind": "RETRIEVER", "input.value": "who?",
                 "retrieval.documents.0.document.id": "d",
                 "retrieval.documents.0.document.score": 0.5})  # fmt: skip
    tracer.call({"openinference.span.kind": "EMBEDDING", "embedding.model_name": "e",
                 "embedding.embeddings.0.embedding.text": "t",
                 "embedding.embeddings.0.embedding.vector": [0.25, 0.5]})  # fmt: skip
    tracer.call({"gen_ai.operation.name": "chat", "annotations.0.annotation.name": "tone",
                 "annotations.0.annotation.score": 0.5,
                 "evaluations.0.evaluation.annotator_kind": "HUMAN",
                 "evaluations.0.evaluation.label": "thumbs_up"})  # fmt: skip
    tracer.call({"gen_ai.operation.name": "execute_tool"})
    return tracer


def written(tracer: Tracer, way: str) -> bytes:
    message = encode_spans(tracer.spans)
    whole = message.SerializeToString()
    parts = []
    for number in range(len(tracer.spans)):
        parts.append(encode_spans(tracer.spans[number : number + 1]).SerializeToString())
    traces = TracesData.FromString(whole)
    ways: dict[str, Callable[[], bytes]] = {
        "one request": lambda: whole,
        "one resource": lambda: traces.resource_spans[0].SerializeToString(),
        "with lengths": lambda: framed(whole),
        "compressed": lambda: zstandard.compress(whole),
        "compressed with lengths": lambda: zstandard.compress(framed(whole)),
        "lengths of compressed": lambda: framed(zstandard.compress(whole)),
        "lengths of compressed JSON": lambda: framed(zstandard.compress(jsonl(tracer.request()))),
        "a span each": lambda: framed(*parts),
        "empty messages": lambda: framed(whole, b""),
    }
    return ways[way]()


@pytest.mark.parametrize("way", [
    "one request", "one resource", "with lengths", "compressed", "compressed with lengths",
    "lengths of compressed", "lengths of compressed JSON", "a span each", "empty messages",
])  # fmt: skip
def test_protobuf_and_json_of_the_sdk_give_the_same_rows(way: str, tmp_path: Path) -> None:
    tracer = everything()
    ways = {"json": jsonl(tracer.request()), "proto": written(tracer, way)}
    found, fields = [], []
    for name, data in ways.items():
        file = tmp_path / f"{name}.bin"
        file.write_bytes(data)
        assert otlp_traces.recognises(source_of(file))
        case = tmp_path / f"{name}.duckdb"
        (exhibit,) = load(case, otlp_traces, file)
        assert not exhibit.rows_rejected
        fields.append((exhibit.fields, exhibit.left_out))
        found.append({
            table: rows(case, f"SELECT * EXCLUDE (exhibit_id, locator) FROM {table} ORDER BY ALL")
            for table in TABLES
        })  # fmt: skip
    assert found[0] == found[1]
    assert fields[0] == fields[1]
    assert {table: len(kept) for table, kept in found[1].items()} == {
        "requests": 3, "candidates": 1, "vectors": 1, "feedback": 1, "eval_samples": 1,
        "eval_runs": 1, "assignments": 1,
    }  # fmt: skip


def test_what_other_tools_make_of_a_request_gives_the_same_rows(tmp_path: Path) -> None:
    tracer = Tracer()
    tracer.call({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 12,
                 "gen_ai.request.temperature": 0.5, "some": [True, "a"]},
                [("gen_ai.user.message", {"content": "hi"})], error="late")  # fmt: skip
    tracer.call({"gen_ai.operation.name": "chat", "empty": ""})
    (group,) = tracer.protobuf_json()["resourceSpans"]
    silent = [{"scopeSpans": [], "schemaUrl": "x" * 100_000}]  # no more than the head tells
    # The SDK rounds to microseconds, to which OTLP is cut.
    shown = [one.to_json().replace(".123457Z", ".123456Z") for one in tracer.spans]
    ways = {
        "request": jsonl(tracer.request()),
        "Tempo": jsonl({"batches": [group]}),
        "Tempo, second version": jsonl({"trace": {"resourceSpans": [group, *silent]}}),
        "a resource a line": jsonl(group),
        "spans of the SDK": jsonl(*map(json.loads, shown)),
        "a console": "".join(["begun\n", *(f"{one}\nan answer\n" for one in shown)]).encode(),
    }
    found, places = {}, {}
    for way, data in ways.items():
        file = tmp_path / way
        file.write_bytes(data)
        assert otlp_traces.recognises(source_of(file))
        items = [*otlp_traces.read(source_of(file), Options())]
        (calls,) = [dict(item.columns) for item in items if isinstance(item, Batch)]
        places[way] = calls.pop("locator"), [i.locator for i in items if isinstance(i, Reject)]
        found[way] = calls
    assert len(found["request"]["request_id"]) == 2
    assert [*found.values()] == [found["request"]] * len(ways)
    lines = enumerate(ways["a console"].splitlines(), start=1)
    begun = {number: line for number, line in lines if line in (b"{", b"begun", b"an answer")}
    assert places["a console"] == (
        [f"line {number}" for number, line in begun.items() if line == b"{"],
        [f"line {number}" for number, line in begun.items() if line != b"{"],
    )


def test_locators_of_messages_lead_to_the_span(loaded: Any, case: Path) -> None:
    tracer = everything()
    loaded(data=written(tracer, "a span each"))
    found = rows(case, "SELECT locator FROM requests ORDER BY occurred_at")
    place = "resourceSpans/0/scopeSpans/0/spans/0"
    assert found == [(f"message {n}/{place}",) for n in (1, 3, 4)]


def test_a_bad_message_is_a_reject_and_the_others_stay(loaded: Any, case: Path) -> None:
    tracer = everything()
    whole = encode_spans(tracer.spans).SerializeToString()
    packed = zstandard.compress(whole)
    loaded(data=framed(whole, b"\x0a\xff", packed[:-5], b"{", whole) + b"\0\0\1\0half")
    codes = rows(case, "SELECT locator, code FROM rejects ORDER BY locator")
    assert codes == [
        ("message 2", "PROTOBUF"), ("message 3", "COMPRESSION"), ("message 4", "JSON"),
        ("message 6", "PROTOBUF_CUT"),
    ]  # fmt: skip
    assert rows(case, "SELECT count(*) FROM duplicates") == [(7,)]


def test_a_bad_span_of_protobuf_is_a_reject_and_the_others_stay(loaded: Any, case: Path) -> None:
    message = encode_spans(everything().spans)
    spans = message.resource_spans[0].scope_spans[0].spans
    spans[0].trace_id = b"\1" * 11
    spans[3].start_time_unix_nano = 0
    loaded(data=message.SerializeToString())
    assert rows(case, "SELECT code FROM rejects ORDER BY locator") == [("SPAN_ID",), ("SPAN_TIME",)]
    assert rows(case, "SELECT count(*) FROM requests") == [(1,)]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (lambda: framed(GOOD, zstandard.compress(b"\x0a\0" * (65 << 20))), "PROTOBUF_TOO_LONG"),
        (lambda: framed(GOOD) + (200 << 20).to_bytes(4, "big") + GOOD, "PROTOBUF_TOO_LONG"),
        (lambda: framed(GOOD, deep(200)), "PROTOBUF"),
        (lambda: framed(GOOD, b"\x28\xb5\x2f\xfd" + b"\xff" * 40), "COMPRESSION"),
        (lambda: framed(GOOD, MetricsData().SerializeToString() + b"\x0a\0"), "PROTOBUF"),
    ],
)
def test_a_hostile_message_is_a_reject(
    sent: Callable[[], bytes], code: str, loaded: Any, case: Path
) -> None:
    exhibit = loaded(data=sent())
    assert rows(case, "SELECT locator, code FROM rejects") == [("message 2", code)]
    assert exhibit.tables["requests"] == 3


def deep(levels: int) -> bytes:
    """A request with a span that has an attribute of lists in lists, so many levels deep."""
    value = b"\x0a\1x"
    for _ in range(levels):
        value = field(5, field(1, value))
    one = TracesData.FromString(GOOD).resource_spans[0].scope_spans[0].spans[0].SerializeToString()
    one += field(9, field(1, b"deep") + field(2, value))
    return field(1, field(2, field(2, one)))


def field(number: int, content: bytes) -> bytes:
    """A field of a message that is a message or a text."""
    return bytes((number << 3 | 2,)) + varint(len(content)) + content


def test_nesting_that_protobuf_reads_is_read(loaded: Any, case: Path) -> None:
    loaded(data=framed(deep(20)))
    ((value,),) = rows(case, "SELECT attributes->>'deep' FROM requests")
    assert json.loads(value) == json.loads("[" * 20 + '"x"' + "]" * 20)


def varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes((*found, number))


@pytest.mark.parametrize("data", [
    MetricsData().SerializeToString(), b"\x0a", b"\x0a\x02\x0a\x00\0", b"\0\0\0\5\x0a\3abc",
    framed(b"\x0a\x04\x0a\x02\x0a\x00"), b"\x0a\x05\x01\x08" + b"\0" * 60,
    framed(zstandard.compress(b"{}")),
])  # fmt: skip
def test_other_binary_files_are_not_recognised(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "file.bin"
    file.write_bytes(data)
    assert not otlp_traces.recognises(source_of(file))


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 0, 2)])
def test_messages_after_those_of_metrics_are_recognised(
    order: tuple[int, ...], tmp_path: Path
) -> None:
    group = ResourceMetrics(scope_metrics=[ScopeMetrics(metrics=[Metric(gauge=Gauge())])])
    metrics = MetricsData(resource_metrics=[group]).SerializeToString()
    sent = (metrics, encode_spans(everything().spans).SerializeToString(), jsonl(request(span())))
    file = tmp_path / "all.bin"
    file.write_bytes(framed(*(sent[at] for at in order)))
    assert otlp_traces.recognises(source_of(file))
    file.write_bytes(framed(metrics, metrics))
    assert not otlp_traces.recognises(source_of(file))


GOOD = encode_spans(everything().spans).SerializeToString()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, len(GOOD) - 1), inserted=st.binary(max_size=6))
def test_damage_to_a_message_loses_that_alone(cut: int, inserted: bytes, tmp_path: Path) -> None:
    damaged = GOOD[:cut] + inserted + GOOD[cut + 1 :]
    file = tmp_path / "traces.bin"
    file.write_bytes(framed(GOOD, damaged, GOOD))
    kept = [
        locator.split("/")[0]
        for item in otlp_traces.read(source_of(file), Options())
        if isinstance(item, Batch)
        for locator in item.columns["locator"]
    ]
    assert kept.count("message 1") == kept.count("message 3") == 3


# Messages in log records

CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.system": "openai"}
SYSTEM = {"gen_ai.system": "openai"}
DETAILS = "gen_ai.client.inference.operation.details"


def spoken(logger: Logger, tracer: Tracer, at: int = 0) -> None:
    """The messages of a call as instrumentations wrote them before events had only attributes."""
    of = tracer.spans[at]
    logger.emit("gen_ai.system.message", SYSTEM, {"content": "Be brief."}, of)
    logger.emit("gen_ai.user.message", SYSTEM, {"content": "May I?"}, of)
    message = {"role": "assistant", "content": "Yes."}
    logger.emit(
        "gen_ai.choice", SYSTEM, {"index": 0, "finish_reason": "stop", "message": message}, of
    )


SAID = ("system: Be brief.\nuser: May I?", "Yes.")


@pytest.mark.parametrize("order", ["logs first", "spans first", "one request", "messages"])
def test_messages_of_log_records_join_the_call_of_their_span(
    order: str, loaded: Any, case: Path
) -> None:
    tracer, logger = Tracer(), Logger()
    tracer.call(CALL)
    tracer.call(CALL)
    spoken(logger, tracer)
    logs, spans = logger.request(), tracer.request()
    if order == "messages":
        data = (encode_spans(tracer.spans), logger.message())
        exhibit = loaded(data=framed(*(one.SerializeToString() for one in data)))
    elif order == "one request":
        exhibit = loaded({**spans, **logs})
    else:
        exhibit = loaded(*((logs, spans) if order == "logs first" else (spans, logs)))
    sql = (
        "SELECT input_text, output_text, prompt_hash IS NOT NULL FROM requests ORDER BY occurred_at"
    )
    assert rows(case, sql) == [(*SAID, True), (None, None, False)]
    assert (exhibit.rows_kept, exhibit.notes) == (2, ())


def test_messages_without_their_span_are_a_call_of_their_own(loaded: Any, case: Path) -> None:
    tracer, logger = Tracer(), Logger()
    tracer.call(CALL)
    tracer.call(CALL)
    spoken(logger, tracer)
    said = {"gen_ai.output.messages": json.dumps([{"role": "assistant", "content": "No."}])}
    logger.emit(DETAILS, {**CALL, **said, "gen_ai.usage.input_tokens": 7}, None, tracer.spans[1])
    exhibit = loaded(logger.request())
    columns = "endpoint, input_text, output_text, input_tokens, status, service, locator"
    place = "line 1/resourceLogs/0/scopeLogs/0/logRecords"
    assert rows(case, f"SELECT {columns} FROM requests ORDER BY occurred_at") == [
        (None, *SAID, None, None, "checkout", f"{place}/0"),
        ("m", None, "No.", 7, None, "checkout", f"{place}/3"),
    ]
    ids = [(f"{one.get_span_context().span_id:016x}",) for one in tracer.spans]
    assert rows(case, "SELECT request_id FROM requests ORDER BY occurred_at") == ids
    assert exhibit.rows_kept == 2


def test_a_span_loaded_apart_stays_the_earliest_of_its_request(loaded: Any, case: Path) -> None:
    """A log of messages alone is a later row of the same request, as a retry is."""
    tracer, logger = Tracer(), Logger()
    tracer.call(CALL)
    logger.emit("", {"other": 1})
    spoken(logger, tracer)
    loaded(tracer.request())
    loaded(logger.request(), name="logs.jsonl")
    found = rows(
        case, "SELECT count(DISTINCT request_id), count(DISTINCT occurred_at) FROM requests"
    )
    assert found == [(1, 2)]


def test_details_fill_what_the_span_lacks(loaded: Any, case: Path) -> None:
    tracer, logger = Tracer(), Logger()
    tracer.call(CALL)
    logger.emit(DETAILS, {**CALL, "gen_ai.request.model": "other", "gen_ai.response.model": "m-1",
                          "gen_ai.input.messages": "hi", "own": "x"},
                None, tracer.spans[0])  # fmt: skip
    loaded(tracer.request(), logger.request())
    columns = "endpoint, response_model, input_text, attributes->>'own'"
    assert rows(case, f"SELECT {columns} FROM requests") == [("m", "m-1", "hi", "x")]


def test_every_log_record_is_accounted_for(loaded: Any, case: Path) -> None:
    tracer, logger = Tracer(), Logger()
    tracer.call({"gen_ai.operation.name": "invoke_agent"})
    spoken(logger, tracer)
    logger.emit("gen_ai.user.message", SYSTEM, {"content": "of no span"})
    logger.emit("", {}, "a line of text")
    logger.emit("exception", {"exception.type": "E"})
    exhibit = loaded(tracer.request(), logger.request())
    assert rows(case, "SELECT locator, code FROM rejects") == [
        ("line 2/resourceLogs/0/scopeLogs/0/logRecords/3", "SPAN_ID")
    ]
    assert exhibit.notes == (
        "left out: 1 span that is not a model call (invoke_agent 1)",
        "2 log records telling nothing of model calls, left out",
        "3 log records with messages of spans that are no model calls, left out",
    )


def test_messages_of_more_calls_than_are_joined_are_told(
    loaded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_CALLS >= 100_000
    monkeypatch.setattr("casework.importers._otlp_said.MOST_CALLS", 1)
    tracer, logger = Tracer(), Logger()
    for at in range(2):
        tracer.call(CALL)
        spoken(logger, tracer, at)
    exhibit = loaded(tracer.request(), logger.request())
    (note,) = exhibit.notes
    assert note.startswith("3 log records with messages of more calls than are joined, left out")


def test_snake_case_and_names_in_attributes_are_read(loaded: Any, case: Path) -> None:
    record = {"time_unix_nano": str(START), "trace_id": f"{1:032x}", "span_id": f"{1:016x}",
              "severity_text": None,
              "attributes": [attribute("event.name", "gen_ai.user.message"),
                             attribute("gen_ai.event.content", '{"content": "hi"}')]}  # fmt: skip
    loaded({"resource_logs": [{"scope_logs": [{"log_records": [record]}]}]}, request(span()))
    assert rows(case, "SELECT input_text FROM requests") == [("user: hi",)]


def test_a_record_without_its_own_time_or_a_value_is_whole(loaded: Any, case: Path) -> None:
    """The time at which it was observed counts then, and what says nothing harms nothing."""
    ids = {"traceId": f"{1:032x}", "spanId": f"{1:016x}"}
    record = {**ids, "timeUnixNano": "0", "observedTimeUnixNano": str(START), "body": {},
              "eventName": DETAILS, "attributes": [
                  {"key": "gen_ai.response.model", "value": {}},
                  attribute("gen_ai.request.model", "m"), attribute("own", "x")]}  # fmt: skip
    other = {**record, "spanId": f"{2:016x}"}
    loaded({"resourceLogs": [{"scopeLogs": [{"logRecords": [record, other]}]}]}, request(span()))
    sql = (
        "SELECT endpoint, epoch_us(occurred_at), attributes->>'own' FROM requests ORDER BY span_id"
    )
    first, second = (START + SECOND) // 1000, START // 1000
    assert rows(case, sql) == [("gpt-x", first, "x"), ("m", second, "x")]


# Feature flags


def flag(key: str, unit: str, arm: Any, *names: str) -> Json:
    variant = names[0] if names else "feature_flag.result.variant"
    return {"feature_flag.key": key, "feature_flag.context.id": unit, variant: arm}


def test_the_first_evaluation_of_each_unit_and_arm_is_its_assignment(
    loaded: Any, case: Path
) -> None:
    tracer, logger = Tracer(), Logger()
    event = "feature_flag.evaluation"
    tracer.call({"http.route": "/"}, [(event, flag("f", "u1", "b"))])
    tracer.call(CALL, [(event, flag("f", "u1", "b")), (event, flag("f", "u2", "a"))])
    tracer.call({}, [("feature_flag", flag("f", "u1", "a", "feature_flag.variant"))])
    logger.emit(event, {"feature_flag.key": "g", "feature_flag.context.id": "u1"}, {"value": True})
    logger.emit("", {"event.name": event, **flag("f", "u2", "a")})
    logger.emit(event, {"feature_flag.key": "g"})
    exhibit = loaded(tracer.request(), logger.request())
    sql = """SELECT experiment, unit_id, arm, epoch_ns(assigned_at) // 1000000000 - $start
             FROM assignments ORDER BY ALL"""
    assert rows(case, sql.replace("$start", str(START // SECOND))) == [
        ("f", "u1", "a", 2), ("f", "u1", "b", 0), ("f", "u2", "a", 1), ("g", "u1", "true", 0),
    ]  # fmt: skip
    assert "2 evaluations of feature flags repeat an arm of their unit; the first is kept" in (
        exhibit.notes
    )
    assert any(
        note.startswith("1 evaluation of a feature flag assigns no") for note in exhibit.notes
    )


def test_an_event_in_milliseconds_has_the_instant_of_its_span(loaded: Any, case: Path) -> None:
    said = [attribute(name, value) for name, value in flag("f", "u", "b").items()]
    event = {"name": "feature_flag.evaluation", "attributes": said,
             "timeUnixNano": START // 10**6}  # fmt: skip
    exhibit = loaded(request(span(1, events=[event, event])))
    assert exhibit.rows_rejected == 0
    sql = "SELECT epoch_us(assigned_at), (SELECT count(*) FROM requests) FROM assignments"
    assert rows(case, sql) == [((START + SECOND) // 1_000, 1)]
    assert any(note.startswith("1 span with events of no instant") for note in exhibit.notes)


def test_what_a_flag_says_beside_is_kept(loaded: Any, case: Path) -> None:
    said = {**flag("f", "u", "b"), "feature_flag.set.id": "prod", "feature_flag.version": "7",
            "feature_flag.provider.name": "flagd",
            "feature_flag.result.reason": "split"}  # fmt: skip
    tracer = Tracer()
    tracer.call({}, [("feature_flag.evaluation", said)])
    exhibit = loaded(tracer.request())
    ((attributes, locator),) = rows(case, "SELECT attributes, locator FROM assignments")
    assert set(json.loads(attributes).values()) == {"prod", "7", "flagd", "split"}
    assert locator == "line 1/resourceSpans/0/scopeSpans/0/spans/0/events/0"
    assert exhibit.fields["feature_flag.evaluation.feature_flag.key"] == ["assignments.experiment"]


# Retrievals and embeddings


def test_documents_of_the_conventions_are_candidates(loaded: Any, case: Path) -> None:
    tracer = Tracer()
    listed = [{"id": "d1", "score": 0.9}, {"id": "d2", "score": 0.8, "content": "x"}]
    tracer.call({"gen_ai.operation.name": "retrieval", "gen_ai.request.model": "embed-3",
                 "gen_ai.retrieval.query.text": "who?", "gen_ai.data_source.id": "kb",
                 "gen_ai.retrieval.documents": json.dumps(listed)})  # fmt: skip
    tracer.call(CALL)
    exhibit = loaded(tracer.request())
    sql = """SELECT doc_id, dense_rank, dense_score, embedding_model, request_id, locator,
                    attributes->>'gen_ai.data_source.id', query_id
             FROM candidates ORDER BY doc_id"""
    call = f"{tracer.spans[1].get_span_context().span_id:016x}"
    place = "line 1/resourceSpans/0/scopeSpans/0/spans/0/gen_ai.retrieval.documents"
    query = rows(case, "SELECT 'sha256:' || sha256('who?')")[0][0]
    assert rows(case, sql) == [
        ("d1", 1, 0.9, "embed-3", call, f"{place}/0", "kb", query),
        ("d2", 2, 0.8, "embed-3", call, f"{place}/1", "kb", query),
    ]
    assert exhibit.notes == ()


def test_a_retrieval_of_nothing_is_told(loaded: Any) -> None:
    """So is one whose documents cannot be read, and embeddings without their texts."""
    tracer = Tracer()
    for said in ("[]", '[{"id": "d"', "none"):
        tracer.call({"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": said})
    tracer.call({"ai.embeddings": ["[0.5]"]})
    tracer.call(CALL)
    exhibit = loaded(tracer.request())
    assert exhibit.tables == {"requests": 1}
    assert exhibit.notes == ("left out: 4 spans that are not model calls (retrieval 3, other 1)",)


@pytest.mark.parametrize("depth", [70, 400, 900, 980, 5_000])
def test_json_in_an_attribute_may_nest_as_deep_as_it_likes(
    depth: int, loaded: Any, case: Path
) -> None:
    """It may be passed over, but not with the rest of the source."""
    deep = "[" * depth + "]" * depth
    tracer = Tracer()
    for name, said in (
        ("llm.invocation_parameters", f'{{"a": {deep}}}'),
        ("gen_ai.retrieval.documents", f'[{{"id": "d", "a": {deep}}}]'),
        ("gen_ai.prompt.0.content", f'[{{"type": "x", "a": {deep}}}]'),
        (
            "gen_ai.input.messages",
            f'[{{"role": "user", "content": [{{"type": "x", "a": {deep}}}]}}]',
        ),
        ("ai.embeddings", [deep]),
    ):
        tracer.call({**CALL, "ai.values": ['"t"'], name: said})
    exhibit = loaded(tracer.request())
    assert exhibit.tables["requests"] == 5
    assert rows(case, "SELECT count(input_text) FROM requests") == [(2,)]


def test_a_reranker_tells_both_ranks_and_both_scores(loaded: Any, case: Path) -> None:
    tracer = Tracer()
    before, after = (
        "reranker.input_documents.{}.document.",
        "reranker.output_documents.{}.document.",
    )
    said: Json = {"openinference.span.kind": "RERANKER", "reranker.query": "who?",
                  "reranker.model_name": "rank-2", "threshold": 0.4}  # fmt: skip
    for at, (name, score) in enumerate([("d1", 0.9), ("d2", 0.8), ("d3", 0.7)]):
        said |= {before.format(at) + "id": name, before.format(at) + "score": score}
    for at, (name, score) in enumerate([("d3", 0.6), ("d1", 0.2)]):
        said |= {after.format(at) + "id": name, after.format(at) + "score": score}
    tracer.call(said)
    exhibit = loaded(tracer.request())
    sql = """SELECT doc_id, dense_rank, dense_score, reranker, rerank_score, threshold, request_id
             FROM candidates ORDER BY doc_id"""
    assert rows(case, sql) == [
        ("d1", 1, 0.9, "rank-2", 0.2, 0.4, None), ("d3", 3, 0.7, "rank-2", 0.6, 0.4, None),
    ]  # fmt: skip
    assert exhibit.left_out["retrieval.reranker.input_documents.*"] == 3


def test_a_retrieval_joins_the_one_call_of_its_trace_under_its_own_id(
    loaded: Any, case: Path
) -> None:
    document = [attribute("retrieval.documents.0.document.id", "d")]
    found = [span(n, traceId=f"{t:032x}", attributes=document) for n, t in ((1, 1), (2, 2), (3, 3))]
    calls = [span(n, traceId=f"{t:032x}", attributes=chat(request_id=f"r{n}"))
             for n, t in ((4, 1), (5, 2), (6, 2))]  # fmt: skip
    loaded(request(*found[:2], *calls), request(found[2]))
    assert rows(case, "SELECT request_id FROM candidates ORDER BY occurred_at") == [
        ("r4",), (None,), (None,),
    ]  # fmt: skip


def test_spans_that_share_an_id_are_calls_of_their_own_traces(loaded: Any, case: Path) -> None:
    """As with exporters that count the spans of each trace from one."""
    document = [attribute("retrieval.documents.0.document.id", "d")]
    found = [span(90 + t, traceId=f"{t:032x}", attributes=document) for t in (1, 2, 3)]
    calls = [span(n, traceId=f"{t:032x}") for n, t in ((1, 1), (1, 2), (1, 3), (2, 3))]
    named = span(1, traceId=f"{4:032x}", attributes=chat(request_id="r4"))
    more = span(94, traceId=f"{4:032x}", attributes=document)
    loaded(request(*found, *calls), request(named, more))
    one = f"{1:016x}"
    assert rows(case, "SELECT request_id FROM candidates ORDER BY occurred_at") == [
        (one,), (f"{2:032x}-{one}",), (None,), ("r4",),
    ]  # fmt: skip
    assert not rows(case, "SELECT request_id FROM candidates WHERE request_id IS NOT NULL "
                          "EXCEPT SELECT request_id FROM requests")  # fmt: skip


def test_embeddings_are_vectors_and_calls(loaded: Any, case: Path) -> None:
    tracer = Tracer()
    entry = "embedding.embeddings.{}.embedding."
    tracer.call({"openinference.span.kind": "EMBEDDING", "embedding.model_name": "e-1",
                 entry.format(0) + "text": "a", entry.format(0) + "vector": [0.5, 1.0],
                 entry.format(1) + "text": "b", entry.format(1) + "vector": [1, 2],
                 entry.format(2) + "vector": [3.0]})  # fmt: skip
    loaded(tracer.request())
    sql = "SELECT text_id = sha256('a'), vector, embedding_model FROM vectors ORDER BY locator"
    assert rows(case, sql) == [(True, [0.5, 1.0], "e-1"), (False, [1.0, 2.0], "e-1")]
    assert rows(case, "SELECT count(*) FROM requests") == [(1,)]


@pytest.mark.parametrize("listed", [(['"a"', '"b"'], ["[1.0]"]), (['"a"'], ["[1.0]", "[2.0]"])])
def test_an_embedding_without_its_text_or_vector_is_kept_or_told(
    listed: tuple[list[str], list[str]], loaded: Any, case: Path
) -> None:
    tracer = Tracer()
    lists = dict(zip(("ai.values", "ai.embeddings"), listed, strict=True))
    tracer.call({**CALL, **lists})
    tracer.call(lists)
    exhibit = loaded(tracer.request())
    assert rows(case, "SELECT count(*) FROM vectors") == [(2,)]
    ((attributes,),) = rows(case, "SELECT attributes FROM requests")
    assert json.loads(attributes).items() >= lists.items()
    assert exhibit.left_out == {"embedding without its text or its vector": 1}


@pytest.mark.parametrize(
    ("vector", "kept"),
    [("[2.0, \"1.0\"]", [2.0, 1.0]), ("[1e39, 1.0]", None), ("[1e300]", None), ("[NaN]", None),
     ("[[1.0]]", None)],
)  # fmt: skip
def test_a_vector_that_four_bytes_cannot_hold_is_a_reject(
    loaded: Any, case: Path, vector: str, kept: list[float] | None
) -> None:
    tracer = Tracer()
    numbers = [float("nan")] if "NaN" in vector else vector
    listed = {"ai.values": ['"a"'], "ai.embeddings": [numbers]}
    if isinstance(numbers, list):
        listed = {"embedding.embeddings.0.embedding.text": "a",
                  "embedding.embeddings.0.embedding.vector": numbers}  # fmt: skip
    tracer.call({**CALL, **listed})
    exhibit = loaded(tracer.request())
    assert rows(case, "SELECT vector FROM vectors") == [(kept,)] * bool(kept)
    assert exhibit.rows_rejected == (not kept)


# Marks


def test_a_persons_thumb_is_feedback_and_other_marks_are_samples(loaded: Any, case: Path) -> None:
    tracer = Tracer()
    person = {"annotations.0.annotation.annotator_kind": "HUMAN"}
    thumb = {
        **person,
        "annotations.0.annotation.label": "thumbs-up",
        "annotations.0.annotation.name": "ok",
        "annotations.0.annotation.identifier": "ann",
        "annotations.0.annotation.explanation": "y",
    }
    grade = {
        "evaluations.0.evaluation.annotator_kind": "HUMAN",
        "evaluations.0.evaluation.name": "stars",
        "evaluations.0.evaluation.score": 0.8,
    }
    judge = {
        "annotations.1.annotation.annotator_kind": "LLM",
        "annotations.1.annotation.label": "correct",
        "annotations.1.annotation.name": "truth",
    }
    tracer.call({**CALL, **thumb, **grade, **judge})
    tracer.call({"openinference.span.kind": "CHAIN", "session.id": "s",
                 "trace.annotations.0.annotation.annotator_kind": "HUMAN",
                 "trace.annotations.0.annotation.label": "thumbs_down",
                 "session.evaluations.0.evaluation.name": "calm",
                 "session.evaluations.0.evaluation.score": 0.5})  # fmt: skip
    loaded(tracer.request())
    call = f"{tracer.spans[0].get_span_context().span_id:016x}"
    sql = "SELECT signal, request_id, user_id, reason, comment, session_id FROM feedback ORDER BY 1"
    assert rows(case, sql) == [(-1, call, None, None, None, "s"), (1, call, "ann", "ok", "y", None)]
    sql = "SELECT run_id, item_id, score, category FROM eval_samples ORDER BY run_id"
    assert rows(case, sql) == [
        ("openinference:HUMAN:stars", call, 0.8, None),
        ("openinference:LLM:truth", call, None, "correct"),
        ("openinference:annotation:calm", "s", 0.5, None),
    ]
    sql = "SELECT suite, harness, ended_at, started_at IS NULL FROM eval_runs ORDER BY suite"
    assert rows(case, sql) == [(name, "openinference", None, False)
                               for name in ("calm", "stars", "truth")]  # fmt: skip
    assert not rows(case, "FROM eval_samples ANTI JOIN eval_runs USING (run_id)")


def test_a_thumb_names_its_request_and_not_its_span(loaded: Any, case: Path) -> None:
    """Where a call has an id of its own, or its span id is that of another trace too."""
    logger, tracer = Logger(), Tracer()
    event = "gen_ai.evaluation.result"
    thumb = {"annotations.0.annotation.annotator_kind": "HUMAN",
             "annotations.0.annotation.label": "thumbs-up"}  # fmt: skip
    said = {"gen_ai.evaluation.name": "user_feedback", "gen_ai.evaluation.score.label": "yes"}
    tracer.call({**CALL, **thumb, "request_id": "r1"}, [(event, said)])
    logger.emit(event, said, None, tracer.spans[0])  # the same event again
    others = [span(7, traceId=f"{t:032x}", attributes=[*chat(), *(
        attribute(*pair) for pair in thumb.items())]) for t in (1, 2)]  # fmt: skip
    loaded(logger.request(), tracer.request(), request(*others))
    shared = f"{7:016x}"
    assert rows(case, "SELECT request_id FROM feedback ORDER BY ALL") == [
        (f"{2:032x}-{shared}",), (shared,), ("r1",), ("r1",),
    ]  # fmt: skip


def test_an_evaluation_is_a_thumb_only_without_doubt(loaded: Any, case: Path) -> None:
    def result(name: str, **more: Any) -> Json:
        said = {f"gen_ai.evaluation.{key.replace('__', '.')}": value for key, value in more.items()}
        return {"gen_ai.evaluation.name": name, **said}

    tracer, logger = Tracer(), Logger()
    event = "gen_ai.evaluation.result"
    tracer.call(CALL, [
        (event, result("relevance", score__value=0.7, score__label="relevant", explanation="e")),
        (event, result("reaction", score__label="thumbs_down")),
        (event, result("pass", score__value=1.0, score__label="pass")),
    ])  # fmt: skip
    logger.emit(event, result("user_feedback", score__label="yes"), None, tracer.spans[0])
    logger.emit(event, {**result("toxicity", score__value=0), "gen_ai.response.id": "resp-1"})
    loaded(tracer.request(), logger.request())
    call = f"{tracer.spans[0].get_span_context().span_id:016x}"
    sql = "SELECT reason, signal, request_id FROM feedback ORDER BY reason"
    assert rows(case, sql) == [("reaction", -1, call), ("user_feedback", 1, call)]
    sql = "SELECT run_id, item_id, score, category, epoch FROM eval_samples ORDER BY run_id"
    assert rows(case, sql) == [
        ("opentelemetry:pass", call, 1.0, "pass", 1),
        ("opentelemetry:relevance", call, 0.7, "relevant", 1),
        ("opentelemetry:toxicity", "resp-1", 0.0, None, 1),
    ]
    sql = "SELECT suite, harness FROM eval_runs ORDER BY suite"
    assert rows(case, sql) == [(n, "opentelemetry") for n in ("pass", "relevance", "toxicity")]
    assert not rows(case, "FROM eval_samples ANTI JOIN eval_runs USING (run_id)")


@pytest.mark.parametrize(
    ("numbers", "signals"),
    [((1, 0, 1), [1, -1, 1]), ((1, -1, 0), [1, -1]), ((1, 1), []), ((5, 1, 2), []), ((0, 0.5), [])],
)
def test_numbers_of_people_are_thumbs_where_all_of_their_name_are(
    loaded: Any, case: Path, numbers: tuple[float, ...], signals: list[int]
) -> None:
    """A 1 may be a thumb, or one star of five."""
    tracer, event = Tracer(), "gen_ai.evaluation.result"
    for number in numbers:
        person = {"name": "stars", "annotator_kind": "HUMAN", "score": number}
        marks = {f"annotations.0.annotation.{key}": value for key, value in person.items()}
        said = {"gen_ai.evaluation.name": "user_feedback", "gen_ai.evaluation.score.value": number}
        tracer.call({**CALL, **marks}, [(event, said)])
    loaded(tracer.request())
    for name in ("stars", "user_feedback"):
        sql = f"SELECT signal FROM feedback WHERE reason = '{name}' ORDER BY locator"
        assert [row[0] for row in rows(case, sql)] == signals
        sql = f"SELECT count(*) FROM eval_samples WHERE run_id LIKE '%:{name}'"
        assert rows(case, sql) == [(len(numbers) - len(signals),)]


def test_a_score_written_as_text_is_a_number_and_one_that_is_none_is_kept(
    loaded: Any, case: Path
) -> None:
    """A score of a mark, of a document and of a document before it was reranked."""
    event = "gen_ai.evaluation.result"
    ranked = "reranker.{}_documents.0.document."
    tracer = Tracer()
    for score in ("0.5", "high", float("nan"), True):
        tracer.call(
            {
                **CALL,
                "annotations.0.annotation.name": "tone",
                "annotations.0.annotation.score": score,
                "retrieval.documents.0.document.id": "d",
                "retrieval.documents.0.document.score": score,
            },
            [(event, {"gen_ai.evaluation.name": "wit", "gen_ai.evaluation.score.value": score})],
        )
        tracer.call({
            ranked.format("input") + "id": "e", ranked.format("input") + "score": score,
            ranked.format("output") + "id": "e", ranked.format("output") + "score": score,
        })  # fmt: skip
    exhibit = loaded(tracer.request())
    assert exhibit.rows_rejected == 0
    kept = [(0.5, None), (None, "NaN"), (None, "high"), (None, "true")]
    sql = "SELECT score, attributes->>'{}' FROM eval_samples WHERE run_id LIKE '%:{}' ORDER BY ALL"
    assert rows(case, sql.format("score", "tone")) == kept
    assert rows(case, sql.format('$."score.value"', "wit")) == kept
    sql = (
        "SELECT {}_score, attributes->>'$.\"document.score\"' FROM candidates WHERE doc_id = '{}' "
    )
    assert rows(case, sql.format("dense", "d") + "ORDER BY ALL") == kept
    assert rows(case, sql.format("rerank", "e") + "ORDER BY ALL") == kept
    assert rows(case, "SELECT count(dense_score) FROM candidates WHERE doc_id = 'e'") == [(1,)]
    assert "3 values of annotation.score cannot be read, and are kept as attributes" in (
        exhibit.notes
    )


@pytest.mark.parametrize(
    ("name", "score", "signal"), [("👍", 1, 1), ("dislike", 1, -1), ("dislike", True, -1)]
)
def test_a_number_is_a_thumb_where_its_name_is_that_of_one(
    loaded: Any, case: Path, name: str, score: Any, signal: int
) -> None:
    tracer = Tracer()
    person = {"annotations.0.annotation.name": name, "annotations.0.annotation.score": score,
              "annotations.0.annotation.annotator_kind": "HUMAN"}  # fmt: skip
    tracer.call({**CALL, **person})
    loaded(tracer.request())
    assert rows(case, "SELECT signal FROM feedback") == [(signal,)]


def test_marks_of_one_name_on_one_span_are_epochs(loaded: Any, case: Path) -> None:
    """Two judges of one name are no contradiction; the span that comes again repeats both."""
    event = "gen_ai.evaluation.result"
    marks = {f"{kind}s.{n}.{kind}.{key}": value
             for n, kind in enumerate(("annotation", "evaluation"))
             for key, value in (("name", "tone"), ("score", n / 2))}  # fmt: skip
    said = [(event, {"gen_ai.evaluation.name": "wit", "gen_ai.evaluation.score.value": n / 2})
            for n in (0, 1)]  # fmt: skip
    tracer = Tracer()
    tracer.call({**CALL, **marks}, said)
    exhibit = loaded(tracer.request(), tracer.request())
    sql = "SELECT epoch, score FROM eval_samples WHERE run_id LIKE '%:{}' ORDER BY ALL"
    assert rows(case, sql.format("tone")) == rows(case, sql.format("wit")) == [(1, 0), (2, 0.5)]
    assert (exhibit.rows_rejected, exhibit.rows_duplicate) == (0, 5)


def test_marks_of_a_session_on_several_spans_are_one_or_epochs(loaded: Any, case: Path) -> None:
    tracer, at = Tracer(), "session.annotations.{}.annotation."
    thumb = {"name": "ok", "annotator_kind": "HUMAN", "label": "up"}
    for score in (0.5, 0.7, 0.5):
        judged = {"name": "q", "annotator_kind": "LLM", "score": score}
        marks = {at.format(n) + key: value for n, mark in enumerate((judged, thumb))
                 for key, value in mark.items()}  # fmt: skip
        tracer.call({**CALL, "session.id": "S", **marks})
    exhibit = loaded(tracer.request(), tracer.request())
    assert exhibit.rows_rejected == 0
    sql = "SELECT item_id, epoch, score FROM eval_samples ORDER BY ALL"
    assert rows(case, sql) == [("S", 1, 0.5), ("S", 2, 0.7)]
    assert rows(case, "SELECT feedback_id, signal FROM feedback") == [("session/S/ok", 1)]


def test_thumbs_of_several_people_at_one_instant_are_each_one(loaded: Any, case: Path) -> None:
    """The span that comes again repeats them."""
    tracer, event = Tracer(), "gen_ai.evaluation.result"
    thumbs = [{"gen_ai.evaluation.name": "user_feedback", "user.id": who,
               "gen_ai.evaluation.score.label": label}
              for who, label in (("ann", "up"), ("bob", "down"))]  # fmt: skip
    tracer.call(CALL, [(event, thumb) for thumb in thumbs])
    exhibit = loaded(tracer.request(), tracer.request())
    sql = "SELECT user_id, signal FROM feedback ORDER BY ALL"
    assert rows(case, sql) == [("ann", 1), ("bob", -1)]
    assert (exhibit.rows_rejected, exhibit.rows_duplicate) == (0, 3)


def test_marks_of_log_records_are_epochs(loaded: Any, case: Path) -> None:
    """A field of the event that has the name of another without its prefix stays an attribute."""
    tracer, logger, event = Tracer(), Logger(), "gen_ai.evaluation.result"
    of = tracer.call(CALL)
    for score in (0.5, 0.9):
        said = {"gen_ai.evaluation.name": "rel", "gen_ai.evaluation.score.value": score}
        logger.emit(event, {**said, "name": "zzz"}, None, of)
    exhibit = loaded(tracer.request(), logger.request(), logger.request())
    assert (exhibit.rows_rejected, exhibit.rows_duplicate) == (0, 2)
    sql = "SELECT run_id, epoch, score, attributes->>'$.\"attributes.name\"' FROM eval_samples"
    assert rows(case, f"{sql} ORDER BY ALL") == [
        ("opentelemetry:rel", 1, 0.5, "zzz"), ("opentelemetry:rel", 2, 0.9, "zzz"),
    ]  # fmt: skip


def test_own_fields_of_events_and_marks_fill_their_columns(loaded: Any, case: Path) -> None:
    own = {"tier": "pro", "account_id": "a"}
    thumb = {"gen_ai.evaluation.name": "user_feedback", "gen_ai.evaluation.score.label": "up",
             "user.id": "u", **own}  # fmt: skip
    flag = {"feature_flag.key": "f", "feature_flag.context.id": "u",
            "feature_flag.result.variant": "b", "bucket": 7, "salt": "s", "stage": "2"}  # fmt: skip
    judged = {"name": "tone", "score": 0.5, **own}
    tracer = Tracer()
    tracer.call(
        {**CALL, "annotations.0.score": 0.5,
         **{f"annotations.1.annotation.{key}": value for key, value in judged.items()}},
        [("gen_ai.evaluation.result", thumb), ("feature_flag.evaluation", flag)],
    )  # fmt: skip
    loaded(tracer.request())
    sql = "SELECT tier, account_id, user_id FROM feedback"
    assert rows(case, sql) == [("pro", "a", "u")]
    assert rows(case, "SELECT bucket, salt, stage FROM assignments") == [(7, "s", "2")]
    sql = "SELECT run_id, score, tier, account_id, attributes FROM eval_samples ORDER BY 1"
    assert rows(case, sql) == [
        ("openinference:annotation:None", 0.5, None, None, None),
        ("openinference:annotation:tone", 0.5, "pro", "a", None),
    ]


def test_the_run_of_a_judge_begins_with_its_first_mark(loaded: Any, case: Path) -> None:
    tracer, event = Tracer(), "gen_ai.evaluation.result"
    said = {"gen_ai.evaluation.name": "tone: warm", "gen_ai.evaluation.score.value": 0.5}
    for _ in range(3):
        tracer.call(CALL, [(event, said)])
    loaded(tracer.request())
    sql = """
        SELECT r.suite, count(*), min(s.added_at) = any_value(r.started_at)
        FROM eval_runs AS r JOIN eval_samples AS s USING (run_id) GROUP BY ALL
    """
    assert rows(case, sql) == [("tone: warm", 3, True)]
