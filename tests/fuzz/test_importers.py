"""A little fuzzing of every importer; `make fuzz` does it for long."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fuzz.mutations import read_damaged

from casework import importers


@pytest.mark.parametrize("name", [importer.name for importer in importers.ALL])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_damage_ends_in_items_or_one_error(tmp_path: Path, name: str, seed: int) -> None:
    assert read_damaged(name, tmp_path / "damaged", seed) >= 0
