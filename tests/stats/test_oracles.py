"""Published and derived values, each reached by calling the library."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.stats.reached import all_reached

FILE = Path(__file__).parents[1] / "oracles.json"
ORACLES = {oracle["id"]: oracle for oracle in json.loads(FILE.read_text(encoding="utf-8"))}
REACHED = all_reached()


def assert_near(found: Any, expected: Any, tolerance: float | None, where: str) -> None:
    """Compare value by value, to any depth; without a tolerance a value is one rounded in print."""
    if isinstance(expected, Mapping):
        for key, value in expected.items():
            assert_near(found[key], value, tolerance, f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for i, value in enumerate(expected):
            assert_near(found[i], value, tolerance, f"{where}[{i}]")
    elif isinstance(expected, bool) or not isinstance(expected, int | float):
        assert found == expected, where
    else:
        rounded = {"rel": 0.02} if tolerance is None else {"rel": 0, "abs": tolerance}
        assert found == pytest.approx(expected, **rounded), where


@pytest.mark.parametrize("name", REACHED)
def test_oracle(name: str) -> None:
    oracle = ORACLES[name]
    reached = REACHED[name](oracle["inputs"])
    for key, expected in oracle["expected"].items():
        tolerance = oracle["tolerance"].get(key, oracle["tolerance"].get("default"))
        if key.endswith("_published") and key not in oracle["tolerance"]:
            tolerance = None
        assert_near(reached[key], expected, tolerance, f"{name}.{key}")


def test_oracles_are_those_of_the_project(shared: Path) -> None:
    assert FILE.read_bytes() == (shared / "oracles.json").read_bytes()
