"""The demo's evidence is what its generator writes, small, and agrees with what is behind it."""

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fixtures import make

LIMIT = 1_200_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make.make_demo(folder / "demo", folder / "demo_truth.json")
    return folder


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(make.DEMO_TRUTH.read_text())
    return found


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def content(path: Path) -> object:
    """What a file holds, whichever zlib squeezed it."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".eval":
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    return path.read_bytes()


def test_the_committed_demo_is_what_the_generator_writes(made: Path) -> None:
    assert files(made / "demo") == files(make.DEMO)
    for name in files(make.DEMO):
        assert content(made / "demo" / name) == content(make.DEMO / name), name
    assert (made / "demo_truth.json").read_text() == make.DEMO_TRUTH.read_text()


@pytest.mark.slow
def test_making_the_demo_again_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    make.make_demo(tmp_path / "demo", tmp_path / "demo_truth.json")
    for name in files(made / "demo"):
        assert (made / "demo" / name).read_bytes() == (tmp_path / "demo" / name).read_bytes(), name


def test_the_demo_is_small() -> None:
    assert sum((make.DEMO / name).stat().st_size for name in files(make.DEMO)) < LIMIT


def test_the_story_gives_no_answers(truth: dict[str, Any]) -> None:
    story = (make.DEMO / "story.md").read_text()
    assert not [name for name in files(make.DEMO) if "truth" in name]
    for claim in truth["asked"]:
        assert claim in story
    for digest in truth["output_attribution"]["checkpoints"]:
        assert digest[7:15] not in story
    assert "power" not in story
    for name in files(make.DEMO):
        top = name.split("/")[0]
        assert top in story or top == "story.md", f"the story does not say what {name} is"


def test_both_incidents_are_planted(truth: dict[str, Any]) -> None:
    attribution, skew = truth["output_attribution"], truth["cohort_skew"]
    assert (attribution["rotations"], attribution["boundaries"]) == (4, 5)
    assert attribution["grade_d"] > 0
    assert min(attribution[f"grade_{g}"] for g in "abc") > 0
    assert skew["mechanism"] == "non_mixing"
    assert skew["true_lift"] == 0
    assert skew["lift_canary"] > 0.05


def test_some_rows_are_broken(truth: dict[str, Any]) -> None:
    lines = gzip.decompress((make.DEMO / "experiment/outcomes.csv.gz").read_bytes()).decode()
    _, *rows = [line.split(",") for line in lines.splitlines()]
    broken = [
        (unit, metric, when, *numbers)
        for unit, metric, when, *numbers in rows
        if not (unit and metric and when.endswith("Z") and all(map(str.isdigit, numbers)))
    ]
    assert len(broken) == truth["broken_rows"]


def test_one_claim_is_known_and_one_is_not(truth: dict[str, Any]) -> None:
    assert sorted(len(candidates) for candidates in truth["asked"].values()) == [1, 2]
