"""Every importer on exports of its own format: recognised by it alone, whole, accounted for."""

from pathlib import Path
from random import Random

import pytest
from fixtures.exports import EXPORTS
from tests.cases import also
from tests.importers.loading import load, rows, source_of

from casework import importers
from casework.importers import Importer

by_importer = pytest.mark.parametrize("importer", importers.ALL, ids=lambda one: one.name)


def test_every_importer_has_an_export() -> None:
    assert sorted(EXPORTS) == sorted(importer.name for importer in importers.ALL)


@by_importer
@pytest.mark.parametrize("seed", range(6))
def test_an_export_is_recognised_by_its_importer_first(
    tmp_path: Path, importer: Importer, seed: int
) -> None:
    export = EXPORTS[importer.name](tmp_path, Random(seed))
    source = source_of(export.path)
    takers = [
        one
        for one in importers.ALL
        if one.of_folders == export.path.is_dir() and one.recognises(source)
    ]
    assert takers[0] is importer


@by_importer
@pytest.mark.parametrize("seed", [0, *also((1,), (2,))])
def test_an_export_is_read_whole(tmp_path: Path, importer: Importer, seed: int) -> None:
    export = EXPORTS[importer.name](tmp_path, Random(seed))
    case = tmp_path / "case.duckdb"
    (exhibit,) = load(case, importer, export.path)
    assert {name: count for name, count in exhibit.tables.items() if count} == dict(export.rows)
    assert exhibit.rows_rejected == exhibit.rows_duplicate == 0
    assert set(exhibit.tables) <= {table.name for table in importer.tables}


@by_importer
def test_what_one_importer_writes_no_other_takes(tmp_path: Path, importer: Importer) -> None:
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        export = EXPORTS[importer.name](folder, Random(seed))
        source = source_of(export.path)
        others = [
            one.name
            for one in importers.ALL
            if one not in (importer, importers.table_file)  # which goes by names, and comes last
            and one.of_folders == export.path.is_dir()
            and one.recognises(source)
        ]
        assert others == []


@by_importer
def test_the_same_export_twice_is_the_same(tmp_path: Path, importer: Importer) -> None:
    export = EXPORTS[importer.name](tmp_path, Random(5))
    case = tmp_path / "case.duckdb"
    load(case, importer, export.path)
    table = next(iter(export.rows))
    again = tmp_path / "again.duckdb"
    load(again, importer, export.path)
    sql = f"SELECT * FROM {table} ORDER BY locator"
    assert rows(case, sql) == rows(again, sql)
