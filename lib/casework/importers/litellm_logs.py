"""LiteLLM standard logging payloads and rows of its table of spend logs, one a request.

## Reads
JSON Lines or a JSON array of the payload that LiteLLM hands to its logging callbacks; objects that
hold it under `standard_logging_object` too. Rows of the table `LiteLLM_SpendLogs`, which name some
fields otherwise: as `/spend/logs` answers, also in pages (`{"data": […], …}`), and as CSV with a
header or Parquet, as `COPY … TO … CSV HEADER` and database tools write them, with JSON in cells.

## Fills
| column | from |
|---|---|
| `request_id` | `id`, else `request_id` |
| `occurred_at`, `ended_at`, `latency_ms` | `startTime`, `endTime`: seconds since 1970 in a \
payload; the table names no zone and is in UTC, if `--timezone` does not say another |
| `trace_id`, `operation` | `trace_id`, `call_type` |
| `endpoint` | `model_group`, the alias that was called, else `model` |
| `response_model` | `response.model`, else `model` where an alias was called and did not fail |
| `replica` | `model_id`, else `hidden_params.model_id`: the deployment that answered |
| `region` | `hidden_params.region_name` |
| `fingerprint` | `response.system_fingerprint` |
| `user_id` | `end_user`, else `user_api_key_end_user_id`, `user_api_key_user_id` of `metadata`, \
else `user` |
| `account_id`, `session_id` | `metadata.user_api_key_team_id`, else `team_id`; `session_id` |
| `input_text`, `output_text` | `messages`, else those of `proxy_server_request` or its `input` \
or `prompt`; `response`; none where LiteLLM redacted them, or did not store them |
| `prompt_hash`, `params_hash` | SHA-256 of the system messages and of `model_parameters` |
| `input_tokens`, `output_tokens` | `prompt_tokens`, `completion_tokens` |
| `status` | `ok` for `success`, `error` for `failure` |

## Leaves out
`model_map_information`, which describes prices, `cost_breakdown`, `saved_cache_cost`, and what a
page says of itself.

## Known limits
The table holds no parameters of models, and texts where the proxy was told to store them; of long
ones it cuts out the middle, and says so in its place. A row without `call_type` or `model_group`,
as a query may choose its columns, is not recognised.
The payload tells which deployment answered each request and no history of the alias: no
`alias_events` are made of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from casework import canonical
from casework.case import Item, Reject, Row
from casework.importers._configuration import hash_params, hash_prompt
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._instants import milliseconds
from casework.importers._messages import Turn, answer, system_prompt, transcript, turns
from casework.importers._shape import filled, mapping, parsed, sequence
from casework.importers._source import Source
from casework.importers._table_records import first_record, table_records
from casework.tables import requests

_WRAPPED = "standard_logging_object"
_BODY = "proxy_server_request"
_JSON_TEXTS = ("response", "metadata", "model_parameters", "hidden_params", _BODY)
_CELLS = {
    *("response", "metadata", "messages", "request_tags", _BODY),
    *("spend", "total_tokens", "prompt_tokens", "completion_tokens", "request_duration_ms"),
}
"""Columns of the table that hold JSON or numbers."""
_ASKED = ("messages", "system", "input", "prompt")
_REDACTED = "redacted-by-litellm"
_NOT_STORED: tuple[Any, ...] = ({}, "{}")  # what the table of spend logs has by default
_FORM = Form(
    requests,
    of="",
    columns={
        "request_id": ("id", "request_id"),
        "occurred_at": ("startTime",),
        "ended_at": ("endTime",),
        "trace_id": ("trace_id",),
        "operation": ("call_type",),
        "endpoint": ("model_group", "model"),
        "response_model": ("response.model",),
        "replica": ("model_id", "hidden_params.model_id"),
        "region": ("hidden_params.region_name",),
        "fingerprint": ("response.system_fingerprint",),
        "user_id": (
            "end_user",
            "metadata.user_api_key_end_user_id",
            "metadata.user_api_key_user_id",
            "user",
        ),
        "account_id": ("metadata.user_api_key_team_id", "team_id"),
        "session_id": ("session_id",),
        "input_tokens": ("prompt_tokens",),
        "output_tokens": ("completion_tokens",),
    },
    uses={
        "status": ("status",),
        "input_text": ("messages", *(f"{_BODY}.{name}" for name in _ASKED)),
        "output_text": ("response",),
        "params_hash": ("model_parameters",),
        "latency_ms": (),  # the time between both instants, which no field of the caller is
    },
    own=("metadata.spend_logs_metadata", "metadata.requester_metadata"),
    left_out=("model_map_information", "cost_breakdown", "saved_cache_cost"),
)
_OF_ALIAS = replace(_FORM, columns={**_FORM.columns, "response_model": ("response.model", "model")})
"""Where an alias answered, `model` is what it stood for; else the name that was called."""


def _recognises(source: Source) -> bool:
    return _is_payload(first_record(source)) or _is_payload(source.within(_WRAPPED))


def _is_payload(record: Mapping[str, Any]) -> bool:
    return {"call_type", "model_group", "startTime"} <= record.keys()


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, is_json = FieldLog(options.timezone or "UTC"), bool(source.first_object)
    for found in table_records(source):
        if isinstance(found, Reject):
            yield found._replace(table=requests)
            continue
        payload = mapping(found.values.get(_WRAPPED)) or found.values
        payload = payload if is_json else _from_cells(payload)
        yield Row(requests, found.locator, _row(log, _decoded(payload)))
    yield from log.items()


def _from_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the table with the values that its cells write as JSON."""
    return {name: parsed(value) if name in _CELLS else value for name, value in row.items()}


def _decoded(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload with the objects that a row of spend logs holds as JSON text."""
    read = {name: parsed(payload[name]) for name in _JSON_TEXTS if name in payload}
    return {**payload, **{name: one for name, one in read.items() if isinstance(one, Mapping)}}


def _row(log: FieldLog, payload: Mapping[str, Any]) -> dict[str, Any]:
    response, status = payload.get("response"), str(payload.get("status"))
    body, has_answer = mapping(response), status != "failure"
    values = log.fill(_OF_ALIAS if payload.get("model_group") and has_answer else _FORM, payload)
    into = _said(payload.get("messages")) or _asked(mapping(payload.get(_BODY)))
    out = _said(sequence(body.get("choices")) or body.get("content") or body.get("output")
                or response)  # fmt: skip
    system = system_prompt(into)
    derived = {
        "input_text": transcript(into) or None,
        "output_text": answer(out) or None,
        "prompt_hash": hash_prompt([system] if system else []),
        "params_hash": hash_params(
            canonical.plain(filled(mapping(payload.get("model_parameters"))))
        ),
        "latency_ms": milliseconds(values.get("occurred_at"), values.get("ended_at")),
        "status": {"success": "ok", "failure": "error"}.get(status),
    }
    return {**derived, **values}


def _asked(body: Mapping[str, Any]) -> list[Turn]:
    """What the body of a request asked: where the table holds texts, it holds them there."""
    return _said(body if body.get("messages") else body.get("input") or body.get("prompt"))


def _said(value: Any) -> list[Turn]:
    """Messages without those whose text LiteLLM replaced, which are the same for all requests."""
    if value in _NOT_STORED:
        return []
    return [turn for turn in turns(value)[0] if turn[1] != _REDACTED]


litellm_logs = Importer(
    name="litellm_logs",
    doc=__doc__ or "",
    tables=(requests,),
    recognises=_recognises,
    read=_read,
)
