"""What tables and importers declare of themselves is complete, and is what their files hold."""

import importlib
import pkgutil
from types import ModuleType

import pytest

import casework.importers
import casework.tables
from casework import importers, tables
from casework.case import identifier
from casework.importers import Importer
from casework.tables import Table

SECTIONS = ["Reads", "Fills", "Leaves out", "Known limits"]
TYPES = {"VARCHAR", "DOUBLE", "BIGINT", "BOOLEAN", "JSON", "TIMESTAMP WITH TIME ZONE"}
TYPES |= {"VARCHAR[]", "FLOAT[]", "MAP(VARCHAR, DOUBLE)"}

every_table = pytest.mark.parametrize("table", tables.ALL, ids=lambda table: table.name)
every_importer = pytest.mark.parametrize("importer", importers.ALL, ids=lambda one: one.name)


def files(package: ModuleType) -> set[str]:
    modules = pkgutil.iter_modules(package.__path__)
    return {module.name for module in modules if not module.name.startswith("_")}


def test_no_file_is_forgotten() -> None:
    assert files(casework.tables) == {table.name for table in tables.ALL}
    assert files(casework.importers) == {importer.name for importer in importers.ALL}


@every_table
def test_a_table_says_what_it_is(table: Table) -> None:
    module = importlib.import_module(f"casework.tables.{table.name}")
    assert getattr(module, table.name) is table
    assert table.doc == module.__doc__
    assert table.doc.splitlines()[0].endswith(".")
    for column in table.all_columns:
        assert column.doc.endswith("."), column.name


@every_table
def test_a_table_is_consistent(table: Table) -> None:
    names = [column.name for column in table.all_columns]
    assert len(names) == len(set(names))
    assert {column.type for column in table.all_columns} <= TYPES
    assert set(table.key) <= set(names)
    assert table.required, "a row of nothing would be a row"
    assert set(table.all_synonyms) <= set(table.required)
    assert not {synonym for found in table.all_synonyms.values() for synonym in found} & set(names)
    if table.time:
        assert table.type_of(table.time) == "TIMESTAMP WITH TIME ZONE"
    if table.covariates:
        assert table.type_of(table.covariates) == "MAP(VARCHAR, DOUBLE)"
    for name in (table.name, *names):
        assert identifier(name) == f'"{name}"'


@every_importer
def test_an_importer_has_its_manual_page(importer: Importer) -> None:
    module = importlib.import_module(f"casework.importers.{importer.name}")
    assert getattr(module, importer.name) is importer
    assert importer.doc == module.__doc__
    headings = [line[3:] for line in importer.doc.splitlines() if line.startswith("## ")]
    assert headings == SECTIONS
    assert importer.doc.splitlines()[0].endswith(".")
    assert all(table in tables.ALL for table in importer.tables)


def test_every_table_can_be_filled() -> None:
    filled = {table.name for importer in importers.ALL for table in importer.tables}
    assert filled == {table.name for table in tables.ALL}
