"""Traces of MLflow as evidence rows, from whichever store, search or export."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from casework.case import Item, Note, Row
from casework.importers._configuration import hash_prompt
from casework.importers._fields import FieldLog, Form
from casework.importers._instants import later
from casework.importers._messages import Turn, answer, system_prompt, transcript, turns
from casework.importers._mlflow_marks import Mark, Marks, Sampled
from casework.importers._shape import filled, mapping, number, parsed, text, written
from casework.tables import Table, eval_samples, feedback, requests
from casework.words import several

TABLES: tuple[Table, ...] = (requests, feedback, eval_samples)

_STATES = {"OK": "ok", "ERROR": "error", "IN_PROGRESS": "in_progress"}
_USAGE = "mlflow.trace.tokenUsage"
_SESSION, _USER = "metadata.mlflow.trace.session", "metadata.mlflow.trace.user"
_IN, _OUT = "mlflow.traceInputs", "mlflow.traceOutputs"
_SOURCE_RUN, _EVALUATED = "mlflow.sourceRun", "mlflow.eval.requestId"
# What MLflow repeats, or notes for its own use.
_OF_METADATA = (
    *("mlflow.trace.sizeBytes", "mlflow.trace.sizeStats"),
    *("mlflow.trace_schema.version", "mlflow.trace.infoFinalized"),
)
_TRACE = Form(
    requests,
    of="trace",
    columns={
        "request_id": ("trace_id", "request_id"),
        "occurred_at": ("request_time", "timestamp_ms"),
        "session_id": (_SESSION, "tags.mlflow.trace.session", "session_id"),
        "user_id": (_USER, "tags.mlflow.trace.user"),
        # The id of a logged model is no digest: it stands in for one where none is stamped.
        "checkpoint": ("tags.checkpoint", "metadata.checkpoint", "metadata.mlflow.modelId"),
        "endpoint": ("model",),
        "input_tokens": (f"metadata.{_USAGE}.input_tokens", "input_tokens"),
        "output_tokens": (f"metadata.{_USAGE}.output_tokens", "output_tokens"),
    },
    uses={
        "status": ("state", "status"),
        "latency_ms": ("execution_duration_ms", "execution_duration", "execution_time_ms"),
        "input_text": ("inputs", "request_preview", f"metadata.{_IN}"),
        "output_text": ("outputs", "response_preview", f"metadata.{_OUT}"),
    },
    own=("tags", "metadata"),
    left_out=tuple(f"metadata.{name}" for name in _OF_METADATA),
)


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace under the names of MLflow 3, or 2.

    `inputs` and `outputs` are whole, as values; None where the source has previews of them alone.
    `models` are those that its spans called. `overridden` counts marks that others replaced, and
    `unread` what stands among them and is none.
    """

    locator: str
    fields: Mapping[str, Any]
    metadata: Mapping[str, Any]
    tags: Mapping[str, Any]
    inputs: Any = None
    outputs: Any = None
    models: Sequence[str] = ()
    marks: Sequence[Mark] = field(default=())
    overridden: int = 0
    unread: int = 0

    @property
    def name(self) -> str | None:
        """Its id."""
        return text(self.fields.get("trace_id")) or text(self.fields.get("request_id"))

    @property
    def of_evaluation(self) -> bool:
        """Whether an evaluation made it: no user asked."""
        return bool(text(self.metadata.get(_SOURCE_RUN)) and text(self.tags.get(_EVALUATED)))


class Traces:
    """Makes rows of the traces of one source and of the marks that were given to them."""

    def __init__(self, log: FieldLog) -> None:
        self._log = log
        self._marks = Marks(log)
        self._told: Counter[str] = Counter()

    def rows(self, trace: Trace) -> Iterator[Item]:
        """The request, unless an evaluation asked; and the samples of the runs that judged it."""
        values = self._values(trace)
        self._log.leave("assessments that were overridden", trace.overridden)
        self._log.leave("assessments that are no objects", trace.unread)
        if trace.of_evaluation:
            self._told["evaluation"] += 1
        else:
            yield Row(requests, trace.locator, values)
        run = text(trace.metadata.get(_SOURCE_RUN)) if trace.of_evaluation else None
        item = text(trace.tags.get(_EVALUATED)) or trace.name
        about = Sampled(item, trace.name, values.get("input_text"), values.get("output_text"), run)
        yield from self._marks.samples(about, trace.marks, trace.locator)

    def rest(self) -> Iterator[Item]:
        """The marks outside of runs, and what a reader should know."""
        yield from self._marks.rows()
        if count := self._told["evaluation"]:
            one = "trace was made by an evaluation: it is a sample, not a request"
            more = "traces were made by evaluations: they are samples, not requests"
            yield Note(several(count, one, more))
        if count := self._told["preview"]:
            one, more = "trace has previews of its texts", "traces have previews of their texts"
            yield Note(f"{several(count, one, more)} alone, which MLflow cuts off")

    def _values(self, trace: Trace) -> dict[str, Any]:
        usage = mapping(parsed(trace.metadata.get(_USAGE)))
        record = {
            **trace.fields,
            "inputs": trace.inputs,
            "outputs": trace.outputs,
            "metadata": {**trace.metadata, **({_USAGE: usage} if usage else {})},
            "tags": trace.tags,
            "model": trace.models[0] if len(trace.models) == 1 else None,
            "called_models": list(trace.models) if len(trace.models) > 1 else None,
            "expectations": {one.name: one.value for one in trace.marks if one.is_expectation},
        }
        values = self._log.fill(_TRACE, record)
        texts, are_previews = _texts(trace)
        self._told["preview"] += are_previews
        attributes = {
            **values.get("attributes", {}),
            **({"texts": "previews"} if are_previews else {}),
        }
        taken = _milliseconds(trace.fields)
        state = _state(trace.fields)
        native = {
            "trace_id": trace.name,
            "ended_at": later(values.get("occurred_at"), None if taken is None else taken / 1e3),
            "latency_ms": taken,
            "status": _STATES.get(state, state.lower() or None),
            "attributes": attributes,
        }
        return {**texts, **values, **native}


def _texts(trace: Trace) -> tuple[dict[str, Any], bool]:
    """Columns of the texts, and whether they may be cut off; a hash of whole texts only."""
    if trace.inputs is None and trace.outputs is None:
        into = _preview(trace, "request_preview", _IN)
        out = _preview(trace, "response_preview", _OUT)
        return filled({"input_text": into, "output_text": out}), bool(into or out)
    asked, _ = turns(trace.inputs)
    said, _ = turns(trace.outputs)
    system = system_prompt(asked)
    texts = {
        "input_text": transcript(asked) if _has_roles(asked) else written(trace.inputs),
        "output_text": answer(said) if _has_roles(said) else written(trace.outputs),
        "prompt_hash": hash_prompt([system] if system else []),
    }
    return filled(texts), False


def _has_roles(said: list[Turn]) -> bool:
    """Whether a value holds messages; the arguments of a function are written as they stand."""
    return any(role for role, _ in said)


def _preview(trace: Trace, name: str, in_metadata: str) -> str | None:
    """The preview of MLflow 3, else the JSON text in the metadata, of a string the string."""
    noted = text(trace.metadata.get(in_metadata))
    said = parsed(noted)
    return text(trace.fields.get(name)) or (said if isinstance(said, str) else noted)


def _state(fields: Mapping[str, Any]) -> str:
    """The state without the prefix of older versions; empty where none is said."""
    said = (text(fields.get("state")) or text(fields.get("status")) or "").rpartition(".")[2]
    state = said.removeprefix("TRACE_STATUS_").removeprefix("STATE_")
    return "" if state == "UNSPECIFIED" else state


def _milliseconds(fields: Mapping[str, Any]) -> float | None:
    """How long a trace took: milliseconds as a number or digits, or `0.048s`."""
    for name in ("execution_duration_ms", "execution_duration", "execution_time_ms"):
        value = fields.get(name)
        said = value.strip() if isinstance(value, str) else value
        seconds = isinstance(said, str) and said.endswith("s")
        try:
            found = number(float(said.removesuffix("s")) if isinstance(said, str) else said)
        except ValueError:
            continue
        if found is not None and found >= 0:
            return found * 1e3 if seconds else found
    return None
