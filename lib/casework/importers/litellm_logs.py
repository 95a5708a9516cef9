"""LiteLLM standard logging payloads, one a request.

## Reads
JSON Lines or a JSON array of the payload that LiteLLM hands to its logging callbacks; objects that
hold it under `standard_logging_object` too.

## Fills
| column | from |
|---|---|
| `request_id` | `id` |
| `occurred_at`, `ended_at`, `latency_ms` | `startTime`, `endTime` (seconds since 1970) |
| `trace_id`, `operation` | `trace_id`, `call_type` |
| `endpoint` | `model_group`, the alias that was called, else `model` |
| `response_model` | `response.model`, else `model` where an alias was called |
| `replica` | `model_id`, else `hidden_params.model_id`: the deployment that answered |
| `region` | `hidden_params.region_name` |
| `fingerprint` | `response.system_fingerprint` |
| `user_id` | `end_user`, else `user_api_key_end_user_id`, `user_api_key_user_id` of `metadata` |
| `account_id` | `metadata.user_api_key_team_id` |
| `input_text`, `output_text` | `messages`, `response` |
| `prompt_hash`, `params_hash` | SHA-256 of the system messages and of `model_parameters` |
| `input_tokens`, `output_tokens` | `prompt_tokens`, `completion_tokens` |
| `status` | `ok` for `success`, `error` for `failure` |

## Leaves out
`model_map_information`, which describes prices, `cost_breakdown`, `saved_cache_cost`.

## Known limits
The payload tells which deployment answered each request and no history of the alias: no
`alias_events` are made of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from casework import canonical
from casework.case import Item, Reject, Row
from casework.importers._configuration import hash_params, hash_prompt
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._instants import milliseconds
from casework.importers._messages import answer, system_prompt, transcript, turns
from casework.importers._records import records
from casework.importers._shape import filled, mapping, sequence
from casework.importers._source import Source
from casework.tables import requests

_WRAPPED = "standard_logging_object"
_FORM = Form(
    requests,
    of="",
    columns={
        "request_id": ("id",),
        "occurred_at": ("startTime",),
        "ended_at": ("endTime",),
        "trace_id": ("trace_id",),
        "operation": ("call_type",),
        "endpoint": ("model_group", "model"),
        "response_model": ("response.model", "model"),
        "replica": ("model_id", "hidden_params.model_id"),
        "region": ("hidden_params.region_name",),
        "fingerprint": ("response.system_fingerprint",),
        "user_id": (
            "end_user",
            "metadata.user_api_key_end_user_id",
            "metadata.user_api_key_user_id",
        ),
        "account_id": ("metadata.user_api_key_team_id",),
        "input_tokens": ("prompt_tokens",),
        "output_tokens": ("completion_tokens",),
    },
    uses={
        "status": ("status",),
        "input_text": ("messages",),
        "output_text": ("response",),
        "params_hash": ("model_parameters",),
        "latency_ms": ("response_time",),
    },
    own=("metadata.spend_logs_metadata", "metadata.requester_metadata"),
    left_out=("model_map_information", "cost_breakdown", "saved_cache_cost"),
)


def _recognises(source: Source) -> bool:
    found = source.first_object
    return _is_payload(found) or _is_payload(mapping(found.get(_WRAPPED)))


def _is_payload(record: Mapping[str, Any]) -> bool:
    return {"call_type", "model_group", "startTime"} <= record.keys()


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    for found in records(source):
        if isinstance(found, Reject):
            yield found._replace(table=requests)
            continue
        payload = mapping(found.values.get(_WRAPPED)) or found.values
        yield Row(requests, found.locator, _row(log, payload))
    yield from log.items()


def _row(log: FieldLog, payload: Mapping[str, Any]) -> dict[str, Any]:
    values = log.fill(_FORM, payload)
    if not payload.get("model_group") and not mapping(payload.get("response")).get("model"):
        values.pop("response_model", None)  # it is the name that was called, told twice
    into, _ = turns(payload.get("messages"))
    response = payload.get("response")
    choices = sequence(mapping(response).get("choices"))
    out, _ = turns(choices or mapping(response).get("content") or response)
    system = system_prompt(into)
    derived = {
        "input_text": transcript(into) or None,
        "output_text": answer(out) or None,
        "prompt_hash": hash_prompt([system] if system else []),
        "params_hash": hash_params(
            canonical.plain(filled(mapping(payload.get("model_parameters"))))
        ),
        "latency_ms": milliseconds(values.get("occurred_at"), values.get("ended_at")),
        "status": {"success": "ok", "failure": "error"}.get(str(payload.get("status"))),
    }
    return {**derived, **values}


litellm_logs = Importer(
    name="litellm_logs",
    doc=__doc__ or "",
    tables=(requests,),
    recognises=_recognises,
    read=_read,
)
