"""What MLflow 2 and 3 write: the case holds what the client of the same version says of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.importers.loading import load, rows
from tests.tools.pinned import Tool, versions

from casework.importers import get

pytestmark = pytest.mark.tools


class Left(NamedTuple):
    """What the tool left behind, what it says of it, and its version."""

    folder: Path
    said: dict[str, Any]
    major: int


@pytest.fixture(scope="module", params=versions("mlflow"))
def left(
    request: pytest.FixtureRequest,
    tool: Callable[[str, str], Tool],
    tmp_path_factory: pytest.TempPathFactory,
) -> Left:
    mlflow = tool("mlflow", request.param)
    folder = tmp_path_factory.mktemp("left")
    return Left(folder, mlflow.run("write_mlflow.py", folder), int(request.param.split(".")[0]))


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return tmp_path / "case.duckdb"


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def test_the_file_store_dates_an_alias_by_its_move(left: Left, case: Path) -> None:
    said = left.said["store"]["registry"]
    load(case, get("mlflow_registry"), left.folder / "mlruns" / "models" / "credit")
    found = rows(case, "SELECT alias, checkpoint, valid_from FROM alias_events")
    assert found == [("champion", "sha256:2", moment(said["updated"]))]
    assert abs(said["updated"] - said["moved"]) < 1_000
