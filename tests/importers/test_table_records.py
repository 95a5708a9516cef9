"""Tables that tools save, whatever form they save them in."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.importers.loading import source_of

from casework.importers._parquet import parquet_notes
from casework.importers._records import Record
from casework.importers._table_records import first_record, table_records

RECORDS: list[dict[str, Any]] = [{"name": "a", "data": {"x": 1}}, {"name": "b", "data": {}}]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(map(json.dumps, RECORDS)),
        json.dumps(RECORDS),
        json.dumps({"data": RECORDS, "next_cursor": None}),
    ],
    ids=["lines", "array", "page"],
)
def test_a_field_named_data_is_no_page(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    found = [one.values for one in table_records(source_of(path)) if isinstance(one, Record)]
    assert found == RECORDS
    assert first_record(source_of(path))["name"] == "a"


def test_names_of_csv_may_have_blanks_around_them(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(", name ,a,a \n0,x,1,2\n")
    values = {"name": "x", "a": "1", "a ": "2"}
    assert first_record(source_of(tmp_path / "t.csv")) == dict.fromkeys(["", *values])
    assert list(table_records(source_of(tmp_path / "t.csv"))) == [Record("row 1", values)]


def test_parquet_under_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xff.parquet")
    with path.open("wb") as file:
        parquet.write_table(pa.table({"name": ["a", "b"]}), file)
    assert first_record(source_of(path)) == {"name": None}
    found = list(table_records(source_of(path)))
    assert found == [Record("row 1", {"name": "a"}), Record("row 2", {"name": "b"})]
    assert parquet_notes(source_of(path)) == {}
