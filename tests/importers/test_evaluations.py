"""Exports of evaluations: what stands in unusual places, or is of unusual kind, is told so."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.importers.loading import load, rows, takers_of

from casework.importers import get
from casework.records import Exhibit


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return tmp_path / "case.duckdb"


def lines(path: Path, *values: Any) -> Path:
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values))
    return path


# TREC


def trec(case: Path, data: bytes) -> Exhibit:
    path = case.with_name("run.txt")
    path.write_bytes(data)
    assert takers_of(path) == ["trec_files"]
    (exhibit,) = load(case, get("trec_files"), path)
    return exhibit


def test_a_byte_order_mark_is_no_part_of_a_query(case: Path) -> None:
    trec(case, b"\xef\xbb\xbfq1 Q0 d1 1 2.5 bm25\r\nq1 Q0 d2 2 1.5 bm25\r\n")
    assert rows(case, "SELECT DISTINCT query_id FROM candidates") == [("q1",)]


@pytest.mark.parametrize(
    "line",
    [b"q1 Q0 d1 1 1e999 bm25", b"q1 Q0 d\xe9 1 2.5 bm25", b"x" * 4090 + b" q1 Q0 d1 1 2.5 bm25"],
)
def test_a_line_of_trec_that_cannot_be_read_is_one_reject(case: Path, line: bytes) -> None:
    good = b"q1 Q0 d7 1 3.5 bm25\n"
    exhibit = trec(case, good * 20 + line + b"\nq1 Q0 d8 2 2.5 bm25\n")
    assert exhibit.rows_rejected == 1
    assert rows(case, "SELECT locator FROM rejects") == [("line 21",)]
    assert rows(case, "SELECT locator FROM candidates WHERE doc_id = 'd8'") == [("line 22",)]
