"""Exports of evaluations: what stands in unusual places, or is of unusual kind, is told so."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.importers.loading import load, rows, takers_of

from casework.importers import get
from casework.records import Exhibit


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return tmp_path / "case.duckdb"


def lines(path: Path, *values: Any) -> Path:
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values))
    return path


# TREC


def trec(case: Path, data: bytes) -> Exhibit:
    path = case.with_name("run.txt")
    path.write_bytes(data)
    assert takers_of(path) == ["trec_files"]
    (exhibit,) = load(case, get("trec_files"), path)
    return exhibit


def test_a_byte_order_mark_is_no_part_of_a_query(case: Path) -> None:
    trec(case, b"\xef\xbb\xbfq1 Q0 d1 1 2.5 bm25\r\nq1 Q0 d2 2 1.5 bm25\r\n")
    assert rows(case, "SELECT DISTINCT query_id FROM candidates") == [("q1",)]


@pytest.mark.parametrize(
    "line",
    [b"q1 Q0 d1 1 1e999 bm25", b"q1 Q0 d\xe9 1 2.5 bm25", b"x" * 4090 + b" q1 Q0 d1 1 2.5 bm25"],
)
def test_a_line_of_trec_that_cannot_be_read_is_one_reject(case: Path, line: bytes) -> None:
    good = b"q1 Q0 d7 1 3.5 bm25\n"
    exhibit = trec(case, good * 20 + line + b"\nq1 Q0 d8 2 2.5 bm25\n")
    assert exhibit.rows_rejected == 1
    assert rows(case, "SELECT locator FROM rejects") == [("line 21",)]
    assert rows(case, "SELECT locator FROM candidates WHERE doc_id = 'd8'") == [("line 22",)]


# HELM


def stat(name: str, mean: float, **about: Any) -> dict[str, Any]:
    """A statistic as HELM writes it: of one trial, so that its count is 1."""
    return {"name": {"name": name, "split": "test", **about}, "count": 1, "mean": mean}


def helm(case: Path, states: list[Any], **files: Any) -> None:
    folder = case.with_name("run")
    folder.mkdir()
    spec = {"name": "sums:model=m", "adapter_spec": {"model": "m"}}
    files |= {"run_spec": spec, "scenario_state": {"request_states": states}}
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    load(case, get("helm_run"), folder)


def request(item: int, trial: int = 0, **about: Any) -> dict[str, Any]:
    result = {"request_datetime": 1_770_000_000, "completions": [{"text": "2"}]}
    instance = {"id": f"id{item}", "split": "test", **about}
    return {"instance": instance, "train_trial_index": trial, "result": result}


NOISY = {"perturbation": {"name": "typos"}}


def test_the_items_of_a_run_of_helm_are_its_instances(case: Path) -> None:
    stats = [stat("exact_match", 0.1, **NOISY), stat("exact_match", 0.2, split="valid"),
             stat("exact_match", 0.5), stat("exact_match", 0.9, split="train")]  # fmt: skip
    states = [*map(request, range(3)), request(0, **NOISY), request(9, split="valid")]
    each = [{"instance_id": f"id{n}", "stats": [stat("exact_match", 1.0)]} for n in range(2)]
    helm(case, states, stats=stats, per_instance_stats=each)
    assert rows(case, "SELECT score, n_items FROM eval_runs") == [(0.5, 2)]


def test_instances_of_helm_count_where_none_has_the_metric(case: Path) -> None:
    helm(case, [request(n, trial) for n in range(3) for trial in range(2)],
         stats=[stat("bleu", 0.5)])  # fmt: skip
    assert rows(case, "SELECT score, n_items FROM eval_runs") == [(0.5, 3)]


def test_instances_of_helm_count_without_statistics(case: Path) -> None:
    helm(case, [request(0), request(1)])
    assert rows(case, "SELECT score, n_items FROM eval_runs") == [(None, 2)]


def test_each_trial_of_helm_has_its_score(case: Path) -> None:
    each = [{"instance_id": "id0", "train_trial_index": trial,
             "stats": [stat("exact_match", float(trial))]} for trial in range(2)]  # fmt: skip
    helm(case, [request(0, 0), request(0, 1)], stats=[stat("exact_match", 0.5)],
         per_instance_stats=each)  # fmt: skip
    assert rows(case, "SELECT epoch, score FROM eval_samples ORDER BY 1") == [(1, 0.0), (2, 1.0)]
