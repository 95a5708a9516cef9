"""Cases made of the incidents, each written, loaded and diagnosed as an investigator would."""

import shutil
from pathlib import Path

import pytest
from benchmarks.validity import load_with_maps
from fixtures import ALL, Truth

from casework.case import Case
from casework.diagnoses import get
from casework.findings import Result

BY_NAME = {incident.name: incident for incident in ALL}


class Diagnosed:
    """Writes an incident and loads it, once, and diagnoses it; settings go to the diagnosis."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loaded: dict[tuple[str, int], Truth] = {}

    def __call__(
        self, name: str, incident_seed: int, /, **settings: object
    ) -> tuple[Result, Truth]:
        case = self.path(name, incident_seed)
        with Case(case) as opened:
            result = get(BY_NAME[name].diagnosis)(opened, **settings)
        return result, self.loaded[name, incident_seed]

    def path(self, name: str, incident_seed: int) -> Path:
        """The case that holds the incident."""
        evidence = self.folder / f"{name}-{incident_seed}"
        case = self.folder / f"{name}-{incident_seed}.duckdb"
        if (name, incident_seed) not in self.loaded:
            truth = BY_NAME[name].write(evidence, incident_seed)
            Case.create(case).close()
            load_with_maps(case, evidence, truth)
            shutil.rmtree(evidence)
            self.loaded[name, incident_seed] = truth
        return case


@pytest.fixture(scope="session")
def diagnosed(tmp_path_factory: pytest.TempPathFactory) -> Diagnosed:
    return Diagnosed(tmp_path_factory.mktemp("incidents"))
