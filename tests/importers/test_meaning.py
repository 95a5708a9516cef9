"""What exports mean: the parts of the importers where a wrong reading would mislead a diagnosis."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.importers.loading import load, rows, source_of

from casework.importers import get
from casework.importers._instants import Instants, later, milliseconds
from casework.importers._shape import text
from casework.importers._thumbs import numeric_signals, signal


def loaded(tmp_path: Path, importer: str, content: Any, sql: str, name: str = "a.json") -> Any:
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    load(tmp_path / "case.duckdb", get(importer), path)
    return rows(tmp_path / "case.duckdb", sql)


@pytest.mark.parametrize(
    ("label", "score", "expected"),
    [
        ("thumbs_up", None, 1), (" Down ", 5, -1), (True, None, 1), (None, False, -1),
        (None, 1, 1), (None, 0.0, -1), (None, -1, -1), (None, 0.8, None), (None, 5, None),
        ("meh", 1, None), (None, None, None), (None, float("nan"), None), (None, 10**400, None),
    ],
)  # fmt: skip
def test_only_marks_without_doubt_are_thumbs(label: Any, score: Any, expected: int | None) -> None:
    assert signal(label, score, "user_feedback") == expected


@given(st.none() | st.floats() | st.integers() | st.text(max_size=9))
def test_a_mark_is_up_down_or_nothing(score: Any) -> None:
    assert signal(None, score, "helpful") in (1, -1, None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("helpful", 1), ("is_correct", 1), ("userFeedback", 1), ("👍", 1), ("Would you like it", 1),
        ("hallucination", None), ("toxic", None), ("not_helpful", None), ("incorrect", None),
        ("quality", 1), ("", 1), ("has_issues", None), ("bugs", None), ("inaccurate", None),
        ("safety_violation", None), ("refusals", None), ("misleading", None), ("problem", None),
        ("Didn't help", None), ("no_answer", None), ("issue_not_resolved", None),
        ("downvote", None), ("no_issues", 1), ("hasNoErrors", 1), ("issue_was_resolved", 1),
        ("problem_solved", 1), ("free_of_bugs", 1),
        ("is_safe", 1), ("harmless", 1), ("refund_issued", 1), ("up_down", 1),
    ],
)  # fmt: skip
def test_yes_is_no_thumb_where_the_name_asks_for_a_fault(name: str, expected: int | None) -> None:
    assert signal(None, True, name) == signal("yes", None, name) == expected
    assert signal("thumbs_up", None, name) == 1
    assert numeric_signals([1, 0], name) == ({1.0: 1, 0.0: -1} if expected else {})


@pytest.mark.parametrize("name", ["thumbs_down", "dislike", "ThumbsDown", "user-thumbsdown", "👎"])
def test_yes_is_down_where_the_name_asks_for_a_thumb_down(name: str) -> None:
    assert signal(None, True, name) == signal("yes", None, name) == signal(None, 1, name) == -1
    assert signal(None, False, name) is None
    assert (signal("thumbs_up", None, name), signal("bad", None, name)) == (1, -1)
    assert numeric_signals([1], name) == numeric_signals([1, 0, -1], name) == {1.0: -1}


def test_nanoseconds_are_cut_and_digits_of_an_hour_are_no_count() -> None:
    instants = Instants(None)
    for value in (1_762_000_000_123_456_999, "1762000000123456999"):
        assert instants.read(value).microsecond == 123_456
    assert instants.find("2026010112") is None
    assert instants.find("2026310112") == instants.find(2026310112)
    assert instants.find("1764244068") is not None


@pytest.mark.parametrize("name", ["toxicity", "hallucination", "pii", "bias", "sentiment"])
@pytest.mark.parametrize("label", ["positive", "negative", "good"])
def test_a_word_that_is_no_thumb_says_nothing_of_a_fault_or_a_sentiment(
    name: str, label: str
) -> None:
    assert signal(label, None, name) is None
    assert numeric_signals([1, -1], name) == {}
    assert signal("thumbs_down", None, name) == -1
    assert abs(signal(label, None, "answer") or 0) == 1


@pytest.mark.parametrize("name", [
    "off_topic", "plagiarism", "needs_improvement", "unanswered", "slow", "too_long", "repetitive",
    "contains_secret", "blocked", "duplicate", "stale", "user_left",
])  # fmt: skip
def test_a_yes_to_a_fault_is_no_thumb_up(name: str) -> None:
    assert signal("yes", None, name) is None
    assert numeric_signals([0, 1], name) == {}


def test_a_number_that_is_not_finite_is_no_text() -> None:
    assert [text(float(value)) for value in ("nan", "inf", "1.5")] == [None, None, "1.5"]


def test_ends_that_no_calendar_holds_are_none() -> None:
    assert later(None, 1.0) is None
    assert milliseconds(None, None) is None


def test_an_adapter_does_not_have_the_digest_of_its_base(tmp_path: Path) -> None:
    content = {
        "results": {"sums": {"acc,none": 0.5}},
        "configs": {"sums": {"doc_to_text": "{{q}}"}},
        "config": {"model_args": {"pretrained": "org/base", "peft": "me/tuned"},
                   "model_sha": "abc"},
        "date": 1_750_000_000,
        "model_name": "",
    }  # fmt: skip
    sql = "SELECT endpoint, checkpoint, attributes->>'base_checkpoint' FROM eval_runs"
    assert loaded(tmp_path, "lm_eval_results", content, sql) == [("me/tuned", None, "abc")]


def test_addresses_of_objects_do_not_change_a_prompt(tmp_path: Path) -> None:
    hashes = set()
    for address in ("7d5f", "8c00"):
        folder = tmp_path / address
        folder.mkdir()
        content = {
            "results": {"sums": {"acc,none": 0.5}},
            "configs": {"sums": {"doc_to_text": f"<function text at 0x{address}>"}},
            "date": 1_750_000_000,
        }
        sql = "SELECT prompt_hash FROM eval_runs"
        hashes.add(loaded(folder, "lm_eval_results", content, sql)[0])
    assert len(hashes) == 1
    assert hashes != {(None,)}


def test_results_and_samples_of_lm_eval_join(tmp_path: Path) -> None:
    when = "2026-03-01T10-11-12.5"
    content = {"results": {"sums": {"acc,none": 1.0}}, "configs": {}, "date": 1_750_000_000}
    sample = {"doc_id": 0, "doc": {"question": "1+1"}, "target": "2", "resps": [], "acc": 1.0,
              "filtered_resps": ["2"], "arguments": [], "metrics": ["acc"]}  # fmt: skip
    loaded(tmp_path, "lm_eval_results", content, "SELECT 1", f"results_{when}.json")
    sql = "SELECT count(*) FROM eval_samples JOIN eval_runs USING (run_id)"
    name = f"samples_sums_{when}.jsonl"
    assert loaded(tmp_path, "lm_eval_samples", sample, sql, name) == [(1,)]


def test_the_lines_of_a_langsmith_run_are_one_request(tmp_path: Path) -> None:
    create = {"id": "r", "run_type": "llm", "trace_id": "t", "start_time": "2026-03-01T00:00:00Z",
              "inputs": {"messages": [{"role": "user", "content": "1+1?"}]}}  # fmt: skip
    update = {"id": "r", "end_time": "2026-03-01T00:00:02Z", "outputs": {"text": "2"}}
    sql = "SELECT request_id, input_text, output_text, latency_ms FROM requests"
    text = json.dumps(create) + "\n" + json.dumps(update)
    found = loaded(tmp_path, "langsmith_runs", text, sql, "runs.jsonl")
    assert found == [("r", "user: 1+1?", "2", 2000.0)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([True, False], ("5", "37")), ([False, True], ("95", "63")), (["a", "b"], None)],
)
def test_a_rollout_is_the_share_that_gets_true(
    tmp_path: Path, values: list[Any], expected: tuple[str, str] | None
) -> None:
    def version(weight: int) -> dict[str, Any]:
        variations = [{"variation": 0, "weight": weight},
                      {"variation": 1, "weight": 100_000 - weight}]  # fmt: skip
        rollout = {"fallthrough": {"rollout": {"variations": variations}}}
        return {"variations": [{"value": v} for v in values], "environments": {"prod": rollout}}

    entry = {"date": 1_750_000_000_000, "kind": "flag", "title": "[Ana](m) moved it",
             "target": {"resources": ["proj/p:env/prod:flag/ranker"]},
             "previousVersion": version(5_000), "currentVersion": version(37_000)}  # fmt: skip
    sql = "SELECT key, scope, old_value, new_value FROM config_events ORDER BY key"
    rollout = [("rollout:ranker", "prod", *expected)] if expected else []
    assert loaded(tmp_path, "launchdarkly_log", entry, sql) == [
        ("flag:ranker", "prod", None, "Ana moved it"),
        *rollout,
    ]


def test_who_gets_a_variation_untracked_gets_it(tmp_path: Path) -> None:
    def version(weight: int) -> dict[str, Any]:
        shares = [(0, weight), (1, 10_000), (0, 90_000 - weight)]
        variations = [{"variation": v, "weight": w, "untracked": n == 2}
                      for n, (v, w) in enumerate(shares)]  # fmt: skip
        rollout = {"fallthrough": {"rollout": {"kind": "experiment", "variations": variations}}}
        values = [{"value": False}, {"value": True}]
        return {"variations": values, "environments": {"prod": rollout}}

    entry = {"date": 1_750_000_000_000, "kind": "flag", "title": "Ana moved it",
             "target": {"resources": ["proj/p:env/prod:flag/ranker"]},
             "currentVersion": version(10_000)}  # fmt: skip
    sql = "SELECT new_value FROM config_events WHERE key = 'rollout:ranker'"
    assert loaded(tmp_path, "launchdarkly_log", entry, sql) == [("10",)]


ROLLED = """
SELECT key, new_value, attributes->>'$.control[*]', CAST(attributes->>'$.coverage' AS DOUBLE)
FROM config_events WHERE starts_with(key, 'rollout:')
"""


@pytest.mark.parametrize(
    ("names", "split", "expected"),
    [
        (("Control", "Cards"), (0.5, 0.5), ("50", ["0", "v_0"])),
        (("Cards", "Baseline"), (0.08, 0.92), ("8", ["1", "v_1"])),
        (("Old", "Cards", "Hints"), (0.6, 0.3, 0.1), ("40", ["0", "v_0"])),
    ],
)
def test_coverage_is_who_enters_and_the_split_who_is_treated(
    tmp_path: Path, names: tuple[str, ...], split: tuple[float, ...], expected: tuple[Any, ...]
) -> None:
    variations = [{"variationId": f"v_{n}", "key": str(n), "name": name}
                  for n, name in enumerate(names)]  # fmt: skip
    weights = [{"variationId": f"v_{n}", "weight": w} for n, w in enumerate(split)][::-1]
    phase = {"name": "main", "dateStarted": "2026-05-20T00:00:00Z", "coverage": 0.4,
             "trafficSplit": weights}  # fmt: skip
    page = {"experiments": [{"id": "e", "trackingKey": "hint", "variations": variations,
                             "phases": [phase]}]}  # fmt: skip
    found = loaded(tmp_path, "growthbook_features", page, ROLLED)
    assert found == [("rollout:hint", *expected, 0.4)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"weights": [0.9, 0.1], "coverage": 0.4}, ("10", ["0"], 0.4)),
        ({"coverage": 1}, ("50", ["0"], 1)),
        ({"weights": [0.2, 0.8], "meta": [{"key": "new"}, {"key": "control"}]},
         ("20", ["control"], None)),
    ],
)  # fmt: skip
def test_a_rule_tells_who_is_treated_too(
    tmp_path: Path, rule: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    feature = {"defaultValue": False, "rules": [{"key": "hint", "variations": [0, 1], **rule}]}
    payload = {"features": {"cards": feature}, "dateUpdated": "2026-05-20T00:00:00Z"}
    found = loaded(tmp_path, "growthbook_features", payload, ROLLED)
    assert found == [("rollout:hint", *expected)]


def test_a_restart_keeps_the_interval_before_it_and_what_never_ran_has_none(
    tmp_path: Path,
) -> None:
    def pod(name: str, **states: Any) -> dict[str, Any]:
        container = {"name": "c", "imageID": "x@sha256:a", **states}
        return {"kind": "Pod", "metadata": {"name": name},
                "status": {"startTime": "2026-03-01T00:00:00Z",
                           "containerStatuses": [container]}}  # fmt: skip

    before = {"terminated": {"startedAt": "2026-03-01T00:00:00Z",
                             "finishedAt": "2026-03-01T01:00:00Z"}}  # fmt: skip
    now = {"running": {"startedAt": "2026-03-01T01:00:05Z"}}
    waiting = {"waiting": {"reason": "ImagePullBackOff"}}
    items = [pod("a", lastState=before, state=now), pod("b", state=waiting)]
    content = {"apiVersion": "v1", "kind": "PodList", "items": items}
    sql = """
        SELECT replica, checkpoint, valid_until IS NULL FROM deployments ORDER BY valid_from
    """
    assert loaded(tmp_path, "kubernetes_objects", content, sql) == [
        ("a", "sha256:a", False),
        ("a", "sha256:a", True),
    ]


def test_only_runs_that_completed_made_something(tmp_path: Path) -> None:
    def event(run: str, kind: str) -> str:
        return json.dumps({
            "eventType": kind, "eventTime": "2026-03-01T00:00:00Z", "run": {"runId": run},
            "job": {"name": "train"}, "inputs": [{"name": "in"}], "outputs": [{"name": "out"}],
        })  # fmt: skip

    lines = "\n".join((event("1", "COMPLETE"), event("2", "FAIL"), event("3", "COMPLETE")))
    sql = "SELECT artifact, uri FROM artifact_inputs ORDER BY artifact"
    found = loaded(tmp_path, "openlineage_events", lines, sql, "l.jsonl")
    assert found == [("out@1", "in"), ("out@3", "in")]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        # of each tag whether it takes the commit from the stage, and the day; in the order of Git,
        # which is that of names and not of time
        ("!a2 a1", [("a", 1, False), ("a", 2, True)]),
        ("!b2 a1", [("a", 1, False)]),
        ("!a3 a1 b2", [("a", 1, False), ("b", 2, False)]),
        ("!b3 a1 b2", [("a", 1, False), ("b", 2, False), ("a", 3, False)]),
        ("!a3 a1 b3", [("a", 1, False), ("b", 3, False)]),
    ],
)
def test_a_stage_holds_what_was_assigned_last_and_is_there_still(
    tmp_path: Path, tags: str, expected: list[tuple[str, int, bool]]
) -> None:
    text = "".join(
        f"m#prod{'!' * tag.startswith('!')}#{n}\ttag\t{tag[-2] * 40}\t2026-03-0{tag[-1]}T00:00:00Z"
        "\tgo\n" for n, tag in enumerate(tags.split())
    )  # fmt: skip
    sql = """
        SELECT checkpoint[8:8], day(valid_from), valid_until = valid_from IS TRUE
        FROM alias_events WHERE alias = 'm#prod' ORDER BY valid_from
    """
    assert loaded(tmp_path, "gto_tags", text, sql, "tags.tsv") == expected


def test_a_version_that_is_deprecated_is_registered_when_it_was(tmp_path: Path) -> None:
    text = (
        f"m@v1.0.0!#2\ttag\t{'a' * 40}\t2026-03-09T00:00:00Z\told\n"
        f"m@v1.0.0\ttag\t{'a' * 40}\t2026-03-01T00:00:00Z\tgo\n"
    )
    sql = """
        SELECT day(created_at), attributes->>'deprecated_at', attributes->>'deprecation'
        FROM model_versions
    """
    found = loaded(tmp_path, "gto_tags", text, sql, "tags.tsv")
    assert found == [(1, "2026-03-09T00:00:00Z", "old")]


def test_tags_that_are_no_versions_are_none(tmp_path: Path) -> None:
    tag, when = "a" * 40, "2026-03-01T00:00:00Z"
    names = ("dir=m@v1.2.0", "m@deprecated", "m@created", "0.1", "m@v1.1." + "1" * 9_000 + "~")
    text = "".join(f"{name}\ttag\t{tag}\t{when}\tx\n" for name in names)
    sql = "SELECT model, version FROM model_versions"
    assert loaded(tmp_path, "gto_tags", text, sql, "tags.tsv") == [("dir=m", "v1.2.0")]
    ((told,),) = rows(tmp_path / "case.duckdb", "SELECT left_out FROM exhibits")
    counts = json.loads(told)
    assert counts["tags that deprecate or create a whole artifact"] == 2
    assert counts["tags that are none of GTO's"] == 2


def test_a_label_of_a_prompt_is_known_of_the_present_alone(tmp_path: Path) -> None:
    prompt = {"name": "triage", "version": 3, "prompt": "Sort {{ticket}}", "type": "text",
              "labels": ["production", "latest"], "updatedAt": "2026-03-01T00:00:00Z"}  # fmt: skip
    sql = "SELECT key, new_value, scope, source FROM config_events ORDER BY scope NULLS FIRST"
    assert loaded(tmp_path, "langfuse_export", prompt, sql) == [
        ("prompt:triage", "3", None, "langfuse prompt version (created, not deployed)"),
        ("prompt:triage", "3", "label:production", "langfuse prompt label (current only)"),
    ]


def test_the_batch_of_anthropic_has_no_instant(tmp_path: Path) -> None:
    line = {"custom_id": "q", "result": {"type": "succeeded", "message": {"model": "m"}}}
    sql = "SELECT code FROM rejects"
    assert loaded(tmp_path, "batch_results", line, sql, "b.jsonl") == [("NO_INSTANT",)]


def test_a_retrieval_joins_the_one_call_of_its_trace(tmp_path: Path) -> None:
    def span(name: str, trace: str, kind: str, **attributes: Any) -> str:
        return json.dumps({
            "context": {"span_id": name, "trace_id": trace}, "span_kind": kind, "name": name,
            "start_time": "2026-03-01T00:00:00Z", "attributes": attributes,
        })  # fmt: skip

    documents = {"retrieval.documents.0.document.content": "no id"}
    lines = [
        span("f1", "t1", "RETRIEVER", **documents), span("l1", "t1", "LLM"),
        span("f2", "t2", "RETRIEVER", **documents), span("l2", "t2", "LLM"),
        span("l3", "t2", "LLM"),
    ]  # fmt: skip
    sql = "SELECT query_id, request_id, doc_id[:7] FROM candidates ORDER BY query_id"
    found = loaded(tmp_path, "openinference_spans", "\n".join(lines), sql, "s.jsonl")
    assert found == [("f1", "l1", "sha256:"), ("f2", None, "sha256:")]


LONG = "x" * 70_000  # longer than what detection looks at
CUT = {
    "langfuse_export": [
        {"trace": {"id": "t", "projectId": "p", "timestamp": "z", "input": LONG}},
        {"data": [{"id": "o", "traceId": "t", "type": "SPAN", "startTime": "z", "input": LONG}]},
    ],
    "launchdarkly_log": [
        {"items": [{"date": 1, "kind": "flag", "target": {}, "title": "x", "comment": LONG}]},
    ],
    "growthbook_features": [
        {"features": {"f": {"defaultValue": 1, "rules": [], "description": "y"}, "g": LONG}},
        {"experiments": [{"id": "e", "phases": [], "hypothesis": LONG}]},
    ],
    "lm_eval_results": [
        {"results": {f"t{n}": {"alias": "a", "acc,none": 0.5} for n in range(3_000)}},
    ],
    "promptfoo_results": [{"evalId": "e", "results": {"version": 3, "prompts": [{"raw": LONG}]}}],
}  # fmt: skip


@pytest.mark.parametrize("name", CUT)
def test_an_export_is_recognised_by_how_it_begins(tmp_path: Path, name: str) -> None:
    for number, content in enumerate(CUT[name]):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(content))
        assert get(name).recognises(source_of(path)), number
