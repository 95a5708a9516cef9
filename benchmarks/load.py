"""How fast OTLP traces load, beside the least that reading them can cost and beside DuckDB alone.

    python -m benchmarks.load [--spans 40000] [--spans-per-line 100] [--runs 5]

Three do the same bytes in turn, each in a process of its own:

- `decode`: msgspec decodes every line into plain typed structs, and nothing else;
- `casework`: the importer and the case, end to end, rows on disk and committed;
- `duckdb`: one query with `read_json` and UNNEST into a table on disk with the same columns,
  texts as the JSON that they came as.
"""

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

WORDS = (
    "the model returned a refund decision for this customer because policy page nine says that "
    "orders older than thirty days need approval from a lead who answers within one working day"
).split()
SYSTEM = f"You are a careful support agent. {' '.join(WORDS)}. {' '.join(reversed(WORDS))}."
START_NS = 1_762_000_000_000_000_000


# The evidence


def write_traces(path: Path, spans: int, per_line: int) -> None:
    """Write spans of model calls as the collector's file exporter does, from a seed."""
    random = Random(7)
    with path.open("w") as file:
        for first in range(0, spans, per_line):
            batch = [span(random, n) for n in range(first, min(first + per_line, spans))]
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


class AnyValue(msgspec.Struct, rename="camel"):
    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bool_value: bool | None = None
    array_value: "ArrayValue | None" = None


class ArrayValue(msgspec.Struct):
    values: list[AnyValue] = []


class KeyValue(msgspec.Struct):
    key: str
    value: AnyValue


class Attributed(msgspec.Struct):
    attributes: list[KeyValue] = []


class Status(msgspec.Struct):
    message: str = ""
    code: int | str = 0


class Span(msgspec.Struct, rename="camel"):
    trace_id: str
    span_id: str
    start_time_unix_nano: int | str
    end_time_unix_nano: int | str
    parent_span_id: str = ""
    name: str = ""
    attributes: list[KeyValue] = []
    status: Status | None = None


class ScopeSpans(msgspec.Struct):
    spans: list[Span]


class ResourceSpans(msgspec.Struct, rename="camel"):
    resource: Attributed
    scope_spans: list[ScopeSpans]


class Request(msgspec.Struct, rename="camel"):
    resource_spans: list[ResourceSpans]


def run_decode(traces: Path, _folder: Path) -> int:
    decode = msgspec.json.Decoder(Request).decode
    count = 0
    with traces.open("rb") as file:
        for line in file:
            for group in decode(line).resource_spans:
                count += sum(len(scope.spans) for scope in group.scope_spans)
    return count


def run_casework(traces: Path, folder: Path) -> int:
    from casework.case import CaseWriter, Receipt
    from casework.importers import Options, Source
    from casework.importers.otlp_traces import otlp_traces

    case = folder / "case.duckdb"
    CaseWriter.create(case, "benchmark")
    receipt = Receipt(traces.name, "0" * 64, traces.stat().st_size, "otlp", otlp_traces.name)
    with CaseWriter(case) as writer:
        exhibit = writer.load(receipt, otlp_traces.read(Source(traces, traces.name), Options()))
    return exhibit.rows_kept


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
       (CAST(s.endTimeUnixNano AS BIGINT) - CAST(s.startTimeUnixNano AS BIGINT)) / 1e6 AS latency_ms,
       to_json(a) AS attributes
FROM mapped
"""


def run_duckdb(traces: Path, folder: Path) -> int:
    import duckdb

    with duckdb.connect(str(folder / "duckdb.duckdb")) as connection:
        connection.execute(QUERY, {"traces": str(traces)})
        row = connection.execute("SELECT count(*) FROM requests").fetchone()
    return int(row[0]) if row else 0


CONTENDERS: dict[str, Callable[[Path, Path], int]] = {
    "decode": run_decode,
    "casework": run_casework,
    "duckdb": run_duckdb,
}


# The measuring


def measure_here(name: str, traces: Path) -> dict[str, Any]:
    """Run one in this process, once what it imports is loaded."""
    import duckdb  # noqa: F401  loading it is not the work that is measured

    import casework.case
    import casework.importers.otlp_traces  # noqa: F401

    with TemporaryDirectory(dir=traces.parent) as folder:
        begun = time.perf_counter()
        count = CONTENDERS[name](traces, Path(folder))
        seconds = time.perf_counter() - begun
    peaks = [
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return {"spans": count, "seconds": seconds, "peak_mb": sum(peaks) / 1024}


def measure(traces: Path, runs: int) -> dict[str, list[dict[str, Any]]]:
    """Run all in turn, after one round that is not counted."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
    for turn in range(runs + 1):
        for name in CONTENDERS:
            command = [sys.executable, "-m", "benchmarks.load", "--only", name, str(traces)]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            if turn:
                found[name].append(json.loads(output))
    return found


def lines(found: dict[str, list[dict[str, Any]]], size: int) -> Iterator[str]:
    """The table: medians with the smallest and the largest beside them."""
    least = statistics.median(run["seconds"] for run in found["decode"])
    yield "| | seconds | of decode | spans/s | MB/s | peak MB |"
    yield "|---|---|---|---|---|---|"
    for name, measured in found.items():
        seconds = sorted(run["seconds"] for run in measured)
        median = statistics.median(seconds)
        peak = max(run["peak_mb"] for run in measured)
        yield (
            f"| {name} | {median:.2f} ({seconds[0]:.2f} to {seconds[-1]:.2f}) | "
            f"{median / least:.2f} | {measured[0]['spans'] / median:,.0f} | "
            f"{size / median / 1e6:.0f} | {peak:.0f} |"
        )
    ours = statistics.median(run["seconds"] for run in found["casework"])
    theirs = statistics.median(run["seconds"] for run in found["duckdb"])
    yield ""
    yield f"casework / decode: {ours / least:.2f}; casework / duckdb: {ours / theirs:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traces", nargs="?", type=Path)
    parser.add_argument("--only", choices=CONTENDERS)
    parser.add_argument("--spans", type=int, default=40_000)
    parser.add_argument("--spans-per-line", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(measure_here(given.only, given.traces)))
        return
    with TemporaryDirectory() as folder:
        traces = given.traces or Path(folder, "traces.jsonl")
        if not given.traces:
            write_traces(traces, given.spans, given.spans_per_line)
        size = traces.stat().st_size
        print(f"{platform.platform()}, Python {platform.python_version()}; {size / 1e6:.0f} MB")
        for line in lines(measure(traces, given.runs), size):
            print(line)


if __name__ == "__main__":
    main()
