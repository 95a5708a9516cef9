"""Batch files of OpenAI and Anthropic: requests as sent, and results as they came back.

## Reads
JSON Lines: the input of a batch (`custom_id`, `method`, `url`, `body` of OpenAI; `custom_id`,
`params` of Anthropic), its output, and its file of errors.

## Fills
An output line becomes a row of `requests`. An input line was not yet answered and becomes none:
its prompt is counted and left out.

| column | from |
|---|---|
| `request_id` | `id` of OpenAI's line, else `response.request_id` as Azure has it, else \
`custom_id`, which is unique in one batch alone |
| `occurred_at` | `response.body.created`, when the model answered; Anthropic's have no instant |
| `response_model` | `response.body.model`, `result.message.model` |
| `fingerprint` | `response.body.system_fingerprint` |
| `prompt_hash` | SHA-256 of `response.body.instructions` |
| `output_text` | the messages of the answer |
| `input_tokens`, `output_tokens` | `usage` |
| `status` | `ok` for status 200 and `succeeded`, else `error` |

## Leaves out
Inputs of batches; the ids that name no request, `custom_id` among them, stay in `attributes`.

## Known limits
A result does not repeat its prompt, but for the instructions of OpenAI's Responses, nor the name
that was called: `endpoint` and `input_text` stay empty. Results of Anthropic have no instant and
are rejects, unless a map of a table names one for all, which keeps the answers in `attributes`.
Errors and embeddings of OpenAI have none either.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Item, Note, Reject, Row
from casework.importers._configuration import hash_prompt
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._messages import answer, system_prompt, turns
from casework.importers._records import records
from casework.importers._shape import mapping, sequence, text
from casework.importers._source import Source
from casework.tables import requests
from casework.words import count

_FORM = Form(
    requests,
    of="",
    columns={
        "request_id": ("id", "response.request_id", "custom_id"),
        "occurred_at": ("response.body.created", "response.body.created_at"),
        "response_model": ("response.body.model", "result.message.model"),
        "fingerprint": ("response.body.system_fingerprint",),
        "input_tokens": (
            "response.body.usage.prompt_tokens",
            "response.body.usage.input_tokens",
            "result.message.usage.input_tokens",
        ),
        "output_tokens": (
            "response.body.usage.completion_tokens",
            "response.body.usage.output_tokens",
            "result.message.usage.output_tokens",
        ),
    },
    uses={
        "output_text": ("response.body.choices", "response.body.output", "result.message.content"),
        "status": ("response.status_code", "result.type"),
    },
)


def _recognises(source: Source) -> bool:
    return _kind(source.first_object) is not None


def _kind(record: Mapping[str, Any]) -> str | None:
    if "custom_id" not in record:
        return None
    if {"response", "error"} <= record.keys() or "result" in record:
        return "output"
    return "input" if {"method", "url", "body"} <= record.keys() or "params" in record else None


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, inputs = FieldLog(options.timezone), 0
    for found in records(source):
        if isinstance(found, Reject):
            yield found._replace(table=requests)
        elif _kind(found.values) == "output":
            yield _item(log, found.values, found.locator, found.raw or "")
        elif _kind(found.values) == "input":
            inputs += 1
        else:
            reason = "no line of a batch"
            yield Reject(found.locator, "UNKNOWN_RECORD", reason, found.raw or "", requests)
    if inputs:
        yield Note(f"left out: {count(inputs, 'requests')} as sent, of which no answer is here")
    yield from log.items()


def _item(log: FieldLog, line: Mapping[str, Any], locator: str, raw: str) -> Item:
    values = log.fill(_FORM, line)
    if "occurred_at" not in values:
        reason = "the result says no instant at which it was made"
        return Reject(locator, "NO_INSTANT", reason, raw, requests)
    body = mapping(mapping(line.get("response")).get("body"))
    message = mapping(mapping(line.get("result")).get("message"))
    said = sequence(body.get("choices")) or sequence(body.get("output")) or message.get("content")
    out, _ = turns(said)
    code, kind = mapping(line.get("response")).get("status_code"), mapping(line.get("result"))
    good = code in (200, "200") or text(kind.get("type")) == "succeeded"
    told = body.get("instructions")
    system = told if isinstance(told, str) else system_prompt(turns(told)[0])
    derived = {
        "output_text": answer(out) or None,
        "status": "ok" if good else "error",
        "prompt_hash": hash_prompt([system] if system else []),
    }
    return Row(requests, locator, {**values, **derived})


batch_results = Importer(
    name="batch_results",
    doc=__doc__ or "",
    tables=(requests,),
    recognises=_recognises,
    read=_read,
)
