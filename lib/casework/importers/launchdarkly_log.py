"""LaunchDarkly audit log: every change of a flag, as the API lists it.

## Reads
Pages of `/auditlog` (`{"items": […]}`), JSON Lines and arrays of entries, which webhooks send too.

## Fills
| column of `config_events` | from |
|---|---|
| `occurred_at` | `date`, milliseconds |
| `key` | `flag:<flag>`, the flag in `target.resources`, else in `accesses`; `rollout:<flag>` \
where the entry tells the rollout that it set; `launchdarkly:<kind>:<name>` for what is no flag |
| `new_value`, `old_value` | `title` without links, else `description`; the rollout, percent |
| `scope` | the environment of the flag; of several each has its rows |
| `actor` | `member.email`, `token.name`, else `subject.name` |

## Leaves out
Links, access rules, icons; the versions of the flag but for the rollout. All are counted.

## Known limits
A percentage rollout is read only where the entry holds `currentVersion` and `previousVersion` with
their `variations` and a `fallthrough`, to a rollout or to one variation, and one variation is
`true`: the share of that one. Which variation of another flag is the new one, the log does not say.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Item, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._records import Record, records
from casework.importers._shape import mapping, sequence, text
from casework.importers._shape import number as number_of
from casework.importers._source import Source
from casework.tables import config_events

_RESOURCE = re.compile(r"^proj/[^:/]*:env/(?P<env>[^:/;]*)(?:[/;][^:]*)?:flag/(?P<flag>[^:/;]+)")
_LINK = re.compile(r"\[([^\[\]]*)\]\([^)\[]*\)")
_FORM = Form(
    config_events,
    of="entry",
    columns={
        "occurred_at": ("date",),
        "actor": ("member.email", "token.name", "subject.name"),
    },
    uses={"key": ("target.resources",), "new_value": ("title",)},
    left_out=(
        *("_links", "accesses", "_accountId", "subject.avatarUrl", "parent", "target._links"),
        *("currentVersion", "previousVersion"),
    ),
)


def _recognises(source: Source) -> bool:
    return _is_entry(source.first_object) or _is_entry(source.within("items"))


def _is_entry(record: Mapping[str, Any]) -> bool:
    return (
        {"date", "kind"} <= record.keys()
        and (isinstance(record.get("target"), Mapping) or _accessed(record) != [])
        and ("titleVerb" in record or "title" in record)
    )


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    for found in records(source):
        if isinstance(found, Reject):
            yield found._replace(table=config_events)
        elif "items" in found.values:
            for position, one in enumerate(sequence(found.values["items"])):
                locator = f"{found.locator}/items/{position}"
                yield from _rows(log, Record(locator, dict(mapping(one))))
        else:
            yield from _rows(log, found)
    yield from log.items()


def _rows(log: FieldLog, found: Record) -> Iterator[Item]:
    entry = found.values
    listed = sequence(mapping(entry.get("target")).get("resources")) or _accessed(entry)
    matches = [match for one in listed if (match := _RESOURCE.match(str(one)))]
    places: list[tuple[str | None, str | None]] = [*dict.fromkeys(
        (match["flag"], match["env"]) for match in matches)]  # fmt: skip
    kind = "flag" if places else text(entry.get("kind")) or "entry"
    of = kind if kind == "flag" else f"launchdarkly:{kind}"
    base = {**log.fill(_FORM, entry), "source": "launchdarkly audit log"}
    said = _plain(text(entry.get("title")))
    if said is None and (said := text(entry.get("description"))):
        log.took(_FORM, "description", "new_value")
    for flag, scope in places or [(text(entry.get("name")), None)]:
        key = f"{of}:{flag}" if flag else None
        yield Row(config_events, found.locator, {
            **base, "scope": scope, "key": key, "new_value": said,
        })  # fmt: skip
        if flag and kind == "flag":
            yield from _rollout(log, found, {**base, "scope": scope, "key": f"rollout:{flag}"})


def _accessed(entry: Mapping[str, Any]) -> list[Any]:
    """The resources that an entry acted on; that of a thing that is gone has no target."""
    listed = map(mapping, sequence(entry.get("accesses")))
    return [name for one in listed if (name := text(one.get("resource")))]


def _rollout(log: FieldLog, found: Record, base: Mapping[str, Any]) -> Iterator[Item]:
    """What an entry tells of the rollout in one environment, where it changed."""
    now, before = (
        _percent(found.values.get(name), base["scope"])
        for name in ("currentVersion", "previousVersion")
    )
    if now is not None and now != before:
        log.took(_FORM, "currentVersion.fallthrough", "new_value")
        log.took(_FORM, "previousVersion.fallthrough", "old_value")
        yield Row(config_events, f"{found.locator}/currentVersion", {
            **base, "new_value": f"{now:g}", "old_value": None if before is None else f"{before:g}",
        })  # fmt: skip


def _percent(version: Any, scope: str | None) -> float | None:
    """Share of traffic, in percent, that gets the variation whose value is true.

    None where nothing is said of the traffic, or no variation is known to be true. A `fallthrough`
    of one variation serves it to all. A flag that is off serves its `offVariation`, whatever its
    rollout says.
    """
    flag = mapping(version)
    held = mapping(mapping(flag.get("environments")).get(scope or "")) or flag
    served = mapping(held.get("fallthrough"))
    rollout = mapping(served.get("rollout"))
    listed = [mapping(one) for one in sequence(rollout.get("variations"))]
    values = [mapping(one).get("value") for one in sequence(flag.get("variations"))]
    on = [number for number, value in enumerate(values) if value is True]
    # an experiment lists a variation twice: who is in it, and who gets it untracked
    weights = [(one.get("variation"), number_of(one.get("weight")) or 0) for one in listed]
    if not listed and number_of(served.get("variation")) is not None:
        weights = [(served["variation"], 1)]
    whole = sum(weight for _, weight in weights)
    if held.get("on") is False:
        weights = [(held.get("offVariation"), whole)]
    treated = sum(weight for variation, weight in weights if on and variation == on[0])
    return treated / whole * 100 if on and whole else None


def _plain(title: str | None) -> str | None:
    """A title without its links, `[name](address)`."""
    return _LINK.sub(r"\1", title) if title else None


launchdarkly_log = Importer(
    name="launchdarkly_log",
    doc=__doc__ or "",
    tables=(config_events,),
    recognises=_recognises,
    read=_read,
)
