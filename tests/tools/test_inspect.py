"""Logs that an old Inspect writes: the case holds what it says, and what today's Inspect reads."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.importers.loading import source_of
from tests.importers.test_inspect_logs import TOOL, compare
from tests.tools.pinned import Write, versions

from casework.importers.inspect_logs import inspect_logs

pytestmark = pytest.mark.tools

Said = dict[str, dict[str, Any]]


@pytest.fixture(scope="module", params=versions("inspect_ai"))
def left(request: pytest.FixtureRequest, write: Write) -> tuple[Path, Said]:
    """The folder with the logs, and what the version that wrote them says of each."""
    folder, told = write("inspect_ai", request.param, f"../importers/{TOOL.name}")
    said = told["ran"]
    assert len(said) == 6
    return folder, said


@pytest.fixture(scope="module")
def read(left: tuple[Path, Said], tmp_path_factory: pytest.TempPathFactory) -> Said:
    """What the Inspect of the tests reads in the same logs."""
    folder, said = left
    process = subprocess.run(
        [sys.executable, "-W", "ignore", TOOL, tmp_path_factory.mktemp("other"),
         *(folder / name for name in said)],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout.splitlines()[-1])["read"]
    return {Path(name).name: told for name, told in found.items()}


def test_both_versions_say_the_same_but_for_the_id(left: tuple[Path, Said], read: Said) -> None:
    _, said = left
    for name, told in said.items():
        assert {**read[name], "run_id": None} == {**told, "run_id": None}
        assert read[name]["run_id"]


def test_the_case_holds_what_inspect_says(
    left: tuple[Path, Said], read: Said, tmp_path: Path
) -> None:
    folder, said = left
    for number, name in enumerate(said):
        path = folder / name
        assert inspect_logs.recognises(source_of(path))
        compare(tmp_path / f"{number}.duckdb", path, read[name])
