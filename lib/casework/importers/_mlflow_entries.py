"""Objects of MLflow as its interfaces, its clients and tools for export write them as JSON."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from casework.importers._instants import Instants
from casework.importers._mlflow_marks import Mark
from casework.importers._mlflow_runs import Dataset, Run
from casework.importers._mlflow_trace import Trace
from casework.importers._shape import filled, mapping, parsed, sequence, text

_INPUTS, _OUTPUTS, _MODEL = "mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.llm.model"
_RUN_OF_MARK = "mlflow.assessment.sourceRunId"
_APART = ("trace_metadata", "request_metadata", "tags", "assessments", "request", "response")
_ADDRESSES = ("uri", "url", "path", "delta_table_name", "table_name", "sql")
_HELD = (*_APART, "spans", "trace", "data")


def of_json(value: Any) -> Any:
    """The value in a JSON text of MLflow, which writes NaN where a number is one."""
    return parsed(value, constants=True)


def tags_of(value: Any) -> dict[str, Any]:
    """Tags and parameters, which are written as an object or as a list of keys and values."""
    if isinstance(value, list):
        # Parquet has pairs for the entries of a map.
        pairs = [
            tag if isinstance(tag, tuple) and len(tag) == 2
            else (mapping(tag).get("key"), mapping(tag).get("value"))
            for tag in value
        ]  # fmt: skip
        return {name: tag for key, tag in pairs if (name := text(key)) is not None}
    return dict(mapping(value))


def run_of(locator: str, info: Any, data: Mapping[str, Any], inputs: Any) -> Run:
    """A run: `info`, and beside it or in `data` its parameters, metrics and tags."""
    listed = map(mapping, sequence(mapping(inputs).get("dataset_inputs", inputs)))
    return Run(
        locator=locator,
        fields={k: v for k, v in mapping(info).items() if k not in ("_start_time", "_end_time")},
        params=tags_of(data.get("params")),
        metrics=_metrics(data.get("metrics")),
        tags=tags_of(data.get("tags")),
        datasets=tuple(_dataset(one) for one in listed),
    )


def flat_run(locator: str, row: Mapping[str, Any]) -> Run:
    """A run as a row of a table, whose columns are `metrics.accuracy`, `params.seed` and so on."""
    parts: dict[str, dict[str, Any]] = {"metrics": {}, "params": {}, "tags": {}, "": {}}
    for name, value in row.items():
        head, dot, rest = name.partition(".")
        kind = head if dot and head in parts else ""
        # A table has every column for every run: an empty cell is nothing that was logged.
        if value not in (None, "") and not (isinstance(value, float) and math.isnan(value)):
            parts[kind][rest if kind else name] = value
    return Run(
        locator=locator,
        fields=parts[""],
        params=parts["params"],
        metrics=_metrics(parts["metrics"]),
        tags=parts["tags"],
    )


def trace_of(
    locator: str, record: Mapping[str, Any], instants: Instants, places: Sequence[str] = ()
) -> Trace:
    """A trace with its spans and assessments, or what a search returns of it.

    Args:
        locator: where it stands.
        record: the trace.
        instants: reads its times.
        places: where its assessments stand, if that is not in the record.
    """
    whole = mapping(of_json(record.get("trace")))
    record = whole if "info" in whole else record
    info, data = mapping(record.get("info")) or record, mapping(record.get("data"))
    spans = [mapping(one) for one in sequence(data.get("spans") or of_json(record.get("spans")))]
    asked, said = span_texts(next((one for one in spans if _is_root(one)), {}))
    if asked is None and said is None:
        held = data or record
        asked, said = parsed(held.get("request")), parsed(held.get("response"))
    called = {text(parsed(mapping(one.get("attributes")).get(_MODEL))) for one in spans}
    name = text(info.get("trace_id")) or text(info.get("request_id"))
    listed = sequence(of_json(info.get("assessments")))
    return Trace(
        locator=locator,
        fields={**{key: value for key, value in info.items() if key not in _HELD},
                **python_texts(info, _APART)},
        metadata=tags_of(of_json(info.get("trace_metadata") or info.get("request_metadata"))),
        tags=tags_of(of_json(info.get("tags"))),
        inputs=asked,
        outputs=said,
        models=tuple(sorted(filter(None, called))),
        marks=tuple(_marks(places or _places(locator, listed), name, listed, instants)),
        overridden=sum(mapping(one).get("valid") is False for one in listed),
        unread=sum(not isinstance(one, Mapping) for one in listed),
    )  # fmt: skip


def python_texts(record: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Fields that a table holds in the words of Python and not as JSON, as they stand.

    Named `tags_text` and so on; they are not read.
    """
    return {
        f"{name}_text": value
        for name in names
        if isinstance(value := of_json(record.get(name)), str) and value[:1] in ("{", "[")
    }


def span_texts(span: Any) -> tuple[Any, Any]:
    """What went into a span and what came out, as values; None where it does not say."""
    attributes = mapping(mapping(span).get("attributes"))
    return parsed(attributes.get(_INPUTS)), parsed(attributes.get(_OUTPUTS))


def dataset_uri(source: Any) -> str | None:
    """The address in the JSON text of a data set's source; of a text that is no JSON the text.

    A path has its split behind it, a table of Delta its version. Of a table that was asked for in
    SQL it is the query. None where the source is an object without any of these, as that of a
    table in memory is.
    """
    held = of_json(source)
    if not isinstance(held, Mapping):
        return text(source)
    said = {name: text(value) for name, value in held.items()}
    parts = (said.get(name) for name in ("path", "config_name", "split"))
    table, version = said.get("delta_table_name"), said.get("delta_table_version")
    found = {
        **said,
        "path": "/".join(filter(None, parts)) if said.get("path") else None,
        "delta_table_name": f"{table}@{version}" if table and version else table,
    }
    return next((found[name] for name in _ADDRESSES if found.get(name)), None)


def run_of_mark(metadata: Mapping[str, Any]) -> str | None:
    """The evaluation that made an assessment, as its metadata name it."""
    return text(metadata.get(_RUN_OF_MARK))


def last_of(history: Iterable[Mapping[str, Any]]) -> Any:
    """The last value of a history, as MLflow itself tells it.

    That of the greatest step, of the latest instant in it, and of two in one instant the greater.
    """

    def order(one: Mapping[str, Any]) -> tuple[float, ...]:
        return tuple(
            found if isinstance(found := one.get(name), int | float) else 0
            for name in ("step", "timestamp", "value")
        )

    return max(history, key=order, default={}).get("value")


def _dataset(one: Mapping[str, Any]) -> Dataset:
    held = mapping(one.get("dataset"))
    return Dataset(
        text(held.get("name")),
        text(held.get("digest")),
        dataset_uri(held.get("source")),
        text(tags_of(one.get("tags")).get("mlflow.data.context")),
    )


def _metrics(value: Any) -> dict[str, float]:
    """The last value of each metric; NaN where it is no finite number."""
    found: dict[str, float] = {}
    for name, held in (tags_of(value) if isinstance(value, list) else mapping(value)).items():
        if held == []:
            continue  # a history without a value
        last = last_of(map(mapping, held)) if isinstance(held, list) else held
        try:
            found[str(name)] = float(last)
        except (ValueError, TypeError, OverflowError):
            found[str(name)] = math.nan
    return found


def _is_root(span: Mapping[str, Any]) -> bool:
    return not (span.get("parent_span_id") or span.get("parent_id"))


def _places(locator: str, listed: list[Any]) -> list[str]:
    return [f"{locator}/assessments/{position}" for position in range(len(listed))]


def _marks(
    places: Sequence[str], trace: str | None, listed: list[Any], instants: Instants
) -> Iterator[Mark]:
    for place, one in zip(places, map(mapping, listed), strict=True):
        if not one or one.get("valid") is False:
            continue
        held = mapping(one.get("feedback") or one.get("expectation"))
        source, metadata = mapping(one.get("source")), mapping(one.get("metadata"))
        rest = {name: one.get(name) for name in ("assessment_id", "rationale", "span_id",
                                                 "overrides")}  # fmt: skip
        yield Mark(
            locator=place,
            name=text(one.get("assessment_name")) or text(one.get("name")) or "",
            value=_value(held),
            source=text(source.get("source_type")) or "unknown",
            who=text(source.get("source_id")),
            about=text(one.get("trace_id")) or trace,
            created=instants.find(one.get("create_time") or one.get("create_time_ms")),
            run=run_of_mark(metadata),
            is_expectation=one.get("expectation") is not None,
            rest=filled({**rest, "error": held.get("error"), "metadata": metadata}),
        )


def _value(held: Mapping[str, Any]) -> Any:
    """What a mark says; an expected list or object stands as JSON text in `serialized_value`."""
    value = held.get("value")
    return parsed(mapping(held.get("serialized_value")).get("value")) if value is None else value
