"""What the containers of pods ran and since when, out of one state of each pod or of several."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from casework import canonical
from casework.case import Item, Note, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._kubernetes import States, Told
from casework.importers._replica_names import DEFAULT, replicas_of
from casework.importers._shape import filled, mapping, sequence, text
from casework.tables import ATTRIBUTES, deployments
from casework.words import several

_REGION = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
_STATES = tuple(f"{state}.{how}" for state in ("lastState", "state")
                for how in ("running", "terminated"))  # fmt: skip
_MAIN, _INITIAL = "containerStatuses", "initContainerStatuses"
_POD = Form(
    deployments,
    of="Pod",
    columns={},
    uses={
        "replica": ("metadata.name", "spec.containers", f"metadata.annotations.{DEFAULT}"),
        "region": tuple(f"metadata.labels.{key}" for key in _REGION),
        "checkpoint": (f"status.{_MAIN}",),
        ATTRIBUTES: ("metadata.namespace", "spec.nodeName"),
    },
    left_out=("kind", "apiVersion"),
    keeps=False,
)
_WITH_SIDECARS = replace(
    _POD,
    uses={
        **_POD.uses,
        "replica": (*_POD.uses["replica"], "spec.initContainers"),
        "checkpoint": (f"status.{_MAIN}", f"status.{_INITIAL}"),
    },
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
_OF_LAST = {"image_of": "the present state"}
_Runs = dict[tuple[str, datetime], Row]


@dataclass
class Pods:
    """The runs of containers of pods. Those of a pod are yielded with its last state."""

    log: FieldLog
    states: States
    passed: Counter[str]
    _several: int = 0
    _deleted: int = 0
    _runs: dict[tuple[str, ...], _Runs] = field(default_factory=dict)

    def read(self, told: Told) -> Iterator[Item]:
        """Take a state of a pod."""
        is_last = self.states.is_last(told)
        runs = self._runs.setdefault(told.identity or (), {})
        boxes = list(_containers(told.values))
        named = replicas_of(told.values, [box for _, box in boxes], self.states.shared)
        self._account(told.values, boxes, is_last=is_last)
        for (place, box), replica in zip(boxes, named, strict=True):
            found = list(self._ran(told, place, box, replica))
            for row in found:
                yield from _told_again(runs, place, row)
            if found:
                self.log.fill(_CONTAINER, box)
            elif is_last:
                self.passed["container that never ran"] += 1
        if is_last:
            rows = self._runs.pop(told.identity or ()).values()
            if told.change == "DELETED":
                self._deleted += any(row.values["valid_until"] is None for row in rows)
            yield from rows

    def notes(self) -> Iterator[Note]:
        """What a reader should know of them."""
        if self._several:
            told = several(self._several, "pod has", "pods have")
            yield Note(f"{told} several containers: the main one is <pod>, others "
                       "<pod>/<container>")  # fmt: skip
        if self._deleted:
            told = several(self._deleted, "pod was", "pods were")
            yield Note(f"{told} deleted while running as far as is told: what ran has no end")

    def _account(
        self, pod: Mapping[str, Any], boxes: list[tuple[str, Mapping[str, Any]]], *, is_last: bool
    ) -> None:
        sidecars = sum(place.startswith(_INITIAL) for place, _ in boxes)
        if boxes:
            self.log.fill(_WITH_SIDECARS if sidecars else _POD, pod)
        if is_last:
            initial = sequence(mapping(pod.get("status")).get(_INITIAL))
            self.passed["init container"] += len(initial) - sidecars
            self.passed["Pod without a container"] += not boxes
            self._several += len(boxes) > 1

    def _ran(
        self, told: Told, place: str, box: Mapping[str, Any], replica: str | None
    ) -> Iterator[Row]:
        """The runs of a container that one state of its pod tells."""
        meta = mapping(told.values.get("metadata"))
        labels, spec = mapping(meta.get("labels")), mapping(told.values.get("spec"))
        about = {"namespace": meta.get("namespace"), "node": spec.get("nodeName"),
                 "image": box.get("image")}  # fmt: skip
        restarts = box.get("restartCount")
        image = text(box.get("imageID")) or text(box.get("image"))
        region = next((name for key in _REGION if (name := text(labels.get(key)))), None)
        for state in ("lastState", "state"):
            for how in ("running", "terminated"):
                times = mapping(mapping(box.get(state)).get(how))
                begun = self.log.instants.find(times.get("startedAt"))
                if begun is None:
                    continue
                of_this = {"restarts": restarts}
                if state == "lastState":
                    before = restarts - 1 if isinstance(restarts, int) and restarts else None
                    of_this = {"restarts": before, **_OF_LAST}
                yield Row(deployments, f"{told.locator}/status/{place}/{state}", {
                    "replica": replica, "checkpoint": _digest(image), "region": region,
                    "valid_from": begun,
                    "valid_until": self.log.instants.find(times.get("finishedAt")),
                    ATTRIBUTES: canonical.plain(filled({**about, **of_this})),
                })  # fmt: skip


def _containers(pod: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The states of containers that serve, and where they stand.

    A container that is started before the others and runs beside them is one of them.
    """
    status, spec = mapping(pod.get("status")), mapping(pod.get("spec"))
    for position, one in enumerate(sequence(status.get(_MAIN))):
        yield f"{_MAIN}/{position}", mapping(one)
    declared = map(mapping, sequence(spec.get("initContainers")))
    beside = {text(one.get("name")) for one in declared if one.get("restartPolicy") == "Always"}
    for position, one in enumerate(map(mapping, sequence(status.get(_INITIAL)))):
        if (name := text(one.get("name"))) and name in beside:
            yield f"{_INITIAL}/{position}", one


def _told_again(runs: _Runs, place: str, row: Row) -> Iterator[Row]:
    """Take a run to those of its pod; yield the one that it contradicts.

    A later state knows when a run ended. The image of the state before a restart it does not know.
    """
    key = place, row.values["valid_from"]
    known = runs.get(key)
    if known is None:
        runs[key] = row
        return
    ended = row.values["valid_until"] or known.values["valid_until"]
    if "image_of" in row.values[ATTRIBUTES]:
        row = known
    elif "image_of" not in known.values[ATTRIBUTES] and (
        row.values["checkpoint"] != known.values["checkpoint"]
    ):
        yield known
    runs[key] = row._replace(values={**row.values, "valid_until": ended})


def _digest(image: str | None) -> str | None:
    """The digest in an image id, `docker-pullable://…@sha256:…`; else the image as it is named."""
    return None if image is None else image.rpartition("@")[2].rpartition("//")[2]
