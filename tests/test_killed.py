"""A load of many files that is killed at any moment: whole files only, and it can be finished."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from fixtures import ALL

from casework import Case, intake
from casework.tables import ALL as TABLES

KILLS = 20
INCIDENTS = ("threshold_drift.planted", "output_attribution.planted", "registry_rot.planted",
             "alignment_loss.planted", "reproducibility_closure.planted")  # fmt: skip

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def handed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The evidence of several incidents, each in a folder of its own."""
    folder = tmp_path_factory.mktemp("handed")
    for incident in ALL:
        if incident.name in INCIDENTS:
            incident.write(folder / incident.diagnosis, seed=11)
    return folder


@pytest.fixture(scope="module")
def whole(
    handed: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Mapping[str, int], float]:
    """Rows by table of a load that nobody stops, and the seconds that it takes."""
    path = tmp_path_factory.mktemp("whole") / "case.duckdb"
    Case.create(path).close()
    began = time.monotonic()
    subprocess.run(command(path, handed), check=False, capture_output=True)
    return rows(path), time.monotonic() - began


def command(case: Path, handed: Path) -> list[str]:
    return [sys.executable, "-m", "casework", "load", str(case), str(handed)]


def rows(path: Path) -> dict[str, int]:
    """Rows by table, after a look that each is of an exhibit that says so."""
    with Case(path) as case:
        said: dict[str, int] = {}
        for exhibit in case.exhibits():
            for table, n in exhibit.tables.items():
                said[table] = said.get(table, 0) + n
        counts = " UNION ALL ".join(
            f"SELECT '{t.name}', count(*), count(*) FILTER (WHERE exhibit_id NOT IN "
            f"(SELECT exhibit_id FROM exhibits)) FROM {t.name}"
            for t in TABLES
        )
        found = case.sql(counts).rows
    assert not any(strangers for _, _, strangers in found)
    held = {table: n for table, n, _ in found if n}
    assert held == {table: n for table, n in said.items() if n}
    return held


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_load_can_be_finished(
    kill: int, tmp_path: Path, handed: Path, whole: tuple[Mapping[str, int], float]
) -> None:
    expected, seconds = whole
    path = tmp_path / "case.duckdb"
    Case.create(path).close()
    with subprocess.Popen(
        command(path, handed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        time.sleep(seconds * (kill + 0.5) / KILLS)
        process.kill()
    assert all(n <= expected[table] for table, n in rows(path).items())
    intake.load(path, [handed])
    assert rows(path) == expected
