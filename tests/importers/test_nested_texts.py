"""JSON that stands as text in a field and nests deeply stays a text, and breaks nothing off."""

import json
from pathlib import Path
from typing import Any

import pytest
from fixtures.exports.langfuse import write_csv
from tests.importers.loading import load, rows

from casework.importers import get

WHEN = "2026-03-01T10:00:00Z"
DEEP = '{"a":' * 600 + "1" + "}" * 600
CALL = {"id": "o", "traceId": "t", "type": "GENERATION", "startTime": WHEN, "metadata": DEEP,
        "input": DEEP, "output": "Yes"}  # fmt: skip
TRACE = {"trace_id": "t", "request_time": 1_772_359_200_000, "state": "OK", "request": DEEP,
         "response": '{"a": 1}', "tags": {"mlflow.traceName": "ask"},
         "trace_metadata": DEEP,
         "spans": [{"name": "ask", "attributes": {"mlflow.llm.model": '["m"]'}}]}  # fmt: skip


@pytest.mark.parametrize(
    ("importer", "record"), [("langfuse_export", CALL), ("mlflow_search", TRACE)]
)
def test_a_text_that_nests_deeply_stays_a_text(
    tmp_path: Path, importer: str, record: dict[str, Any]
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(record) + "\n")
    case = tmp_path / "case.duckdb"
    (exhibit,) = load(case, get(importer), path)
    assert exhibit.rows_read == 1
    assert exhibit.rows_rejected == 0
    assert rows(case, "SELECT input_text FROM requests") == [(DEEP,)]


def test_so_does_one_in_a_cell(tmp_path: Path) -> None:
    case = tmp_path / "case.duckdb"
    load(case, get("langfuse_export"), write_csv(tmp_path / "x.csv", [CALL]))
    assert rows(case, "SELECT input_text FROM requests") == [(DEEP,)]
