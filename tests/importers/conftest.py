"""What every test of an importer has."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cases import no_look_into_the_file
from tests.importers.loading import load, source_of

from casework.importers.otlp_traces import otlp_traces
from casework.records import Exhibit


@pytest.fixture(scope="module", autouse=True)
def cases_of_our_own() -> Iterator[None]:
    with no_look_into_the_file():
        yield


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Where the case of a test goes; `loading.load` makes it."""
    return tmp_path / "case.duckdb"


@pytest.fixture
def loaded(tmp_path: Path, case: Path) -> Callable[..., Exhibit]:
    """Loads OTLP: bytes, or requests one a line."""
    from tests.importers.otlp_export import jsonl  # whose SDK takes a while to import

    def do(*sent: Any, data: bytes | None = None, name: str = "traces.jsonl") -> Exhibit:
        file = tmp_path / name
        file.write_bytes(jsonl(*sent) if data is None else data)
        assert otlp_traces.recognises(source_of(file))
        (exhibit,) = load(case, otlp_traces, file)
        return exhibit

    return do
