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
| `endpoint` | `spec.completion_fns`, joined by commas; in logs of before these \
`spec.model_names.completions`, else `spec.model_name` |
| `score` | `final_report.accuracy` or `.score`, else the first that is named so before a slash, \
else its first number that counts neither answers nor tokens: one written with a decimal point, if \
there is any, as means are and counts are not |
| `n_items` | samples with an event `match` or `metrics`, where there is one |
| `item_id` | `sample_id` |
| `prompt_text`, `output_text` | `data.prompt` and `data.sampled` of event `sampling` |
| `target` | `data.expected` of event `match` |
| `score` of a sample | `data.correct` of event `match`, else `correct`, `accuracy` or `score` of \
event `metrics` |
| `attributes` | `spec`, the report; of a sample, what other events say |

## Leaves out
`event_id`, `created_by` and `created_at` of events; of several events of one type about one sample
all but the first, counted: the model that answers is asked before the one that grades it.

## Known limits
A run without `final_report` broke off: it has neither score nor `ended_at`. Instants without a zone
are UTC, as the tool writes them. Samples of another run than that of the `spec` are rejects, and so
is a further `final_report` that says something else; a file with the `spec` of several runs is
refused. The log does not name the parameters of the calls: `params_hash` stays empty.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from casework import canonical
from casework.case import Item, Note, Reject, Row
from casework.errors import CaseworkError
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._messages import transcript, turns
from casework.importers._records import records
from casework.importers._shape import filled, mapping, number, sequence, text, written
from casework.importers._source import Source
from casework.tables import ATTRIBUTES, eval_runs, eval_samples

_RUN = Form(
    eval_runs,
    of="spec",
    columns={
        "run_id": ("run_id",),
        "suite": ("eval_name",),
    },
    uses={
        "started_at": ("created_at",),
        "endpoint": ("completion_fns", "model_names.completions", "model_name"),
    },
)
_REPORT = Form(eval_runs, of="final_report", columns={})
_EVENT = Form(eval_samples, of="event", columns={})
_EVENT_NAMES = {"type", "data", "sample_id", "run_id", "event_id", "created_by", "created_at"}
_JUDGED = ("match", "metrics")
_SCORES = ("correct", "accuracy", "score")
_TAKEN = {
    "sampling": {"prompt": "prompt_text", "sampled": "output_text"},
    "match": {"expected": "target", **dict.fromkeys(_SCORES, "score")},
    "metrics": {"expected": "target", **dict.fromkeys(_SCORES, "score")},
}
_COUNTS = ("counts/", "invalid_request", "usage_")
"""Beginnings of the names of numbers in a report that are no score."""


@dataclass
class _Sample:
    """Events of one sample by their type: the first of each, and its number."""

    locator: str
    events: dict[str, tuple[float, Mapping[str, Any]]] = field(default_factory=dict)


@dataclass
class _Log:
    """What the lines add up to."""

    spec: tuple[str, Mapping[str, Any]] | None = None
    report: Mapping[str, Any] | None = None
    last: dict[str | None, datetime] = field(default_factory=dict)
    samples: dict[tuple[str | None, str], _Sample] = field(default_factory=dict)


def _recognises(source: Source) -> bool:
    found = source.first_object
    spec = mapping(found.get("spec"))
    event = {"run_id", "event_id", "type", "data"} <= found.keys()
    return event or {"eval_name", "run_id"} <= spec.keys() or set(found) == {"final_report"}


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, fields = _Log(), FieldLog("UTC")
    for found in records(source, constants=True):
        if isinstance(found, Reject):
            yield found._replace(table=eval_samples)
        elif "spec" in found.values:
            spec = mapping(found.values["spec"])
            if log.spec is not None and log.spec[1] != spec:
                what, fix = "it has several runs", "give the log of each a file of its own"
                raise CaseworkError("SEVERAL_RUNS", what, fix, where=source.name)
            log.spec = log.spec or (found.locator, spec)
        elif "final_report" in found.values:
            report = mapping(found.values["final_report"])
            if log.report is not None and canonical.dumps(log.report) != canonical.dumps(report):
                reason = "it says something else than the report before it"
                yield Reject(found.locator, "REPORT", reason, found.raw or "", eval_runs)
            log.report = report if log.report is None else log.report
        elif text(found.values.get("sample_id")) is None:
            reason = "neither spec, report nor event of a sample"
            yield Reject(found.locator, "EVENT", reason, found.raw or "", eval_samples)
        else:
            _event(log, fields, found.locator, found.values)
    if log.spec is None:
        what, fix = "it has no `spec` line", "ask for the log as it was written"
        raise CaseworkError("NOT_AN_EVAL_LOG", what, fix, where=source.name)
    yield from _rows(log, fields, *log.spec)
    if log.report is None:
        yield Note("the log has no final report: the run broke off")
    yield from fields.items()


def _event(log: _Log, fields: FieldLog, locator: str, event: Mapping[str, Any]) -> None:
    kind, run = text(event.get("type")) or "event", text(event.get("run_id"))
    sample = log.samples.setdefault((run, str(text(event.get("sample_id")))), _Sample(locator))
    if when := fields.instants.find(event.get("created_at")):
        log.last[run] = max(when, log.last.get(run, when))
    for name in _EVENT_NAMES & event.keys() - {"type", "data", "sample_id", "run_id"}:
        fields.leave(f"event.{name}")
    place = number(event.get("event_id"))
    place = math.inf if place is None else place
    if kind in sample.events:
        fields.leave(f"further events {kind}")
    if kind not in sample.events or place < sample.events[kind][0]:
        sample.events[kind] = (place, event)


def _rows(
    log: _Log, fields: FieldLog, locator: str, spec: Mapping[str, Any]
) -> Iterator[Row | Reject]:
    own = text(spec.get("run_id"))
    judged = 0
    for (run, item), sample in log.samples.items():
        values = _sample(fields, sample)
        if run not in (None, own):
            raw, reason = canonical.dumps(values), f"of another run than the spec: {run}"
            yield Reject(sample.locator, "RUN", reason, raw, eval_samples)
            continue
        judged += not sample.events.keys().isdisjoint(_JUDGED)
        about = {"run_id": own, "item_id": item, "epoch": 1}
        yield Row(eval_samples, sample.locator, {**values, **about})
    ended = max(filter(None, (log.last.get(None), log.last.get(own))), default=None)
    ended = ended if log.report is not None else None
    run_row = {**_run(log, fields, spec), "ended_at": ended, "n_items": judged or None}
    yield Row(eval_runs, locator, run_row)


def _sample(fields: FieldLog, sample: _Sample) -> dict[str, Any]:
    values: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    fields.took(_EVENT, "sample_id", "item_id")
    for kind in sorted(sample.events, key=lambda kind: kind == "match"):  # whose score counts
        _, event = sample.events[kind]
        data = dict(mapping(event.get("data")))
        for name in filled(data):
            fields.took(_EVENT, f"data.{name}", _TAKEN.get(kind, {}).get(name, ATTRIBUTES))
        if kind == "sampling":
            values["prompt_text"] = transcript(turns(data.pop("prompt", None))[0]) or None
            values["output_text"] = _said(data.pop("sampled", None))
        elif kind in _JUDGED:
            found = [number(_as_number(data.get(name))) for name in _SCORES]
            scored = next((score for score in found if score is not None), None)
            values["score"] = values.get("score") if scored is None else scored
            if "expected" in data:
                values["target"] = _said(data.pop("expected"))
        rest = filled({**data, **{k: v for k, v in event.items() if k not in _EVENT_NAMES}})
        if rest:
            attributes[kind] = canonical.plain(rest)
    return {**values, "attributes": attributes}


def _run(log: _Log, fields: FieldLog, spec: Mapping[str, Any]) -> dict[str, Any]:
    values = fields.fill(_RUN, spec)
    report = log.report or {}
    headline = _headline(report)
    for said in filled(report):
        fields.took(_REPORT, said, "score" if said == headline else ATTRIBUTES)
    values["attributes"] = filled({
        "spec": values.get("attributes"),
        "final_report": canonical.plain(report),
        "score_from": headline,
    })  # fmt: skip
    return {
        **values,
        "started_at": fields.instants.find(spec.get("created_at")),
        "endpoint": _endpoint(spec),
        "harness": "openai_evals",
        "score": number(report.get(headline)) if headline else None,
    }


def _endpoint(spec: Mapping[str, Any]) -> str | None:
    """What answered: functions of completion, or the models that were named before there were."""
    listed = spec.get("completion_fns") or mapping(spec.get("model_names")).get("completions")
    names = filter(None, map(text, sequence(listed)))
    return ",".join(names) or text(spec.get("model_name"))


def _headline(report: Mapping[str, Any]) -> str | None:
    """Name of what sums up the run, finite or not."""
    named = [name for name in report if name.startswith(("accuracy/", "score/"))]
    others = [name for name, value in report.items()
              if number(value) is not None and not name.startswith(_COUNTS)]  # fmt: skip
    others.sort(key=lambda name: not isinstance(report[name], float))  # whole ones count something
    return next((name for name in ("accuracy", "score", *named, *others) if name in report), None)


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
