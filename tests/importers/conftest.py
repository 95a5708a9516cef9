"""What every test of an importer has."""

from pathlib import Path

import pytest


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Where the case of a test goes; `loading.load` makes it."""
    return tmp_path / "case.duckdb"
