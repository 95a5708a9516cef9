"""LangSmith runs, as JSON Lines, a JSON array, or pages of the API.

## Reads
Runs as the client sends them and the API returns them, one by one, as pages of the API (`runs`), as
requests of the client (`post`, `patch`), and as trees (`child_runs`). A create and an update of the
same run share its `id` and are one: what the later one says counts. Plain, gzip or zstd.

## Fills
Runs of type `llm` become `requests`, documents in `outputs.documents` or `outputs.output` of those
of type `retriever` `candidates`. A document is named by its `id` or `metadata.id`, else by the
SHA-256 of its `metadata.source` and its text.

| column of `requests` | from |
|---|---|
| `request_id`, `span_id` | `id` |
| `occurred_at`, `ended_at`, `latency_ms` | `start_time`, `end_time` |
| `trace_id`, `parent_span_id` | `trace_id`, `parent_run_id` |
| `endpoint` | `extra.metadata.ls_model_name`, `extra.metadata.model_name`, \
`extra.invocation_params.model`, `extra.invocation_params.model_name`, `inputs.model` |
| `response_model` | `outputs.llm_output.model_name`, `outputs.model`, else `model_name` of \
`response_metadata` of the first message in `outputs` |
| `fingerprint` | `outputs.llm_output.system_fingerprint`, `outputs.system_fingerprint`, else \
that of `response_metadata` |
| `session_id`, `user_id` | `thread_id`, `session_id` or `conversation_id`, and `user_id` of \
`extra.metadata` |
| `environment` | `extra.metadata.environment`, `session_name` |
| `prompt_name`, `prompt_version` | `extra.metadata.lc_hub_repo`, `lc_hub_commit_hash` |
| `input_text`, `output_text` | `inputs`, `outputs` |
| `prompt_hash` | SHA-256 of the system messages |
| `params_hash` | SHA-256 of `extra.invocation_params`, else of `ls_temperature`, `ls_max_tokens`, \
`ls_stop` and `ls_invocation_params` of `extra.metadata` |
| `input_tokens`, `output_tokens` | `prompt_tokens`, `completion_tokens`, else the usage in \
`outputs` or its first message, else `extra.metadata.usage_metadata` |
| `status` | `error` where `error` is set or `status` is `error`; `ok` where `status` is \
`success`, or is not there and the run has an end |

## Leaves out
Runs of other types and retrievals without documents, counted; `serialized`, `events`,
`dotted_order`, `extra.runtime`; of documents all but their id, rank, score and metadata; of inputs
and outputs what is neither said nor above.

## Known limits
A file is held in memory until it is read, since updates follow later. Feedback is another export:
load it with `--as feedback` and a map.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from casework import canonical, words
from casework.case import Item, Note, Reject, Row
from casework.importers._configuration import hash_params, hash_prompt
from casework.importers._fields import FieldLog, Form, tally
from casework.importers._importer import Importer, Options
from casework.importers._instants import milliseconds
from casework.importers._messages import answer, system_prompt, transcript, turns
from casework.importers._records import records
from casework.importers._retrievals import named_by_content
from casework.importers._shape import filled, mapping, number, sequence, text, written
from casework.importers._source import Source
from casework.tables import candidates, requests

_META = "extra.metadata"
_ANSWERED = "outputs.response_metadata"
_USAGE = "outputs.usage_metadata"
_ROLES = {"human": "user", "ai": "assistant"}
_ENVELOPES = ("runs", "post", "patch")  # of a page of the API, and of a request of the client
_FORM = Form(
    requests,
    of="run",
    columns={
        "request_id": ("id",),
        "occurred_at": ("start_time",),
        "ended_at": ("end_time",),
        "trace_id": ("trace_id",),
        "parent_span_id": ("parent_run_id",),
        "endpoint": (
            f"{_META}.ls_model_name",
            f"{_META}.model_name",
            "extra.invocation_params.model",
            "extra.invocation_params.model_name",
            "inputs.model",
        ),
        "response_model": (
            *("outputs.llm_output.model_name", "outputs.model"),
            f"{_ANSWERED}.model_name",
        ),
        "fingerprint": (
            *("outputs.llm_output.system_fingerprint", "outputs.system_fingerprint"),
            f"{_ANSWERED}.system_fingerprint",
        ),
        "session_id": (
            *(f"{_META}.thread_id", f"{_META}.session_id"),
            f"{_META}.conversation_id",
        ),
        "user_id": (f"{_META}.user_id",),
        "environment": (f"{_META}.environment", "session_name"),
        "prompt_name": (f"{_META}.lc_hub_repo",),
        "prompt_version": (f"{_META}.lc_hub_commit_hash",),
        "input_tokens": (
            *("prompt_tokens", "outputs.usage.prompt_tokens"),
            *(
                f"{_USAGE}.input_tokens",
                "outputs.llm_output.token_usage.prompt_tokens",
                f"{_ANSWERED}.token_usage.prompt_tokens",
                f"{_META}.usage_metadata.input_tokens",
            ),
        ),
        "output_tokens": (
            *("completion_tokens", "outputs.usage.completion_tokens"),
            f"{_USAGE}.output_tokens",
            "outputs.llm_output.token_usage.completion_tokens",
            f"{_ANSWERED}.token_usage.completion_tokens",
            f"{_META}.usage_metadata.output_tokens",
        ),
    },
    uses={
        "operation": ("run_type",),
        "span_id": ("id",),
        "input_text": ("inputs",),
        "output_text": ("outputs",),
        "params_hash": ("extra.invocation_params",),
        "status": ("status",),
        "latency_ms": (),  # the time between both instants, which no field of the caller is
    },
    own=(_META,),
    left_out=("serialized", "events", "dotted_order", "extra.runtime"),
)
_SPOKEN = ("messages", "message", "generations", "choices", "prompts", "prompt", "output", "text")


def _recognises(source: Source) -> bool:
    first = (source.first_object, *(source.within(name) for name in _ENVELOPES))
    return any(map(_is_run, first))


def _is_run(found: Mapping[str, Any]) -> bool:
    return {"run_type", "id"} <= found.keys() and bool(
        {"dotted_order", "trace_id", "session_name", "session_id", "inputs"} & found.keys()
    )


def _read(source: Source, options: Options) -> Iterator[Item]:
    runs: dict[str, tuple[str, dict[str, Any]]] = {}
    for found in records(source):
        if isinstance(found, Reject):
            yield found._replace(table=requests)
            continue
        for at, values in _each(found.locator, found.values):
            name = text(mapping(values).get("id"))
            if name is None:
                raw = written(values) or ""
                yield Reject(at, "NO_ID", "the run has no id", raw, requests)
                continue
            locator, run = runs.get(name, (at, {}))
            runs[name] = (locator, {**run, **filled(values)})
    log, passed = FieldLog(options.timezone), Counter[str]()
    for locator, run in runs.values():
        kind = text(run.get("run_type")) or "run"
        if kind == "llm":
            yield Row(requests, locator, _call(log, run))
        elif kind == "retriever":
            documents = [*_documents(log, run, locator)]
            yield from documents
            if not documents:
                tally(passed, kind)
        else:
            tally(passed, kind)
    if passed:
        kinds = ", ".join(f"{kind} {words.number(count)}" for kind, count in passed.most_common())
        total = words.several(passed.total(), "run that is", "runs that are")
        what = "no model call and no retrieval with documents"
        yield Note(f"left out: {total} {what} ({kinds})")
    yield from log.items()


def _each(at: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield a run and those below it, or the runs of a page or a request, with their places."""
    inner = [(f"{at}/{name}/{position}", one)
             for name in (*_ENVELOPES, "child_runs")
             for position, one in enumerate(sequence(values.get(name)))]  # fmt: skip
    if "id" in values or not inner:
        yield at, {name: value for name, value in values.items() if name != "child_runs"}
    for place, one in inner:
        yield from _each(place, one) if isinstance(one, Mapping) else [(place, one)]


def _call(log: FieldLog, run: Mapping[str, Any]) -> dict[str, Any]:
    answered = _answered(run.get("outputs"))
    told = {_ANSWERED: answered.get("response_metadata"), _USAGE: answered.get("usage_metadata")}
    values = log.fill(_FORM, {**run, **told})
    into, _ = turns(_spoken(run.get("inputs")))
    out, _ = turns(_spoken(run.get("outputs")))
    system = system_prompt(into)
    given = _parameters(mapping(run.get("extra")))
    derived = {
        "span_id": values.get("request_id"),
        "operation": "chat",
        "input_text": transcript(into) or None,
        "output_text": answer(out) or None,
        "prompt_hash": hash_prompt([system] if system else []),
        "params_hash": hash_params(canonical.plain(filled(given))),
        "latency_ms": milliseconds(values.get("occurred_at"), values.get("ended_at")),
        "status": _status(run),
    }
    return {**derived, **values}


def _parameters(extra: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters of a call as LangChain gives them, else as the wrappers of clients do."""
    meta = mapping(extra.get("metadata"))
    named = {name: meta.get(f"ls_{name}") for name in ("temperature", "max_tokens", "stop")}
    told = {**named, **mapping(meta.get("ls_invocation_params"))}
    return mapping(extra.get("invocation_params")) or told


def _status(run: Mapping[str, Any]) -> str | None:
    said = run.get("status")
    if run.get("error") or said == "error":
        return "error"
    return "ok" if said == "success" or (said is None and run.get("end_time")) else None


def _answered(outputs: Any) -> Mapping[str, Any]:
    """The first message of LangChain's outputs, which says what model answered and its usage."""
    first = mapping(outputs).get("generations")
    while isinstance(first, list) and first:
        first = first[0]
    message = mapping(mapping(first).get("message"))
    return mapping(message.get("kwargs")) or message


def _spoken(value: Any) -> Any:
    """What was said in inputs or outputs, whose one field may hold lists within a list."""
    found = mapping(value)
    for name in _SPOKEN:
        if found.get(name):
            inner = found[name]
            while isinstance(inner, list) and len(inner) == 1 and isinstance(inner[0], list):
                inner = inner[0]
            return [_message(item) for item in inner] if isinstance(inner, list) else inner
    return filled(found) or None if isinstance(value, Mapping) else value


def _message(item: Any) -> Any:
    """A message of LangChain, serialised with its kind and arguments, as role and content."""
    found = mapping(item)
    inner = mapping(found.get("message")) or found
    given = mapping(inner.get("kwargs")) or mapping(inner.get("data")) or inner
    names = sequence(inner.get("id"))
    kind = (
        text(given.get("role")) or text(given.get("type")) or (text(names[-1]) if names else None)
    )
    if kind is None or "content" not in given:
        return item
    role = kind.removesuffix("Chunk").removesuffix("Message").lower()
    return {
        "role": _ROLES.get(role, role),
        "content": given["content"],
        "tool_calls": given.get("tool_calls") or None,
    }


def _documents(log: FieldLog, run: Mapping[str, Any], locator: str) -> Iterator[Item]:
    outputs = mapping(run.get("outputs"))
    name = "documents" if "documents" in outputs else "output"  # what `traceable` calls a result
    for position, entry in enumerate(sequence(outputs.get(name))):
        document = {"page_content": entry} if isinstance(entry, str) else mapping(entry)
        meta = mapping(document.get("metadata"))
        content = text(document.get("page_content"))
        named = text(document.get("id")) or text(meta.get("id"))
        log.leave("document.page_content", 1 if content else 0)
        yield Row(candidates, f"{locator}/outputs/{name}/{position}", {
            "query_id": text(run.get("id")),
            "doc_id": named or named_by_content(text(meta.get("source")), content),
            "occurred_at": log.instants.find(run.get("start_time")),
            "dense_rank": position + 1,
            "dense_score": number(meta.get("score")),
            "attributes": canonical.plain(filled(dict(meta))),
        })  # fmt: skip


langsmith_runs = Importer(
    name="langsmith_runs",
    doc=__doc__ or "",
    tables=(requests, candidates),
    recognises=_recognises,
    read=_read,
)
