"""Records model calls with the OpenTelemetry SDK, and prints what its spans say.

A script for an environment that has the SDK: `write_opentelemetry.py FOLDER` leaves
`FOLDER/traces.bin`, the export request as the SDK encodes it, and `FOLDER/traces.json`, the same as
a collector writes it. Old conventions for generative AI stand beside those of today.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode

IDS = ("traceId", "spanId", "parentSpanId")
ASKED = [{"role": "user", "parts": [{"type": "text", "content": "May I have a refund, \u00e9?"}]}]
ANSWERED = [{"role": "assistant", "parts": [{"type": "text", "content": "Yes."}]}]
CALLS: list[dict[str, Any]] = [
    {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "large",
        "gen_ai.response.model": "large-2026",
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.conversation.id": "c1",
        "gen_ai.input.messages": json.dumps(ASKED),
        "gen_ai.output.messages": json.dumps(ANSWERED),
    },
    {
        "gen_ai.system": "openai",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "small",
        "gen_ai.usage.prompt_tokens": 2**40,
        "gen_ai.usage.completion_tokens": 0,
    },
    {"gen_ai.system": "openai", "gen_ai.operation.name": "chat", "gen_ai.request.model": "small"},
]


def hexed(value: Any) -> Any:
    """The request with its ids in hex."""
    if isinstance(value, dict):
        return {
            name: base64.b64decode(one).hex() if name in IDS else hexed(one)
            for name, one in value.items()
        }
    return [hexed(one) for one in value] if isinstance(value, list) else value


def main(folder: Path) -> list[dict[str, Any]]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": "checkout"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests", "1.0")
    with tracer.start_as_current_span("answer"):
        for number, attributes in enumerate(CALLS):
            with tracer.start_as_current_span("chat", attributes=attributes) as span:
                if number == 2:
                    span.set_status(Status(StatusCode.ERROR, "the server is busy"))
    request = encode_spans(exporter.get_finished_spans())
    (folder / "traces.bin").write_bytes(request.SerializeToString())
    (folder / "traces.json").write_text(json.dumps(hexed(MessageToDict(request))))
    return [
        {
            "span": f"{span.context.span_id:016x}",
            "trace": f"{span.context.trace_id:032x}",
            "parent": f"{span.parent.span_id:016x}",
            "began": span.start_time,
            "ended": span.end_time,
            "status": span.status.status_code.name,
            "attributes": dict(span.attributes),
        }
        for span in exporter.get_finished_spans()
        if span.parent
    ]


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
