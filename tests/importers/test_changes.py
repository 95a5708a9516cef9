"""What was deployed, switched and rolled out: no change is lost, and none is told that was none."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.importers.loading import load, rows, takers_of

from casework.importers import get
from casework.records import Exhibit


class Changes:
    """The rows that an importer makes of a text or of JSON, and what it tells of the rest."""

    def __init__(self, folder: Path, importer: str, content: Any, name: str = "x.json") -> None:
        path = folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        self.case = folder / "case.duckdb"
        self.takers = takers_of(path)
        exhibit: Exhibit
        (exhibit,) = load(self.case, get(importer), path)
        self.exhibit = exhibit

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.case, sql)

    @property
    def rejects(self) -> list[tuple[str, str]]:
        return self.rows("SELECT locator, reason FROM rejects ORDER BY rowid")


# Kubernetes

WHEN = "2026-03-01T00:00:00Z"


def pod(name: str | None = "ranker-1", **more: Any) -> dict[str, Any]:
    meta = {"namespace": "prod"} | ({"name": name} if name else {})
    container = {"name": "c", "imageID": "r@sha256:a", "state": {"running": {"startedAt": WHEN}}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta,
            "status": {"containerStatuses": [container]}, **more}  # fmt: skip


def event(message: str, name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Event", "reason": "ScalingReplicaSet", "message": message,
            "metadata": {"name": name}, "lastTimestamp": WHEN,
            "involvedObject": {"kind": "Deployment", "name": "ranker"}, **more}  # fmt: skip


def test_a_long_list_as_kubectl_prints_it_is_recognised(tmp_path: Path) -> None:
    """Its keys are in order of the alphabet: the kind of the list stands after its items."""
    items = [pod(f"p{n}", spec={"long": "x" * 5_000}) for n in range(20)]
    listed = {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {}}
    found = Changes(tmp_path, "kubernetes_objects", listed)
    assert found.takers == ["kubernetes_objects"]
    assert found.exhibit.rows_kept == 20


def test_items_of_the_api_have_the_kind_of_their_list(tmp_path: Path) -> None:
    bare = {key: value for key, value in pod().items() if key not in ("kind", "apiVersion")}
    listed = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [bare]}
    found = Changes(tmp_path, "kubernetes_objects", listed)
    assert found.rows("SELECT replica FROM deployments") == [("ranker-1",)]


@pytest.mark.parametrize("containers", [1, 2])
def test_a_pod_without_a_name_is_no_replica(tmp_path: Path, containers: int) -> None:
    nameless = pod(None)
    nameless["status"]["containerStatuses"] *= containers
    found = Changes(tmp_path, "kubernetes_objects", nameless)
    assert [reason for _, reason in found.rejects] == ["replica is missing"] * containers


def test_two_events_of_one_second_are_two(tmp_path: Path) -> None:
    items = [event("scaled up", "ranker.17f1"), event("scaled down", "ranker.17f2")]
    found = Changes(tmp_path, "kubernetes_objects", {"apiVersion": "v1", "kind": "List",
                                                     "items": items})  # fmt: skip
    assert found.rows("SELECT scope, new_value FROM config_events ORDER BY scope") == [
        ("Deployment/ranker:ranker.17f1", "scaled up"),
        ("Deployment/ranker:ranker.17f2", "scaled down"),
    ]


def test_an_event_of_the_new_api_with_the_fields_of_the_old(tmp_path: Path) -> None:
    new = {"apiVersion": "events.k8s.io/v1", "kind": "Event", "reason": "Killing", "note": "stop",
           "eventTime": None, "deprecatedLastTimestamp": WHEN, "metadata": {},
           "deprecatedSource": {"component": "kubelet"},
           "regarding": {"kind": "Pod", "name": "ranker-1"}}  # fmt: skip
    found = Changes(tmp_path, "kubernetes_objects", new)
    sql = "SELECT scope, new_value, actor FROM config_events"
    assert found.rows(sql) == [("Pod/ranker-1", "stop", "kubelet")]
