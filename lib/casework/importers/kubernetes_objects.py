"""Kubernetes objects and events: which replica ran which image, and since when.

## Reads
Lists and single objects as `kubectl get … -o json` and `-o yaml` print them or the API sends them:
Pods, ReplicaSets, Deployments, Events. What a watch tells (`-w`, with or without
`--output-watch-events`), as JSON or YAML, and `kubectl cluster-info dump`, in one file or in
many. YAML has no aliases, at most 64 MiB, and any number of documents; it is taken where its
objects have a `creationTimestamp`, as those of a cluster have and manifests have not.

## Fills
| object | row |
|---|---|
| Pod | `deployments` for each container: replica `<pod>`, for those beside the main one \
`<pod>/<container>`, checkpoint the digest of `imageID`, else `image` as it is named; `valid_from` \
and `valid_until` those of its running or terminated state, and of the state before a restart; \
init containers with `restartPolicy: Always`, which run beside the others, are among them |
| ReplicaSet | `config_events` `image:<namespace>/<deployment>` at `creationTimestamp`, when the \
template came into force |
| Event | `config_events` `kubernetes:<reason>` with the object and the name of the event as \
scope, the message as value; of one that was seen often `occurred_at` is the last time, and the \
first stands in `attributes` |

The main container is the one that the annotation `kubectl.kubernetes.io/default-container` names,
else the first of the pod that is no proxy of a known name. Where pods of several namespaces bear
one name, their replicas are `<namespace>/<pod>`. Both are said.

Of an object that is told several times, as watches do, the last state counts. Of a pod all that its
containers ran in any of the states is kept: later ones say when it ended.

## Leaves out
Deployments and Rollouts, whose history their ReplicaSets tell, and objects of other kinds; other
fields of the objects that are read; init containers that end before the others start; earlier
states of objects that are told again; logs of containers in a dump. All are counted. Audit logs are
not read.

## Known limits
The image of the state before a restart is not recorded, and taken to be the present one, where no
earlier state of the pod tells it. What a pod ran that was deleted has no end where no state tells
one; how many such pods there are is said. A replica set that is used again, as a rollback does,
keeps its first date. A pod list shows the pods that are there now: replicas that are gone have no
row. The digest is that of the container image; weights that are fetched at start are not in it.
Pods of one name in two files are one replica, whatever their namespaces: load the namespace that
served alone. YAML takes a fifth of a second a MB, and 15 times its size of memory; JSON takes less.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from casework import canonical
from casework.case import Item, Note, Reject, Row
from casework.importers._fields import FieldLog, Form, find, tally
from casework.importers._importer import Importer, Options
from casework.importers._kubernetes import Objects, States, Told, recognises
from casework.importers._kubernetes_pods import Pods
from casework.importers._messages import shortened
from casework.importers._replica_names import space_of
from casework.importers._shape import filled, mapping, sequence, text
from casework.importers._source import Source
from casework.tables import ATTRIBUTES, config_events, deployments
from casework.words import number, several

_MOST_KINDS = 20
_NOTES = {"revision": ("deployment.kubernetes.io/revision", "rollout.argoproj.io/revision"),
          "change_cause": ("kubernetes.io/change-cause",)}  # fmt: skip
_REPLICA_SET = Form(
    config_events,
    of="ReplicaSet",
    columns={"occurred_at": ("metadata.creationTimestamp",), "scope": ("metadata.name",)},
    uses={
        "key": ("metadata.namespace", "metadata.ownerReferences"),
        "new_value": ("spec.template.spec.containers",),
        ATTRIBUTES: tuple(f"metadata.annotations.{key}" for keys in _NOTES.values()
                          for key in keys),
    },
    keeps=False,
)  # fmt: skip
_FIRST = ("firstTimestamp", "deprecatedFirstTimestamp", "eventTime")
_COUNT = ("count", "deprecatedCount", "series.count")
_EVENT = Form(
    config_events,
    of="Event",
    columns={
        "occurred_at": ("lastTimestamp", "deprecatedLastTimestamp", "series.lastObservedTime",
                        *reversed(_FIRST)),
        "new_value": ("message", "note"),
        "actor": ("source.component", "reportingComponent", "reportingController",
                  "deprecatedSource.component"),
    },
    uses={
        "key": ("reason",),
        "scope": ("metadata.name", *(f"{about}.{name}" for about in ("involvedObject", "regarding")
                                     for name in ("kind", "name"))),
        ATTRIBUTES: (*_FIRST, *_COUNT, "type", "involvedObject.namespace", "regarding.namespace"),
    },
    keeps=False,
)  # fmt: skip


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, passed = FieldLog(options.timezone), Counter[str]()
    objects = Objects(source)
    states = States(objects)
    pods = Pods(log, states, passed)
    for told in objects:
        if isinstance(told, Reject):
            yield told
        elif told.kind == "Pod":
            yield from pods.read(told)
        elif states.is_last(told):
            yield from _rows(log, told, passed)
    if states.shared:
        named = shortened(", ".join(sorted(states.shared)))
        yield Note(f"pods of several namespaces have one name, and are <namespace>/<pod>: {named}")
    yield from pods.notes()
    beside = "beside what pods ran"
    one, more = f"earlier state of an object, {beside}", f"earlier states of objects, {beside}"
    yield from log.leave_told(more, states.earlier, one)
    one, more = "line of a container log", "lines of container logs"
    yield from log.leave_told(more, objects.lines_of_logs, one)
    log.leave("objects that date no replica", passed.total())
    if passed := +passed:
        most = passed.most_common(_MOST_KINDS)
        kinds = ", ".join(f"{kind} {number(count)}" for kind, count in most)
        which = several(passed.total(), "object that dates", "objects that date")
        yield Note(f"left out: {which} no replica ({kinds})")
    yield from log.items()


def _rows(log: FieldLog, told: Told, passed: Counter[str]) -> Iterator[Item]:
    match told.kind:
        case "ReplicaSet" if not mapping(told.values.get("metadata")).get("creationTimestamp"):
            passed["ReplicaSet that no cluster made"] += 1
        case "ReplicaSet":
            yield _replica_set(log, told.values, told.locator)
        case "Event":
            yield _event(log, told.values, told.locator)
        case kind:
            tally(passed, kind or "object")


def _replica_set(log: FieldLog, one: Mapping[str, Any], at: str) -> Item:
    meta = mapping(one.get("metadata"))
    owner = next(map(mapping, sequence(meta.get("ownerReferences"))), {})
    template = mapping(mapping(mapping(one.get("spec")).get("template")).get("spec"))
    boxes = [mapping(box) for box in sequence(template.get("containers"))]
    images = [image for box in boxes if (image := text(box.get("image")))]
    log.leave(
        "fields of containers beside their image", sum(len(box.keys() - {"image"}) for box in boxes)
    )
    name = text(owner.get("name")) or text(meta.get("name"))
    notes = mapping(meta.get("annotations"))
    return Row(config_events, at, {
        **log.fill(_REPLICA_SET, one),
        "key": f"image:{space_of(meta)}/{name}" if name else None,
        "new_value": ",".join(images) or None,
        "source": "kubernetes replica set",
        ATTRIBUTES: canonical.plain(
            filled({name: _first(notes, keys) for name, keys in _NOTES.items()})
        ),
    })  # fmt: skip


def _event(log: FieldLog, event: Mapping[str, Any], at: str) -> Item:
    about = mapping(event.get("involvedObject")) or mapping(event.get("regarding"))
    of = "/".join(filter(None, (text(about.get("kind")), text(about.get("name")))))
    # an object may have several events of one kind in one second, which have names of their own
    name = text(mapping(event.get("metadata")).get("name"))
    return Row(config_events, at, {
        **log.fill(_EVENT, event),
        "key": f"kubernetes:{text(event.get('reason')) or 'event'}",
        "scope": ":".join(filter(None, (of, name))) or None,
        "source": "kubernetes event",
        ATTRIBUTES: canonical.plain(filled(
            {"count": _first(event, _COUNT), "first_at": _first(event, _FIRST),
             "type": event.get("type"), "namespace": about.get("namespace")}
        )),
    })  # fmt: skip


def _first(record: Mapping[str, Any], paths: tuple[str, ...]) -> Any:
    return next((value for path in paths if (value := find(record, path))), None)


kubernetes_objects = Importer(
    name="kubernetes_objects",
    doc=__doc__ or "",
    tables=(deployments, config_events),
    recognises=recognises,
    read=_read,
)
