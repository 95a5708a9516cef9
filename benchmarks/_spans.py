"""Evidence for timing: spans of model calls of 2.3 kB each, as the collector writes them."""

import json
from pathlib import Path
from random import Random
from typing import Any

SPANS_PER_LINE = 100
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
