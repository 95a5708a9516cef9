"""What people save with kubectl: YAML, watches, dumps, and pods with sidecars."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.importers.loading import Loaded, refusal_of, source_of, takers_of

from casework.importers import Options, get

WHEN = "2026-03-01T00:00:00Z"
RAN = "SELECT replica, checkpoint, hour(valid_from), hour(valid_until) FROM deployments ORDER BY 3"


def at(hour: int) -> str:
    return f"2026-03-01T{hour:02}:00:00Z"


def pod(*states: dict[str, Any], **status: Any) -> dict[str, Any]:
    meta = {"name": "ranker-1", "namespace": "prod", "uid": "u1", "creationTimestamp": WHEN}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta,
            "status": {"containerStatuses": list(states), **status}}  # fmt: skip


def box(image: str = "a", restarts: int = 0, **states: Any) -> dict[str, Any]:
    return {"name": "c", "image": f"r:{image}", "imageID": f"r@sha256:{image}",
            "restartCount": restarts, **states}  # fmt: skip


def running(hour: int) -> dict[str, Any]:
    return {"running": {"startedAt": at(hour)}}


def ended(begun: int, hour: int) -> dict[str, Any]:
    return {"terminated": {"startedAt": at(begun), "finishedAt": at(hour)}}


def event(hour: int, **more: Any) -> dict[str, Any]:
    meta = {"name": "ranker.1", "uid": "e1", "creationTimestamp": WHEN}
    return {"apiVersion": "v1", "kind": "Event", "reason": "Unhealthy", "message": "not ready",
            "metadata": meta, "lastTimestamp": at(hour), "firstTimestamp": WHEN,
            "involvedObject": {"kind": "Pod", "name": "ranker-1"}, **more}  # fmt: skip


def watch(*told: tuple[str, dict[str, Any]]) -> str:
    return "\n".join(json.dumps({"type": change, "object": one}) for change, one in told)


def listed(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "items": list(items), "kind": "List", **more}


# YAML


def test_a_long_list_and_an_object_as_yaml(tmp_path: Path) -> None:
    """The kind of the list stands after its items, beyond the head."""
    others = [pod(box(state=running(1))) for _ in range(2)]
    for number, one in enumerate(others):
        one["metadata"] = {**one["metadata"], "name": f"p{number}", "uid": f"{number}"}
    others[1]["spec"] = {"long": "x" * 70_000}
    text = yaml.safe_dump_all([listed(*others), event(2)], explicit_start=True)
    found = Loaded(tmp_path, "kubernetes_objects", text, "x.yaml")
    assert found.takers == ["kubernetes_objects"]
    assert found.rows("SELECT replica, locator FROM deployments ORDER BY 1") == [
        ("p0", "document 1/items/0/status/containerStatuses/0/state"),
        ("p1", "document 1/items/1/status/containerStatuses/0/state"),
    ]
    assert found.rows("SELECT key, locator FROM config_events") == [
        ("kubernetes:Unhealthy", "document 2"),
    ]  # fmt: skip


def test_instants_of_yaml_need_no_quotes(tmp_path: Path) -> None:
    text = yaml.safe_dump(listed(event(2), pod(box(state=running(1))))).replace("'", "")
    found = Loaded(tmp_path, "kubernetes_objects", text, "x.yaml")
    assert found.takers == ["kubernetes_objects"]
    assert found.rows("SELECT hour(occurred_at), attributes->>'first_at' FROM config_events") == [
        (2, WHEN),
    ]  # fmt: skip
    assert found.rows(RAN) == [("ranker-1", "sha256:a", 1, None)]


NEVER_APPLIED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: ranker, creationTimestamp: null}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: ranker}
---
apiVersion: v1
kind: Pod
metadata: {name: ranker}
"""


@pytest.mark.parametrize(
    "text",
    [
        NEVER_APPLIED,
        "image: {repository: r, tag: 7}\nkind: Pod\napiVersion: v1\n",  # values of Helm
        "on: push\njobs:\n  test: {runs-on: ubuntu, steps: [{run: 'kubectl get pods'}]}\n",
        "apiVersion: v2\nname: ranker\ntype: application\nversion: 1.0.0\n",
        "apiVersion: audit.k8s.io/v1\nkind: Event\nmetadata: {creationTimestamp: 2026-03-01}\n",
        "apiVersion: v1\n? [a, b",
    ],
)
def test_yaml_of_another_kind_is_not_taken(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    assert takers_of(tmp_path / "x.yaml") == []


def test_manifests_date_no_replica(tmp_path: Path) -> None:
    found = Loaded(tmp_path, "kubernetes_objects", NEVER_APPLIED, "x.yaml")
    assert (found.exhibit.rows_kept, found.exhibit.rows_rejected) == (0, 0)
    (note,) = found.exhibit.notes
    assert note.startswith("left out: 3 objects that date no replica")


@pytest.mark.parametrize(
    ("hostile", "code"),
    [
        ("a: &a [x, x]\n  b: [*a, *a]", "YAML_ALIAS_REFUSED"),
        ("a: " + "[" * 100_000, "YAML_DEPTH"),
        ("a: !!python/object/apply:os.system [id]", "YAML"),
        ("a: !!set {x}", "YAML"),
    ],
)
def test_hostile_yaml_ends_in_one_error(tmp_path: Path, hostile: str, code: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"{yaml.safe_dump(pod())}spec:\n  {hostile}\n")
    assert takers_of(path) == ["kubernetes_objects"]
    read = get("kubernetes_objects").read(source_of(path), Options())
    assert refusal_of(lambda: list(read)) == code


# Watches


def test_later_states_of_a_pod_complete_the_earlier(tmp_path: Path) -> None:
    before = ended(1, 2)
    told = [("ADDED", box(state={"waiting": {}})), ("MODIFIED", box(state=running(1))),
            ("MODIFIED", box("b", 1, state={"waiting": {}}, lastState=before)),
            ("MODIFIED", box("b", 1, state=running(3), lastState=before)),
            ("MODIFIED", box("b", 1, state=ended(3, 4), lastState=before))]  # fmt: skip
    content = watch(*((change, pod(one)) for change, one in told))
    found = Loaded(tmp_path, "kubernetes_objects", content, "watch.json")
    assert found.takers == ["kubernetes_objects"]
    assert found.rows(RAN) == [("ranker-1", "sha256:a", 1, 2), ("ranker-1", "sha256:b", 3, 4)]
    sql = "SELECT locator, attributes->>'restarts', attributes->>'image_of' FROM deployments"
    assert found.rows(f"{sql} ORDER BY valid_from") == [
        ("line 2/object/status/containerStatuses/0/state", "0", None),
        ("line 5/object/status/containerStatuses/0/state", "1", None),
    ]
    assert (found.exhibit.rows_rejected, found.exhibit.rows_duplicate) == (0, 0)
    (note,) = found.exhibit.notes
    assert note.startswith("left out: 4 earlier states of objects")


def test_what_contradicts_an_earlier_state_is_told(tmp_path: Path) -> None:
    states = [pod(box(image, state=running(1))) for image in ("a", "b")]
    content = "\n".join(json.dumps(one, indent=4) for one in states)  # get pods -w -o json
    found = Loaded(tmp_path, "kubernetes_objects", content)
    assert found.takers == ["kubernetes_objects"]
    assert found.rows(RAN) == [("ranker-1", "sha256:a", 1, None)]
    ((_, reason),) = found.rejects
    assert reason.startswith("same key as")


def test_an_event_is_as_its_last_state_says(tmp_path: Path) -> None:
    bookmark = {"apiVersion": "v1", "kind": "Event", "metadata": {"resourceVersion": "9"}}
    gone = {"apiVersion": "v1", "kind": "Status", "code": 410, "metadata": {}}
    told = [("BOOKMARK", bookmark), ("ADDED", event(1)), ("MODIFIED", event(2, count=7)),
            ("ERROR", gone)]  # fmt: skip
    found = Loaded(tmp_path, "kubernetes_objects", watch(*told), "watch.json")
    assert found.takers == ["kubernetes_objects"]
    sql = "SELECT hour(occurred_at), attributes->>'count', locator FROM config_events"
    assert found.rows(sql) == [(2, "7", "line 3/object")]
    assert found.exhibit.notes == (
        "left out: 1 earlier state of an object, beside what pods ran",
        "left out: 2 objects that date no replica (Bookmark 1, Status 1)",
    )


def test_a_watch_as_yaml_and_a_pod_that_was_deleted(tmp_path: Path) -> None:
    told = [{"object": pod(box(state=running(1))), "type": change}
            for change in ("ADDED", "DELETED")]  # fmt: skip
    found = Loaded(tmp_path, "kubernetes_objects", yaml.safe_dump_all(told), "x.yaml")
    assert found.takers == ["kubernetes_objects"]
    assert found.rows(RAN) == [("ranker-1", "sha256:a", 1, None)]
    assert any("1 pod was deleted while running" in note for note in found.exhibit.notes)


# Dumps


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_a_dump_begins_with_nodes_and_holds_logs(tmp_path: Path, kind: str) -> None:
    node = {"metadata": {"name": "n", "creationTimestamp": WHEN}}
    bare = {key: value for key, value in pod(box(state=running(1))).items() if key != "kind"}
    lists = [{"kind": f"{kind}List", "apiVersion": "v1", "metadata": {}, "items": [one]}
             for kind, one in (("Node", node), ("Pod", bare), ("Event", event(2)))]  # fmt: skip
    as_text = yaml.safe_dump if kind == "yaml" else partial(json.dumps, indent=4)
    apart = "---\n" if kind == "yaml" else "\n"
    nodes, pods, events = (as_text(one) + apart for one in lists)
    named = "logs for container c of pod prod/ranker-1 ===="
    logs = f'==== START {named}\n{{"kind": "Pod"}}\n{{ torn\nno end of line==== END {named}\n'
    found = Loaded(tmp_path, "kubernetes_objects", nodes + pods + logs + events, f"x.{kind}")
    assert found.takers == ["kubernetes_objects"]
    assert found.rows(RAN) == [("ranker-1", "sha256:a", 1, None)]
    line = (nodes + pods + logs).count("\n") + 1
    place = "document 3" if kind == "yaml" else f"line {line}"
    assert found.rows("SELECT locator FROM config_events") == [(f"{place}/items/0",)]
    assert found.rejects == []
    assert found.exhibit.notes == (
        "left out: 4 lines of container logs",
        "left out: 1 object that dates no replica (Node 1)",
    )


# Sidecars


def test_a_sidecar_that_is_started_first_is_a_replica_and_an_init_container_none(
    tmp_path: Path,
) -> None:
    boxes = [box("init", state=ended(0, 1)), box("side", state=running(1))]
    initial = [{**one, "name": name} for one, name in zip(boxes, ("pull", "proxy"), strict=True)]
    one = pod(box(state=running(2)), initContainerStatuses=initial)
    one["spec"] = {"containers": [{"name": "c"}],
                   "initContainers": [{"name": "pull"},
                                      {"name": "proxy", "restartPolicy": "Always"}]}  # fmt: skip
    found = Loaded(tmp_path, "kubernetes_objects", one)
    assert found.rows(RAN) == [
        ("ranker-1/proxy", "sha256:side", 1, None),
        ("ranker-1", "sha256:a", 2, None),
    ]
    assert found.rows("SELECT locator FROM deployments WHERE replica = 'ranker-1/proxy'") == [
        ("line 1/status/initContainerStatuses/1/state",),
    ]  # fmt: skip
    assert found.exhibit.left_out["objects that date no replica"] == 1
