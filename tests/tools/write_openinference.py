"""Records spans by the conventions of OpenInference, and prints what the spans say.

A script for an environment that has the conventions and the OpenTelemetry SDK:
`write_openinference.py FOLDER` leaves `FOLDER/traces.bin`, the export request as the SDK encodes
it. Attributes are named by the constants of the version, and made by its own functions where it has
any.
"""

import json
import sys
from pathlib import Path
from typing import Any

from openinference.semconv.trace import (
    DocumentAttributes,
    EmbeddingAttributes,
    MessageAttributes,
    OpenInferenceSpanKindValues,
    RerankerAttributes,
    SpanAttributes,
)
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

try:
    from openinference.instrumentation import get_llm_attributes, get_retriever_attributes
except ImportError:
    get_llm_attributes = get_retriever_attributes = None

SAID = [("system", "Be brief."), ("user", "One \u00e9?")]
DOCUMENTS = [("d1", "First", 0.75), ("d2", "Second", 0.25)]
CHOSEN = {"temperature": 0.5, "model": "large"}
VECTOR = [0.5, -0.25, 1.0]


def messages(prefix: str, said: list[tuple[str, str]]) -> dict[str, Any]:
    role, content = MessageAttributes.MESSAGE_ROLE, MessageAttributes.MESSAGE_CONTENT
    return {
        f"{prefix}.{number}.{name}": value
        for number, one in enumerate(said)
        for name, value in zip((role, content), one, strict=True)
    }


def call() -> dict[str, Any]:
    if get_llm_attributes:
        return get_llm_attributes(
            provider="openai",
            system="openai",
            model_name="large",
            invocation_parameters=CHOSEN,
            input_messages=[{"role": role, "content": content} for role, content in SAID],
            output_messages=[{"role": "assistant", "content": "Yes."}],
            token_count={"prompt": 7, "completion": 3, "total": 10},
        )
    return {
        SpanAttributes.LLM_MODEL_NAME: "large",
        SpanAttributes.LLM_INVOCATION_PARAMETERS: json.dumps(CHOSEN),
        **messages(SpanAttributes.LLM_INPUT_MESSAGES, SAID),
        **messages(SpanAttributes.LLM_OUTPUT_MESSAGES, [("assistant", "Yes.")]),
        SpanAttributes.LLM_TOKEN_COUNT_PROMPT: 7,
        SpanAttributes.LLM_TOKEN_COUNT_COMPLETION: 3,
    }


def documents(prefix: str) -> dict[str, Any]:
    names = (
        DocumentAttributes.DOCUMENT_ID,
        DocumentAttributes.DOCUMENT_CONTENT,
        DocumentAttributes.DOCUMENT_SCORE,
    )
    return {
        f"{prefix}.{number}.{name}": value
        for number, one in enumerate(DOCUMENTS)
        for name, value in zip(names, one, strict=True)
    }


def retrieval() -> dict[str, Any]:
    if get_retriever_attributes:
        return get_retriever_attributes(documents=[
            {"id": name, "content": content, "score": score} for name, content, score in DOCUMENTS
        ])  # fmt: skip
    return documents(SpanAttributes.RETRIEVAL_DOCUMENTS)


def main(folder: Path) -> list[dict[str, Any]]:
    kinds = OpenInferenceSpanKindValues
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests", "1.0")

    def record(kind: OpenInferenceSpanKindValues, attributes: dict[str, Any]) -> None:
        with tracer.start_as_current_span(kind.value.lower(), attributes=attributes) as span:
            span.set_attribute(SpanAttributes.OPENINFERENCE_SPAN_KIND, kind.value)

    embedded = f"{SpanAttributes.EMBEDDING_EMBEDDINGS}.0"
    spans = {
        kinds.RETRIEVER: {SpanAttributes.INPUT_VALUE: "One?", **retrieval()},
        kinds.RERANKER: {
            RerankerAttributes.RERANKER_QUERY: "One?",
            **documents(RerankerAttributes.RERANKER_OUTPUT_DOCUMENTS),
        },
        kinds.LLM: {
            **call(),
            SpanAttributes.SESSION_ID: "s1",
            SpanAttributes.USER_ID: "ana",
        },
        kinds.TOOL: {SpanAttributes.INPUT_VALUE: "x"},
    }
    with tracer.start_as_current_span("answer") as root:
        root.set_attribute(SpanAttributes.OPENINFERENCE_SPAN_KIND, kinds.CHAIN.value)
        for kind, attributes in spans.items():
            record(kind, attributes)
    record(kinds.EMBEDDING, {
        SpanAttributes.EMBEDDING_MODEL_NAME: "embedder",
        f"{embedded}.{EmbeddingAttributes.EMBEDDING_TEXT}": "One?",
        f"{embedded}.{EmbeddingAttributes.EMBEDDING_VECTOR}": VECTOR,
    })  # fmt: skip
    found = exporter.get_finished_spans()
    (folder / "traces.bin").write_bytes(encode_spans(found).SerializeToString())
    return [
        {
            "kind": span.attributes[SpanAttributes.OPENINFERENCE_SPAN_KIND],
            "span": f"{span.context.span_id:016x}",
            "trace": f"{span.context.trace_id:032x}",
            "began": span.start_time,
            "attributes": dict(span.attributes),
        }
        for span in found
    ]


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
