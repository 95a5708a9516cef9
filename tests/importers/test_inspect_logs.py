"""Inspect logs: the case holds what Inspect says of them, and tells what cannot be used."""

import gzip
import json
import math
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.importers.loading import load, refusal_of, rows, source_of

from casework.case import Reject, Row
from casework.importers._configuration import hash_params, hash_prompt
from casework.importers._importer import Options
from casework.importers._zip import open_archive
from casework.importers.inspect_logs import inspect_logs

TOOL = Path(__file__).with_name("inspect_tool.py")
REMOVED = "Key removed from summary (> 1k)"
REAL = "data/eval_logs/UKGovernmentBEIS__inspect_ai"

Told = Mapping[str, Any]


def log(**changes: Any) -> dict[str, Any]:
    """A log as Inspect writes it, small."""
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "eval_id": "E1",
            "run_id": "R1",
            "created": "2026-03-01T10:00:00+00:00",
            "task": "sums",
            "task_id": "T1",
            "dataset": {"name": "sums", "samples": 1, "sample_ids": [1]},
            "model": "openai/gpt-x",
            "config": {},
            "packages": {"inspect_ai": "0.3.285"},
        },
        "plan": {"steps": [{"solver": "generate", "params": {}}], "config": {"temperature": 0.5}},
        "results": {
            "total_samples": 1,
            "completed_samples": 1,
            "scores": [
                {
                    "name": "match",
                    "scorer": "match",
                    "metrics": {"accuracy": {"value": 0.5}, "stderr": {"value": 0.1}},
                },
                {"name": "judge", "scorer": "judge", "metrics": {"mean": {"value": 0.9}}},
            ],
        },
        "stats": {
            "started_at": "2026-03-01T10:00:01+00:00",
            "completed_at": "2026-03-01T10:05:00+00:00",
        },
        "samples": [sample()],
        **changes,
    }


def sample(**changes: Any) -> dict[str, Any]:
    """A sample as Inspect writes it, small."""
    return {
        "id": 1,
        "epoch": 1,
        "input": "1 + 1?",
        "target": "2",
        "messages": [
            {"role": "system", "content": "Answer."},
            {"role": "user", "content": "1 + 1?"},
            {"role": "assistant", "content": "2"},
        ],
        "output": {"choices": [{"message": {"role": "assistant", "content": "2"}}]},
        "scores": {"match": {"value": "C", "answer": "2"}, "judge": {"value": 0.25}},
        "metadata": {},
        **changes,
    }


def as_json(folder: Path, value: Any) -> Path:
    path = folder / "log.json"
    path.write_text(json.dumps(value))
    return path


def as_archive(folder: Path, value: Mapping[str, Any], *more: tuple[str, str]) -> Path:
    path = folder / "log.eval"
    header = {key: entry for key, entry in value.items() if key != "samples"}
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        warnings.simplefilter("ignore", UserWarning)
        out.writestr("_journal/start.json", json.dumps(header | {"status": "started"}))
        for one in value.get("samples") or []:
            out.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
        for name, text in more:
            out.writestr(name, text)
        if value.get("status"):
            out.writestr("header.json", json.dumps(header))
    return path


def run_of(case: Path) -> dict[str, Any]:
    (found,) = rows(case, "SELECT to_json(r) FROM eval_runs AS r")
    row = json.loads(found[0])
    return dict(row)


def samples_of(case: Path) -> list[dict[str, Any]]:
    found = rows(case, "SELECT to_json(s) FROM eval_samples AS s ORDER BY item_id, epoch")
    return [json.loads(row[0]) for row in found]


def notes_of(path: Path, **options: Any) -> str:
    items = inspect_logs.read(source_of(path), Options(**options))
    return "\n".join(item.text for item in items if hasattr(item, "text"))


# What Inspect says


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Told:
    """Logs that Inspect wrote just now, and the real ones, each as Inspect's own reader has it."""
    folder = tmp_path_factory.mktemp("inspect")
    real = Path(__file__).parents[3] / "shared" / REAL
    logs = [p for p in sorted(real.rglob("*")) if p.suffix in (".eval", ".json")]
    process = subprocess.run(
        [sys.executable, "-W", "ignore", str(TOOL), str(folder), *map(str, logs)],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout.splitlines()[-1])
    return {"folder": folder, **found}


def compare(case: Path, path: Path, said: Told) -> None:
    """Whether the case holds of a log what Inspect says of it."""
    load(case, inspect_logs, path)
    (run,) = rows(
        case,
        "SELECT run_id, suite, started_at, endpoint, score, attributes->>'status', ended_at "
        "FROM eval_runs",
    )
    assert run[:2] == (said["run_id"], said["suite"])
    assert run[2] == datetime.fromisoformat(said["started_at"])
    scored = None if said["score"] is None or math.isnan(said["score"]) else said["score"]
    assert run[3:6] == (said["endpoint"], scored, said["status"])
    assert (run[6] is None) == (said["status"] != "success")
    held = {(s["item_id"], s["epoch"]): s for s in samples_of(case)}
    assert len(held) == len(said["samples"])
    for sample in said["samples"]:
        row = held[sample["item_id"], sample["epoch"]]
        target = sample["target"]
        assert row["target"] == (target if isinstance(target, str) else ",".join(target))
        assert (row["output_text"] or "") == sample["output_text"]
        if sample["input_text"] is not None:
            assert row["input_text"] == sample["input_text"]
        number = sample["scores"][0]["number"] if sample["scores"] else math.nan
        assert row["score"] == (None if math.isnan(number) else number)


def test_says_what_inspect_says_of_its_own_logs(told: Told, tmp_path: Path) -> None:
    assert len(told["ran"]) == 6
    for number, (name, said) in enumerate(told["ran"].items()):
        path = told["folder"] / name
        assert inspect_logs.recognises(source_of(path))
        compare(tmp_path / f"{number}.duckdb", path, said)


def test_says_what_inspect_says_of_real_logs(told: Told, shared: Path, tmp_path: Path) -> None:
    assert len(told["read"]) == 23
    for number, (name, said) in enumerate(told["read"].items()):
        path = Path(name)
        assert inspect_logs.recognises(source_of(path)), name
        compare(tmp_path / f"{number}.duckdb", path, said)


def test_inspect_writes_zstandard_and_both_formats_hold_the_same(told: Told, case: Path) -> None:
    archives = sorted(told["folder"].glob("*.eval"))
    methods = {i.compress_type for path in archives for i in zipfile.ZipFile(path).infolist()}
    assert methods == {93}
    first = load(case, inspect_logs, *archives)
    second = load(case, inspect_logs, *sorted(told["folder"].glob("*.json")))
    assert sum(e.rows_kept for e in first) == 7 + 8 + 4
    assert sum(e.rows_duplicate for e in second) == 7 + 8 + 4


def test_takes_configuration_and_own_fields_from_a_real_run(told: Told, case: Path) -> None:
    (path,) = told["folder"].glob("*_sums_*.eval")
    load(case, inspect_logs, path)
    run = run_of(case)
    assert run["checkpoint"] == "sha256:abc"
    assert run["prompt_hash"] == hash_prompt(["Answer with a number."])
    assert run["params_hash"] == hash_params({"temperature": 0, "max_tokens": 64})
    assert (run["n_items"], run["attributes"]["score_from"]) == (3, "match/accuracy")
    assert run["attributes"]["metadata"]["team"] == "evals"
    items = samples_of(case)
    assert {item["condition"] for item in items} == {"zero_shot"}
    by_id = {item["item_id"]: item for item in items}
    assert by_id["one/two"]["topic"] == "small"
    assert by_id["one/two"]["attributes"]["metadata"] == {"note": "x"}
    assert by_id["shots"]["input_text"] == "4 + 4 = ? é"
    assert by_id["shots"]["prompt_text"].splitlines() == [
        "system: Answer with a number.", "user: 3 + 3?", "assistant: 6", "user: 4 + 4 = ? é",
        "[image]",
    ]  # fmt: skip
    assert set(by_id["7"]["attributes"]["scores"]) == {"match", "includes"}


def test_a_number_that_is_none_is_no_score(told: Told, case: Path) -> None:
    (path,) = told["folder"].glob("*_grades_*.eval")
    load(case, inspect_logs, path)
    found = {item["target"]: item for item in samples_of(case)}
    assert [found[str(n)]["score"] for n in range(7)] == [1, 0, 0.5, 0, 0.25, 1, None]
    assert found["6"]["attributes"]["scores"]["graded"]["value"] == "nan"
    assert "1 score is NaN" in notes_of(path)


# What becomes of a log


def test_fills_the_run(case: Path, tmp_path: Path) -> None:
    load(case, inspect_logs, as_json(tmp_path, log()))
    run = run_of(case)
    attributes = run.pop("attributes")
    assert {key: value for key, value in run.items() if value is not None} == {
        "run_id": "E1",
        "suite": "sums",
        "started_at": "2026-03-01 10:00:01+00",
        "ended_at": "2026-03-01 10:05:00+00",
        "endpoint": "openai/gpt-x",
        "prompt_hash": hash_prompt(["Answer."]),
        "params_hash": hash_params({"temperature": 0.5}),
        "harness": "inspect_ai",
        "harness_version": "0.3.285",
        "score": 0.5,
        "n_items": 1,
        "exhibit_id": run["exhibit_id"],
        "locator": "/eval",
    }
    assert attributes["status"] == "success"
    assert attributes["score_from"] == "match/accuracy"
    assert attributes["metrics"]["judge"] == {"mean": 0.9}


def test_locators_lead_back(case: Path, tmp_path: Path) -> None:
    second = sample(id="b/c", epoch=2)
    load(case, inspect_logs, as_json(tmp_path, log(samples=[sample(), second])))
    archive = as_archive(
        tmp_path, log(samples=[sample(), second], eval={**log()["eval"], "eval_id": "E2"})
    )
    load(case, inspect_logs, archive)
    found = rows(case, "SELECT run_id, locator FROM eval_samples ORDER BY ALL")
    assert found == [
        ("E1", "/samples/0"), ("E1", "/samples/1"),
        ("E2", "samples/1_epoch_1.json"), ("E2", "samples/b/c_epoch_2.json"),
    ]  # fmt: skip
    assert rows(case, "SELECT locator FROM eval_runs WHERE run_id = 'E2'") == [("header.json",)]


def test_the_same_log_in_both_formats_is_one(case: Path, tmp_path: Path) -> None:
    exhibits = load(
        case, inspect_logs, as_json(tmp_path, log()), as_archive(tmp_path, log()),
    )  # fmt: skip
    assert [(e.rows_kept, e.rows_duplicate) for e in exhibits] == [(2, 0), (0, 2)]


@pytest.mark.parametrize("status", ["error", "cancelled", "started"])
def test_a_run_that_broke_off_has_no_end(case: Path, tmp_path: Path, status: str) -> None:
    path = as_json(tmp_path, log(status=status, error={"message": "boom", "traceback": "..."}))
    load(case, inspect_logs, path)
    run = run_of(case)
    assert run["ended_at"] is None
    assert run["attributes"]["status"] == status
    assert run["attributes"]["stopped_at"] == "2026-03-01T10:05:00Z"
    assert run["attributes"]["error"] == "boom"
    assert status in notes_of(path)


def test_a_crashed_archive_has_its_journal(case: Path, tmp_path: Path) -> None:
    crashed = log(status=None, results=None, stats=None)
    load(case, inspect_logs, as_archive(tmp_path, crashed))
    run = run_of(case)
    assert (run["started_at"], run["score"]) == ("2026-03-01 10:00:00+00", None)
    assert (run["locator"], run["attributes"]["status"]) == ("_journal/start.json", "started")
    assert [item["score"] for item in samples_of(case)] == [1.0]


@pytest.mark.parametrize("samples", [None, []])
def test_a_log_without_samples(case: Path, tmp_path: Path, samples: Any) -> None:
    (exhibit,) = load(case, inspect_logs, as_json(tmp_path, log(samples=samples)))
    assert exhibit.tables == {"eval_runs": 1}
    assert (run_of(case)["n_items"], run_of(case)["prompt_hash"]) == (1, None)


def test_samples_before_the_header_wait_for_it(case: Path, tmp_path: Path) -> None:
    value = dict(sorted(log().items(), key=lambda entry: entry[0] != "samples"))
    (exhibit,) = load(case, inspect_logs, as_json(tmp_path, value))
    assert exhibit.tables == {"eval_runs": 1, "eval_samples": 1}
    assert samples_of(case)[0]["run_id"] == "E1"


def test_a_compressed_log(case: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.json.gz"
    path.write_bytes(gzip.compress(json.dumps(log()).encode()))
    assert inspect_logs.recognises(source_of(path))
    (exhibit,) = load(case, inspect_logs, path)
    assert exhibit.rows_kept == 2


def test_two_evals_of_one_run_do_not_collide(case: Path, tmp_path: Path) -> None:
    """An eval set gives its logs one run id; before `eval_id`, task and time tell them apart."""
    for number, changes in enumerate(
        [{"task_id": "T1"}, {"task_id": "T2"}, {"task_id": "T1", "created": "2026-03-02T10:00:00Z"}]
    ):
        spec = {**log()["eval"], **changes}
        spec.pop("eval_id")
        folder = tmp_path / str(number)
        folder.mkdir()
        load(case, inspect_logs, as_json(folder, log(eval=spec)))
    assert rows(case, "SELECT count(DISTINCT run_id) FROM eval_runs") == [(3,)]
    assert rows(case, "SELECT count(*) FROM eval_samples") == [(3,)]


def test_two_accounts_of_one_run_contradict(case: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    paths = as_json(tmp_path, log()), as_json(tmp_path / "other", log(status="error"))
    exhibits = load(case, inspect_logs, *paths)
    assert [e.rows_rejected for e in exhibits] == [0, 1]
    assert rows(case, "SELECT code, table_name FROM rejects") == [("CONTRADICTS", "eval_runs")]


def test_different_system_prompts_have_no_hash(case: Path, tmp_path: Path) -> None:
    other = sample(
        id=2, messages=[{"role": "system", "content": "Else."}, *sample()["messages"][1:]]
    )
    path = as_json(tmp_path, log(samples=[sample(), other]))
    load(case, inspect_logs, path)
    assert run_of(case)["prompt_hash"] is None
    assert "2 different system prompts" in notes_of(path)


def test_a_stamped_hash_counts_more_than_one_made_here(case: Path, tmp_path: Path) -> None:
    stamped = {
        "prompt_hash": "abc", "params_hash": "def", "dataset_hash": "0a", "prompt_name": "triage",
        "prompt_version": 38, "config_loaded_at": "2026-03-01T09:59:00Z", "run_id": "mine",
    }  # fmt: skip
    load(case, inspect_logs, as_json(tmp_path, log(eval={**log()["eval"], "metadata": stamped})))
    run = run_of(case)
    assert (run["prompt_hash"], run["params_hash"], run["dataset_hash"]) == ("abc", "def", "0a")
    assert (run["prompt_name"], run["prompt_version"]) == ("triage", "38")
    assert run["config_loaded_at"] == "2026-03-01 09:59:00+00"
    assert (run["run_id"], run["attributes"]["metadata"]["run_id"]) == ("E1", "mine")


def test_edited_metadata_counts(case: Path, tmp_path: Path) -> None:
    spec = {**log()["eval"], "metadata": {"checkpoint": "old"}}
    edited = log(eval=spec, log_updates=[{"edits": []}], metadata={"checkpoint": "new"})
    load(case, inspect_logs, as_json(tmp_path, edited))
    assert run_of(case)["checkpoint"] == "new"


def test_a_dirty_tree_is_said(case: Path, tmp_path: Path) -> None:
    spec = {**log()["eval"], "revision": {"type": "git", "commit": "abc123", "dirty": True}}
    load(case, inspect_logs, as_json(tmp_path, log(eval=spec)))
    assert run_of(case)["code_revision"] == "abc123-dirty"


@pytest.mark.parametrize(
    ("declared", "score", "score_from", "of_sample"),
    [
        ({"scorer": "judge"}, 0.9, "judge/mean", 0.25),
        ({"metric": "stderr"}, 0.1, "match/stderr", 1.0),
        ({"metric": "mean"}, 0.9, "judge/mean", 0.25),
        ({"scorer": "judge", "metric": "accuracy"}, 0.5, "match/accuracy", 1.0),
        ({"scorer": "gone"}, 0.5, "match/accuracy", 1.0),
        ({"metric": ["mean"]}, 0.5, "match/accuracy", 1.0),
    ],
)
def test_the_headline_metric_of_the_task(
    case: Path, tmp_path: Path, declared: Any, score: float, score_from: str, of_sample: float
) -> None:
    spec = {**log()["eval"], "headline_metric": declared}
    load(case, inspect_logs, as_json(tmp_path, log(eval=spec)))
    run = run_of(case)
    assert (run["score"], run["attributes"]["score_from"]) == (score, score_from)
    assert samples_of(case)[0]["score"] == of_sample


def test_the_headline_of_the_results_counts_before_that_of_the_task(
    case: Path, tmp_path: Path
) -> None:
    value = log(eval={**log()["eval"], "headline_metric": {"scorer": "match"}})
    value["results"]["headline"] = {"scorer": "judge", "score": "judge", "metric": "mean"}
    load(case, inspect_logs, as_json(tmp_path, value))
    assert (run_of(case)["score"], samples_of(case)[0]["score"]) == (0.9, 0.25)


def test_a_scorer_that_gives_an_object_has_a_score_for_each_entry(
    case: Path, tmp_path: Path
) -> None:
    value = log(samples=[sample(scores={"match": {"value": "C"}, "graded": {"value": {"a": 0}}})])
    value["results"]["scores"] = [
        {"name": "a", "scorer": "graded", "scored_samples": 7, "metrics": {"mean": {"value": 0}}},
    ]
    load(case, inspect_logs, as_json(tmp_path, value))
    (found,) = samples_of(case)
    assert (found["score"], found["attributes"]["score_from"]) == (0.0, "graded")
    assert (run_of(case)["score"], run_of(case)["n_items"]) == (0.0, 7)


@pytest.mark.parametrize("place", ["model", "task"])
def test_a_system_message_of_the_settings_is_of_the_prompt(
    case: Path, tmp_path: Path, place: str
) -> None:
    """Inspect puts it before the messages of each call and keeps it out of those that it logs."""
    config = {"temperature": 0.5, "system_message": "Be kind."}
    value = log()
    if place == "task":
        value["plan"]["config"] = config
    else:
        value["eval"]["model_generate_config"] = config
    load(case, inspect_logs, as_json(tmp_path, value))
    run, (found,) = run_of(case), samples_of(case)
    assert run["prompt_hash"] == hash_prompt(["Be kind.", "Answer."])
    assert run["params_hash"] == hash_params({"temperature": 0.5})
    assert run["attributes"]["system_message"] == "Be kind."
    assert found["prompt_text"] == "system: Be kind.\nsystem: Answer.\nuser: 1 + 1?"


def test_which_model_answered_is_kept_and_told(case: Path, tmp_path: Path) -> None:
    fallback = [{"model": "a", "fallback_model": "b", "count": 1}]
    output = {**sample()["output"], "model": "b"}
    path = as_json(tmp_path, log(samples=[sample(output=output, model_fallbacks=fallback)]))
    load(case, inspect_logs, path)
    attributes = samples_of(case)[0]["attributes"]
    assert (attributes["model"], attributes["model_fallbacks"]) == ("b", fallback)
    assert "in 1 sample another model served calls" in notes_of(path)


@pytest.mark.parametrize(("epoch", "held"), [("2", 2), (3.0, 3), ("two", None), (1.5, None)])
def test_epochs(tmp_path: Path, epoch: Any, held: int | None) -> None:
    path = as_json(tmp_path, log(samples=[sample(epoch=epoch)]))
    first = next(inspect_logs.read(source_of(path), Options()))
    assert isinstance(first, Row)
    assert first.values["epoch"] == held
    assert ("1 epoch is no whole number" in notes_of(path)) == (held is None)


def test_a_log_of_the_first_version(case: Path, tmp_path: Path) -> None:
    results = {"scorer": {"name": "match"}, "metrics": {"accuracy": {"value": 0.25}}}
    old = sample(score={"value": "I"})
    del old["scores"]
    load(case, inspect_logs, as_json(tmp_path, log(version=1, results=results, samples=[old])))
    assert run_of(case)["score"] == 0.25
    assert samples_of(case)[0]["score"] == 0.0


@pytest.mark.parametrize(
    ("value", "score"),
    [
        ("C", 1), ("I", 0), ("P", 0.5), ("N", 0), ("yes", 1), ("False", 0), ("0.75", 0.75),
        (True, 1), (False, 0), (3, 3), (0.5, 0.5), ("c", None), ("good", None), ({"a": 1}, None),
        ([1], None), (None, None), (math.inf, None), ("nan", None), (10**400, None),
    ],
)  # fmt: skip
def test_scores(case: Path, tmp_path: Path, value: Any, score: float | None) -> None:
    path = as_json(tmp_path, log(samples=[sample(scores={"match": {"value": value}})]))
    load(case, inspect_logs, path)
    (found,) = samples_of(case)
    assert found["score"] == score
    if value is not None:
        assert "value" in found["attributes"]["scores"]["match"]


def test_own_fields_of_a_sample(case: Path, tmp_path: Path) -> None:
    metadata = {
        "kind": "unsafe", "refused": True, "human_refused": "no", "topic": "refunds",
        "added_at": "2026-01-02", "account_id": 17, "tier": "enterprise", "condition": "replay",
        "target": "not this", "colour": "red",
    }  # fmt: skip
    path = as_json(tmp_path, log(samples=[sample(metadata=metadata)]))
    load(case, inspect_logs, path)
    (found,) = samples_of(case)
    assert (found["kind"], found["refused"], found["human_refused"]) == ("unsafe", True, False)
    assert (found["condition"], found["account_id"], found["target"]) == ("replay", "17", "2")
    assert found["attributes"]["metadata"] == {"target": "not this", "colour": "red"}
    assert "--timezone" in notes_of(path)
    assert "--timezone" not in notes_of(path, timezone="Europe/Berlin")


def test_the_account_names_own_fields_and_edited_metadata(case: Path, tmp_path: Path) -> None:
    edited = {"prompt_version": "v2", "condition": "replay", "team": "x"}
    value = log(log_updates=[{}], metadata=edited, samples=[sample(metadata={"tier": "gold"})])
    (exhibit,) = load(case, inspect_logs, as_archive(tmp_path, value))
    fields = exhibit.fields
    assert fields["metadata"] == ["eval_runs.attributes"]
    assert fields["metadata.prompt_version"] == ["eval_runs.prompt_version"]
    assert fields["metadata.condition"] == ["eval_samples.condition"]
    assert fields["sample.metadata.tier"] == ["eval_samples.tier"]
    assert "metadata" not in exhibit.left_out


def test_texts_kept_apart_are_looked_up(case: Path, tmp_path: Path) -> None:
    key, gone = "a" * 32, "b" * 32
    kept_apart = sample(
        input=f"attachment://{key}",
        messages=[
            {"role": "user", "content": f"attachment://{key}"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": "f", "arguments": {}}],
            },
            {
                "role": "user",
                "content": [{"type": "text", "text": f"tc://{key}"}, {"type": "image"}],
            },
        ],
        output={"choices": [{"message": {"content": f"attachment://{gone}"}}]},
        attachments={key: "a long text"},
    )
    load(case, inspect_logs, as_json(tmp_path, log(samples=[kept_apart])))
    (found,) = samples_of(case)
    assert found["input_text"] == "a long text"
    assert found["output_text"] == f"attachment://{gone}"
    assert found["prompt_text"].splitlines() == [
        "user: a long text", 'assistant: ', '{"arguments":{},"function":"f"}',
        "user: a long text", "[image]",
    ]  # fmt: skip


def test_short_references_do_not_make_endless_texts(case: Path, tmp_path: Path) -> None:
    said = {"role": "user", "content": "attachment://a"}
    held = {"a": "x" * 200_000}
    many = sample(messages=[said] * 500, attachments=held)
    path = as_json(tmp_path, log(samples=[many, sample(id=2, messages=[said] * 9,
                                                       attachments=held)]))  # fmt: skip
    load(case, inspect_logs, path)
    first, second = (item["prompt_text"] for item in samples_of(case))
    assert len(first) < 4_000_000
    assert first.endswith("attachment://a")
    assert second == "\n".join(["user: " + held["a"]] * 9)
    assert "references to texts kept apart are left as they stand" in notes_of(path)


# What cannot be used


@pytest.mark.parametrize("id", ["\\frac{1}{2}", "a/../b"])
def test_an_id_of_a_sample_is_any_text(case: Path, tmp_path: Path, id: str) -> None:
    """Inspect makes the name of a member of it as it stands."""
    (exhibit,) = load(case, inspect_logs, as_archive(tmp_path, log(samples=[sample(id=id)])))
    assert exhibit.rows_kept == 2
    assert samples_of(case)[0]["item_id"] == id


def test_samples_that_are_no_list_are_a_reject(case: Path, tmp_path: Path) -> None:
    load(case, inspect_logs, as_json(tmp_path, log(samples={"0": {"id": 1}})))
    assert rows(case, "SELECT locator, code, raw FROM rejects") == [
        ("/samples", "JSON", '{"0": {"id": 1}}')
    ]


@pytest.mark.parametrize(
    ("samples", "told"),
    [([], "marked as holding invalid samples"),
     ([sample(invalidation={"author": "x"})], "says that 1 of its samples is invalid")],
)  # fmt: skip
def test_a_log_with_invalid_samples_is_told(tmp_path: Path, samples: Any, told: str) -> None:
    assert told in notes_of(as_json(tmp_path, log(invalidated=True, samples=samples)))


def test_a_bad_sample_is_a_reject_and_stops_nothing(case: Path, tmp_path: Path) -> None:
    text = json.dumps(log(samples=["SAMPLES"])).replace(
        '"SAMPLES"',
        f'{json.dumps(sample())}, {{"epoch": 1}}, 7, {{"id": 3, "id": 4}}, '
        f'{{"id": 5, "input": "\\ud800"}}, {json.dumps(sample(id=9))}',
    )
    path = tmp_path / "log.json"
    path.write_text(text)
    (exhibit,) = load(case, inspect_logs, path)
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (3, 4)
    assert rows(case, "SELECT locator, code, raw FROM rejects ORDER BY locator") == [
        ("/samples/1", "SAMPLE_ID", '{"epoch": 1}'),
        ("/samples/2", "SAMPLE_ID", "7"),
        ("/samples/3", "JSON_DUPLICATE_KEY", '{"id": 3, "id": 4}'),
        ("/samples/4", "JSON_SURROGATE", '{"id": 5, "input": "\\ud800"}'),
    ]


def test_a_bad_member_is_a_reject_and_stops_nothing(case: Path, tmp_path: Path) -> None:
    deep = "[" * 70 + "]" * 70
    path = as_archive(
        tmp_path,
        log(),
        ("samples/2_epoch_1.json", '{"id": 2,'),
        ("samples/3_epoch_1.json", f'{{"id": 3, "store": {deep}}}'),
        ("samples/4_epoch_1.json", "[]"),
    )
    (exhibit,) = load(case, inspect_logs, path)
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (2, 3)
    assert rows(case, "SELECT locator, code FROM rejects ORDER BY ALL") == [
        ("samples/2_epoch_1.json", "JSON"),
        ("samples/3_epoch_1.json", "JSON_DEPTH"),
        ("samples/4_epoch_1.json", "SAMPLE_ID"),
    ]


def test_the_later_copy_of_a_sample_counts(case: Path, tmp_path: Path) -> None:
    again = json.dumps(sample(scores={"match": {"value": "I"}}))
    path = as_archive(tmp_path, log(), ("samples/1_epoch_1.json", again))
    (exhibit,) = load(case, inspect_logs, path)
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (2, 1)
    assert samples_of(case)[0]["score"] == 0.0
    ((locator, code),) = rows(case, "SELECT locator, code FROM rejects")
    assert code == "SUPERSEDED"
    assert locator.startswith("samples/1_epoch_1.json at byte ")


def test_other_members_may_not_be_repeated(tmp_path: Path) -> None:
    path = as_archive(tmp_path, log(), ("summaries.json", "[]"), ("summaries.json", "[1]"))
    assert inspect_logs.recognises(source_of(path))
    read = inspect_logs.read(source_of(path), Options())
    assert refusal_of(lambda: list(read)) == "ZIP_DUPLICATE_NAME"


def test_samples_in_chunks_are_what_they_were_as_a_whole(told: Told, tmp_path: Path) -> None:
    assert len(told["chunked"]) == 4
    for number, (name, said) in enumerate(told["chunked"].items()):
        chunks = told["folder"] / "chunked" / name
        names = zipfile.ZipFile(chunks).namelist()
        assert not [one for one in names if one.endswith("_epoch_1.json")]
        compare(tmp_path / f"{number}.duckdb", chunks, said)
        whole = tmp_path / f"whole-{number}.duckdb"
        (path,) = [one for one in told["folder"].rglob(name) if one.parent.name != "chunked"]
        load(whole, inspect_logs, path)
        for table in ("eval_samples", "eval_runs"):
            sql = f"SELECT * EXCLUDE (exhibit_id, locator) FROM {table} ORDER BY ALL"
            assert rows(tmp_path / f"{number}.duckdb", sql) == rows(whole, sql)


def test_a_conversation_is_put_together_from_its_chunks(told: Told, case: Path) -> None:
    (path,) = (told["folder"] / "chunked").glob("*_essays_*.eval")
    attached = [n for n in zipfile.ZipFile(path).namelist() if "/attachments/" in n]
    assert len(attached) > 2
    load(case, inspect_logs, path)
    for item in samples_of(case):
        lines = item["prompt_text"].splitlines()
        assert lines[0].startswith("system: Be brief, and do as you are told.")
        assert [line[6:7] for line in lines[1:10]] == [str(turn) for turn in range(9)]
        assert "attachment://" not in item["prompt_text"]
        assert item["topic"] == "long"


def test_chunks_that_are_not_there_are_counted(told: Told, case: Path, tmp_path: Path) -> None:
    (path,) = (told["folder"] / "chunked").glob("*_essays_*.eval")
    torn = tmp_path / "torn.eval"
    with open_archive(path) as found, zipfile.ZipFile(torn, "w") as out:
        for member in found.members:
            if not member.name.endswith(("1/messages/3.json", "1/events/0.json")):
                out.writestr(member.name, found.read(member))
    (exhibit,) = load(case, inspect_logs, torn)
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (3, 0)
    assert "6 parts of samples in chunks are not in the log" in exhibit.notes


@pytest.mark.parametrize("refs", ['"x"', "[[0]]", "[[0, 1e15]]", "[[5, 2]]", "[[null, 3]]"])
def test_any_references_are_read_or_counted(case: Path, tmp_path: Path, refs: str) -> None:
    path = as_archive(
        tmp_path,
        log(),
        ("samples/2_epoch_1/sample.json", f'{{"id": 2, "epoch": 1, "message_refs": {refs}}}'),
        ("samples/2_epoch_1/messages/0.json", '[{"role": "user", "content": "hi"}]'),
        ("samples/2_epoch_1/metadata.json", "{}"),
    )
    (exhibit,) = load(case, inspect_logs, path)
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (3, 0)


def test_a_chunk_that_cannot_be_read_rejects_its_sample(case: Path, tmp_path: Path) -> None:
    path = as_archive(
        tmp_path,
        log(),
        ("samples/2_epoch_1/sample.json", '{"id": 2, "epoch": 1, "message_refs": [[0, 1]]}'),
        ("samples/2_epoch_1/messages/0.json", "[{"),
    )
    (exhibit,) = load(case, inspect_logs, path)
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (2, 1)
    assert rows(case, "SELECT code, locator FROM rejects") == [
        ("JSON", "samples/2_epoch_1/sample.json")
    ]


def test_a_crashed_run_has_the_samples_of_its_journal(case: Path, tmp_path: Path) -> None:
    crashed = log(status=None, results=None, stats=None)
    summary = {"id": 5, "epoch": 1, "input": "5 + 5?", "target": "10", "error": "it broke",
               "scores": {"match": {"value": "I"}},
               "metadata": {"topic": "sums", "tier": REMOVED}}  # fmt: skip
    old = {**summary, "scores": {"match": {"value": "C"}}}
    path = as_archive(
        tmp_path,
        crashed,
        ("_journal/summaries/10.json", json.dumps([summary])),
        ("_journal/summaries/9.json", json.dumps([old, {"id": 1, "epoch": 1, "input": "x"}])),
    )
    (exhibit,) = load(case, inspect_logs, path)
    assert exhibit.tables == {"eval_runs": 1, "eval_samples": 2}
    found = {item["item_id"]: item for item in samples_of(case)}
    assert found["1"]["output_text"] == "2"
    assert (found["5"]["input_text"], found["5"]["score"]) == ("5 + 5?", 0.0)
    assert (found["5"].get("output_text"), found["5"]["topic"]) == (None, "sums")
    assert found["5"]["tier"] is None
    assert found["5"]["attributes"]["known_by"] == "summary"
    assert found["5"]["attributes"]["error"] == "it broke"
    assert found["5"]["locator"] == "_journal/summaries/10.json/0"
    assert "1 sample is known by its summary alone" in notes_of(path)
    assert run_of(case)["attributes"]["status"] == "started"


def test_events_are_passed_over_and_counted(case: Path, tmp_path: Path) -> None:
    many = sample(events=[{"event": "state", "n": n} for n in range(50)], events_data={"calls": []})
    path = as_archive(tmp_path, log(samples=[many]))
    (exhibit,) = load(case, inspect_logs, path)
    assert samples_of(case)[0]["score"] == 1.0
    assert "left out: the events of 1 sample" in exhibit.notes
    assert {"sample.events", "sample.events_data"} <= exhibit.left_out.keys()


def test_samples_that_are_listed_and_not_there_are_told(tmp_path: Path) -> None:
    path = as_archive(tmp_path, log(), ("summaries.json", "[{}, {}, {}]"))
    assert "lists 3 samples and holds 1" in notes_of(path)


def test_a_run_without_what_a_run_needs_is_a_reject(case: Path, tmp_path: Path) -> None:
    load(case, inspect_logs, as_json(tmp_path, log(eval={"model": "m"}, stats={})))
    found = rows(case, "SELECT table_name, code FROM rejects ORDER BY ALL")
    assert found == [("eval_runs", "VALUE"), ("eval_samples", "VALUE")]


@pytest.mark.parametrize(
    "text",
    [
        '{"results": {}, "config": {}}',
        '{"evalId": "e", "results": {"version": 3}}',
        '{"status": "success"}',
        '[{"eval": {}, "status": "success"}]',
        '{"eval": {"name": "x"}}',
        '{"request_id": "r", "status": "ok", "eval": 0.5}\n{"request_id": "s"}',
        '{"request_id": "r", "status": "ok", "eval": null}',
        '{"request_id": "r", "status": "ok", "eval": {"score": 1}}',
        "eval status",
        "",
    ],
)
def test_other_json_is_not_taken(text: str, tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(text)
    assert not inspect_logs.recognises(source_of(path))


def test_recognises_by_content(tmp_path: Path) -> None:
    named = as_json(tmp_path, log()).rename(tmp_path / "export.dat")
    assert inspect_logs.recognises(source_of(named))
    named.write_text(json.dumps(dict(sorted(log().items()))))
    assert inspect_logs.recognises(source_of(named))
    many = {**log()["eval"], "dataset": {"sample_ids": list(range(50_000))}}
    named.write_text(json.dumps(log(eval=many)))
    assert inspect_logs.recognises(source_of(named))
    archive = as_archive(tmp_path, log()).rename(tmp_path / "log.zip")
    assert inspect_logs.recognises(source_of(archive))
    with zipfile.ZipFile(tmp_path / "other.eval", "w") as out:
        out.writestr("data.json", "{}")
    assert not inspect_logs.recognises(source_of(tmp_path / "other.eval"))
    assert not inspect_logs.recognises(source_of(tmp_path))


@pytest.mark.parametrize("text", ['{"eval": {', '{"eval": {}, "status": "x"} {}', '{"status": 1}'])
def test_a_torn_log_is_refused_whole(text: str, tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(text)
    code = refusal_of(lambda: list(inspect_logs.read(source_of(path), Options())))
    assert code in ("JSON", "NOT_AN_INSPECT_LOG")


def test_hostile_text_stays_text(case: Path, tmp_path: Path) -> None:
    nasty = "'); DROP TABLE eval_runs; --\0\u202e<script>alert(1)</script>\x1b[2J"
    path = as_json(tmp_path, log(samples=[sample(id=nasty, input=nasty, target=nasty)]))
    load(case, inspect_logs, path)
    (found,) = rows(case, "SELECT item_id, input_text, target FROM eval_samples")
    assert found == (nasty, nasty, nasty)


# Anything at all

LEAVES = (
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=5)
)
JUNK = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A log in which some values, anywhere, are something else."""
    value = deepcopy(log(samples=[sample(), sample(id=2, metadata={"kind": "unsafe"})]))
    for _ in range(draw(st.integers(1, 4))):
        at: Any = value
        for _ in range(draw(st.integers(0, 7))):
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            inner = [key for key in keys if isinstance(at[key], dict | list) and at[key]]
            if not inner:
                break
            at = at[draw(st.sampled_from(inner))]
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        at[draw(st.sampled_from(keys))] = draw(JUNK)
    return value


@given(mutated(), st.booleans())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_shape_of_a_log_loads_or_is_refused(
    tmp_path: Path, value: dict[str, Any], archived: bool
) -> None:
    if archived and isinstance(value["samples"], list):
        named = [s for s in value["samples"] if isinstance(s, dict) and {"id", "epoch"} <= s.keys()]
        header = {**value, "status": "success", "samples": []}
        parts = [(f"samples/{n}_epoch_1.json", json.dumps(s)) for n, s in enumerate(named)]
        path = as_archive(tmp_path, header, *parts)
    else:
        path = as_json(tmp_path, value)
    case = tmp_path / "case.duckdb"
    case.unlink(missing_ok=True)
    inspect_logs.recognises(source_of(path))
    refusal_of(lambda: load(case, inspect_logs, path))


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "log"
    for content in (data, b"PK\x03\x04" + data, b'{"eval":' + data):
        path.write_bytes(content)
        inspect_logs.recognises(source_of(path))
        refusal_of(lambda: list(inspect_logs.read(source_of(path), Options())))


def test_memory_does_not_grow_with_the_samples(tmp_path: Path) -> None:
    """Samples pass through one by one: what is yielded is not kept."""
    path = as_json(tmp_path, log(samples=[sample(id=n) for n in range(200)]))
    items = inspect_logs.read(source_of(path), Options())
    first = next(items)
    assert isinstance(first, Row)
    assert first.locator == "/samples/0"
    kinds = [type(item) for item in items]
    assert kinds.count(Row) == 200
    assert Reject not in kinds
