"""Cases made of the incidents, each written, loaded and diagnosed as an investigator would."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.validity import load_with_maps
from fixtures import ALL, Incident, Truth

from casework.case import Case
from casework.diagnoses import get
from casework.findings import Result

BY_NAME = {incident.name: incident for incident in ALL}

Diagnosed = Callable[..., tuple[Result, Truth]]


@pytest.fixture(scope="session")
def diagnosed(tmp_path_factory: pytest.TempPathFactory) -> Diagnosed:
    """Write an incident and load it, once, and diagnose it; settings go to the diagnosis."""
    folder = tmp_path_factory.mktemp("incidents")
    loaded: dict[tuple[str, int], tuple[Path, Truth]] = {}

    def run(name: str, incident_seed: int, /, **settings: object) -> tuple[Result, Truth]:
        incident: Incident = BY_NAME[name]
        if (name, incident_seed) not in loaded:
            evidence = folder / f"{name}-{incident_seed}"
            case = evidence.with_suffix(f".{incident_seed}.duckdb")
            truth = incident.write(evidence, incident_seed)
            Case.create(case).close()
            load_with_maps(case, evidence, truth)
            shutil.rmtree(evidence)
            loaded[name, incident_seed] = case, truth
        case, truth = loaded[name, incident_seed]
        with Case(case) as opened:
            return get(incident.diagnosis)(opened, **settings), truth

    return run
