"""What lm-evaluation-harness writes: the case holds the numbers that the harness itself gave."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.importers.loading import load, rows, takers_of
from tests.tools.pinned import Write, versions

from casework.importers import get

pytestmark = pytest.mark.tools

FIRST = {"sums": "acc,none", "words": "same,strict"}
"""The first metric of a task. Of a group, versions before 0.4.4 write them in any order."""

UNNAMED = (0, 4, 3)
"""The last of the versions here whose files name neither the harness' version nor the filters."""


class Left(NamedTuple):
    """The files that the harness left, what it gave itself, and its version."""

    files: list[Path]
    said: dict[str, Any]
    version: tuple[int, ...]

    @property
    def results(self) -> Path:
        (found,) = (path for path in self.files if path.suffix == ".json")
        return found

    @property
    def samples(self) -> list[Path]:
        return [path for path in self.files if path.suffix == ".jsonl"]


@pytest.fixture(scope="module", params=versions("lm_eval"))
def left(request: pytest.FixtureRequest, write: Write) -> Left:
    folder, said = write("lm_eval", request.param, "write_lm_eval.py")
    files = [path for path in (folder / "out").rglob("*") if path.is_file()]
    return Left(files, said, tuple(map(int, request.param.split("."))))


@pytest.fixture(scope="module")
def case(left: Left, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case with all files of the run."""
    case = tmp_path_factory.mktemp("case") / "case.duckdb"
    exhibits = [
        *load(case, get("lm_eval_results"), left.results),
        *load(case, get("lm_eval_samples"), *left.samples),
    ]
    assert all(one.rows_rejected == one.rows_duplicate == 0 for one in exhibits)
    return case


def as_texts(pairs: list[list[Any]]) -> list[list[str]]:
    """Log-likelihoods, and whether they are greatest, as 0.4.3 writes them."""
    return [[str(one) for one in pair] for pair in pairs]


def test_files_are_recognised_by_one_importer(left: Left) -> None:
    for path in left.files:
        kind = "lm_eval_results" if path == left.results else "lm_eval_samples"
        assert takers_of(path) == [kind], path.name


def test_numbers_of_tasks_are_those_of_the_harness(left: Left, case: Path) -> None:
    found = rows(case, "SELECT suite, score, attributes->>'metric', attributes->'metrics', "
                       "endpoint, harness_version FROM eval_runs")  # fmt: skip
    assert {row[0] for row in found} == left.said["results"].keys()
    assert {"sums", "words", "void_of"} <= left.said["results"].keys()
    for suite, score, metric, metrics, endpoint, version in found:
        said = {k: float(v) for k, v in left.said["results"][suite].items() if k != "alias"}
        held = {name: float(value) for name, value in json.loads(metrics).items()}
        assert held == pytest.approx(said, nan_ok=True)
        assert metric == FIRST.get(suite, metric)
        assert score == (None if math.isnan(said[metric]) else said[metric])
        assert endpoint == "org/tiny"
        assert version in (None, ".".join(map(str, left.version)))
        assert (version is None) == (left.version <= UNNAMED)
    assert dict(row[:2] for row in found)["void_of"] is None


def test_counts_are_those_of_the_harness(left: Left, case: Path) -> None:
    for suite, counted in rows(case, "SELECT suite, n_items FROM eval_runs"):
        parts = left.said["subtasks"].get(suite) or [suite]
        if left.version < (0, 4, 3):
            assert counted is None
        else:
            assert counted == sum(left.said["n_samples"][part]["effective"] for part in parts)


def test_samples_are_those_of_the_harness(left: Left, case: Path) -> None:
    found = rows(case, "SELECT run_id, item_id, input_text, prompt_text, target, output_text, "
                       "score FROM eval_samples")  # fmt: skip
    held = {(run.partition("@")[0].rpartition("16_")[2], item): row for run, item, *row in found}
    assert len(held) == len(found) == 7 + 2 * 5 + 5
    for task, samples in left.said["samples"].items():
        seen: Counter[int] = Counter()
        for said in samples:
            seen[said["doc"]] += 1
            part = "" if said["filter"] == "none" else f"/{said['filter']}"
            if left.version <= UNNAMED and seen[said["doc"]] > 1:
                part = f"/{seen[said['doc']]}"
            asked, prompt, target, answer, score = held[task, f"{said['doc']}{part}"]
            assert (asked, prompt, target) == (said["question"], said["prompt"], said["target"])
            first = next(iter(said["metrics"].values()))
            assert score == (None if math.isnan(first) else first)
            if task == "sums":
                assert as_texts(json.loads(answer)) == as_texts(said["answer"])
            else:
                assert [answer] == said["answer"]


def test_scores_of_samples_make_the_score_of_their_run(left: Left, case: Path) -> None:
    joined = rows(
        case,
        "SELECT suite, r.score, avg(s.score) FROM eval_runs AS r JOIN eval_samples AS s "
        "USING (run_id) WHERE item_id NOT LIKE '%/loose' AND item_id NOT LIKE '%/2' GROUP BY ALL",
    )
    if left.version < (0, 4, 3):
        assert not joined  # file names of then say neither task nor instant
        return
    assert {row[0] for row in joined} == {"sums", "words", "void_of"}
    for _, score, mean in joined:
        assert mean == (None if score is None else pytest.approx(score))
