"""A year at one company with evidence for every diagnosis: silence, and three patterns at once."""

from pathlib import Path

import pytest
from fixtures.year import YEARS, write_year
from tests.cases import empty_case

from casework.case import Case
from casework.diagnoses import ALL, diagnose, triage
from casework.findings import Result, Triage
from casework.intake import load


def lived(folder: Path, name: str, seed: int) -> tuple[dict[str, Result], Triage]:
    """Write a year, load it, and run all diagnoses on it."""
    case = folder / "case.duckdb"
    write_year(folder / "evidence", seed, name)
    case.write_bytes(empty_case())
    outcomes = load(case, [folder / "evidence"])
    assert {o.status for o in outcomes} == {"loaded"}
    assert not sum(o.exhibit.rows_rejected for o in outcomes if o.exhibit)
    results = diagnose(case)
    with Case(case) as opened:
        return {r.diagnosis: r for r in results}, triage(opened, results)


def assert_told(name: str, results: dict[str, Result]) -> None:
    """What was planted is confirmed, and nothing else is as much as supported."""
    found = {n: r.verdict for n, r in results.items() if r.verdict in ("confirmed", "supported")}
    wrong = {n: (found[n], results[n].headline) for n in found if n not in YEARS[name]}
    assert not wrong
    assert found.keys() == set(YEARS[name]) & {d.name for d in ALL}


@pytest.mark.slow
def test_in_a_quiet_year_every_diagnosis_is_tested_and_none_speaks(tmp_path: Path) -> None:
    results, told = lived(tmp_path, "quiet", 1)
    assert_told("quiet", results)
    assert "not_testable" not in {r.verdict for r in results.values()}
    assert told.causes == ()
    assert told.changes


@pytest.mark.slow
def test_an_embedding_upgrade_is_one_cause_of_two_findings(tmp_path: Path) -> None:
    results, told = lived(tmp_path, "embedding_upgrade", 1)
    assert_told("embedding_upgrade", results)
    (shared,) = (cause for cause in told.causes if len(cause.diagnoses) > 1)
    assert set(shared.diagnoses) == {"threshold_drift", "substrate_rotation"}
    assert [change.key for change in shared.within] == ["embedding_model"]
    assert set(told.ranking[:3]) == set(YEARS["embedding_upgrade"])


@pytest.mark.slow
def test_a_tuned_swap_is_told_by_three(tmp_path: Path) -> None:
    results, _ = lived(tmp_path, "tuned_swap", 1)
    assert_told("tuned_swap", results)
    assert results["alignment_loss"].verdict == "confirmed"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
@pytest.mark.parametrize("name", YEARS)
def test_years_of_other_seeds(tmp_path: Path, name: str, seed: int) -> None:
    results, _ = lived(tmp_path, name, seed)
    assert_told(name, results)
