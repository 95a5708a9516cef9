"""Records of Every Eval Ever, the shared schema of evaluation results.

## Reads
An aggregate record (JSON, `schema_version` and `evaluation_results`), and instance records (JSON
Lines, `sample_id` and `answer_attribution`), of schema 0.2.

## Fills
Each evaluation of an aggregate is a run; instances name it by `evaluation_id` and
`evaluation_result_id`, or `evaluation_name` where there is none, and bear the same `run_id`.

| column | from |
|---|---|
| `run_id` | `evaluation_id`, `#`, `evaluation_result_id` or `evaluation_name`; of several \
results of one name, as of several metrics, all but the first have their number behind it |
| `suite` | `evaluation_name` |
| `started_at` | `evaluation_timestamp` of the result, of the record, else `retrieved_timestamp`, \
which is said |
| `endpoint` | `model_info.id`, else `model_info.name` |
| `harness`, `harness_version` | `eval_library` |
| `score`, `n_items` | `score_details.score`, `.uncertainty.num_samples`; a score of -1 is none \
where `metric_config` has an unknown level, or a `min_score` above it, which is told |
| `params_hash` | SHA-256 of `generation_config.generation_args` |
| `item_id` | `sample_id` |
| `input_text`, `prompt_text`, `target` | `input.raw`, `input.formatted`, `input.reference` |
| `output_text` | `output.raw`, else the `messages`, which were `interactions` at first |
| `score` of a sample | `evaluation.score` |
| `attributes` | all else |

## Leaves out
The version of the schema, and what else a record says of itself, counted.

## Known limits
Where only `retrieved_timestamp` is there, the run is dated by when its record was made. Instances
without an `evaluation_result_id` join no result that has one: the schema lets either be without it,
and before version 0.2.2 an instance cannot have it. How many there are is told.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from casework import canonical
from casework.case import Item, Note, Reject, Row
from casework.importers._configuration import hash_params
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._messages import transcript, turns
from casework.importers._records import records
from casework.importers._shape import filled, mapping, number, sequence, text
from casework.importers._source import Source
from casework.tables import ATTRIBUTES, eval_runs, eval_samples
from casework.words import several

_RUN = Form(
    eval_runs,
    of="evaluation_results",
    columns={
        "suite": ("evaluation_name",),
        "score": ("score_details.score",),
        "n_items": ("score_details.uncertainty.num_samples",),
    },
    uses={
        "run_id": ("evaluation_result_id",),
        "started_at": ("evaluation_timestamp",),
        "params_hash": ("generation_config.generation_args",),
    },
)
_RECORD = Form(
    eval_runs,
    of="record",
    columns={},
    uses={
        "run_id": ("evaluation_id",),
        "started_at": ("evaluation_timestamp", "retrieved_timestamp"),
        "endpoint": ("model_info",),
        "harness": ("eval_library",),
        "harness_version": ("eval_library",),
        ATTRIBUTES: ("model_info", "source_metadata", "dedupe_identity"),
    },
    keeps=False,
)
_SAMPLE = Form(
    eval_samples,
    of="instance",
    columns={
        "item_id": ("sample_id",),
        "input_text": ("input.raw",),
        "prompt_text": ("input.formatted",),
        "score": ("evaluation.score",),
    },
    uses={
        "run_id": ("evaluation_id", "evaluation_result_id", "evaluation_name"),
        "target": ("input.reference",),
        "output_text": ("output.raw", "messages", "interactions"),
    },
    left_out=("schema_version",),
)


# What is told of one, and of more.
_UNDATED = (
    "record says no instant of an evaluation: dated by its making",
    "records say no instant of an evaluation: dated by their making",
)
_UNKNOWN = (
    "score is -1, which its metric takes for unknown or cannot give: no score",
    "scores are -1, which their metric takes for unknown or cannot give: no score",
)
_UNNAMED = (
    "sample names no evaluation_result_id: it joins no result that has one",
    "samples name no evaluation_result_id: they join no result that has one",
)


def _recognises(source: Source) -> bool:
    found = source.first_object.keys()
    if not {"schema_version", "evaluation_id"} <= found:
        return False
    return "evaluation_results" in found or "sample_id" in found or "model_info" in found


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, told = FieldLog(options.timezone), Counter[tuple[str, str]]()
    for found in records(source, constants=True):
        if isinstance(found, Reject):
            yield found
        elif "sample_id" in found.values:
            told[_UNNAMED] += text(found.values.get("evaluation_result_id")) is None
            yield Row(eval_samples, found.locator, _sample(log, found.values))
        else:
            results = [*map(mapping, sequence(found.values.get("evaluation_results")))]
            if not results:
                raw = found.raw or ""
                yield Reject(found.locator, "NO_RESULT", "it holds no result", raw, eval_runs)
            dated = [_made(log, found.values) or _made(log, one) for one in results]
            told[_UNDATED] += None in dated
            log.fill(_RECORD, {k: v for k, v in found.values.items() if k != "evaluation_results"})
            for position, (result, name) in enumerate(zip(results, _names(results), strict=True)):
                locator = f"{found.locator}/evaluation_results/{position}"
                values = _run(log, told, found.values, result)
                run_id = _run_id(found.values, name)
                yield Row(eval_runs, locator, {**values, "run_id": run_id})
    yield from (Note(several(count, *what)) for what, count in told.items() if count)
    yield from log.items()


def _made(log: FieldLog, record: Mapping[str, Any]) -> datetime | None:
    """When an evaluation was made, as its result or its record says."""
    return log.instants.find(_number(record.get("evaluation_timestamp")))


def _is_unknown(result: Mapping[str, Any], score: float | None) -> bool:
    """Whether a score is -1 and stands for none: its metric says so, or has no score so low."""
    metric = mapping(result.get("metric_config"))
    least = number(_number(metric.get("min_score")))
    return score == -1 and (
        metric.get("has_unknown_level") is True or (least is not None and least > score)
    )


def _run_id(record: Mapping[str, Any], name: str | None) -> str | None:
    whole = text(record.get("evaluation_id"))
    return f"{whole}#{name}" if whole and name else None


def _name(result: Mapping[str, Any]) -> str | None:
    """What names a result, and in a sample the result that it is of."""
    return text(result.get("evaluation_result_id")) or text(result.get("evaluation_name"))


def _names(results: list[Mapping[str, Any]]) -> Iterator[str | None]:
    """What names each result of a record.

    An evaluation with several metrics has a result for each, all of its name: from the second on
    they have their number behind it. What says the same is the same result.
    """
    said: dict[str | None, dict[bytes, int]] = defaultdict(dict)
    for result in results:
        name, whole = _name(result), canonical.dumps(canonical.plain(result))
        of_name = said[name]
        digest = sha256(whole.encode("utf-8", "surrogatepass")).digest()
        place = of_name.setdefault(digest, len(of_name) + 1)
        is_told_apart = name is None or text(result.get("evaluation_result_id")) is not None
        yield name if is_told_apart or place == 1 else f"{name}/{place}"


def _run(
    log: FieldLog,
    told: Counter[tuple[str, str]],
    record: Mapping[str, Any],
    result: Mapping[str, Any],
) -> dict[str, Any]:
    values = log.fill(_RUN, result)
    is_unknown = _is_unknown(result, values.get("score"))
    told[_UNKNOWN] += is_unknown
    model, library = mapping(record.get("model_info")), mapping(record.get("eval_library"))
    given = mapping(mapping(result.get("generation_config")).get("generation_args"))
    dated = _made(log, result) or _made(log, record)
    attributes = {
        **values.get("attributes", {}),
        "model_info": model,
        "source_metadata": record.get("source_metadata"),
        "dedupe_identity": record.get("dedupe_identity"),
    }
    return {
        **values,
        "score": None if is_unknown else values.get("score"),
        "started_at": dated or log.instants.find(_number(record.get("retrieved_timestamp"))),
        "endpoint": text(model.get("id")) or text(model.get("name")),
        "harness": text(library.get("name")),
        "harness_version": text(library.get("version")),
        "params_hash": hash_params(canonical.plain(filled(given))),
        "attributes": canonical.plain(filled(attributes)),
    }


def _number(value: Any) -> Any:
    """Seconds since 1970 come as text, with or without a fraction."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return value


def _sample(log: FieldLog, sample: Mapping[str, Any]) -> dict[str, Any]:
    values = log.fill(_SAMPLE, sample)
    said = transcript(turns(sample.get("messages") or sample.get("interactions"))[0])
    correct = mapping(sample.get("evaluation")).get("is_correct")
    return {
        "score": number(float(correct)) if isinstance(correct, bool) else None,
        **values,
        "run_id": _run_id(sample, _name(sample)),
        "epoch": 1,
        "target": _texts(mapping(sample.get("input")).get("reference")),
        "output_text": _texts(mapping(sample.get("output")).get("raw")) or said or None,
    }


def _texts(value: Any) -> str | None:
    """A text, or the texts of a list one below the other."""
    found = map(text, value if isinstance(value, list) else [value])
    return "\n".join(filter(None, found)) or None


every_eval_ever = Importer(
    name="every_eval_ever",
    doc=__doc__ or "",
    tables=(eval_runs, eval_samples),
    recognises=_recognises,
    read=_read,
)
