"""Kubernetes objects and events: which replica ran which image, and since when.

## Reads
Lists and single objects as `kubectl get … -o json` prints them or the API sends them: Pods,
ReplicaSets, Deployments, Events.

## Fills
| object | row |
|---|---|
| Pod | `deployments` for each container: replica `<pod>`, for those beside the main one \
`<pod>/<container>`, checkpoint the digest of `imageID`, else `image` as it is named; `valid_from` \
and `valid_until` those of its running or terminated state, and of the state before a restart |
| ReplicaSet | `config_events` `image:<namespace>/<deployment>` at `creationTimestamp`, when the \
template came into force |
| Event | `config_events` `kubernetes:<reason>` with the object and the name of the event as \
scope, the message as value; of one that was seen often `occurred_at` is the last time, and the \
first stands in `attributes` |

The main container is the one that the annotation `kubectl.kubernetes.io/default-container` names,
else the first of the pod that is no proxy of a known name. Where pods of several namespaces bear
one name, their replicas are `<namespace>/<pod>`. Both are said.

## Leaves out
Deployments and Rollouts, whose history their ReplicaSets tell, and objects of other kinds; other
fields of the objects that are read. All are counted. Audit logs are not read.

## Known limits
The image of the state before a restart is not recorded, and taken to be the present one. A replica
set that is used again, as a rollback does, keeps its first date. A pod list shows the pods that
are there now: replicas that are gone have no row. The digest is that of the container image;
weights that are fetched at start are not in it. Pods of one name in two files are one replica,
whatever their namespaces: load the namespace that served alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Item, Note, Reject, Row
from casework.importers._fields import FieldLog, Form, find
from casework.importers._importer import Importer, Options
from casework.importers._messages import shortened
from casework.importers._records import Record, records
from casework.importers._replica_names import DEFAULT, replicas_of, space_of
from casework.importers._shape import filled, mapping, sequence, text
from casework.importers._source import Source
from casework.tables import ATTRIBUTES, config_events, deployments

_KINDS = ("Pod", "ReplicaSet", "Deployment", "Event", "List", "PodList", "EventList",
          "ReplicaSetList", "DeploymentList")  # fmt: skip
_MOST_KINDS = 20
_SEVERAL = "Pod with several containers"
_REGION = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
_STATES = tuple(f"{state}.{how}" for state in ("lastState", "state")
                for how in ("running", "terminated"))  # fmt: skip
_POD = Form(
    deployments,
    of="Pod",
    columns={},
    uses={
        "replica": ("metadata.name", "spec.containers", f"metadata.annotations.{DEFAULT}"),
        "region": tuple(f"metadata.labels.{key}" for key in _REGION),
        "checkpoint": ("status.containerStatuses",),
        ATTRIBUTES: ("metadata.namespace", "spec.nodeName"),
    },
    left_out=("kind", "apiVersion"),
    keeps=False,
)
_CONTAINER = Form(
    deployments,
    of="container",
    columns={},
    uses={
        "replica": ("name",),
        "checkpoint": ("imageID", "image"),
        "valid_from": tuple(f"{state}.startedAt" for state in _STATES),
        "valid_until": tuple(f"{state}.finishedAt" for state in _STATES),
        ATTRIBUTES: ("image", "restartCount"),
    },
    keeps=False,
)
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


def _recognises(source: Source) -> bool:
    found = source.first_object
    if "items" in found and "kind" not in found:  # kubectl prints the kind of a list after it
        return {"apiVersion", "kind"} <= source.within("items").keys()
    is_audit = str(found.get("apiVersion")).startswith("audit.k8s.io/")
    return {"apiVersion", "kind"} <= found.keys() and found["kind"] in _KINDS and not is_audit


def _read(source: Source, options: Options) -> Iterator[Item]:
    log, passed = FieldLog(options.timezone), Counter[str]()
    shared: set[str] | None = None
    for found in records(source):
        if isinstance(found, Reject):
            yield found
            continue
        for kind, one, at in _objects(found):
            if kind == "Pod" and shared is None:
                shared = _shared(source)
            yield from _rows(log, kind, one, at, passed, shared or set())
    if shared:
        named = shortened(", ".join(sorted(shared)))
        yield Note(f"pods of several namespaces have one name, and are <namespace>/<pod>: {named}")
    if several := passed.pop(_SEVERAL, 0):
        yield Note(f"{several} pods have several containers: the main one is <pod>, others "
                   "<pod>/<container>")  # fmt: skip
    log.leave("objects that date no replica", passed.total())
    if passed:
        kinds = ", ".join(f"{kind} {count}" for kind, count in passed.most_common(_MOST_KINDS))
        yield Note(f"left out: {passed.total()} objects that date no replica ({kinds})")
    yield from log.items()


def _objects(found: Record) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """The objects of a record, each with its kind and where it stands."""
    is_list = "items" in found.values
    objects = sequence(found.values["items"]) if is_list else [found.values]
    whole = (text(found.values.get("kind")) or "").removesuffix("List")
    for position, one in enumerate(map(mapping, objects)):
        at = f"{found.locator}/items/{position}" if is_list else found.locator
        # the items of a `PodList`, as the API itself sends it, do not say that they are pods
        yield text(one.get("kind")) or whole, one, at


def _shared(source: Source) -> set[str]:
    """Names that pods of several namespaces bear, as those of a stateful set do."""
    spaces, shared = dict[str, str](), set[str]()
    for found in records(source):
        for kind, one, _ in _objects(found) if isinstance(found, Record) else ():
            meta = mapping(one.get("metadata"))
            name, space = text(meta.get("name")), space_of(meta)
            if kind == "Pod" and name and spaces.setdefault(name, space) != space:
                shared.add(name)
    return shared


def _rows(
    log: FieldLog,
    kind: str,
    one: Mapping[str, Any],
    at: str,
    passed: Counter[str],
    shared: set[str],
) -> Iterator[Item]:
    match kind:
        case "Pod":
            yield from _pod(log, one, at, passed, shared)
        case "ReplicaSet":
            yield _replica_set(log, one, at)
        case "Event":
            yield _event(log, one, at)
        case _:
            passed[kind or "object"] += 1


def _pod(
    log: FieldLog, pod: Mapping[str, Any], at: str, passed: Counter[str], shared: set[str]
) -> Iterator[Item]:
    meta, status = mapping(pod.get("metadata")), mapping(pod.get("status"))
    states = [mapping(one) for one in sequence(status.get("containerStatuses"))]
    labels = mapping(meta.get("labels"))
    node = mapping(pod.get("spec")).get("nodeName")
    region = next((name for key in _REGION if (name := text(labels.get(key)))), None)
    if states:
        log.fill(_POD, pod)
    else:
        passed["Pod without a container"] += 1
    passed[_SEVERAL] += len(states) > 1
    named = replicas_of(pod, states, shared)
    for position, container in enumerate(states):
        about = filled({"namespace": meta.get("namespace"), "node": node,
                        "image": container.get("image"),
                        "restarts": container.get("restartCount")})  # fmt: skip
        replica = {
            "replica": named[position],
            "checkpoint": _digest(text(container.get("imageID")) or text(container.get("image"))),
            "region": region,
        }
        ran = 0
        for state in ("lastState", "state"):
            for how in ("running", "terminated"):
                times = mapping(mapping(container.get(state)).get(how))
                if begun := log.instants.find(times.get("startedAt")):
                    ran += 1
                    of_last = {"image_of": "the present state"} if state == "lastState" else {}
                    yield Row(deployments, f"{at}/status/containerStatuses/{position}/{state}", {
                        **replica, "valid_from": begun,
                        "valid_until": log.instants.find(times.get("finishedAt")),
                        "attributes": {**about, **of_last},
                    })  # fmt: skip
        if ran:
            log.fill(_CONTAINER, container)
        else:
            passed["container that never ran"] += 1


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
        ATTRIBUTES: filled({name: _first(notes, keys) for name, keys in _NOTES.items()}),
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
        "attributes": filled({"count": _first(event, _COUNT), "first_at": _first(event, _FIRST),
                              "type": event.get("type"), "namespace": about.get("namespace")}),
    })  # fmt: skip


def _first(record: Mapping[str, Any], paths: tuple[str, ...]) -> Any:
    return next((value for path in paths if (value := find(record, path))), None)


def _digest(image: str | None) -> str | None:
    """The digest in an image id, `docker-pullable://…@sha256:…`; else the image as it is named."""
    return None if image is None else image.rpartition("@")[2].rpartition("//")[2]


kubernetes_objects = Importer(
    name="kubernetes_objects",
    doc=__doc__ or "",
    tables=(deployments, config_events),
    recognises=_recognises,
    read=_read,
)
