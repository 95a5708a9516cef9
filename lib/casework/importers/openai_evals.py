"""Record logs of OpenAI evals (`<run_id>_<...>.jsonl`).

## Reads
JSON Lines in any order: one `spec`, one `final_report`, and events of the samples.

## Fills
| column | from |
|---|---|
| `run_id` | `spec.run_id` |
| `suite` | `spec.eval_name` |
| `started_at` | `spec.created_at` |
| `ended_at` | the last `created_at` of an event, where the log holds a `final_report` |
| `endpoint` | `spec.completion_fns`, joined by commas |
| `params_hash` | SHA-256 of `spec.run_config.initial_settings` |
| `score` | `final_report.accuracy` or `.score`, else its first number |
| `n_items` | samples with an event `match` or `metrics` |
| `item_id` | `sample_id` |
| `prompt_text`, `output_text` | `data.prompt` and `data.sampled` of event `sampling` |
| `target` | `data.expected` of event `match` |
| `score` of a sample | `data.correct` of event `match`; `accuracy` or `score` of event `metrics` |
| `attributes` | `spec`, the report; of a sample, what other events say |

## Leaves out
`event_id`, `created_by` and `created_at` of events.

## Known limits
A run without `final_report` broke off: it has neither score nor `ended_at`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from casework import canonical
from casework.case import Item, Note, Reject, Row
from casework.errors import CaseworkError
from casework.importers._configuration import hash_params
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._messages import transcript, turns
from casework.importers._records import records
from casework.importers._shape import filled, mapping, number, sequence, text, written
from casework.importers._source import Source
from casework.tables import eval_runs, eval_samples

_RUN = Form(
    eval_runs,
    of="spec",
    columns={
        "run_id": ("run_id",),
        "suite": ("eval_name",),
        "started_at": ("created_at",),
    },
    uses={"endpoint": ("completion_fns",), "params_hash": ("run_config.initial_settings",)},
)
_EVENT_NAMES = {"type", "data", "sample_id", "run_id", "event_id", "created_by", "created_at"}
_SCORES = ("correct", "accuracy", "score")


@dataclass
class _Log:
    """What the lines add up to."""

    spec: tuple[str, Mapping[str, Any]] | None = None
    report: Mapping[str, Any] | None = None
    last: datetime | None = None
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)
    first_at: dict[str, str] = field(default_factory=dict)


def _recognises(source: Source) -> bool:
    found = source.first_object
    spec = mapping(found.get("spec"))
    event = {"run_id", "event_id", "type", "data"} <= found.keys()
    return event or {"eval_name", "run_id"} <= spec.keys() or set(found) == {"final_report"}


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, fields = _Log(), FieldLog(options.timezone)
    for found in records(source, constants=True):
        if isinstance(found, Reject):
            yield found._replace(table=eval_samples)
        elif "spec" in found.values:
            log.spec = (found.locator, mapping(found.values["spec"]))
        elif "final_report" in found.values:
            log.report = mapping(found.values["final_report"])
        elif text(found.values.get("sample_id")) is None:
            reason = "neither spec, report nor event of a sample"
            yield Reject(found.locator, "EVENT", reason, found.raw or "", eval_samples)
        else:
            _event(log, fields, found.locator, found.values)
    if log.spec is None:
        what, fix = "it has no `spec` line", "ask for the log as it was written"
        raise CaseworkError("NOT_AN_EVAL_LOG", what, fix, where=source.name)
    locator, spec = log.spec
    yield Row(eval_runs, locator, _run(log, fields, spec))
    run = text(spec.get("run_id"))
    for sample, values in log.samples.items():
        about = {"run_id": run, "item_id": sample, "epoch": 1}
        yield Row(eval_samples, log.first_at[sample], {**values, **about})
    if log.report is None:
        yield Note("the log has no final report: the run broke off")
    yield from fields.items()


def _event(log: _Log, fields: FieldLog, locator: str, event: Mapping[str, Any]) -> None:
    sample, kind = str(text(event.get("sample_id"))), text(event.get("type")) or "event"
    values = log.samples.setdefault(sample, {"attributes": {}})
    log.first_at.setdefault(sample, locator)
    when = fields.instants.find(event.get("created_at"))
    log.last = max(filter(None, (log.last, when)), default=None)
    for name in _EVENT_NAMES & event.keys() - {"type", "data", "sample_id", "run_id"}:
        fields.leave(f"event.{name}")
    data = dict(mapping(event.get("data")))
    if kind == "sampling":
        values["prompt_text"] = transcript(turns(data.pop("prompt", None))[0]) or None
        values["output_text"] = _said(data.pop("sampled", None))
    elif kind in ("match", "metrics"):
        found = [number(_as_number(data.get(name))) for name in _SCORES]
        values["score"] = next((score for score in found if score is not None), None)
        if "expected" in data:
            values["target"] = _said(data.pop("expected"))
    rest = filled({**data, **{k: v for k, v in event.items() if k not in _EVENT_NAMES}})
    if rest:
        values["attributes"].setdefault(kind, canonical.plain(rest))


def _run(log: _Log, fields: FieldLog, spec: Mapping[str, Any]) -> dict[str, Any]:
    values = fields.fill(_RUN, spec)
    report = log.report or {}
    scores = [number(report.get(name)) for name in ("accuracy", "score")]
    scores += [number(value) for value in report.values()]
    names = [name for fn in sequence(spec.get("completion_fns")) if (name := text(fn))]
    settings = mapping(mapping(spec.get("run_config")).get("initial_settings"))
    judged = [one for one in log.samples.values() if one.get("score") is not None]
    values["attributes"] = filled(
        {"spec": values.get("attributes"), "final_report": canonical.plain(report)}
    )
    return {
        **values,
        "endpoint": ",".join(names) or None,
        "params_hash": hash_params(canonical.plain(settings)),
        "ended_at": log.last if log.report is not None else None,
        "harness": "openai_evals",
        "score": next((score for score in scores if score is not None), None),
        "n_items": len(judged),
    }


def _as_number(value: Any) -> Any:
    return float(value) if isinstance(value, bool) else value


def _said(value: Any) -> str | None:
    return written(value[0] if isinstance(value, list) and len(value) == 1 else value)


openai_evals = Importer(
    name="openai_evals",
    doc=__doc__ or "",
    tables=(eval_runs, eval_samples),
    recognises=_recognises,
    read=_read,
)
