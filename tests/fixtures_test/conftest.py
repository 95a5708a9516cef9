"""Incidents written once for all tests of this folder."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures import ALL, Truth

INCIDENTS = {incident.name: incident for incident in ALL}
SEED = 39

Written = Callable[[str], tuple[Path, Truth]]


def incidents_of(diagnosis: str) -> Iterator[Any]:
    """The incidents of a diagnosis, its traps with the slow tests: they are written alike.

    The tests of the diagnosis judge the gravest of them by their numbers.
    """
    for incident in ALL:
        if incident.diagnosis == diagnosis:
            marks = pytest.mark.slow if incident.kind == "trap" else ()
            yield pytest.param(incident.name, marks=marks)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Write an incident at the seed of the tests; asked again, hand out the same folder."""
    kept: dict[str, tuple[Path, Truth]] = {}

    def write(name: str) -> tuple[Path, Truth]:
        if name not in kept:
            folder = tmp_path_factory.mktemp(name)
            kept[name] = folder, INCIDENTS[name].write(folder, SEED)
        return kept[name]

    return write
