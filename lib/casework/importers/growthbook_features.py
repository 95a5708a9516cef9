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
| a rule served to an SDK that is an experiment | `config_events` `rollout:<key>`: percent treated |
| an experiment with phases | `config_events` `rollout:<key>` at the start of each phase |

Treated are all variations but the control, which is the one named so (`control`, `baseline`,
`holdout`), else the first. Percent is their part of the `trafficSplit`, or of the `ranges` of a
rule, else of its `weights`, equal parts where it has neither; `coverage` is the share of units that
enter the experiment at all, and stands in `attributes`. There `control` lists what exposures may
call the control.

## Leaves out
Features without a date: the SDK payload has none but `dateUpdated` of the whole. What an
experiment says of itself beside its phases. All are counted.

## Known limits
The arm is the variation id as it was logged, a number or a key. Hash attribute and seed of a rule
stand in `attributes`; the `algorithm` of an exposure is `growthbook2` only where its row says so.
A phase without `trafficSplit`, or with one that does not name the control, is a reject. Rules that
the API lists, by environment or in one list, refer to an experiment whose phases tell the split;
they, and those that force a value for a share of the units, stand in `attributes` of their feature
alone.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from casework import canonical
from casework.case import Item, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._records import Record, records
from casework.importers._shape import filled, mapping, number, pointer, sequence, text
from casework.importers._source import Source
from casework.tables import ATTRIBUTES, assignments, config_events

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
_FEATURE = Form(
    config_events,
    of="feature",
    columns={},
    uses={"key": ("id",), "occurred_at": ("dateUpdated",), "new_value": ("defaultValue",)},
)
_EXPERIMENT = Form(
    config_events,
    of="experiment",
    columns={},
    uses={"key": ("trackingKey", "id"), ATTRIBUTES: ("variations",)},
    keeps=False,
)
_PHASE = Form(
    config_events,
    of="phase",
    columns={},
    uses={"occurred_at": ("dateStarted",), "scope": ("name",), "new_value": ("trafficSplit",)},
)
_SOURCE = "growthbook"
_NAMES = {"control", "baseline", "holdout"}


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
    yield from log.leave_told("features that have no date", undated, "feature that has no date")
    yield from log.items()


def _features(log: FieldLog, found: Record) -> Iterator[Item | None]:
    listed, whole = found.values["features"], found.values.get("dateUpdated")
    named = listed.items() if isinstance(listed, Mapping) else enumerate(sequence(listed))
    for place, entry in named:
        feature = mapping(entry)
        name = place if isinstance(place, str) else text(feature.get("id"))
        when = log.instants.find(feature.get("dateUpdated") or whole)
        at = f"{found.locator}/features{pointer(str(place))}"
        if when is None:
            yield None
            continue
        base = {"occurred_at": when, "source": _SOURCE}
        value = canonical.dumps(feature.get("defaultValue"))
        key = f"flag:{name}" if name else None
        yield Row(config_events, at, {
            **base, **log.fill(_FEATURE, feature), "key": key, "new_value": value,
        })  # fmt: skip
        for position, rule in enumerate(map(mapping, sequence(feature.get("rules")))):
            if "type" in rule or "variations" not in rule:  # the API's refer to an experiment
                continue
            if key := text(rule.get("key")) or name:
                yield Row(config_events, f"{at}/rules/{position}", {
                    **base, "key": f"rollout:{key}", "scope": name, **_rule_split(rule),
                })  # fmt: skip


def _phases(log: FieldLog, experiment: Mapping[str, Any], at: str) -> Iterator[Item]:
    key = text(experiment.get("trackingKey")) or text(experiment.get("id"))
    variations = [mapping(one) for one in sequence(experiment.get("variations"))]
    log.fill(_EXPERIMENT, {name: one for name, one in experiment.items() if name != "phases"})
    for position, phase in enumerate(map(mapping, sequence(experiment.get("phases")))):
        log.fill(_PHASE, phase)
        yield Row(config_events, f"{at}/phases/{position}", {
            "occurred_at": log.instants.find(phase.get("dateStarted")),
            "key": f"rollout:{key}" if key else None,
            "scope": text(phase.get("name")),
            "source": _SOURCE,
            **_phase_split(phase, variations),
        })  # fmt: skip


def _phase_split(phase: Mapping[str, Any], variations: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Percent treated in a phase, whose weights name variations by id, or by key, or none of them.

    Those that name none stand in their order. Where none names the control it is not known.
    """
    parts = [mapping(one) for one in sequence(phase.get("trafficSplit"))]
    names = [text(one.get("variationId")) for one in parts]
    described = variations or [{"variationId": name} for name in names]
    at = _control(described)
    known = _known_as(described, at)
    own = text(described[at].get("variationId")) if at < len(described) else None
    if not any(names) and at < len(parts):
        names[at] = own or next(iter(known), None)
    called = {own} if own in names else set(known)
    weights = [number(one.get("weight")) or 0.0 for one in parts]
    of_control = [w for w, name in zip(weights, names, strict=True) if name in called]
    return _split(phase, known, sum(of_control), sum(weights) if of_control else 0.0)


def _rule_split(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Percent treated by a rule; the SDK takes its ranges, else its weights, else equal parts."""
    listed = sequence(rule.get("variations"))
    meta = [mapping(one) for one in sequence(rule.get("meta"))]
    ranges = [sequence(one) for one in sequence(rule.get("ranges"))]
    weights = (
        [_length(one) for one in ranges]
        or [number(one) or 0.0 for one in sequence(rule.get("weights"))]
        or [1.0] * len(listed)
    )
    at = _control(meta)
    known = _known_as(meta or [{}], at)
    return _split(rule, known, weights[at] if at < len(weights) else 0.0, sum(weights))


def _length(range_: list[Any]) -> float:
    """The part of all units in a range, `[from, to]`, of which none is below 0 or above 1."""
    ends = [min(max(number(one) or 0.0, 0.0), 1.0) for one in range_[:2]]
    return max(ends[1] - ends[0], 0.0) if len(ends) == 2 else 0.0


def _control(variations: list[Mapping[str, Any]]) -> int:
    """Which variation is the control: the one named so, else the first, as GrowthBook has it."""
    named = (n for n, one in enumerate(variations)
             if {str(one.get(field)).lower() for field in ("name", "key")} & _NAMES)  # fmt: skip
    return next(named, 0)


def _known_as(variations: list[Mapping[str, Any]], at: int) -> list[str]:
    """What an exposure may call a variation: its key, or its number if it has none, and its id.

    An id that is the key of another variation is none of its names.
    """
    keys = [text(other.get("key")) or str(n) for n, other in enumerate(variations)]
    one = variations[at] if at < len(variations) else {}
    named = (text(one.get("key")) or str(at), text(one.get("variationId")))
    others = {key for n, key in enumerate(keys) if n != at}
    return [name for name in dict.fromkeys(named) if name and name not in others]


def _split(
    about: Mapping[str, Any], known: list[str], of_control: float, whole: float
) -> dict[str, Any]:
    return {
        "new_value": f"{(1 - of_control / whole) * 100:g}" if whole > 0 else None,
        "attributes": canonical.plain({**filled(dict(about)), "control": known}),
    }


growthbook_features = Importer(
    name="growthbook_features",
    doc=__doc__ or "",
    tables=(assignments, config_events),
    recognises=_recognises,
    read=_read,
)
