"""Cases made of the incidents, each written, loaded and diagnosed as an investigator would."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from benchmarks.validity import load_with_maps
from fixtures import ALL, Truth
from fixtures.formats.tables import write_table
from tests.cases import (
    all_threads,
    empty_case,
    load_tables,
    no_look_into_the_file,
    one_thread,
    shared_reader,
)

from casework.case import Case
from casework.diagnoses import get
from casework.findings import Result
from casework.intake import load

BY_NAME = {incident.name: incident for incident in ALL}


class Diagnosed:
    """Writes an incident, loads it and diagnoses it, once; settings go to the diagnosis."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loaded: dict[tuple[str, int], Truth] = {}
        self.results: dict[tuple[str, int, str], Result] = {}

    def __call__(
        self, name: str, incident_seed: int, /, **settings: object
    ) -> tuple[Result, Truth]:
        asked = name, incident_seed, repr(settings)
        if asked not in self.results:
            self.results[asked] = self.anew(name, incident_seed, **settings)
        return self.results[asked], self.loaded[name, incident_seed]

    def anew(self, name: str, incident_seed: int, /, **settings: object) -> Result:
        """Diagnose again, to compare with the first time or with a part of it patched."""
        with all_threads(), Case(self.path(name, incident_seed)) as opened:
            return get(BY_NAME[name].diagnosis)(opened, **settings)

    def path(self, name: str, incident_seed: int) -> Path:
        """The case that holds the incident."""
        evidence = self.folder / f"{name}-{incident_seed}"
        case = self.folder / f"{name}-{incident_seed}.duckdb"
        if (name, incident_seed) not in self.loaded:
            truth = BY_NAME[name].write(evidence, incident_seed)
            case.write_bytes(empty_case())
            load_with_maps(case, evidence, truth, shared_reader())
            shutil.rmtree(evidence)
            self.loaded[name, incident_seed] = truth
        return case


Rows = dict[str, list[Any]]
Diagnose = Callable[..., Result]


@pytest.fixture
def diagnose_tables(tmp_path: Path) -> Diagnose:
    """Diagnoses a case of small tables, each given by its columns.

    `params` are the settings of the diagnosis.
    """

    def run(diagnosis: str, params: dict[str, Any] | None = None, **tables: Rows) -> Result:
        case = tmp_path / "case.duckdb"
        case.write_bytes(empty_case())
        load_tables(case, **tables)
        with Case(case) as opened:
            return get(diagnosis)(opened, **(params or {}))

    return run


@pytest.fixture
def diagnose_files(tmp_path: Path) -> Diagnose:
    """As `diagnose_tables`, of files of JSON Lines, where rows may be rejects."""

    def run(diagnosis: str, **tables: Rows) -> Result:
        files = [tmp_path / f"{name}.jsonl" for name in tables]
        for file, columns in zip(files, tables.values(), strict=True):
            write_table(file, columns)
        case = tmp_path / "case.duckdb"
        case.write_bytes(empty_case())
        assert all(outcome.status == "loaded" for outcome in load(case, files))
        with Case(case) as opened:
            return get(diagnosis)(opened)

    return run


@pytest.fixture(scope="module", autouse=True)
def cases_of_our_own(pytestconfig: pytest.Config) -> Iterator[None]:
    """Small cases: no look for code in them, and one thread, unless slow tests are asked for.

    To share so few rows among threads takes longer than it saves. The incidents keep them all, so
    that what hangs on the order in which threads end is seen, and so do the slow tests.
    """
    few = nullcontext() if pytestconfig.option.markexpr == "slow" else one_thread()
    with no_look_into_the_file(), few:
        yield


@pytest.fixture(scope="session")
def diagnosed(tmp_path_factory: pytest.TempPathFactory) -> Diagnosed:
    return Diagnosed(tmp_path_factory.mktemp("incidents"))
