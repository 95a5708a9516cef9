"""Records of Langfuse as evidence rows: observations, scores, prompts, in whichever export."""

from collections.abc import Iterator, Mapping
from typing import Any

from casework import canonical
from casework.case import Item, Row
from casework.importers._configuration import hash_params, hash_prompt
from casework.importers._fields import FieldLog, Form
from casework.importers._instants import milliseconds
from casework.importers._json_document import decoded
from casework.importers._messages import answer, system_prompt, transcript, turns
from casework.importers._retrievals import named_by_content
from casework.importers._shape import filled, mapping, number, sequence, text
from casework.importers._thumbs import as_number
from casework.tables import (
    Table,
    candidates,
    config_events,
    eval_runs,
    eval_samples,
    feedback,
    requests,
)

TABLES: tuple[Table, ...] = (
    *(requests, candidates, feedback, eval_samples, eval_runs, config_events),
)
_DEFAULTED = (
    *("inputUsage", "outputUsage", "totalUsage"),
    *("promptTokens", "completionTokens", "totalTokens"),
)
_MOST_TOKENS = 2**53
LABEL_NOW = "langfuse prompt label (current only)"
REGISTERED = "langfuse prompt version (created, not deployed)"

_MODEL_TYPES = ("GENERATION", "EMBEDDING")
_JSON_TEXTS = (
    *("metadata", "input", "output", "modelParameters", "usageDetails", "costDetails"),
    "expectedOutput",
)
_OBSERVATION = Form(
    requests,
    of="observation",
    columns={
        "request_id": ("id",),
        "occurred_at": ("startTime", "start_time"),
        "ended_at": ("endTime", "end_time"),
        "trace_id": ("traceId", "trace_id"),
        "parent_span_id": ("parentObservationId", "parent_observation_id"),
        "environment": ("environment",),
        "service": ("metadata.resourceAttributes.service.name",),
        "replica": ("metadata.resourceAttributes.service.instance.id",),
        "region": ("metadata.resourceAttributes.cloud.region",),
        "endpoint": (
            "metadata.attributes.gen_ai.request.model",
            "metadata.attributes.llm.request.model",
            "metadata.attributes.llm.model_name",
            "model",
            "providedModelName",
            "provided_model_name",
        ),
        "response_model": (
            "metadata.attributes.gen_ai.response.model",
            "metadata.attributes.llm.response.model",
        ),
        "fingerprint": (
            "metadata.attributes.openai.response.system_fingerprint",
            "metadata.attributes.gen_ai.openai.response.system_fingerprint",
        ),
        "prompt_name": ("promptName", "prompt_name"),
        "prompt_version": ("promptVersion", "prompt_version"),
        "user_id": ("userId", "user_id"),
        "session_id": ("sessionId", "session_id"),
        "input_tokens": (
            "usageDetails.input",
            "inputUsage",
            "usage.input",
            "promptTokens",
            "metadata.attributes.gen_ai.usage.input_tokens",
        ),
        "output_tokens": (
            "usageDetails.output",
            "outputUsage",
            "usage.output",
            "completionTokens",
            "metadata.attributes.gen_ai.usage.output_tokens",
        ),
    },
    uses={
        "input_text": ("input",),
        "output_text": ("output",),
        "params_hash": ("modelParameters", "model_parameters"),
        "latency_ms": ("latency",),
        "status": ("level",),
        "operation": ("type",),
        "span_id": ("id",),
    },
    own=("metadata", "metadata.attributes"),
    left_out=(
        *("projectId", "createdAt", "updatedAt", "inputUsage", "outputUsage", "totalUsage"),
        *("internalModelId", "internalModel", "usagePricingTierId", "usagePricingTierName"),
    ),
)
_NODE = "node"  # in which LlamaIndex has the document, beside its score
_CONTENT = ("page_content", "pageContent", "content", "text")
_DOCUMENT = Form(
    candidates,
    of="document",
    columns={
        "doc_id": ("id", "doc_id", "document_id", "metadata.id", f"{_NODE}.id_"),
        "dense_score": ("score", "similarity", "metadata.score"),
    },
)
_PROMPT = Form(
    config_events,
    of="prompt",
    columns={
        "new_value": ("version",),
        "occurred_at": ("createdAt", "updatedAt", "created_at", "updated_at"),
        "actor": ("createdBy", "created_by"),
    },
    uses={"key": ("name",)},
    left_out=("projectId",),
)


def parsed(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with the fields that hold JSON as text read; texts that are none stay.

    The metadata of a blob export hold a text for each of their entries.
    """
    read = {name: _json(value) if name in _JSON_TEXTS else value
            for name, value in record.items()}  # fmt: skip
    if isinstance(read.get("metadata"), Mapping):
        read["metadata"] = {name: _json(value) for name, value in read["metadata"].items()}
    return read


def is_call(observation: Mapping[str, Any]) -> bool:
    """Whether an observation is a model call, by its type."""
    return observation.get("type") in _MODEL_TYPES


def latency_unit(log: FieldLog, observations: Any) -> float:
    """What `latency` counts in a download, in milliseconds: 1 in older ones, else 1,000."""
    for one in map(mapping, sequence(observations)):
        begun, ended = (log.instants.find(one.get(name)) for name in ("startTime", "endTime"))
        passed, told = milliseconds(begun, ended), number(one.get("latency"))
        if passed and told:
            return 1.0 if told > passed / 30 else 1e3
    return 1e3


def request_row(
    log: FieldLog, observation: Mapping[str, Any], locator: str, *, latency_unit: float = 1e3
) -> Item:
    """The row of a model call; `latency_unit` is what its `latency` counts, in milliseconds."""
    values = {**log.fill(_OBSERVATION, _without_defaults(observation)), **_tokens(observation)}
    into, _ = turns(observation.get("input"))
    out, _ = turns(observation.get("output"))
    system = system_prompt(into)
    latency = milliseconds(values.get("occurred_at"), values.get("ended_at"))
    told = number(observation.get("latency"))
    if latency is None and told is not None:
        latency = told * latency_unit
    derived = {
        "span_id": values.get("request_id"),
        "operation": str(observation.get("type") or "").lower() or None,
        "input_text": transcript(into) or None,
        "output_text": answer(out) or None,
        "prompt_hash": hash_prompt([system] if system else []),
        "params_hash": hash_params(canonical.plain(filled(_parameters(observation)))),
        "latency_ms": latency,
        "status": {"": None, "ERROR": "error"}.get(text(observation.get("level")) or "", "ok"),
    }
    return Row(requests, locator, {**derived, **values})


def document_rows(log: FieldLog, observation: Mapping[str, Any], locator: str) -> Iterator[Item]:
    """The documents that a retriever offered, in the order in which it gave them."""
    output = observation.get("output")
    listed = output if isinstance(output, list) else mapping(output).get("documents")
    for position, document in enumerate(sequence(listed)):
        if not isinstance(document, Mapping):
            log.leave("document")
            continue
        about = {
            "query_id": text(observation.get("id")),
            "occurred_at": log.instants.find(observation.get("startTime")),
            "dense_rank": position + 1,
        }
        values = log.fill(_DOCUMENT, document)
        if "doc_id" not in values:
            told = mapping(document.get(_NODE)) or document
            meta = mapping(told.get("metadata"))
            content = next((said for name in _CONTENT if (said := text(told.get(name)))), None)
            values["doc_id"] = named_by_content(text(meta.get("source")), content)
        row = {**values, **about}
        yield Row(candidates, f"{locator}/output/{position}", row)


def prompt_rows(log: FieldLog, prompt: Mapping[str, Any], locator: str) -> Iterator[Item]:
    """A prompt version as configuration events: created, and for each label that it has, labelled.

    Who set a label is not told, and when only as the last change of the version.
    """
    values = log.fill(_PROMPT, prompt)
    name = text(prompt.get("name"))
    body = prompt.get("prompt")
    said = body if isinstance(body, str) else system_prompt(turns(body)[0])
    attributes = {
        **values.get("attributes", {}),
        "prompt_hash": hash_prompt([said] if said else []),
    }
    base = {**values, "key": f"prompt:{name}" if name else None, "attributes": attributes}
    yield Row(config_events, locator, {**base, "source": REGISTERED})
    changed = log.instants.find(prompt.get("updatedAt") or prompt.get("updated_at"))
    moved = {"occurred_at": changed or values.get("occurred_at"), "actor": None}
    for label in sequence(prompt.get("labels")):
        if label != "latest":
            scoped = {**base, **moved, "scope": f"label:{label}", "source": LABEL_NOW}
            yield Row(config_events, f"{locator}/labels/{label}", scoped)


def _parameters(observation: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(observation.get("modelParameters") or observation.get("model_parameters"))


def _without_defaults(observation: Mapping[str, Any]) -> dict[str, Any]:
    """The observation without the zeros that Langfuse writes where no usage was recorded."""
    told = {name: value for name, value in observation.items()
            if name not in _DEFAULTED or value not in (0, "0")}  # fmt: skip
    if usage := mapping(told.get("usage")):
        told["usage"] = {name: value for name, value in usage.items() if value != 0}
    return told


def _tokens(observation: Mapping[str, Any]) -> dict[str, int]:
    """Tokens by direction, those of the cache among them, which Langfuse counts apart."""
    found: dict[str, int] = {}
    for name, value in mapping(observation.get("usageDetails")).items():
        way = next((one for one in ("input", "output") if one in name), None)
        count = as_number(value)
        if way and count is not None and count.is_integer():
            found[f"{way}_tokens"] = found.get(f"{way}_tokens", 0) + int(count)
    return {name: count for name, count in found.items() if abs(count) < _MOST_TOKENS}


def _json(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "[", '"'):
        try:
            return decoded(value)
        except ValueError:
            return value
    return value
