"""OpenLineage run events: which data sets a job read to make which.

## Reads
Run events as JSON Lines, a JSON array or pages of Marquez (`{"events": […]}`). A run counts that
completed, with the inputs and outputs of all its events.

## Fills
Each pair of an output and an input of a run is a row of `artifact_inputs`.

| column | from |
|---|---|
| `artifact` | the output: namespace and name, with the version that the event of completion \
names, else the latest event that names one, else the id of the run |
| `kind` | `train_data`; `code` for `sourceCodeLocation`, `base_checkpoint` for inputs that are \
named as models |
| `uri`, `digest` | the input, with `@<version>` where a run read several versions of it; \
`version.datasetVersion` of its facets |
| `pin` | `pinned` with a version, else `floating` |
| `attributes` | the job, and the latest `eventTime` of the run as `last_event_at` |

## Leaves out
Runs without outputs or without inputs, runs that did not complete, and events of jobs and data
sets, counted; other facets.

## Known limits
Lineage names data sets and seldom digests them: a version is what the platform calls one. A run
with more than 200,000 pairs of output and input is one reject.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from casework import canonical
from casework.case import Item, Reject, Row
from casework.importers._fields import MOST_PAIRS, FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._records import Record, records
from casework.importers._shape import filled, mapping, sequence, text
from casework.importers._source import Source
from casework.tables import ATTRIBUTES, artifact_inputs
from casework.words import count, number

_NAME, _VERSION = ("namespace", "name"), "facets.version.datasetVersion"
_CODE = "facets.sourceCodeLocation"
_INPUT = Form(
    artifact_inputs,
    of="input",
    columns={},
    uses={"uri": _NAME, "kind": ("name",), "digest": (_VERSION,)},
    keeps=False,
)
_OUTPUT = Form(
    artifact_inputs, of="output", columns={}, uses={"artifact": (*_NAME, _VERSION)}, keeps=False
)
_EVENT = Form(
    artifact_inputs,
    of="event",
    columns={},
    uses={"artifact": ("run.runId",), ATTRIBUTES: ("eventTime",)},
    left_out=("eventType",),
    keeps=False,
)
_JOB = Form(
    artifact_inputs,
    of="job",
    columns={},
    uses={
        ATTRIBUTES: _NAME,
        "uri": (f"{_CODE}.repoUrl", f"{_CODE}.url"),
        "digest": (f"{_CODE}.version",),
    },
    keeps=False,
)
# Of one name, by version: where a data set stands, and what is said of it.
_Versions = dict[str | None, tuple[str, Mapping[str, Any]]]
# Of one name: how far the event counts that told its version, and what is said of it.
_Told = tuple[tuple[bool, bool, datetime], Mapping[str, Any]]
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_MODEL = re.compile(r"(?:^|[/._-])(?:models?|checkpoints?|weights)(?:[/._-]|$)", re.IGNORECASE)


def _recognises(source: Source) -> bool:
    return any(
        {"eventType", "eventTime", "run", "job"} <= found.keys()
        or {"eventTime", "producer", "schemaURL"} <= found.keys()
        for found in (source.first_object, source.within("events"))
    )


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, runs, others = FieldLog(options.timezone), dict[str, dict[str, Any]](), 0
    for found in chain.from_iterable(map(_events, records(source))):
        if isinstance(found, Reject):
            yield found._replace(table=artifact_inputs)
            continue
        run = text(mapping(found.values.get("run")).get("runId"))
        if run is None:
            others += 1
            continue
        log.fill(_EVENT, {name: value for name, value in found.values.items()
                          if name not in ("inputs", "outputs", "job")})  # fmt: skip
        event = runs.setdefault(
            run, {"run": run, "inputs": {}, "outputs": {}, "locator": found.locator}
        )
        completes = found.values.get("eventType") == "COMPLETE"
        event["completed"] = event.get("completed") or completes
        for position, one in enumerate(map(mapping, sequence(found.values.get("inputs")))):
            _add(event["inputs"], one, f"{found.locator}/inputs/{position}")
        when = log.instants.find(found.values.get("eventTime"))
        for one in map(mapping, sequence(found.values.get("outputs"))):
            _make(event["outputs"], one, completes, when or _LONG_AGO)
        event["when"] = max(filter(None, (event.get("when"), when)), default=None)
        event["job"] = _joined(mapping(event.get("job")), mapping(found.values.get("job")))
    for event in runs.values():
        told = False
        for row in _rows(log, event) if event["outputs"] and event["completed"] else ():
            told = True
            yield row
        others += not told
    what = "events or runs that made no data set of another"
    yield from log.leave_told(what, others, "event or run that made no data set of another")
    yield from log.items()


def _events(found: Record | Reject) -> Iterator[Record | Reject]:
    """The events of a page, or the one that a record is."""
    if isinstance(found, Reject) or "events" not in found.values:
        yield found
        return
    for position, one in enumerate(sequence(found.values["events"])):
        yield Record(f"{found.locator}/events/{position}", dict(mapping(one)))


def _add(known: dict[str, _Versions], one: Mapping[str, Any], at: str) -> None:
    """Take an input, or what another event says of it; of one name each version is another."""
    versions, version = known.setdefault(_name(one), {}), _version(one)
    same = next((key for key in (version, None) if key in versions), None)
    if version is None and None not in versions:
        same = next(iter(versions), None)
    where, before = versions.pop(same, (at, {}))
    versions[version or same] = where, _joined(before, one)


def _make(known: dict[str, _Told], one: Mapping[str, Any], completes: bool, when: datetime) -> None:
    """Take an output, or what another event says of it; a run makes one version of a name."""
    counts = (_version(one) is not None, completes, when)
    most, before = known.get(_name(one), (counts, {}))
    joined = _joined(before, one) if counts >= most else _joined(one, before)
    known[_name(one)] = max(counts, most), joined


def _listed(known: Mapping[str, _Versions]) -> list[tuple[str, str | None, str, Mapping[str, Any]]]:
    """Name, version and place of each data set, and what is said of it."""
    return [(name, version, *told) for name, versions in known.items()
            for version, told in versions.items()]  # fmt: skip


def _rows(log: FieldLog, event: Mapping[str, Any]) -> Iterator[Item]:
    outputs, inputs = event["outputs"], _listed(event["inputs"])
    made, of = len(outputs), len(inputs)
    if made * of > MOST_PAIRS:
        pairs = f"{count(made, 'outputs')} and {count(of, 'inputs')}"
        reason = f"{pairs} make more than {number(MOST_PAIRS)} rows, one for each pair"
        yield Reject(event["locator"], "RUN_TOO_LARGE", reason, "", artifact_inputs)
        return
    job = mapping(event.get("job"))
    place = mapping(mapping(job.get("facets")).get("sourceCodeLocation"))
    when = event["when"]
    about = filled({"job": text(job.get("name")), "namespace": text(job.get("namespace")),
                    "last_event_at": canonical.instant(when) if when else None})  # fmt: skip
    log.fill(_JOB, job)
    for *_, one in inputs:
        log.fill(_INPUT, one)
    for name, (_, out) in outputs.items():
        log.fill(_OUTPUT, out)
        artifact = f"{name}@{_version(out) or event['run']}"
        base = {"artifact": artifact, "attributes": about}
        for name, known, locator, _ in inputs:
            values = {
                "kind": "base_checkpoint" if _MODEL.search(name) else "train_data",
                "uri": (f"{name}@{known}" if known and len(event["inputs"][name]) > 1
                        else name or None),
                "digest": known,
                "pin": "pinned" if known else "floating",
            }  # fmt: skip
            yield Row(artifact_inputs, locator, {**base, **values})
        if address := text(place.get("repoUrl")) or text(place.get("url")):
            commit = text(place.get("version"))
            code = {"kind": "code", "uri": address, "digest": commit}
            pin = {"pin": "pinned" if commit else "floating"}
            yield Row(artifact_inputs, f"{event['locator']}/job", {**base, **code, **pin})


def _joined(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What two events of a run say of one thing: an event may have facets that another has not."""
    facets = {**mapping(before.get("facets")), **mapping(now.get("facets"))}
    return {**before, **now, "facets": facets}


def _name(dataset: Mapping[str, Any]) -> str:
    space, name = text(dataset.get("namespace")), text(dataset.get("name"))
    if space and name:  # the name of a file begins with a slash, and so may the address have two
        return f"{space.removesuffix('/')}/{name.removeprefix('/')}"
    return space or name or ""


def _version(dataset: Mapping[str, Any]) -> str | None:
    facet = mapping(mapping(dataset.get("facets")).get("version"))
    return text(facet.get("datasetVersion"))


openlineage_events = Importer(
    name="openlineage_events",
    doc=__doc__ or "",
    tables=(artifact_inputs,),
    recognises=_recognises,
    read=_read,
)
