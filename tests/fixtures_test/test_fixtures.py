"""What every incident owes: the same bytes for the same seed, other ones for another, a verdict."""

import ast
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from fixtures import ALL, make
from fixtures.companies import draw_company
from fixtures.governance import draw_governed
from fixtures.registry_rot import quick_approval
from fixtures.study import draw_study
from fixtures.substrate_rotation import three_steps
from fixtures.trials import draw_trial

FIXTURES = Path(make.__file__).parent
VERDICTS = {"confirmed", "supported", "inconclusive", "clean", "not_testable"}
NAMES = [incident.name for incident in ALL]
QUICK = [
    "cohort_skew.planted_2x",
    "cohort_skew.unit_mismatch",
    "output_attribution.planted",
    "output_attribution.daylight_saving",
]
"""Incidents that between them pass through every writer."""


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def by_name(name: str):
    return next(incident for incident in ALL if incident.name == name)


def test_names_are_unique_and_tell_the_diagnosis() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for incident in ALL:
        assert incident.name.startswith(f"{incident.diagnosis}.")


@pytest.mark.parametrize("diagnosis", sorted({incident.diagnosis for incident in ALL}))
def test_a_diagnosis_has_planted_incidents_a_healthy_twin_and_traps(diagnosis: str) -> None:
    kinds = {incident.kind for incident in ALL if incident.diagnosis == diagnosis}
    assert kinds == {"planted", "healthy", "trap"}


@pytest.mark.parametrize("incident", ALL, ids=NAMES)
def test_an_incident_says_which_verdict_is_right(incident) -> None:
    assert set(incident.verdicts) <= VERDICTS
    told = " ".join(incident.doc.split())
    assert "Right: `" in told or "Not `confirmed`" in told
    if incident.kind == "planted":
        assert "confirmed" in incident.verdicts
    if "Not `confirmed`" in told:
        assert "confirmed" not in incident.verdicts


def test_no_story_is_forgotten() -> None:
    """Every function that writes an incident is the story of one in `ALL`."""
    told = {incident.story.__name__ for incident in ALL}
    for file in FIXTURES.glob("*.py"):
        if not file.stem.startswith(tuple({incident.diagnosis for incident in ALL})):
            continue
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("write_"):
                arguments = [argument.arg for argument in node.args.args]
                assert arguments != ["folder", "seed"] or node.name in told, node.name


@pytest.mark.parametrize("file", sorted(FIXTURES.rglob("*.py")), ids=lambda file: file.stem)
def test_the_generator_knows_nothing_of_the_library(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not any(name.partition(".")[0] == "casework" for name in names)


@pytest.mark.parametrize("file", sorted(FIXTURES.rglob("*.py")), ids=lambda file: file.stem)
def test_files_and_functions_stay_small(file: Path) -> None:
    text = file.read_text()
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 45, node.name


def check_same_bytes(name: str, folder: Path) -> None:
    first = by_name(name).write(folder / "first", 15)
    second = by_name(name).write(folder / "second", 15)
    assert first == second
    assert digests(folder / "first") == digests(folder / "second")


@pytest.mark.parametrize("name", QUICK)
def test_same_seed_same_bytes(name: str, tmp_path: Path) -> None:
    check_same_bytes(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name not in QUICK])
def test_same_seed_same_bytes_everywhere(name: str, tmp_path: Path) -> None:
    check_same_bytes(name, tmp_path)


@pytest.mark.parametrize("name", QUICK)
def test_another_seed_is_another_incident(name: str, tmp_path: Path) -> None:
    one, two = (by_name(name).write(tmp_path / str(seed), seed) for seed in (15, 39))
    assert one.numbers != two.numbers
    evidence = [
        {digest for file, digest in digests(tmp_path / seed).items() if file not in maps.values()}
        for seed, maps in (("15", one.maps), ("39", two.maps))
    ]
    assert not evidence[0] & evidence[1]


def test_nothing_is_recognisable_by_a_constant() -> None:
    studies = [draw_study(seed) for seed in range(30)]
    for trait in ("experiment", "treatment", "control", "metric", "kind", "salt", "starts_at"):
        assert len({getattr(study, trait) for study in studies}) > 1, trait
    assert len({study.census.units for study in studies}) > 25
    assert len({draw_company(seed).name for seed in range(30)}) > 25


def test_a_twin_is_the_same_company() -> None:
    planted, healthy = draw_study(3, strength=2.0), draw_study(3)
    assert planted == healthy


def test_the_last_step_is_on_the_morning_of_the_readout() -> None:
    for trial in map(draw_trial, range(40)):
        step, readout = trial.at(three_steps(trial)[2]), trial.at(trial.days)
        hour = (step - readout.astype("datetime64[D]")) / np.timedelta64(1, "h")
        assert 5 <= hour < 12, trial.seed
        assert step < readout


def test_what_was_approved_in_seconds_serves_after_it_was_made() -> None:
    for estate in map(draw_governed, range(20)):
        live = quick_approval(estate, estate.live[0], 9).live[0]
        made, asked, approved = live.created_ms, live.requested_ms, live.approved_ms
        assert made < asked < approved < live.served_from_ms < 0, estate.seed


def test_samples_of_one_prompt_are_planted_as_one_prompt(tmp_path: Path) -> None:
    numbers = by_name("alignment_loss.many_samples").write(tmp_path, 5).numbers
    assert numbers["true_change"] == pytest.approx(-1 / 20)
    assert numbers["true_change"] == pytest.approx(
        numbers["refusal_tuned"] - numbers["refusal_base"])  # fmt: skip


def test_the_command_writes_an_incident(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make.main(["output_attribution.daylight_saving", "--seed", "4", "--out", str(tmp_path)])
    said = json.loads(capsys.readouterr().out)
    assert said["numbers"]["rotations"] == 2
    for source, mapping in said["maps"].items():
        assert (tmp_path / source).is_file()
        assert (tmp_path / mapping).is_file()


def test_the_command_refuses_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        make.main(["cohort_skew.no_such_story"])
    assert "cohort_skew.healthy" in capsys.readouterr().err
