"""GrowthBook: features with their rules, and exposures of experiments.

## Reads
The features that an SDK is served (`{"features": {…}}`), pages of the API (`{"features": […]}`,
`{"experiments": […]}`), and exposures as JSON Lines or an array with `experiment_id`,
`variation_id` and a user id, as warehouses hold them.

## Fills
| source | row |
|---|---|
| an exposure | `assignments`: experiment, unit_id, arm, assigned_at |
| a feature with `dateUpdated` | `config_events` `flag:<id>`: its default and rules |
| a rule of a feature that is an experiment | `config_events` `rollout:<key>`: coverage in percent |
| an experiment with phases | `config_events` `rollout:<key>` at the start of each phase |

## Leaves out
Features without a date, counted: the SDK payload has none but `dateUpdated` of the whole.

## Known limits
The arm is the variation id as it was logged, a number or a key. Hash attribute and seed of a rule
stand in `attributes`; the `algorithm` of an exposure is `growthbook2` only where its row says so.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from casework import canonical
from casework.case import Item, Note, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._records import Record, records
from casework.importers._shape import filled, mapping, number, sequence, text
from casework.importers._source import Source
from casework.tables import assignments, config_events

_EXPOSURE = Form(
    assignments,
    of="exposure",
    columns={
        "experiment": ("experiment_id", "experimentId", "experiment_key"),
        "unit_id": ("user_id", "userId", "unit_id", "anonymous_id", "device_id"),
        "arm": ("variation_id", "variationId", "variation_key"),
        "assigned_at": ("timestamp", "received_at", "occurred_at"),
    },
    own=("",),
)
_SOURCE = "growthbook"


def _recognises(source: Source) -> bool:
    found = source.first_object
    if {"defaultValue", "rules", "environments"} & _feature(source).keys():
        return True
    if "phases" in source.within("experiments"):
        return True
    return {"experiment_id", "variation_id"} <= found.keys() or (
        {"experimentId", "variationId"} <= found.keys()
    )


def _feature(source: Source) -> Mapping[str, Any]:
    """The first feature: of a list its first element, of an object its first value."""
    found = source.within("features")
    first = next(iter(found.values()), None)
    return first if isinstance(first, Mapping) and "id" not in found else found


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, undated = FieldLog(options.timezone), 0
    for found in records(source):
        if isinstance(found, Reject):
            yield found
        elif "features" in found.values:
            for item in _features(log, found):
                undated += item is None
                if item is not None:
                    yield item
        elif "experiments" in found.values:
            for position, one in enumerate(sequence(found.values["experiments"])):
                yield from _phases(log, mapping(one), f"{found.locator}/experiments/{position}")
        else:
            yield Row(assignments, found.locator, log.fill(_EXPOSURE, found.values))
    if undated:
        yield Note(f"left out: {undated} features that have no date")
    yield from log.items()


def _features(log: FieldLog, found: Record) -> Iterator[Item | None]:
    listed, whole = found.values["features"], found.values.get("dateUpdated")
    named = (listed.items() if isinstance(listed, Mapping)
             else [(mapping(one).get("id"), one) for one in sequence(listed)])  # fmt: skip
    for name, entry in named:
        feature = mapping(entry)
        when = log.instants.find(feature.get("dateUpdated") or whole)
        at = f"{found.locator}/features/{name}"
        if when is None:
            yield None
            continue
        base = {"occurred_at": when, "source": _SOURCE}
        value = canonical.dumps(feature.get("defaultValue"))
        rest = filled({key: value for key, value in feature.items() if key != "defaultValue"})
        yield Row(config_events, at, {
            **base, "key": f"flag:{name}", "new_value": value,
            "attributes": canonical.plain(rest),
        })  # fmt: skip
        for position, rule in enumerate(map(mapping, sequence(feature.get("rules")))):
            percent = _percent(rule.get("coverage"))
            if "variations" in rule and percent is not None:
                key = text(rule.get("key")) or name
                about = canonical.plain(filled(dict(rule)))
                yield Row(config_events, f"{at}/rules/{position}", {
                    **base, "key": f"rollout:{key}", "new_value": percent, "attributes": about,
                })  # fmt: skip


def _phases(log: FieldLog, experiment: Mapping[str, Any], at: str) -> Iterator[Item]:
    key = text(experiment.get("trackingKey")) or text(experiment.get("id"))
    for position, phase in enumerate(map(mapping, sequence(experiment.get("phases")))):
        yield Row(config_events, f"{at}/phases/{position}", {
            "occurred_at": log.instants.find(phase.get("dateStarted")),
            "key": f"rollout:{key}" if key else None,
            "new_value": _percent(phase.get("coverage")),
            "scope": text(phase.get("name")),
            "source": _SOURCE,
            "attributes": canonical.plain(filled(dict(phase))),
        })  # fmt: skip


def _percent(coverage: Any) -> str | None:
    found = number(coverage)
    return None if found is None else f"{found * 100:g}"


growthbook_features = Importer(
    name="growthbook_features",
    doc=__doc__ or "",
    tables=(assignments, config_events),
    recognises=_recognises,
    read=_read,
)
