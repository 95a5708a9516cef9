"""What promptfoo exports: the case holds the results that its own `evaluate` gave."""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.importers.loading import load, load_whole, rows, takers_of
from tests.tools.pinned import Write, versions

from casework.importers import get

pytestmark = pytest.mark.tools


class Left(NamedTuple):
    """The export, and what promptfoo says of the evaluation."""

    path: Path
    said: dict[str, Any]


@pytest.fixture(scope="module", params=versions("promptfoo"))
def left(request: pytest.FixtureRequest, write: Write) -> Left:
    folder, said = write("promptfoo", request.param, "write_promptfoo.mjs")
    return Left(folder / "results.json", said)


@pytest.fixture(scope="module")
def case(left: Left, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case with the export."""
    case = tmp_path_factory.mktemp("case") / "case.duckdb"
    load_whole(case, "promptfoo_results", left.path)
    return case


def test_versions_of_the_results_differ() -> None:
    assert len(versions("promptfoo")) == 2


def test_runs_are_the_prompts_of_the_evaluation(left: Left, case: Path) -> None:
    found = rows(
        case,
        "SELECT endpoint, prompt_name, suite, n_items, score FROM eval_runs ORDER BY run_id",
    )
    counts = [(one["passed"], one["failed"], one["errors"]) for one in left.said["prompts"]]
    assert found == [
        (one["provider"], one["label"], "Échos", sum(count) / 2, count[0] / sum(count))
        for one, count in zip(left.said["prompts"], counts, strict=True)
    ]
    assert [row[0] for row in found] == ["echo", "echo", "second", "second"]
    assert sum(count[0] for count in counts) == left.said["stats"]["successes"]


def test_samples_are_the_results_of_the_evaluation(left: Left, case: Path) -> None:
    found = rows(
        case,
        "SELECT endpoint, prompt_name, prompt_text, input_text, output_text, s.score "
        "FROM eval_samples AS s JOIN eval_runs USING (run_id)",
    )
    assert Counter(found) == Counter(
        (one["provider"], one["label"], one["prompt"], one["vars"]["word"], one["output"],
         one["score"])
        for one in left.said["results"]
    )  # fmt: skip
    assert len(found) == 4 * 2 * 4


def test_a_test_is_the_same_item_for_all_prompts(case: Path) -> None:
    found = rows(
        case,
        "SELECT item_id, count(DISTINCT run_id), count(DISTINCT input_text), max(epoch), count(*) "
        "FROM eval_samples GROUP BY ALL",
    )
    assert len(found) == 4
    assert {row[1:] for row in found} == {(4, 1, 2, 4 * 2)}  # version 3 numbers repeats as tests


def test_targets_are_those_of_the_assertions(case: Path) -> None:
    found = rows(case, "SELECT DISTINCT input_text, target FROM eval_samples ORDER BY ALL")
    assert found == [("four", None), ("one", "Say one"), ("three", None), ("twö", "twö\nSHOUT")]


def test_lines_are_the_samples_of_the_same_evaluation(left: Left, case: Path) -> None:
    path = left.path.with_suffix(".jsonl")
    if left.said["version"] < 3:
        assert not path.exists()  # it knew no JSON Lines then
        return
    assert takers_of(path) == ["promptfoo_results"]
    (exhibit,) = load(case, get("promptfoo_results"), path)
    assert (exhibit.rows_duplicate, exhibit.rows_read) == (4 * 2 * 4, 4 * 2 * 4)
