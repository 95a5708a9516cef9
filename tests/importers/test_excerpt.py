import gzip
import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from tests.cases import empty_case

from casework.case import Case
from casework.case.origins import rows_of
from casework.errors import CaseworkError
from casework.importers._excerpt import LONGEST, excerpt
from casework.intake import load
from casework.records import Exhibit
from casework.tables import get

SPANS = [{"spanId": f"s{i}", "note": "x" * 10} for i in range(3)]


def loaded(folder: Path, name: str, content: bytes) -> Path:
    """A case with one source, which lies beside it."""
    (folder / name).write_bytes(content)
    case = folder / "case.duckdb"
    case.write_bytes(empty_case())
    (outcome,) = load(case, [folder / name])
    assert outcome.status == "loaded", outcome
    return case


def excerpts(case_path: Path, table: str) -> dict[str, str]:
    with Case(case_path) as case:
        found = rows_of(case, get(table))
        return {f.locator: excerpt(f.exhibit, f.locator, case_path.parent) for f in found}


def test_a_row_of_csv_may_take_several_lines_and_blank_ones_do_not_count(tmp_path: Path) -> None:
    text = 'host,error_s,note\na,1,"two\nlines, ""quoted"""\n\nb,2,plain\n'
    found = excerpts(loaded(tmp_path, "clocks.csv", text.encode()), "clocks")
    assert found == {"row 1": 'a,1,"two\nlines, ""quoted"""', "row 2": "b,2,plain"}


def test_torn_rows_count(tmp_path: Path) -> None:
    text = "host;error_s\na;1\nb;2;3\n\nc;3\n"
    found = excerpts(loaded(tmp_path, "clocks.csv", text.encode()), "clocks")
    assert found == {"row 1": "a;1", "row 3": "c;3"}


def test_lines_of_a_packed_file(tmp_path: Path) -> None:
    lines = [json.dumps({"ticket_id": f"t{i}", "reported_at": "2026-01-01"}) for i in range(3)]
    packed = gzip.compress("\n".join(["", *lines]).encode())
    found = excerpts(loaded(tmp_path, "tickets.jsonl.gz", packed), "tickets")
    assert found == {f"line {i + 2}": line for i, line in enumerate(lines)}


def test_a_document_over_several_lines_is_shown_whole(tmp_path: Path) -> None:
    each = [{"ticket_id": f"t{i}", "reported_at": "2026-01-01"} for i in range(2)]
    text = "\ufeff" + "\n".join(json.dumps(one, indent=2) for one in each) + "\n"
    found = excerpts(loaded(tmp_path, "tickets.jsonl", text.encode()), "tickets")
    assert found == {f"line {1 + 4 * i}": json.dumps(one, indent=2) for i, one in enumerate(each)}


def test_rows_of_parquet(tmp_path: Path) -> None:
    table = pa.table({"unit_id": [f"u{i}" for i in range(5)], "visits": [1.0, 2.0, 3.0, 4.0, 5.0]})
    pa.parquet.write_table(table, tmp_path / "units.parquet", row_group_size=2)
    raw = (tmp_path / "units.parquet").read_bytes()
    found = excerpts(loaded(tmp_path, "units.parquet", raw), "units")
    assert {json.loads(text)["unit_id"] for text in found.values()} == {f"u{i}" for i in range(5)}
    assert json.loads(found["row 4"]) == {"unit_id": "u3", "visits": 4.0}


@pytest.mark.parametrize(
    ("text", "locator", "shown"),
    [
        ("a: 1\n---\nitems:\n- {made: 2026-03-01}\n", "document 2/items/0", {"made": "2026-03-01"}),
        ("a: 1\n---\nb: 2\n", "document 2", {"b": 2}),
        ("stages:\n  fit: {cmd: x}\n", "/stages/fit", {"cmd": "x"}),
    ],
)
def test_a_pointer_leads_into_yaml(tmp_path: Path, text: str, locator: str, shown: Any) -> None:
    assert json.loads(excerpt(exhibit_of(tmp_path, text), locator, tmp_path)) == shown


def exhibit_of(folder: Path, text: str) -> Exhibit:
    """An exhibit that is a file of this text."""
    case = loaded(folder, "clocks.csv", b"host,error_s\na,1\n")
    (folder / "clocks.csv").write_text(text)
    with Case(case) as opened:
        (exhibit,) = opened.exhibits()
    digest = sha256(text.encode()).hexdigest()
    return replace(exhibit, format="otlp", bytes=len(text), sha256=digest)


@pytest.mark.parametrize("indent", [None, 2])
def test_a_pointer_leads_into_the_document_of_a_line(tmp_path: Path, indent: int | None) -> None:
    text = "\n" + json.dumps({"spans": SPANS}, indent=indent) + "\n"
    found = exhibit_of(tmp_path, text)
    assert json.loads(excerpt(found, "line 2/spans/1", tmp_path)) == SPANS[1]


def test_what_is_long_is_cut_and_says_so(tmp_path: Path) -> None:
    text = f"host,error_s,note\na,1,{'x' * 9_000}\n"
    (found,) = excerpts(loaded(tmp_path, "clocks.csv", text.encode()), "clocks").values()
    assert found.startswith("a,1,xxx")
    assert len(found) < LONGEST + 60
    assert found.endswith("characters more)")


def test_only_the_bytes_that_were_loaded_are_shown(tmp_path: Path) -> None:
    case = loaded(tmp_path, "clocks.csv", b"host,error_s\na,1\n")
    (tmp_path / "clocks.csv").write_bytes(b"host,error_s\nb,2\n")
    with pytest.raises(CaseworkError, match="SOURCE_CHANGED"):
        excerpts(case, "clocks")
    (tmp_path / "clocks.csv").unlink()
    with pytest.raises(CaseworkError, match="SOURCE_ABSENT"):
        excerpts(case, "clocks")


@pytest.mark.parametrize(
    "locator", ["row 9", "line 9", "row x", "/no/such", "document 1/x", "a.txt at byte 3", ""]
)
def test_a_locator_that_names_nothing_is_told(tmp_path: Path, locator: str) -> None:
    case = loaded(tmp_path, "clocks.csv", b"host,error_s\na,1\n")
    with Case(case) as opened, pytest.raises(CaseworkError, match="NO_EXCERPT"):
        excerpt(opened.exhibits()[0], locator, tmp_path)
