"""OTLP traces into a case: 40,000 spans of 2 kB each, or as many as the first argument says.

Peers in the same run, on the same bytes, each in a process of its own: msgspec decoding every line
into plain typed structs and doing nothing else, and DuckDB alone, `read_json` and UNNEST into a
table on disk with the same columns (texts as the JSON that they came as, nothing hashed). Ours is
from the file to the committed and closed case, which was made before.
"""

import json
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import msgspec
from benchmarks._measuring import Measured, measured

from casework import intake
from casework.case import CaseWriter

RUNS = 5
SPANS_PER_LINE = 100
CASE = "case.duckdb"
WORDS = [
    *("the", "model", "returned", "a", "refund", "decision", "for", "this", "customer", "because"),
    *(
        "policy",
        "page",
        "nine",
        "says",
        "that",
        "orders",
        "older",
        "than",
        "thirty",
        "days",
        "need",
    ),
    *("approval", "from", "a", "lead", "who", "answers", "within", "one", "working", "day"),
]
SYSTEM = f"You are a careful support agent. {' '.join(WORDS)}. {' '.join(reversed(WORDS))}."
START_NS = 1_762_000_000_000_000_000


# The evidence


def write_traces(path: Path, spans: int) -> None:
    """Write spans of model calls as the collector's file exporter does, from a seed."""
    random = Random(7)
    with path.open("w") as file:
        for first in range(0, spans, SPANS_PER_LINE):
            batch = [span(random, n) for n in range(first, min(first + SPANS_PER_LINE, spans))]
            file.write(json.dumps(request(batch, first), separators=(",", ":")) + "\n")


def request(spans: list[dict[str, Any]], number: int) -> dict[str, Any]:
    process = {
        "service.name": "support",
        "service.version": "1.9.2",
        "deployment.environment.name": "production",
        "cloud.region": ("eu-west-1", "us-east-1")[number % 2],
        "service.instance.id": f"pod-{number % 17}",
        "telemetry.sdk.name": "opentelemetry",
    }
    scope = {"scope": {"name": "opentelemetry.instrumentation.openai"}, "spans": spans}
    return {"resourceSpans": [{"resource": attributes(process), "scopeSpans": [scope]}]}


def span(random: Random, number: int) -> dict[str, Any]:
    begun = START_NS + number * 250_000_000 + random.randrange(10**8)
    into = [message("system", SYSTEM), message("user", sentence(random, 24))]
    called = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "support-prod",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 512,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": f"chatcmpl-{random.getrandbits(96):024x}",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": random.randrange(50, 3000),
        "gen_ai.usage.output_tokens": random.randrange(5, 400),
        "gen_ai.conversation.id": f"conv-{random.randrange(10**5):06}",
        "enduser.id": f"u{random.randrange(10**4):05}",
        "gen_ai.input.messages": json.dumps(into),
        "gen_ai.output.messages": json.dumps([message("assistant", sentence(random, 18))]),
        "server.address": "api.openai.com",
        "server.port": 443,
    }
    return {
        "traceId": f"{random.getrandbits(128):032x}",
        "spanId": f"{random.getrandbits(64):016x}",
        "parentSpanId": f"{random.getrandbits(64):016x}",
        "flags": 256,
        "name": "chat support-prod",
        "kind": 3,
        "startTimeUnixNano": str(begun),
        "endTimeUnixNano": str(begun + random.randrange(10**8, 5 * 10**9)),
        **attributes(called),
        "status": {},
    }


def message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def sentence(random: Random, words: int) -> str:
    return " ".join(random.choices(WORDS, k=words))


def attributes(named: dict[str, Any]) -> dict[str, Any]:
    return {"attributes": [{"key": key, "value": wire(value)} for key, value in named.items()]}


def wire(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"arrayValue": {"values": [wire(item) for item in value]}}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue" if isinstance(value, float) else "stringValue": value}


# The three


class _AnyValue(msgspec.Struct, rename="camel"):
    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bool_value: bool | None = None
    array_value: "_ArrayValue | None" = None


class _ArrayValue(msgspec.Struct):
    values: list[_AnyValue] = []


class _KeyValue(msgspec.Struct):
    key: str
    value: _AnyValue


class _Attributed(msgspec.Struct):
    attributes: list[_KeyValue] = []


class _Status(msgspec.Struct):
    message: str = ""
    code: int | str = 0


class _Span(msgspec.Struct, rename="camel"):
    trace_id: str
    span_id: str
    start_time_unix_nano: int | str
    end_time_unix_nano: int | str
    parent_span_id: str = ""
    name: str = ""
    attributes: list[_KeyValue] = []
    status: _Status | None = None


class _ScopeSpans(msgspec.Struct):
    spans: list[_Span]


class _ResourceSpans(msgspec.Struct, rename="camel"):
    resource: _Attributed
    scope_spans: list[_ScopeSpans]


class _Request(msgspec.Struct, rename="camel"):
    resource_spans: list[_ResourceSpans]


def decode(traces: str, _folder: str) -> int:
    decode_line = msgspec.json.Decoder(_Request).decode
    count = 0
    with Path(traces).open("rb") as file:
        for line in file:
            for group in decode_line(line).resource_spans:
                count += sum(len(scope.spans) for scope in group.scope_spans)
    return count


def load(traces: str, folder: str) -> int:
    (outcome,) = intake.load(Path(folder, CASE), [traces])
    return outcome.exhibit.rows_kept if outcome.exhibit else 0


QUERY = """
CREATE TABLE requests AS
WITH grouped AS (
    SELECT unnest(resourceSpans) AS g
    FROM read_json($traces, format = 'newline_delimited', maximum_object_size = 67108864)
), scoped AS (
    SELECT g.resource.attributes AS process, unnest(g.scopeSpans) AS scope FROM grouped
), flat AS (
    SELECT process, unnest(scope.spans) AS s FROM scoped
), mapped AS (
    SELECT s,
           map_from_entries([{k: x.key, v: x.value} FOR x IN s.attributes]) AS a,
           map_from_entries([{k: x.key, v: x.value} FOR x IN process]) AS p
    FROM flat
)
SELECT s.spanId AS request_id,
       make_timestamp(CAST(s.startTimeUnixNano AS BIGINT) // 1000) AS occurred_at,
       make_timestamp(CAST(s.endTimeUnixNano AS BIGINT) // 1000) AS ended_at,
       s.traceId AS trace_id, s.spanId AS span_id, s.parentSpanId AS parent_span_id,
       a['gen_ai.operation.name'].stringValue AS operation,
       p['service.name'].stringValue AS service,
       p['deployment.environment.name'].stringValue AS environment,
       p['cloud.region'].stringValue AS region,
       p['service.instance.id'].stringValue AS replica,
       a['gen_ai.request.model'].stringValue AS endpoint,
       a['gen_ai.response.model'].stringValue AS response_model,
       a['enduser.id'].stringValue AS user_id,
       a['gen_ai.conversation.id'].stringValue AS session_id,
       a['gen_ai.input.messages'].stringValue AS input_text,
       a['gen_ai.output.messages'].stringValue AS output_text,
       CAST(a['gen_ai.usage.input_tokens'].intValue AS BIGINT) AS input_tokens,
       CAST(a['gen_ai.usage.output_tokens'].intValue AS BIGINT) AS output_tokens,
       (s.endTimeUnixNano::BIGINT - s.startTimeUnixNano::BIGINT) / 1e6 AS latency_ms,
       to_json(a) AS attributes
FROM mapped
"""


def unnest(traces: str, folder: str) -> int:
    with duckdb.connect(f"{folder}/duckdb.duckdb") as connection:
        connection.execute(QUERY, {"traces": traces})
        row = connection.execute("SELECT count(*) FROM requests").fetchone()
    return int(row[0]) if row else 0


CONTENDERS: dict[str, Callable[[str, str], int]] = {
    "msgspec, decode only": decode,
    "casework": load,
    "DuckDB, read_json and UNNEST": unnest,
}


# The measuring


def compare(traces: Path) -> dict[str, list[Measured]]:
    """Let all do it in turn, after a round that is not counted."""
    found: dict[str, list[Measured]] = {name: [] for name in CONTENDERS}
    for turn in range(RUNS + 1):
        for name, contender in CONTENDERS.items():
            with TemporaryDirectory(dir=traces.parent) as folder:
                CaseWriter.create(Path(folder, CASE), "benchmark")
                result = measured(contender, str(traces), folder)
            if turn:
                found[name].append(result)
    return found


def table(found: dict[str, list[Measured]]) -> Iterator[str]:
    """Medians, with the smallest and the largest beside them."""
    medians = {name: statistics.median(run.seconds for run in runs) for name, runs in found.items()}
    least, ours, theirs = medians.values()
    yield "| | seconds | spans/s | peak MB |"
    yield "|---|---|---|---|"
    for name, runs in found.items():
        seconds = sorted(run.seconds for run in runs)
        pace = runs[0].value / medians[name]
        peak = max(run.megabytes for run in runs)
        spread = f"{seconds[0]:.2f} to {seconds[-1]:.2f}"
        yield f"| {name} | {medians[name]:.2f} ({spread}) | {pace:,.0f} | {peak:.0f} |"
    yield ""
    yield f"casework takes {ours / least:.2f} of decoding, {ours / theirs:.2f} of DuckDB"


def main(spans: int = 40_000) -> None:
    with TemporaryDirectory() as folder:
        traces = Path(folder, "traces.jsonl")
        write_traces(traces, spans)
        print(f"{spans:,} spans, {traces.stat().st_size / 1e6:.0f} MB, {RUNS} runs")
        for line in table(compare(traces)):
            print(line)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
