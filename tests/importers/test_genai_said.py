"""What was said in a model call, from attributes, events and log records that say it twice."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.importers.loading import rows
from tests.importers.otlp_export import (
    START,
    Json,
    Logger,
    Tracer,
    attribute,
    chat,
    request,
    span,
)

from casework.importers._genai_texts import texts
from casework.records import Exhibit

IDS = {"traceId": f"{1:032x}", "spanId": f"{1:016x}"}


def record(name: str, content: str, late: int = 0, **changes: Any) -> Json:
    """A log record with a message of the first span."""
    body = {"kvlistValue": {"values": [attribute("content", content)]}}
    when = str(START + late)
    return {"timeUnixNano": when, "eventName": name, "body": body, **IDS, **changes}


def logs(*records: Json) -> Json:
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [*records]}]}]}


ANSWERS = (
    '[{"text":"Paris","label":"LOC"},{"text":"Bob","label":"PER"}]',
    '[{"text":"Bob","type":"PER"}]',
    '{"text":"spam mail","decision":"deny"}',
    '{"role":"editor","confidence":0.4}',
    '{"role":"engineer","text":"ten years","salary":3}',
    '{"name":"Ada","role":"engineer"}',
    '[{"name":"Ada","role":"engineer"},{"name":"Bob","role":"editor"}]',
    "[1, 2, 3]",
    '{"message":{"to":"x"},"cost":3}',
    '{"candidates":["Bob"]}',
)


@pytest.mark.parametrize("name", ["gen_ai.completion", "output.value", "ai.response.text",
                                  "gen_ai.completion.0.content"])  # fmt: skip
@pytest.mark.parametrize("answered", ANSWERS)
def test_an_answer_that_is_json_stands_as_it_is(answered: str, name: str) -> None:
    assert texts({name: answered}).output == answered


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"ai.response.text": '[{"role":"assistant","content":"hi"}]'},
         '[{"role":"assistant","content":"hi"}]'),
        ({"output.value": '{"choices":[{"text":"foo","index":0,"logprobs":null}]}'}, "foo"),
        ({"output.value": '[{"text":"foo","logprobs":null,"stop_reason":null,"token_ids":null}]'},
         "foo"),
        ({"output.value": '[{"text":"foo","index":0,"content_filter_results":{"hate":{}}}]'},
         "foo"),
        ({"output.value": '[{"text":"foo","thoughtSignature":"Ci"}]'}, "foo"),
        ({"output.value": '{"role":"planner","content":"foo","audio":null}'}, "planner: foo"),
        ({"output.value": '[{"text":"foo","generation_info":{"stop":"end"}}]'}, "foo"),
        ({"output.value": '[{"type":"server_tool_use","id":"s"},{"type":"text","text":"foo"}]'},
         '{"type":"server_tool_use","id":"s"}\nfoo'),
        ({"output.value": '[{"type":"reasoning","id":"rs_1","summary":[],"content":null},'
                          '{"type":"reasoning","summary":["hm"]},{"type":"text","text":"foo"}]'},
         '{"type":"reasoning","summary":["hm"]}\nfoo'),
        ({"output.value": '{"content":{"parts":[{"text":"foo"}],"role":"model"}}'}, "foo"),
        ({"gcp.vertex.agent.llm_response": '{"content":{"parts":[{"text":"foo"}]},"partial":false}',
          "gen_ai.completion": ""}, "foo"),
        ({"gcp.vertex.agent.llm_response": "{}"}, None),
        ({"output.value": '[{"text":"foo"},{"toolUse":{"name":"t"}}]'},
         'foo\n{"toolUse":{"name":"t"}}'),
        ({"output.value": '{"messages":["foo","bar"]}'}, "foo\nbar"),
        ({"gen_ai.completion.0.content": '[{"text":"foo"},{"text":"bar"}]'}, "foo\nbar"),
        ({"gen_ai.completion.0.content": '[{"text":"foo"},"bar"]'}, '[{"text":"foo"},"bar"]'),
        ({"gen_ai.output.messages": "[]", "gen_ai.completion.0.content": "hi"}, "hi"),
        ({"gen_ai.output.messages": "", "gen_ai.completion": "hi"}, "hi"),
        ({"gen_ai.output.messages": "[]"}, None),
        ({"gen_ai.completion.0": "hi"}, "hi"),
        ({f"llm.output_messages.0.message.contents.{n}.message_content.text": str(n)
          for n in sorted(range(12), key=str)}, "\n".join(map(str, range(12)))),
    ],
)  # fmt: skip
def test_the_best_record_that_says_something_is_taken(said: Json, expected: str | None) -> None:
    assert texts(said).output == expected


@pytest.mark.parametrize("between", [
    {"type": "placeholder", "name": "history"},
    {"type": "web_search_call", "id": "ws_1", "status": "completed"},
    {"role": "planner", "content": "x", "timestamp": 1},
    {"type": "item_reference", "id": "msg_1"},
    {"role": "assistant", "content": None, "audio": {"id": "a"}},
    {"role": "assistant", "content": None, "reasoning_content": "hm"},
])  # fmt: skip
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_is_not_known_in_a_chat_leaves_the_rest_as_it_was_said(
    between: Json, wrapped: bool
) -> None:
    said = [{"role": "SYSTEM", "content": "Be kind."}, between, {"role": "user", "content": "hi"}]
    found = texts({"input.value": json.dumps({"messages": said} if wrapped else said)})
    assert found.system == "Be kind."
    assert (found.input or "").endswith("\nuser: hi")


def test_why_a_message_ended_and_the_id_of_its_http_request_stay_attributes(
    loaded: Callable[..., Exhibit], case: Path
) -> None:
    ended = {"gen_ai.completion.0.finish_reason": "content_filter", "request.id": "R"}
    said = [attribute(name, value) for name, value in ended.items()]
    loaded(request(*(span(n, attributes=[*chat(), *said]) for n in (1, 2))))
    found = rows(case, "SELECT request_id, attributes FROM requests ORDER BY 1")
    assert [name for name, _ in found] == [f"{1:016x}", f"{2:016x}"]
    assert all(json.loads(kept).items() >= ended.items() for _, kept in found)


def test_log_records_join_by_their_instants_and_once(
    loaded: Callable[..., Exhibit], case: Path
) -> None:
    third, first, second = (
        record("gen_ai.user.message", "third", 30),
        record("gen_ai.system.message", "first", 10),
        record("gen_ai.user.message", "second", 20),
    )
    batch = logs(third, first, second)
    again, bad = span(startTimeUnixNano=str(START + 1_000)), span(2, startTimeUnixNano="5")
    exhibit = loaded(batch, batch, request(span(), again, bad))
    sql = "SELECT input_text, prompt_hash IS NOT NULL FROM requests"
    assert rows(case, sql) == [("system: first\nuser: second\nuser: third", True)] * 2
    assert any(note.startswith("3 log records") for note in exhibit.notes)


def test_messages_without_their_span_begin_with_the_earliest_that_has_a_time(
    loaded: Callable[..., Exhibit], case: Path
) -> None:
    untimed = record("gen_ai.system.message", "be brief", timeUnixNano=None)
    said = record("gen_ai.choice", "yo", 10**9), record("gen_ai.user.message", "hi")
    loaded(logs(untimed, *said))
    sql = "SELECT input_text, output_text, epoch_us(occurred_at) FROM requests"
    assert rows(case, sql) == [("system: be brief\nuser: hi", "yo", START // 1_000)]


def test_a_message_that_is_an_event_and_a_record_is_taken_once(
    loaded: Callable[..., Exhibit], case: Path
) -> None:
    tracer, logger = Tracer(), Logger()
    of = tracer.call({"gen_ai.operation.name": "chat"}, [("gen_ai.user.message", {"content": "a"})])
    logger.emit("gen_ai.user.message", body={"content": "a"}, of=of)
    logger.emit("gen_ai.choice", body={"content": "b"}, of=of)
    loaded(tracer.request(), logger.request())
    assert rows(case, "SELECT input_text, output_text FROM requests") == [("user: a", "b")]


def test_copies_of_a_span_do_not_each_take_all_its_messages(
    loaded: Callable[..., Exhibit], case: Path
) -> None:
    copies = [span(startTimeUnixNano=str(START + n * 1_000)) for n in range(20)]
    exhibit = loaded(logs(record("gen_ai.user.message", "hi")), request(*copies))
    assert rows(case, "SELECT count(*), count(input_text) FROM requests") == [(20, 10)]
    assert any(note.startswith("10 spans coming more than 10 times") for note in exhibit.notes)


def test_copies_that_are_the_same_lack_no_messages(
    loaded: Callable[..., Exhibit], case: Path
) -> None:
    exhibit = loaded(logs(record("gen_ai.user.message", "hi")), request(*[span()] * 15))
    assert rows(case, "SELECT input_text FROM requests") == [("user: hi",)]
    assert (exhibit.rows_duplicate, exhibit.notes) == (14, ())


def test_documents_do_not_each_repeat_all_attributes_of_their_span(
    loaded: Callable[..., Exhibit], case: Path
) -> None:
    own = [attribute(f"own{n}", "x" * 900) for n in range(20)]
    listed = [attribute(f"retrieval.documents.{n}.document.id", str(n)) for n in range(20)]
    kind = attribute("openinference.span.kind", "RETRIEVER")
    loaded(request(span(attributes=[kind, *own, *listed])))
    sql = "SELECT attributes->>'$.own19', length(attributes) FROM candidates ORDER BY dense_rank"
    (first, _), *others = rows(case, sql)
    assert first == "x" * 900
    assert all(size < 100 for _, size in others)
