"""What was deployed, switched and rolled out: no change is lost, and none is told that was none."""

from pathlib import Path
from typing import Any

import pytest
from tests.importers.loading import Loaded

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
    found = Loaded(tmp_path, "kubernetes_objects", listed)
    assert found.takers == ["kubernetes_objects"]
    assert found.exhibit.rows_kept == 20


def test_items_of_the_api_have_the_kind_of_their_list(tmp_path: Path) -> None:
    bare = {key: value for key, value in pod().items() if key not in ("kind", "apiVersion")}
    listed = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [bare]}
    found = Loaded(tmp_path, "kubernetes_objects", listed)
    assert found.rows("SELECT replica FROM deployments") == [("ranker-1",)]


@pytest.mark.parametrize("containers", [1, 2])
def test_a_pod_without_a_name_is_no_replica(tmp_path: Path, containers: int) -> None:
    nameless = pod(None)
    nameless["status"]["containerStatuses"] *= containers
    found = Loaded(tmp_path, "kubernetes_objects", nameless)
    assert [reason for _, reason in found.rejects] == ["replica is missing"] * containers


def test_pods_of_one_name_in_two_namespaces_are_two_replicas(tmp_path: Path) -> None:
    items = [pod("ranker-0"), pod("ranker-0"), pod("ranker-1")]
    items[1]["metadata"] = {**items[1]["metadata"], "namespace": "staging"}
    found = Loaded(tmp_path, "kubernetes_objects", {"apiVersion": "v1", "kind": "List",
                                                     "items": items})  # fmt: skip
    assert found.rows("SELECT replica FROM deployments ORDER BY 1") == [
        ("prod/ranker-0",), ("ranker-1",), ("staging/ranker-0",),
    ]  # fmt: skip
    assert any("<namespace>/<pod>: ranker-0" in note for note in found.exhibit.notes)


def test_a_pod_of_no_namespace_is_one_of_the_default(tmp_path: Path) -> None:
    items = [pod("p"), pod("p")]
    items[0]["metadata"] = {"name": "p"}
    items[1]["metadata"] = {"name": "p", "namespace": "default"}
    found = Loaded(tmp_path, "kubernetes_objects", {"apiVersion": "v1", "kind": "List",
                                                     "items": items})  # fmt: skip
    assert found.rows("SELECT DISTINCT replica FROM deployments") == [("p",)]
    assert not any("<namespace>/<pod>" in note for note in found.exhibit.notes)


@pytest.mark.parametrize(
    ("listed", "told", "main"),
    [
        (["istio-proxy", "app"], None, "app"),
        (["zeta", "app"], None, "zeta"),  # as the pod lists them; their states are sorted
        (["zeta", "app"], "app", "app"),
        (["envoy", "istio-proxy"], None, "envoy"),
        (["app", "envoy"], "envoy", "envoy"),
    ],
)
def test_the_main_container_bears_the_name_of_the_pod(
    tmp_path: Path, listed: list[str], told: str | None, main: str
) -> None:
    one = pod(spec={"containers": [{"name": name} for name in listed]})
    one["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": told}
    (state,) = one["status"]["containerStatuses"]
    one["status"]["containerStatuses"] = [
        {**state, "name": name, "imageID": name} for name in sorted(listed)
    ]
    found = Loaded(tmp_path, "kubernetes_objects", one)
    (other,) = set(listed) - {main}
    assert found.rows("SELECT replica, checkpoint FROM deployments ORDER BY 1") == [
        ("ranker-1", main), (f"ranker-1/{other}", other),
    ]  # fmt: skip
    assert any("1 pod has several containers" in note for note in found.exhibit.notes)


def test_two_events_of_one_second_are_two(tmp_path: Path) -> None:
    items = [event("scaled up", "ranker.17f1"), event("scaled down", "ranker.17f2")]
    found = Loaded(tmp_path, "kubernetes_objects", {"apiVersion": "v1", "kind": "List",
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
    found = Loaded(tmp_path, "kubernetes_objects", new)
    sql = "SELECT scope, new_value, actor FROM config_events"
    assert found.rows(sql) == [("Pod/ranker-1", "stop", "kubelet")]


@pytest.mark.parametrize(
    "told",
    [
        {"firstTimestamp": WHEN, "lastTimestamp": "2026-03-01T02:00:00Z", "count": 9},
        {"apiVersion": "events.k8s.io/v1", "lastTimestamp": None, "eventTime": WHEN,
         "series": {"count": 9, "lastObservedTime": "2026-03-01T02:00:00.000001Z"}},
    ],
)  # fmt: skip
def test_an_event_that_was_seen_often_has_a_first_and_a_last_time(
    tmp_path: Path, told: dict[str, Any]
) -> None:
    found = Loaded(tmp_path, "kubernetes_objects", event("not ready", "ranker.1", **told))
    sql = """
        SELECT hour(occurred_at), attributes->>'first_at', attributes->>'count' FROM config_events
    """
    assert found.rows(sql) == [(2, WHEN, "9")]


def test_a_replica_set_of_a_progressive_rollout_has_its_revision(tmp_path: Path) -> None:
    meta = {"name": "ranker-5d", "creationTimestamp": WHEN,
            "annotations": {"rollout.argoproj.io/revision": "6"},
            "ownerReferences": [{"kind": "Rollout", "name": "ranker"}]}  # fmt: skip
    template = {"template": {"spec": {"containers": [{"image": "r:6"}]}}}
    found = Loaded(tmp_path, "kubernetes_objects",
                   {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta,
                    "spec": template})  # fmt: skip
    sql = "SELECT key, new_value, attributes->>'revision' FROM config_events"
    assert found.rows(sql) == [("image:default/ranker", "r:6", "6")]


@pytest.mark.parametrize("kind", ["Event", "EventList"])
def test_an_audit_log_is_no_list_of_events(tmp_path: Path, kind: str) -> None:
    """Its entries are of the kind `Event` too, and have none of the fields of one."""
    entry = {"kind": kind, "apiVersion": "audit.k8s.io/v1", "verb": "patch", "items": []}
    assert Loaded(tmp_path, "kubernetes_objects", entry).takers == []


# LaunchDarkly


def entry(**more: Any) -> dict[str, Any]:
    return {"date": 1_772_323_200_000, "kind": "flag", "name": "Ranker",
            "title": "[Ana](mailto:ana) updated the flag [Ranker](/x)",
            "target": {"name": "Ranker", "resources": ["proj/p;t:env/prod;live:flag/ranker"]},
            **more}  # fmt: skip


def switched(weight: int, *, on: bool) -> dict[str, Any]:
    """A version of a flag whose rollout gives `true` to so many of 100,000."""
    shares = [{"variation": 0, "weight": weight}, {"variation": 1, "weight": 100_000 - weight}]
    held = {"on": on, "offVariation": 1, "fallthrough": {"rollout": {"variations": shares}}}
    return {"variations": [{"value": True}, {"value": False}], "environments": {"prod": held}}


def test_what_an_entry_says_beside_its_title_is_kept(tmp_path: Path) -> None:
    said = entry(description="- 5% to 10%", currentVersion={"variations": [{"value": "a"}]})
    found = Loaded(tmp_path, "launchdarkly_log", said)
    sql = "SELECT key, scope, new_value, attributes->>'description' FROM config_events"
    assert found.rows(sql) == [("flag:ranker", "prod", "Ana updated the flag Ranker",
                                "- 5% to 10%")]  # fmt: skip
    assert found.exhibit.left_out == {"entry.currentVersion": 1}


def test_an_entry_without_a_target_is_of_the_flag_that_it_acted_on(tmp_path: Path) -> None:
    gone = entry(accesses=[{"action": act, "resource": "proj/p:env/prod:flag/ranker"}
                           for act in ("updateOn", "deleteFlag")])  # fmt: skip
    del gone["target"]
    found = Loaded(tmp_path, "launchdarkly_log", gone)
    assert found.takers == ["launchdarkly_log"]
    assert found.rows("SELECT key, scope FROM config_events") == [("flag:ranker", "prod")]


def test_what_is_no_flag_is_none(tmp_path: Path) -> None:
    segment = entry(kind="segment", name="Beta",
                    target={"resources": ["proj/p:env/prod:segment/beta"]})  # fmt: skip
    found = Loaded(tmp_path, "launchdarkly_log", segment)
    assert found.rows("SELECT key FROM config_events") == [("launchdarkly:segment:Beta",)]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (switched(0, on=False), switched(50_000, on=False), []),
        (switched(50_000, on=False), switched(50_000, on=True), [("0", "50")]),
        (switched(50_000, on=True), switched(50_000, on=False), [("50", "0")]),
    ],
)
def test_a_flag_that_is_off_rolls_nothing_out(
    tmp_path: Path, before: Any, now: Any, expected: list[tuple[str, str]]
) -> None:
    found = Loaded(tmp_path, "launchdarkly_log",
                    entry(previousVersion=before, currentVersion=now))  # fmt: skip
    sql = "SELECT old_value, new_value FROM config_events WHERE key = 'rollout:ranker'"
    assert found.rows(sql) == expected


def test_a_flag_of_two_environments_is_told_of_each(tmp_path: Path) -> None:
    def version(weight: int) -> dict[str, Any]:
        held = switched(weight, on=True)["environments"]["prod"]
        return {**switched(weight, on=True), "environments": {"test": {}, "prod": held}}

    places = [f"proj/p:env/{name}:flag/ranker" for name in ("test", "prod")]
    found = Loaded(tmp_path, "launchdarkly_log", entry(
        target={"resources": places}, previousVersion=version(10_000),
        currentVersion=version(90_000)))  # fmt: skip
    assert found.rows("SELECT key, scope, new_value FROM config_events ORDER BY key, scope") == [
        ("flag:ranker", "prod", "Ana updated the flag Ranker"),
        ("flag:ranker", "test", "Ana updated the flag Ranker"),
        ("rollout:ranker", "prod", "90"),
    ]


def test_the_last_step_of_a_rollout_serves_all(tmp_path: Path) -> None:
    last = switched(0, on=True)
    last["environments"]["prod"]["fallthrough"] = {"variation": 0}
    changed = entry(previousVersion=switched(90_000, on=True), currentVersion=last)
    found = Loaded(tmp_path, "launchdarkly_log", changed)
    sql = "SELECT old_value, new_value FROM config_events WHERE key = 'rollout:ranker'"
    assert found.rows(sql) == [("90", "100")]


@pytest.mark.parametrize("title", ["[" * 200_000, "[](" * 70_000, "[a](" + "(" * 200_000])
def test_a_hostile_entry_takes_no_time(tmp_path: Path, title: str) -> None:
    hostile = entry(title=title, target={"resources": ["proj/p:env/" + "a" * 200_000]})
    found = Loaded(tmp_path, "launchdarkly_log", hostile)
    assert found.rows("SELECT new_value FROM config_events") == [(title,)]


# GrowthBook

PERCENT = "SELECT key, scope, new_value FROM config_events WHERE starts_with(key, 'rollout:')"


def test_an_experiment_in_two_features_has_two_rules(tmp_path: Path) -> None:
    rule = {"key": "hint", "variations": [0, 1]}  # equal parts, as the SDK deals them
    other = {**rule, "variations": ["a", "b"]}
    features = {"a/b": {"defaultValue": False, "rules": [rule]},
                "bar": {"defaultValue": 1, "rules": [other]}}  # fmt: skip
    payload = {"features": features, "dateUpdated": WHEN}
    found = Loaded(tmp_path, "growthbook_features", payload)
    assert found.rows(f"{PERCENT} ORDER BY scope") == [
        ("rollout:hint", "a/b", "50"),
        ("rollout:hint", "bar", "50"),
    ]
    assert found.rows("SELECT locator FROM config_events WHERE key = 'flag:a/b'") == [
        ("line 1/features/a~1b",)
    ]
    assert found.exhibit.rows_rejected == 0


def test_the_parts_of_a_rule_are_its_ranges(tmp_path: Path) -> None:
    rules = [{"key": "hello", "variations": [True, False], "ranges": [[0, 0.1], [0.1, 1]]},
             {"key": "bye", "variations": [0, 1], "ranges": [[0, 0.25], [0.5, 0.75]],
              "weights": [1, 0]}]  # fmt: skip
    payload = {"features": {"f": {"defaultValue": 0, "rules": rules}}, "dateUpdated": WHEN}
    found = Loaded(tmp_path, "growthbook_features", payload)
    assert found.rows(f"{PERCENT} ORDER BY key") == [
        ("rollout:bye", "f", "50"), ("rollout:hello", "f", "90"),
    ]  # fmt: skip


def test_a_rule_that_refers_to_an_experiment_tells_no_split(tmp_path: Path) -> None:
    arms = [{"variationId": "var_a", "value": "false"}, {"variationId": "var_b", "value": "true"}]
    rule = {"id": "fr_1", "type": "experiment-ref", "experimentId": "exp_9", "variations": arms}
    feature = {"id": "f", "defaultValue": "false", "dateUpdated": WHEN, "rules": [rule]}
    found = Loaded(tmp_path, "growthbook_features", {"features": [feature], "limit": 10})
    assert found.rows("SELECT key, attributes->'rules'->0->>'experimentId' FROM config_events") == [
        ("flag:f", "exp_9"),
    ]  # fmt: skip


def test_an_id_that_is_the_key_of_another_arm_is_not_the_control(tmp_path: Path) -> None:
    arms = [{"variationId": "1", "key": "0"}, {"variationId": "0", "key": "1"}]
    split = [{"variationId": "1", "weight": 0.2}, {"variationId": "0", "weight": 0.8}]
    phase = {"name": "main", "dateStarted": WHEN, "trafficSplit": split}
    page = {"experiments": [{"id": "e", "variations": arms, "phases": [phase]}]}
    found = Loaded(tmp_path, "growthbook_features", page)
    sql = "SELECT new_value, attributes->>'control' FROM config_events"
    assert found.rows(sql) == [("80", '["0"]')]


def test_a_split_names_variations_by_id_or_by_key(tmp_path: Path) -> None:
    arms = [{"variationId": "v_a", "key": "0", "name": "Control"},
            {"variationId": "v_b", "key": "1"}]  # fmt: skip
    splits = [[{"variationId": name, "weight": weight}
               for name, weight in zip(named, (0.25, 0.75), strict=True)]
              for named in (("v_a", "v_b"), ("0", "1"), (None, None), ("x", "y"))]  # fmt: skip
    page = {"experiments": [
        {"id": str(n), "variations": arms, "phases": [{"dateStarted": WHEN, "trafficSplit": split}]}
        for n, split in enumerate(splits)
    ]}  # fmt: skip
    found = Loaded(tmp_path, "growthbook_features", page)
    assert found.rows("SELECT new_value FROM config_events") == [("75",)] * 3
    assert found.rejects == [("line 1/experiments/3/phases/0", "new_value is missing")]


def test_a_feature_without_a_name_or_a_date_is_told(tmp_path: Path) -> None:
    features = [{"id": "a", "defaultValue": 1, "environments": {}, "owner": "ana"},
                {"defaultValue": 1, "dateUpdated": WHEN},
                {"id": "c", "defaultValue": 1, "dateUpdated": WHEN, "owner": "ana"}]  # fmt: skip
    found = Loaded(tmp_path, "growthbook_features", {"features": features, "limit": 10})
    sql = "SELECT key, locator, attributes->>'owner' FROM config_events"
    assert found.rows(sql) == [("flag:c", "line 1/features/2", "ana")]
    assert found.rejects == [("line 1/features/1", "key is missing")]
    assert found.exhibit.left_out == {"features that have no date": 1}
    assert found.exhibit.fields["feature.defaultValue"] == ["config_events.new_value"]


def test_what_an_experiment_says_beside_its_phases_is_counted(tmp_path: Path) -> None:
    phase = {"name": "main", "dateStarted": WHEN, "seed": "s",
             "trafficSplit": [{"variationId": "v0", "weight": 1}]}  # fmt: skip
    page = {"experiments": [{"id": "e", "hypothesis": "h", "owner": "ana", "phases": [phase]}]}
    found = Loaded(tmp_path, "growthbook_features", page)
    assert found.exhibit.left_out == {"experiment.hypothesis": 1, "experiment.owner": 1}
    assert found.exhibit.fields["phase.seed"] == ["config_events.attributes"]


# GitHub


def test_what_a_webhook_says_beside_the_deployment_is_counted(tmp_path: Path) -> None:
    deployment = {"id": 1, "sha": "a", "environment": "production", "created_at": WHEN}
    payload = {"action": "created", "deployment": deployment, "repository": {"full_name": "o/r"}}
    found = Loaded(tmp_path, "github_deployments", payload)
    assert found.rows("SELECT key FROM config_events") == [("deployment:production",)]
    assert found.exhibit.left_out == {"payload.action": 1, "payload.repository": 1}


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("requests.jsonl", {"request_id": "r", "occurred_at": WHEN, "deployment": "gpt-4o-prod",
                            "repository": "acme/app"}),
        ("eval_samples.jsonl", {"run_id": "r", "item_id": "i", "kind": "utility", "target": "t",
                                "title": "T", "date": WHEN}),
    ],
)  # fmt: skip
def test_a_table_with_the_words_of_a_log_is_a_table(
    tmp_path: Path, name: str, row: dict[str, Any]
) -> None:
    found = Loaded(tmp_path, "table_file", row, name)
    assert found.takers == ["table_file"]
    assert (found.exhibit.rows_kept, found.exhibit.rows_rejected) == (1, 0)
